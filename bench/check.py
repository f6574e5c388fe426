"""Checking a table against 20 declared checks, failing rows kept with their reasons: ours, DuckDB, and check libraries.

Every side runs in a process of its own on the same Parquet file of text columns, reads it from the file, and writes
the failing rows with their reasons to another; seconds are of that work alone, without starting Python and importing,
memory is the largest resident set of the process. Each side may use two threads. What differs: a row whose key was met
before on a rejected row only is no duplicate to us, and the libraries mark the first of equal keys too.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench import check_data, check_duckdb
from bench.peers import HERE as PEERS_HOME
from bench.peers import PeerError, peer_python
from bench.sides import THREADS, Figures, Row, SideError, fastest, row
from shutong.engine.connection import Resources, connect
from shutong.quality.bulk import failing_rows, parts_of
from shutong.quality.judging import row_sql
from shutong.quality.plan import check_plan

GOAL = 0.5
PEERS = {"pointblank": 3, "pandera": 3, "great-expectations": 1}
"""Check libraries, and the rounds in which each is measured (the slowest once)."""
PEER_ROWS = 1_000_000
BATCH_ROWS = 1 << 16


def run(full: bool = False, size: int | None = None) -> list[Row]:
    """Against DuckDB and against the check libraries; ``ours`` and ``peer`` are seconds.

    Args:
        full: 10,000,000 rows instead of 1,000,000 (the libraries always see at most 1,000,000).
        size: another number of rows.
    """
    rows = size or (10_000_000 if full else PEER_ROWS)
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        data = Path(folder) / "rows.parquet"
        check_data.write(data, rows)
        results = [_against_duckdb(data, rows, 2 if full else 3)]
        few = min(rows, PEER_ROWS)
        if few < rows:
            data = Path(folder) / "few.parquet"
            check_data.write(data, few)
        results += [_against_library(name, data, few, rounds) for name, rounds in PEERS.items()]
    return results


def _against_duckdb(data: Path, rows: int, rounds: int) -> Row:
    sides = fastest({name: _own_side(name, data) for name in SIDES}, rounds)
    ours, peer, scan = (sides[name] for name in ("ours", "duckdb", "scan"))
    return row(
        "check",
        "one DuckDB query of the same checks",
        GOAL,
        ours=ours["seconds"],
        peer=peer["seconds"],
        met=ours["seconds"] / peer["seconds"] <= GOAL,
        rows=rows,
        unit="s",
        **_both("failing", ours, peer),
        **_both("peak_mb", ours, peer),
        to_decode_scan=round(ours["seconds"] / scan["seconds"], 2),
    )


def _against_library(name: str, data: Path, rows: int, rounds: int) -> Row:
    try:
        python = str(peer_python(name))
        theirs = [python, str(PEERS_HOME / name / "check.py"), str(data)]
        sides = fastest({"ours": _own_side("ours", data), "peer": theirs}, rounds)
    except (OSError, PeerError, SideError) as error:
        return row(f"check/{name}", name, 1.0, rows=rows, skipped=str(error)[:300])
    ours, peer = sides["ours"], sides["peer"]
    return row(
        f"check/{name}",
        f"{name} {peer['version']}",
        1.0,
        ours=ours["seconds"],
        peer=peer["seconds"],
        met=ours["seconds"] < peer["seconds"] and ours["peak_mb"] < peer["peak_mb"],
        rows=rows,
        unit="s",
        **_both("failing", ours, peer),
        **_both("peak_mb", ours, peer),
    )


def _both(figure: str, ours: Figures, peer: Figures) -> Figures:
    return {figure: [ours[figure], peer[figure]]}


def _own_side(side: str, data: Path) -> list[str]:
    return [sys.executable, "-m", "bench.check", side, str(data)]


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
