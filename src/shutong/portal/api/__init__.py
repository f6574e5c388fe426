"""The JSON interface under ``/api/v1``: everything the public pages show, and batches and tickets for those signed in."""
