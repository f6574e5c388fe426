"""One-stop queries over HTTP, against an empty page of the same server, in one run.

A home with a demo city is served by ``shutong serve``; a client with a few connections asks by code and by name
fragment, and asks for ``/healthz``, which is the empty page: same server, same middleware, no data.
"""

from __future__ import annotations

import http.client
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shutong.cli.work.ports import free_port
from shutong.pipeline.answers.store import current_file

GOALS = {"code": 0.5, "fragment": 0.2}
CLIENTS = 4


def run(full: bool = False, subjects: int | None = None, seconds: float = 4.0) -> list[dict[str, Any]]:
    """Requests a second by code and by name fragment, as a share of those of an empty page.

    Args:
        full: a city of 1,000,000 subjects, the size of the goal; otherwise 5,000.
        subjects: another size.
        seconds: how long each kind of request is made; three rounds in turn, the median counts.
    """
    count = subjects or (1_000_000 if full else 5_000)
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        home = Path(folder) / "home"
        words = ["demo", "--home", str(home), "--subjects", str(count), "--no-serve"]
        subprocess.run([sys.executable, "-m", "shutong.cli.main", *words], check=True, capture_output=True)
        return _measure(home, count, seconds)


def _measure(home: Path, count: int, seconds: float) -> list[dict[str, Any]]:
    codes, fragments = _questions(home)
    port = free_port("127.0.0.1", 8400)
    serve = [sys.executable, "-m", "shutong.cli.main", "serve", "--home", str(home), "--port", str(port)]
    server = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        kinds: dict[str, Callable[[random.Random], str]] = {
            "empty": lambda _chance: "/healthz",
            "code": lambda chance: f"/api/v1/search?q={chance.choice(codes)}",
            "fragment": lambda chance: f"/api/v1/search?q={quote(chance.choice(fragments))}",
        }
        rounds = [{kind: _rate(port, path, seconds) for kind, path in kinds.items()} for _ in range(3)]
    finally:
        server.terminate()
        server.wait(20)
    rate = {kind: sorted(one[kind] for one in rounds)[1] for kind in kinds}
    return [
        {
            "name": "query",
            "ours": round(rate[kind]),
            "peer": round(rate["empty"]),
            "peer_name": "an empty page of the same server",
            "ratio": round(rate[kind] / rate["empty"], 3),
            "goal": goal,
            "met": rate[kind] / rate["empty"] >= goal,
            "sizes": {"by": kind, "subjects": count, "clients": CLIENTS, "unit": "requests/s"},
        }
        for kind, goal in GOALS.items()
    ]


def _questions(home: Path) -> tuple[list[str], list[str]]:
    """Codes and name fragments (2 to 4 characters of brands) of subjects of the home."""
    path = current_file(home / "answers")
    if path is None:
        raise FileNotFoundError(home / "answers")
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT uscc, name FROM answer_subject WHERE uscc IS NOT NULL LIMIT 2000").fetchall()
    connection.close()
    chance = random.Random(1)
    fragments = []
    for _, name in rows:
        start = chance.randrange(0, max(1, len(name) - 4))
        fragments.append(name[start : start + chance.randrange(2, 5)])
    return [code for code, _ in rows], fragments


def _rate(port: int, path: Callable[[random.Random], str], seconds: float) -> float:
    done = [0] * CLIENTS
    end = time.monotonic() + seconds

    def ask(number: int) -> None:
        chance = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < end:
            connection.request("GET", path(chance))
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise AssertionError(f"status {answer.status}")
            done[number] += 1

    threads: Sequence[threading.Thread] = [threading.Thread(target=ask, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def _wait(port: int) -> None:
    for _ in range(120):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError("the site did not start within a minute")
