"""Declared rules over facts and libraries: candidates of lists, observations, disagreements, and the order of stages."""
