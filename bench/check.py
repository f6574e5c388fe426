"""Checking a table against 20 declared checks, failing rows kept with their reasons: ours, DuckDB, and check libraries.

Every side runs in a process of its own on the same Parquet file of text columns, reads it from the file, and writes
the failing rows with their reasons to another; wall seconds and the largest resident memory are of that process.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench import check_data, check_duckdb
from bench.peers import peer_python
from shutong.engine.connection import Resources, connect
from shutong.quality.bulk import failing_rows, parts_of
from shutong.quality.delivery import row_sql
from shutong.quality.plan import check_plan

ROOT = Path(__file__).parents[1]
GOAL = 0.5
THREADS = 2
BATCH_ROWS = 1 << 17
PEERS = ("pointblank", "pandera", "great-expectations")
PEER_ROWS = 1_000_000


def run(rows: int = 1_000_000, full: bool = False) -> list[dict[str, Any]]:
    """Against DuckDB on ``rows`` rows (10 M when ``full``) and against the check libraries on at most 1 M.

    ``ours`` and ``peer`` are seconds, ``ratio`` is ours / peer; ``sizes`` has memory, rows found to fail, and the
    ratio to a scan that only decodes the columns.
    """
    rows = 10_000_000 if full else rows
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        data = Path(folder) / "rows.parquet"
        check_data.write(data, rows)
        results = [_against_duckdb(data, rows)]
        few = data
        if rows > PEER_ROWS:
            few = Path(folder) / "few.parquet"
            check_data.write(few, PEER_ROWS)
        ours = _own_side("ours", few)
        results += [_against_library(name, few, ours, min(rows, PEER_ROWS)) for name in PEERS]
    return results


def _against_duckdb(data: Path, rows: int) -> dict[str, Any]:
    scan, ours, peer = (_own_side(side, data) for side in ("scan", "ours", "duckdb"))
    ratio = ours["seconds"] / peer["seconds"]
    return {
        "name": "check",
        "ours": ours["seconds"],
        "peer": peer["seconds"],
        "peer_name": "one DuckDB query of the same checks",
        "ratio": round(ratio, 3),
        "goal": GOAL,
        "met": ratio <= GOAL,
        "sizes": {
            "rows": rows,
            "unit": "s",
            "failing": [ours["failing"], peer["failing"]],
            "peak_mb": [ours["peak_mb"], peer["peak_mb"]],
            "to_decode_scan": round(ours["seconds"] / scan["seconds"], 2),
        },
    }


def _against_library(name: str, data: Path, ours: dict[str, Any], rows: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": f"check/{name}",
        "ours": ours["seconds"],
        "peer": None,
        "peer_name": name,
        "ratio": None,
        "goal": 1.0,
        "met": None,
        "sizes": {"rows": rows, "unit": "s"},
    }
    try:
        python = peer_python(name)
        peer = _child([str(python), str(ROOT / "bench" / "peers" / name / "check.py"), str(data)])
    except (OSError, RuntimeError) as error:
        return {**row, "skipped": str(error)[:300]}
    ratio = ours["seconds"] / peer["seconds"]
    row |= {"peer": peer["seconds"], "ratio": round(ratio, 3)}
    row["met"] = ratio < 1 and ours["peak_mb"] < peer["peak_mb"]
    row["sizes"] |= {
        "failing": [ours["failing"], peer["failing"]],
        "peak_mb": [ours["peak_mb"], peer["peak_mb"]],
        "peer_version": peer.get("version"),
        "peer_checks": peer.get("checks"),
    }
    return row


def _own_side(side: str, data: Path) -> dict[str, Any]:
    return _child([sys.executable, "-m", "bench.check", side, str(data)])


def _child(command: list[str]) -> dict[str, Any]:
    """Run one side and read the JSON line it prints last."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": str(THREADS)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def check_ours(data: Path, out: Path) -> int:
    """Our side: returns the failing rows written to ``out``."""
    plan = check_plan(check_data.RESOURCE, check_data.CATALOG)
    day = dt.date.fromisoformat(check_data.RECEIVED_ON)
    database = connect(Resources(1 << 30, 1, out.parent / "spill"))
    sql = row_sql(database)
    writer: pq.ParquetWriter | None = None
    failing = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for rows in failing_rows(plan, parts_of(data), day, sql, pool, THREADS):
            writer = writer or pq.ParquetWriter(out, rows.schema)
            writer.write_batch(rows)
            failing += rows.num_rows
    if writer is not None:
        writer.close()
    return failing


def scan(data: Path, out: Path) -> int:
    """Decode every column and do nothing else."""
    del out
    pa.set_cpu_count(THREADS)
    with pq.ParquetFile(data) as file:
        return sum(batch.num_rows for batch in file.iter_batches(batch_size=BATCH_ROWS)) * 0


SIDES: dict[str, Callable[[Path, Path], int]] = {
    "ours": check_ours,
    "scan": scan,
    "duckdb": lambda data, out: check_duckdb.run(data, out, THREADS),
}


def main(side: str, data: Path) -> None:
    """Run one side once and print its figures."""
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        started = time.perf_counter()
        failing = SIDES[side](data, Path(folder) / "failing.parquet")
        seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": usage.ru_maxrss // 1024,
        "failing": failing,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
