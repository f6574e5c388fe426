"""Whom a record is about: mentions, the registry of subject ids, identifiers, links and their explanation."""
