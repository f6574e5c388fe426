"""What the commands do inside a home; imported once Django knows the home."""
