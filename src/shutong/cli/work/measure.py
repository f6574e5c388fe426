"""``shutong measure``: how well a demo home read its city, against the truth beside it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import RefusedError, print_json
from shutong.cli.work.demo import CITY
from shutong.democity.measure import measure, measure_pattern
from shutong.democity.report import Identification, PatternLine, Report, patterns_markdown
from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home

pc: Any = pyarrow.compute

_TABLES: Final = {
    "batches": ("batch_id", "file_name", "state"),
    "rejected": ("batch_id", "row_no", "reasons"),
    "links": ("record_id", "subject_id", "method", "principal"),
    "unidentified": ("record_id", "reason", "evidence", "principal"),
}

_FLAG: Final = pa.bool_()

PATTERNS: Final = ("no-annual-report", "unreachable")
"""Planted patterns that a ground of the same name should find."""


def against_truth(folder: Path, *, json: bool) -> None:
    """Print rates of rejection, identification and planted patterns.

    Raises:
        RefusedError: the home has no city with a truth.
    """
    home = Home.open(folder)
    truth = home.path / CITY / "truth"
    if not (truth / "records.parquet").is_file():
        raise RefusedError(
            f"{folder} 不是演示之家，没有可供对照的真值。请先运行 shutong demo\n"
            f"{folder} is no demo home and has no truth to measure against: run shutong demo first"
        )
    engine = engine_of(home)
    try:
        tables = _tables(engine)
        report = measure(truth, **tables)
        patterns = _patterns(engine, truth, tables)
    finally:
        engine.close()
    if json:
        print_json(_as_dict(report, patterns))
    else:
        sys.stdout.write(report.markdown() + "\n" + patterns_markdown(patterns))


def _tables(engine: Engine) -> dict[str, pa.Table]:
    found = {name: _read(engine, name, columns) for name, columns in _TABLES.items()}
    columns = ("record_id", "batch_id", "row_no")
    accepted = [_read(engine, f"accepted/{name}", columns) for name in sorted(current_catalog().resources)]
    return {**found, "accepted": pa.concat_tables([table for table in accepted if table.num_rows])}


def _read(engine: Engine, table: str, columns: tuple[str, ...]) -> pa.Table:
    if not engine.lake.table(table).segments:
        return pa.table({column: pa.array([], _FLAG if column == "principal" else pa.string()) for column in columns})
    return engine.query(f"SELECT {', '.join(columns)} FROM t", {"t": table})


def _patterns(engine: Engine, truth: Path, tables: dict[str, pa.Table]) -> list[PatternLine]:
    candidates = _read(engine, "candidates", ("ground", "subject_id"))
    known = {name: tables[name] for name in ("batches", "accepted", "links")}
    return [
        measure_pattern(truth, name, candidates.filter(pc.equal(candidates["ground"], name)), **known)
        for name in PATTERNS
    ]


def _as_dict(report: Report, patterns: list[PatternLine]) -> dict[str, Any]:
    lines = ("by_evidence", "by_method", "by_dirt", "by_variant", "by_likeness")
    return {
        "rows": report.rows,
        "unread": report.unread,
        "bad_missed": report.bad_missed,
        "good_rejected": report.good_rejected,
        "branch_links": report.branch_links,
        "merged": report.merged,
        "rejection": [{**asdict(one), "rate": one.rate} for one in report.rejection],
        **{name: [_rates(one) for one in getattr(report, name)] for name in lines},
        "codes": _rates(report.codes),
        "overall": _rates(report.overall),
        "patterns": [asdict(one) for one in patterns],
    }


def _rates(line: Identification) -> dict[str, Any]:
    return {**asdict(line), "precision": line.precision, "recall": line.recall}
