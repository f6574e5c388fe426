"""What the area portal must remember and decide."""
