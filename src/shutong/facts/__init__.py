"""Dated things known of subjects, with provenance, masked for the public and with the day they must be published."""
