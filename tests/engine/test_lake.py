"""The lake: commits from several processes, the manifest folded, tables as they were, vacuum."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shutong.engine import manifest
from shutong.engine.engine import Engine
from shutong.engine.errors import ConflictError, LakeError
from shutong.engine.home import Home
from shutong.engine.lake import Lake, StagedRun
from shutong.engine.manifest import Change, DataFile, Mode, encode_schema
from shutong.engine.vacuum import vacuum
from tests.engine.contract import SUMS, compute, data_files, deliver, rows_of, sums_of

SCHEMA = pa.schema([("x", pa.int64())])


def change(lake: Lake, table: str, name: str, mode: Mode = "append") -> Change:
    path = lake.root / table / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"x": [1]}), path)
    return Change(table, mode, (DataFile(f"{table}/{path.name}", 1, path.stat().st_size),), encode_schema(SCHEMA))


def test_runs_are_listed(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert (lake.last, lake.tables(), lake.runs(), lake.run("r-1")) == (0, [], [], None)
    day = dt.date(2026, 1, 5)
    lake.commit(StagedRun("r-1", "collect", (change(lake, "a/b", "1"), change(lake, "c", "1")), 0, day))
    lake.commit(StagedRun("r-2", "daily", (change(lake, "c", "2", "replace"),), 1, day))
    first, second = lake.runs()
    assert (first.seq, first.kind, first.tables, first.business_day) == (1, "collect", ("a/b", "c"), day)
    assert (second.run_id, second.read_seq) == ("r-2", 1)
    assert lake.run("r-2") == second
    assert lake.tables() == ["a/b", "c"]
    assert [file.path for file in lake.table("c").files] == ["c/2.parquet"]
    assert [file.path for file in lake.table("c", at=1).files] == ["c/1.parquet"]
    assert lake.commit(StagedRun("r-3", "daily", (), 2)) == 2


def test_another_process_sees_a_commit_and_a_lost_file_is_not_committed(tmp_path: Path) -> None:
    lake, reader = Lake(tmp_path), Lake(tmp_path)
    assert reader.tables() == []
    lake.commit(StagedRun("r-1", "x", (change(lake, "a", "1"),), 0))
    assert reader.tables() == ["a"]
    lost = change(lake, "a", "2")
    (tmp_path / "a" / "2.parquet").unlink()
    with pytest.raises(LakeError, match="nothing was committed"):
        lake.commit(StagedRun("r-2", "x", (lost,), 1))
    assert reader.last == 1


_APPEND = """
import sys
from pathlib import Path
from shutong.engine.lake import Lake, StagedRun
from tests.engine.test_lake import change
lake = Lake(Path(sys.argv[1]))
for n in range(8):
    name = f"{sys.argv[2]}-{n}"
    lake.commit(StagedRun(name, "collect", (change(lake, "a", name),), lake.last))
