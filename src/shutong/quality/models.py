"""What the area quality must remember and decide."""
