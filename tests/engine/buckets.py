"""An object store for tests: moto's server, which speaks the S3 API in this process."""

from __future__ import annotations

import importlib.util
import itertools
import os
from functools import cache
from typing import Any

import pyarrow.fs as fs
import pytest

from shutong.engine.storage import Access, BucketStorage

KEY, SECRET = "test-key", "test-secret"
_NUMBERS = itertools.count()


@cache
def _server() -> Any:
    # Imported here, since the package is there only where the tests' own lock is installed.
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    return server


def endpoint() -> str:
    """The address of the server, started when it is first asked for."""
    host, port = _server().get_host_and_port()
    return f"http://{host}:{port}"


def new_bucket() -> BucketStorage:
    """A lake in a bucket of its own."""
    lacking = [name for name in ("moto", "duckdb_extension_httpfs") if importlib.util.find_spec(name) is None]
    if lacking:
        reason = f"not installed: {', '.join(lacking)}"
        if os.environ.get("SHUTONG_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    name = f"lake-{os.getpid()}-{next(_NUMBERS)}"
    access = Access(KEY, SECRET, endpoint())
    host = endpoint().removeprefix("http://")
    store = fs.S3FileSystem(
        access_key=KEY, secret_key=SECRET, endpoint_override=host, scheme="http", allow_bucket_creation=True
    )
    store.create_dir(name)
    return BucketStorage(name, "city/lake", access)
