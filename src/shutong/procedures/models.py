"""Cases of procedures and their steps."""
