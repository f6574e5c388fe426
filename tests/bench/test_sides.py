"""The row of results, sides in processes of their own, and what the small sizes of the benchmarks can show."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import build, check, codes, query
from bench.peers import PeerError
from bench.sides import SideError, fastest, row, side

KEYS = ["name", "ours", "peer", "peer_name", "ratio", "goal", "met", "sizes"]


def _command(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_row_has_its_eight_entries_and_is_json() -> None:
    made = row("check", "a peer", 0.5, ours=1.0, peer=3.0, met=True, rows=10, unit="s")
    assert list(made) == KEYS
    assert made["ratio"] == 0.333
    assert json.loads(json.dumps(made)) == made


def test_a_side_that_fails_says_its_last_line() -> None:
    with pytest.raises(SideError, match="ZeroDivisionError"):
        side(_command("1 / 0"))


def test_of_several_rounds_the_fastest_counts_with_the_largest_memory(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = (
        f"import json, pathlib; p = pathlib.Path({str(count)!r}); n = len(p.read_text()) if p.exists() else 0; "
        "p.write_text('x' * (n + 1)); print('noise'); print(json.dumps({'seconds': [3, 1, 2][n], 'peak_mb': n}))"
    )
    assert fastest({"one": _command(code)}, 3) == {"one": {"seconds": 1, "peak_mb": 2}}


def test_a_peer_that_cannot_be_installed_is_told_in_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str) -> Path:
        raise PeerError(f"{name} could not be installed: no network")

    monkeypatch.setattr(check, "peer_python", offline)
    monkeypatch.setattr(codes, "peer_python", offline)
    told = [check._against_library("pandera", Path("rows.parquet"), 10, 1), *codes.run(size=1_000)]
    for one in told:
        assert list(one) == KEYS
        assert one["met"] is None
        assert one["sizes"]["skipped"].endswith("could not be installed: no network")


def test_the_exponent_is_the_slope_between_logarithms() -> None:
    assert build.fitted([(10, 2), (100, 20), (1000, 200)]) == pytest.approx(1)
    assert build.fitted([(n, 5 * n**1.3) for n in (50, 200, 800)]) == pytest.approx(1.3)


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"x" * (100_000 if self.path == "/long" else 3)
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/last":
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_the_client_reads_whole_answers_and_comes_back_when_it_is_sent_away(port: int) -> None:
    client = query._Client(port)
    for path in ("/short", "/long", "/last", "/short"):
        client.get(path)
    with pytest.raises(AssertionError, match="404"):
        client.get("/missing")
    client.close()


def test_the_rate_counts_the_answers_of_all_clients(port: int) -> None:
    assert query._rate(port, ["/short", "/long"], 0.3) > query.CLIENTS
