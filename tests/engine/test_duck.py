"""DuckDB keeps the contract of engines, and what is particular to it."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.engine.lake import StagedRun
from shutong.engine.manifest import Change, DataFile, encode_schema
from shutong.engine.stage import SqlStep, Write
from tests.engine.contract import SUMS, EngineContract, compute, deliver, records, stage


class TestDuck(EngineContract):
    """The contract on DuckDB."""


def test_every_step_can_be_kept_for_looking_at(home: Home, tmp_path: Path) -> None:
    engine = engine_of(home, keep_steps=tmp_path / "steps")
    deliver(engine, "b-1", ("r1", "a", 1))
    first = SqlStep("first", "SELECT subject_id, fine FROM penalty")
    second = SqlStep("second", "SELECT subject_id, fine + 1 AS fine FROM first", materialise=True)
    compute(engine, "d-1", stage(first, second, write=Write("sums", "second")))
    kept = tmp_path / "steps" / "stage"
    assert pq.read_table(kept / "first.parquet").to_pylist() == [{"subject_id": "a", "fine": 1}]
    assert pq.read_table(kept / "second.parquet").to_pylist() == [{"subject_id": "a", "fine": 2}]
    engine.close()


def test_a_run_leaves_no_temporary_file(engine: Engine, home: Home) -> None:
    deliver(engine, "b-1", ("r1", "a", 1))
    compute(engine, "d-1", SUMS)
    engine.query("SELECT 1 AS x")
    assert [path.name[:4] for path in home.tmp.iterdir()] == ["read"]
    engine.close()
    assert list(home.tmp.iterdir()) == []
    assert list((home.lake / "running").iterdir()) == []


def test_rows_come_as_table_batch_reader_or_file(engine: Engine, tmp_path: Path) -> None:
    table = records(("r1", "a", 1), ("r2", "b", 2))
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    with engine.run("b-1") as run:
        assert run.stage_table("penalty", table) == 2
        assert run.stage_table("penalty", table.to_batches()[0]) == 2
        assert run.stage_table("penalty", pa.RecordBatchReader.from_batches(table.schema, table.to_batches())) == 2
        assert run.stage_table("penalty", path) == 2
        run.commit()
    assert path.exists()
    assert engine.query("SELECT count(*) AS n FROM p", {"p": "penalty"}).to_pylist() == [{"n": 8}]


def test_the_delta_logs_show_the_last_whole_tables(engine: Engine) -> None:
    root = engine.lake.root
    deliver(engine, "b-1", ("r1", "a", 1))
    deliver(engine, "b-2", ("r2", "b", 2))
    compute(engine, "d-1", SUMS)
    assert DeltaTable(str(root / "penalty")).to_pyarrow_table().num_rows == 2
    deliver(engine, "b-3", ("r3", "a", 10))
    compute(engine, "d-2", SUMS, scope=["a"])
    assert sorted(DeltaTable(str(root / "sums")).to_pyarrow_table()["fines"].to_pylist()) == [1, 2]
    engine.compact("sums")
    assert sorted(DeltaTable(str(root / "sums")).to_pyarrow_table()["fines"].to_pylist()) == [2, 11]
    with engine.run("b-4") as run:
        run.stage_table("penalty", records(("r4", "c", 1)).append_column("category", pa.array(["x"])))
        run.commit()
    assert DeltaTable(str(root / "penalty")).to_pyarrow_table()["category"].to_pylist().count(None) == 3


def test_many_small_files_are_one_table(engine: Engine) -> None:
    folder = engine.lake.root / "many"
    folder.mkdir()
    files = []
    for n in range(400):
        path = folder / f"b-1-{n}.parquet"
        pq.write_table(pa.table({"x": [n]}), path)
        files.append(DataFile(f"many/{path.name}", 1, path.stat().st_size))
    schema = encode_schema(pa.schema([("x", pa.int64())]))
    engine.lake.commit(StagedRun("b-1", "collect", (Change("many", "append", tuple(files), schema),), 0))
    assert engine.query("SELECT count(*) AS n, sum(x) AS s FROM t", {"t": "many"}).to_pylist() == [
        {"n": 400, "s": 400 * 399 // 2}
    ]
    engine.compact("many")
    assert len(engine.lake.table("many").files) == 1


def test_sessions_are_in_utc_whatever_the_machine_says(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        engine = engine_of(home)
        zone = engine.query(
            "SELECT current_setting('TimeZone') AS zone, CAST(TIMESTAMPTZ '2026-01-01 23:00:00Z' AS DATE) AS d"
        )
        assert zone.to_pylist() == [{"zone": "UTC", "d": dt.date(2026, 1, 1)}]
        with engine.run("r-1") as run:
            assert run.peek("SELECT current_setting('TimeZone') AS zone").to_pylist() == [{"zone": "UTC"}]
        engine.close()
    finally:
        monkeypatch.undo()
        time.tzset()
