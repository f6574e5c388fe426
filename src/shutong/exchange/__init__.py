"""Sharing between departments: requests, decisions and the grants that come of them."""
