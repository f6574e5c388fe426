"""Services that some tests need: where they are, and what to do where they are not."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

import pytest

POSTGRES_URL = os.environ.get("SHUTONG_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def require_postgres() -> str:
    """The address of a PostgreSQL server on which a test may make databases.

    Without one the test is skipped with the reason; with ``SHUTONG_REQUIRE_SERVICES=1`` it fails.
    """
    address = urlsplit(POSTGRES_URL)
    try:
        with socket.create_connection((address.hostname or "127.0.0.1", address.port or 5432), timeout=2):
            return POSTGRES_URL
    except OSError as error:
        reason = f"no PostgreSQL answers at {address.hostname}:{address.port} ({error})"
        if os.environ.get("SHUTONG_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
