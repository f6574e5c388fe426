"""The shortest way through the engine: a home, rows staged, a stage run in full and for some keys, a query."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa

from shutong.engine.duck import DuckEngine
from shutong.engine.home import Home, lease
from shutong.engine.stage import Read, SqlStep, Stage, Write

RECORDS = pa.schema([("record_id", pa.string()), ("subject_id", pa.string()), ("fine", pa.int64())])


def records(*rows: tuple[str, str, int]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(RECORDS.names, row, strict=True)) for row in rows], schema=RECORDS)


SUMS = Stage(
    "sums",
    reads=(Read("accepted/penalty", "penalty", RECORDS, scope="subject_id"),),
    steps=(SqlStep("total", "SELECT subject_id, sum(fine) AS fines FROM penalty GROUP BY subject_id"),),
    writes=(Write("sums", "total", key="subject_id"),),
)


def test_increment_equals_rebuild(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home")
    engine = DuckEngine.of_home(home)
    with lease(home), engine.run("b-1", "collect") as run:
        run.stage_table("accepted/penalty", records(("r1", "a", 1), ("r2", "b", 2)))
        run.commit()
    with engine.run("d-1", "full", dt.date(2026, 1, 1)) as run:
        assert run.execute(SUMS) == {"sums": 2}
        run.commit()
    with engine.run("b-2", "collect") as run:
        run.stage_table("accepted/penalty", records(("r3", "a", 10)))
        run.commit()
    with engine.run("d-2", "daily", dt.date(2026, 1, 2)) as run:
        assert run.execute(SUMS, scope=pa.table({"subject_id": ["a"]})) == {"sums": 1}
        run.commit()
    sums = engine.query("SELECT * FROM sums ORDER BY subject_id", {"sums": "sums"}).to_pylist()
    assert sums == [{"subject_id": "a", "fines": 11}, {"subject_id": "b", "fines": 2}]
    engine.close()
