"""Ready answers: what screens and APIs read by key, rebuilt from the lake at will."""
