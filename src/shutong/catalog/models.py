"""Published declarations and departments."""
