"""What the area collect must remember and decide."""