"""


def test_deliveries_of_several_processes_all_count(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    children = [
        subprocess.Popen([sys.executable, "-c", _APPEND, str(tmp_path), f"p{n}"], cwd=root, env=environment)
        for n in range(3)
    ]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    lake = Lake(tmp_path)
    assert lake.last == 24
    assert sorted(run.seq for run in lake.runs()) == list(range(1, 25))
    assert len(lake.table("a").files) == 24
    lake.reconcile()


def test_threads_share_a_lake(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    errors: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(50):
                assert len(lake.table("a").files) <= lake.last
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    writer = Lake(tmp_path)
    for n in range(10):
        writer.commit(StagedRun(f"r-{n}", "x", (change(writer, "a", str(n)),), n))
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(lake.table("a").files) == 10


def test_the_manifest_is_folded_and_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "FOLD_FROM", 5)
    lake, reader = Lake(tmp_path), Lake(tmp_path)
    for n in range(7):
        lake.commit(StagedRun(f"r-{n}", "x", (change(lake, "a", str(n)),), n))
    before = reader.entries()
    lake.fold_manifest()
    lake.commit(StagedRun("r-7", "x", (change(lake, "a", "7"),), 7))
    assert reader.entries()[:7] == before
    assert Lake(tmp_path).entries() == lake.entries() == reader.entries()
    assert len(lake._manifest._by_file) == 2
    for path in (tmp_path / "manifest").glob("*.parquet"):
        os.utime(path, (0, 0))
    for n in range(8, 13):
        lake.commit(StagedRun(f"r-{n}", "x", (change(lake, "a", str(n)),), n))
    lake.fold_manifest()
    assert len(Lake(tmp_path).entries()) == 13
    assert len(list((tmp_path / "manifest").glob("*.parquet"))) < 13


def test_a_number_taken_by_another_run_is_a_conflict(tmp_path: Path) -> None:
    lake, other = Lake(tmp_path), Lake(tmp_path)
    lake.commit(StagedRun("r-1", "x", (change(lake, "a", "1"),), 0))
    seen = other.entries()
    lake.commit(StagedRun("r-2", "x", (change(lake, "a", "2"),), 1))
    late = manifest.numbered([seen[0].change], run_id="r-3", seq=2, kind="x", read_seq=1, day=None)
    with pytest.raises(ConflictError):
        other._manifest.append(late)
    assert [run.run_id for run in other.runs()] == ["r-1", "r-2"]


def test_a_number_chosen_before_the_lake_was_begun_is_a_conflict(tmp_path: Path) -> None:
    lake, late = Lake(tmp_path), Lake(tmp_path)
    assert late.last == 0
    lake.commit(StagedRun("r-1", "x", (change(lake, "a", "1"),), 0))
    entries = manifest.numbered(
        [each.change for each in lake.entries()], run_id="r-2", seq=1, kind="x", read_seq=0, day=None
    )
    with pytest.raises(ConflictError):
        late._manifest.append(entries)
    assert [run.run_id for run in Lake(tmp_path).runs()] == ["r-1"]


def test_a_number_taken_by_another_thread_is_a_conflict(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.commit(StagedRun("r-1", "x", (change(lake, "a", "1"),), 0))
    seq = lake.last + 1
    lake.commit(StagedRun("r-2", "x", (change(lake, "a", "2"),), 1))
    with pytest.raises(ConflictError):
        lake._manifest.append(
            manifest.numbered([lake.entries()[0].change], run_id="r-3", seq=seq, kind="x", read_seq=1, day=None)
        )
    assert [run.run_id for run in lake.runs()] == ["r-1", "r-2"]


def test_a_patch_by_another_key_is_refused(engine: Engine) -> None:
    deliver(engine, "b-1", ("r1", "a", 1))
    compute(engine, "d-1", SUMS, scope=["a"])
    with engine.run("d-2") as run:
        rows = pa.table({"subject_id": ["a"], "fines": pa.array([1], pa.int64())})
        run.stage_table("sums", rows, "patch", key="fines", keys=pa.table({"k": pa.array([1], pa.int64())}))
        with pytest.raises(LakeError, match="key of its patches"):
            run.table("sums")


def test_vacuum_removes_what_nobody_reads(engine: Engine) -> None:
    deliver(engine, "b-1", ("r1", "a", 1), ("r2", "b", 2))
    for n in range(3):
        compute(engine, f"d-{n}", SUMS)
    compute(engine, "d-9", SUMS, scope=["a"])
    everything = data_files(engine)
    assert vacuum(engine.lake).files == 0
    replaced = {file.path for at in (2, 3) for file in engine.lake.table("sums", at).files}
    pinned = min(replaced)
    removed = vacuum(engine.lake, dt.timedelta(0), pins=[pinned])
    assert removed.files == 1
    assert removed.bytes > 0
    assert data_files(engine) == everything - (replaced - {pinned})
    assert vacuum(engine.lake, dt.timedelta(0)).files == 1
    assert sums_of(engine) == {"a": 1, "b": 2}
    engine.compact("sums")
    vacuum(engine.lake, dt.timedelta(0))
    assert sums_of(engine) == {"a": 1, "b": 2}
    assert len(data_files(engine)) == 2


def test_vacuum_spares_a_run_at_work_and_takes_orphans(engine: Engine) -> None:
    deliver(engine, "b-1", ("r1", "a", 1))
    orphan = engine.lake.root / "penalty" / "dead-12345678-0.parquet"
    pq.write_table(pa.table({"x": [1]}), orphan)
    with engine.run("d-1") as run:
        run.execute(SUMS, scope=pa.table({"k": ["a"]}))
        assert vacuum(engine.lake, dt.timedelta(0)).files == 1
        run.commit()
    assert not orphan.exists()
    assert sums_of(engine) == {"a": 1}


def test_a_lake_opened_before_a_fork_says_so(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.commit(StagedRun("r-1", "x", (change(lake, "a", "1"),), 0))
    lake._manifest._process = -1
    assert lake.tables() == ["a"]
    Lake(tmp_path).commit(StagedRun("r-2", "x", (change(lake, "a", "2"),), 1))
    with pytest.raises(LakeError, match="fork"):
        lake.tables()


def test_tables_whose_names_contain_each_other(engine: Engine, home: Home) -> None:
    with engine.run("r-1") as run:
        run.stage_table("library", pa.table({"x": [1]}))
        run.stage_table("library/organisation", pa.table({"y": [2]}))
        run.commit()
    vacuum(engine.lake, dt.timedelta(0))
    assert rows_of(engine, "library") == [{"x": 1}]
    assert engine.query("SELECT * FROM o", {"o": "library/organisation"}).to_pylist() == [{"y": 2}]
