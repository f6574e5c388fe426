"""Whole-column validation of unified social credit codes, against python-stdnum row by row."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from stdnum.cn import uscc as stdnum_uscc

from shutong.standards.codes import check_digits_uscc, column_uscc

GOAL = 50.0
PEER_ROWS = 100_000


def run(full: bool = False, rows: int | None = None) -> list[dict[str, Any]]:
    """Rows a second of ``column_uscc`` (best of three over ``rows``) and of python-stdnum (on at most 100,000).

    Args:
        full: 10,000,000 rows instead of 1,000,000.
        rows: another number.

    Both see the same codes, 2 % of them with a wrong check digit; the answers are compared before timing counts.
    """
    rows = rows or (10_000_000 if full else 1_000_000)
    codes = make_codes(rows)
    sample = codes.slice(0, min(rows, PEER_ROWS)).to_pylist()
    ours_valid = np.asarray(column_uscc(codes.slice(0, len(sample))).fault) == 0
    peer_valid = np.array([stdnum_uscc.is_valid(code) for code in sample])
    if not (ours_valid == peer_valid).all():
        raise AssertionError("column_uscc and python-stdnum disagree on digit-leading codes")
    ours = rows / best(3, lambda: column_uscc(codes))
    peer = len(sample) / best(2, lambda: [stdnum_uscc.is_valid(code) for code in sample])
    ratio = ours / peer
    row = {
        "name": "codes",
        "ours": round(ours),
        "peer": round(peer),
        "peer_name": "python-stdnum, row by row",
        "ratio": round(ratio, 1),
        "goal": GOAL,
        "met": ratio >= GOAL,
        "sizes": {"rows": rows, "peer_rows": len(sample), "unit": "rows/s"},
    }
    return [row]


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
