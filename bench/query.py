"""One-stop queries over HTTP by code and by name fragment, against an empty page of the same server, in one run.

Asked as programs ask (JSON, against ``/healthz``: same server, same middleware, no data) and as people ask (HTML, against
a page that has the site's frame and a text). A client with a few kept connections asks; it writes and reads bare
sockets, so that it takes little of the processors it shares with the server.
"""

from __future__ import annotations

import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from bench.sides import ROOT, Row, row
from shutong.cli.work.ports import free_port
from shutong.pipeline.answers.store import current_file

GOALS = {"code": 0.5, "fragment": 0.2}
SUBJECTS, FULL_SUBJECTS = 5_000, 1_000_000
CLIENTS = 4
ROUNDS = 3
PORT = 8400
_STARTS_WITHIN = 120.0


def run(full: bool = False, size: int | None = None, seconds: float = 2.0) -> list[Row]:
    """Requests a second by code and by name fragment, as a share of those of an empty page.

    Args:
        full: a city of 1,000,000 subjects, the size of the goal; otherwise 5,000. Its registers are delivered, not what
            other departments know of the subjects; a search looks up the same.
        size: another number of subjects.
        seconds: how long each kind of request is made in each of three rounds, in turn; the median counts.
    """
    count = size or (FULL_SUBJECTS if full else SUBJECTS)
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        home = Path(folder) / "home"
        build = [sys.executable, "-m", "bench.city", str(home), str(count), "city"]
        subprocess.run(build, check=True, capture_output=True, cwd=ROOT)
        return measure(home, seconds)


def measure(home: Path, seconds: float) -> list[Row]:
    """Serve the home and ask it; see :func:`run`."""
    codes, fragments, count = _questions(home)
    kinds = {
        "api": ("/healthz", "/api/v1/search?q=", "an empty answer of the same server"),
        "page": ("/accessibility", "/search?q=", "a page without data of the same server"),
    }
    asked = {"code": codes, "fragment": [quote(text) for text in fragments]}
    paths = {(kind, "empty"): [empty] for kind, (empty, _, _) in kinds.items()}
    paths |= {
        (kind, by): [search + text for text in asked[by]] for kind, (_, search, _) in kinds.items() for by in asked
    }
    port = free_port("127.0.0.1", PORT)
    serve = [sys.executable, "-m", "shutong.cli.main", "serve", "--home", str(home), "--port", str(port)]
    server = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        for kind in paths:
            _rate(port, paths[kind], seconds / 4)
        rounds = [{kind: _rate(port, paths[kind], seconds) for kind in paths} for _ in range(ROUNDS)]
    finally:
        server.terminate()
        server.wait(30)
    rate = {kind: sorted(one[kind] for one in rounds)[ROUNDS // 2] for kind in paths}
    return [
        row(
            f"query/{kind}",
            peer,
            goal,
            ours=round(rate[kind, by]),
            peer=round(rate[kind, "empty"]),
            met=rate[kind, by] >= goal * rate[kind, "empty"],
            by=by,
            subjects=count,
            clients=CLIENTS,
            unit="requests/s",
        )
        for kind, (_, _, peer) in kinds.items()
        for by, goal in GOALS.items()
    ]


def _questions(home: Path) -> tuple[list[str], list[str], int]:
    """Codes and name fragments (2 to 4 characters of a name) of 2,000 subjects of the home, and how many it has."""
    path = current_file(home / "answers")
    if path is None:
        raise FileNotFoundError(home / "answers")
    connection = sqlite3.connect(path)
    count = int(connection.execute("SELECT count(*) FROM answer_subject").fetchone()[0])
    rows = connection.execute("SELECT uscc, name FROM answer_subject WHERE uscc IS NOT NULL").fetchall()
    connection.close()
    chance = random.Random(1)
    rows = chance.sample(rows, min(len(rows), 2_000))
    fragments = []
    for _, name in rows:
        start = chance.randrange(0, max(1, len(name) - 4))
        fragments.append(name[start : start + chance.randrange(2, 5)])
    return [code for code, _ in rows], fragments, count


class _Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> None:
        """Ask for a path and read the whole answer. AssertionError unless its status is 200."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode("ascii"))
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        head = answer[:end].lower()
        if not head.startswith(b"http/1.1 200"):
            raise AssertionError(f"{path}: {head[:40].decode()}")
        left = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]) - len(answer) + end + 4
        while left > 0:
            left -= len(self._more())
        if b"\r\nconnection: close" in head:  # a process of the server is replaced after so many requests
            self.close()
            self._open()

    def _more(self) -> bytes:
        part = self._socket.recv(1 << 16)
        if not part:
            raise ConnectionError("the server ended the connection within an answer")
        return part

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def _rate(port: int, paths: Sequence[str], seconds: float) -> float:
    """Answers a second over all clients."""
    done = [0] * CLIENTS
    end = time.monotonic() + seconds

    def ask(number: int) -> None:
        chance = random.Random(number)
        client = _Client(port)
        while time.monotonic() < end:
            client.get(chance.choice(paths))
            done[number] += 1
        client.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not all(done):
        raise AssertionError(f"a client got no answer to {paths[0]}")
    return sum(done) / (time.monotonic() - started)


def _wait(port: int) -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < end:
        try:
            client = _Client(port)
            client.get("/accessibility")
            client.close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise TimeoutError(f"the site did not start within {_STARTS_WITHIN:.0f} seconds")
