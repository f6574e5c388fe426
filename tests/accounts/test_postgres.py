"""The wrapper, the chain and the outbox on PostgreSQL: the same tests, run once more against a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.services import require_postgres

ROOT = Path(__file__).parent.parent.parent
TESTS = (
    "tests/accounts/test_actions.py",
    "tests/exchange/test_grants_life.py",
    "tests/exchange/test_requests.py::test_a_disputed_refusal_is_overturned_and_then_supplied",
    "tests/jobs/test_outbox.py::test_a_failing_handler_neither_holds_up_nor_repeats_the_others",
    "tests/jobs/test_work.py::test_a_key_queues_the_same_work_once",
    "tests/jobs/test_work.py::test_a_transient_failure_is_tried_again_later_and_not_for_ever",
    "tests/audit/test_verification.py::test_an_untouched_log_is_in_order",
    "tests/audit/test_verification.py::test_tampering_is_found[change_and_rechain-changed]",
    "tests/audit/test_verification.py::test_a_departure_is_found_from_a_record",
)


@pytest.mark.services
def test_the_state_floor_on_postgresql() -> None:
    url, name = require_postgres(), f"shutong_test_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        # The run makes its own test database, named after this address.
        address = f"{url.rpartition('/')[0]}/{name}?options=-c%20synchronous_commit%3Doff"
        try:
            command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS]
            environment = {**os.environ, "SHUTONG_DATABASE_URL": address}
            environment.pop("PYTEST_XDIST_WORKER", None)
            ran = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=180)
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS test_{name} WITH (FORCE)".encode())
    assert ran.returncode == 0, ran.stdout + ran.stderr
