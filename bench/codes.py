"""Whole-column validation of unified social credit codes, against python-stdnum code by code; one thread each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.peers import HERE as PEERS_HOME
from bench.peers import PeerError, peer_python
from bench.sides import Figures, Row, SideError, row, side
from shutong.standards.codes import check_digits_uscc, column_uscc

GOAL = 50.0
PEER = "python-stdnum"
PEER_ROWS = 100_000


def run(full: bool = False, size: int | None = None) -> list[Row]:
    """Codes a second of ``column_uscc`` (best of three over ``rows``) and of python-stdnum (on at most 100,000).

    Args:
        full: 10,000,000 codes instead of 1,000,000.
        size: another number of codes.

    Raises:
        AssertionError: the two do not give the same answers for the codes that both have seen.
    """
    rows = size or (10_000_000 if full else 1_000_000)
    codes = make_codes(rows)
    ours = rows / best(3, lambda: column_uscc(codes))
    sample = codes.slice(0, min(rows, PEER_ROWS))
    sizes: Figures = {"rows": rows, "peer_rows": len(sample), "unit": "codes/s"}
    try:
        peer = _peer(sample)
    except (OSError, PeerError, SideError) as error:
        return [row("codes", PEER, GOAL, ours=round(ours), **sizes, skipped=str(error)[:300])]
    valid = np.asarray(column_uscc(sample).fault) == 0
    if "".join(np.where(valid, "1", "0")) != peer["answers"]:
        raise AssertionError("column_uscc and python-stdnum disagree on codes that begin with a digit")
    theirs = len(sample) / peer["seconds"]
    name = f"{PEER} {peer['version']}, code by code"
    met = ours / theirs >= GOAL
    return [row("codes", name, GOAL, ours=round(ours), peer=round(theirs), met=met, digits=1, **sizes)]


def _peer(codes: pa.StringArray) -> Figures:
    python = peer_python(PEER)
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        path = Path(folder) / "codes.txt"
        path.write_text("\n".join(str(code) for code in codes.to_pylist()), encoding="ascii")
        return side([str(python), str(PEERS_HOME / PEER / "codes.py"), str(path)])


def make_codes(rows: int, seed: int = 7) -> pa.StringArray:
    """Codes of enterprises with random areas and organisation codes; every fiftieth has a wrong check digit."""
    random = np.random.default_rng(seed)
    matrix = np.empty((rows, 18), np.uint8)
    matrix[:, :8] = np.frombuffer(b"91110108", np.uint8)
    matrix[:, 2:8] = np.frombuffer(b"110108310101440301330106", np.uint8).reshape(4, 6)[random.integers(0, 4, rows)]
    letters = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", np.uint8)
    matrix[:, 8:17] = letters[random.integers(0, 31, (rows, 9))]
    matrix[:, 17] = check_digits_uscc(matrix[:, :17])
    wrong = np.arange(0, rows, 50)
    matrix[wrong, 17] = np.where(matrix[wrong, 17] == ord("0"), ord("1"), ord("0"))
    offsets = np.arange(0, 18 * (rows + 1), 18, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(matrix.tobytes())]
    return pa.Array.from_buffers(pa.string(), rows, buffers)


def best(times: int, work: Callable[[], Any]) -> float:
    """Seconds of the fastest of several runs."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
