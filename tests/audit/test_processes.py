"""Several processes write, read, seal and work at once, and some are killed: the log stays whole, no write lacks its entry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from shutong.engine.home import Home
from tests.services import require_postgres

ROOT = Path(__file__).parent.parent.parent


class Children:
    """Starts child processes in one home."""

    def __init__(self, home: Home, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = {**os.environ, "SHUTONG_LOG_LEVEL": "error", **environment}

    def start(self, verb: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.audit.process", verb, str(self.home.path), *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE)

    def run(self, verb: str, *arguments: str) -> str:
        child = self.start(verb, *arguments)
        output, _ = child.communicate(timeout=60)
        assert child.returncode == 0
        return output

    def kill_after(self, child: subprocess.Popen[str], seconds: float) -> None:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=10)

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("report"))
        return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def children(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Children]:
    """A home of its own with its tables, on each database."""
    home = Home.create(tmp_path / "home")
    if request.param == "sqlite":
        made = Children(home, {})
        made.run("migrate")
        yield made
        return
    url, name = require_postgres(), f"shutong_test_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            made = Children(home, {"SHUTONG_DATABASE_URL": f"{url.rpartition('/')[0]}/{name}"})
            made.run("migrate")
            yield made
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_writers_at_once_and_killed_ones_leave_a_whole_log(children: Children) -> None:
    writers = [children.start("write", str(number), "15") for number in range(2)]
    killed = children.start("write", "9", "100000")
    children.kill_after(killed, 1.5)
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    found = children.report()
    assert found["faults"] == []
    assert found["users"] == found["entries"] > 30
    assert found["checkpoints"] > 2


def test_workers_at_once_do_everything_once_and_the_work_of_a_killed_one_is_done(children: Children) -> None:
    children.run("queue", "40")
    killed = children.start("work")
    children.kill_after(killed, 0.2)
    workers = [children.start("work") for _ in range(2)]
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    found = children.report()
    assert found["users"] == 40
    # The one job that was killed may have written before it could say so; then its second run fails.
    assert found["states"].get("SUCCESSFUL", 0) >= 39
    assert sum(found["states"].values()) == 40
    assert found["faults"] == []
