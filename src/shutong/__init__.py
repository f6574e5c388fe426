"""Shutong (数通): the public data platform of a city."""

__version__ = "0.1.0"
