"""Kills, a full disk, damage and too little memory: nothing half-done is ever visible."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from shutong.engine.engine import Engine, engine_of
from shutong.engine.errors import LakeError, SpaceError, StageError
from shutong.engine.home import Home, lease
from shutong.engine.settings import Settings
from shutong.engine.stage import Read, SqlStep, Stage, Write
from tests.engine import faults_child

KILLS = 200 if os.environ.get("SHUTONG_TEST_DEPTH") == "deep" else 20


@pytest.fixture(scope="module")
def processes() -> Iterator[multiprocessing.context.ForkServerContext]:
    # The children are forked from a server that has loaded everything and opened nothing.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.engine.faults_child"])
    yield context


def allowed_states(home: Home) -> list[dict[str, list[dict[str, object]]]]:
    """The tables after each day of an undisturbed way (folding changes none)."""
    states: list[dict[str, list[dict[str, object]]]] = [{}]
    days = faults_child.DAYS
    for day in range(days):
        faults_child.DAYS = day + 1
        faults_child.way(str(home.path))
        states.append(faults_child.snapshot(home.path))
    faults_child.DAYS = days
    return states


def test_kills_at_random_moments(
    tmp_path: Path, processes: multiprocessing.context.ForkServerContext, record_property: pytest.RecordProperty
) -> None:
    states = allowed_states(Home.create(tmp_path / "calm"))
    began = time.process_time()
    faults_child.way(str(Home.create(tmp_path / "timed").path))
    took = time.process_time() - began
    chance = random.Random(7)
    killed = 0
    reached: list[int] = []
    while killed < KILLS:
        home = Home.create(tmp_path / f"home-{killed}-{len(reached)}")
        done = False
        while not done:
            moment = chance.uniform(0.01, took) if killed < KILLS else 0
            child = processes.Process(target=faults_child.way_until_killed, args=(str(home.path), moment))
            child.start()
            child.join()
            done = child.exitcode == 0
            killed += not done
            state = faults_child.snapshot(home.path)
            assert state in states
            reached.append(states.index(state))
        assert state == states[-1]
        assert_nothing_left(home)
    record_property("days reached at a kill", sorted(reached))
    assert len(set(reached)) > 2, "the kills did not spread over the way"


def assert_nothing_left(home: Home) -> None:
    """No journal, no temporary file, and no data file that the manifest does not name."""
    engine = engine_of(home)
    assert list((home.lake / "running").iterdir()) == []
    assert list(home.tmp.iterdir()) == []
    files = {path.relative_to(home.lake).as_posix() for path in home.lake.rglob("*.parquet")}
    assert {each for each in files if not each.startswith("manifest/")} == engine.lake.named_paths()


@pytest.mark.parametrize("limit", [20_000, 1_500_000])
def test_a_file_that_cannot_grow_leaves_nothing(
    home: Home, processes: multiprocessing.context.ForkServerContext, limit: int
) -> None:
    ours, theirs = processes.Pipe()
    before = faults_child.snapshot(home.path)
    child = processes.Process(target=faults_child.write_until_full, args=(str(home.path), limit, theirs))
    child.start()
    assert ours.poll(60)
    assert ours.recv().startswith("SpaceError: writing table penalty: no space left")
    child.join()
    assert faults_child.snapshot(home.path) == before == {}
    assert_nothing_left(home)


def test_a_manifest_that_cannot_grow_leaves_nothing(
    home: Home, processes: multiprocessing.context.ForkServerContext
) -> None:
    faults_child.DAYS, days = 1, faults_child.DAYS
    faults_child.way(str(home.path))
    faults_child.DAYS = days
    before = faults_child.snapshot(home.path)
    ours, theirs = processes.Pipe()
    child = processes.Process(target=faults_child.commit_until_full, args=(str(home.path), 500, theirs))
    child.start()
    assert ours.poll(60)
    answer = ours.recv()
    child.join()
    assert answer.startswith("SpaceError"), answer
    assert faults_child.snapshot(home.path) == before
    assert_nothing_left(home)
    faults_child.way(str(home.path))
    assert len(faults_child.snapshot(home.path)["penalty"]) == 40 + 5 * 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no permission to mount a small disk: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_leaves_nothing(small_disk: Path) -> None:
    home = Home.create(small_disk / "home")
    engine = engine_of(home)
    with engine.run("b-1") as run:
        run.stage_table("penalty", faults_child.delivered(0))
        run.commit()
    before = faults_child.snapshot(home.path)
    with pytest.raises(SpaceError, match="Make room"), engine.run("b-2") as run:
        run.stage_table("penalty", pa.table({"record_id": faults_child._noise(200_000)}))
    assert faults_child.snapshot(home.path) == before
    assert_nothing_left(home)


def test_two_runs_at_once_are_refused(home: Home, processes: multiprocessing.context.ForkServerContext) -> None:
    with lease(home):
        child = processes.Process(target=faults_child.way, args=(str(home.path),))
        child.start()
        child.join(0.5)
        assert child.is_alive()
        assert faults_child.snapshot(home.path) == {}
    child.join(60)
    assert child.exitcode == 0
    assert len(faults_child.snapshot(home.path)["penalty"]) == 65


def damage(path: Path) -> None:
    path.write_bytes(b"\x00" * 20)


def test_a_damaged_manifest_is_told(home: Home) -> None:
    faults_child.way(str(home.path))
    manifest = home.lake / "manifest"
    for victim in (*manifest.glob("*.parquet"), max((manifest / "_delta_log").glob("*.json"))):
        content = victim.read_bytes()
        for broken in (None, b"", b"\x00" * 20, content[:-10]):
            if broken is None:
                victim.unlink()
            else:
                victim.write_bytes(broken)
            engine = engine_of(home)
            with pytest.raises(LakeError, match="manifest") as caught:
                engine.recover()
                raise AssertionError(f"{victim.name} {broken!r} was not noticed")
            assert "恢复" in caught.value.zh
            victim.write_bytes(content)
    assert len(faults_child.snapshot(home.path)["penalty"]) == 65


def test_a_missing_data_file_is_told(home: Home) -> None:
    faults_child.way(str(home.path))
    engine = engine_of(home)
    next((home.lake / "penalty").glob("*.parquet")).unlink()
    with pytest.raises(StageError, match="penalty"):
        engine.query("SELECT count(*) FROM p", {"p": "penalty"})


def test_a_lost_table_log_is_made_again(home: Home) -> None:
    faults_child.way(str(home.path))
    for log in home.lake.glob("*/_delta_log"):
        if log.parent.name != "manifest":
            for path in log.iterdir():
                damage(path)
    (home.lake / "published.json").unlink()
    engine = engine_of(home)
    assert "penalty" in engine.lake.reconcile()
    assert engine.lake.reconcile() == []


_SORT = """
import sys
from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.engine.stage import SqlStep, Stage, Write
engine = engine_of(Home.open(sys.argv[1]))
texts = " || ".join(f"md5(CAST(i + {n} AS VARCHAR))" for n in range(4))
step = SqlStep("sorted", f"SELECT i, {texts} AS text FROM range(500000) AS r(i) ORDER BY text")
with engine.run("r-1") as run:
    run.execute(Stage("sort", (), (step,), (Write("sorted", "sorted"),)))
    run.commit()
    print(run.reports[0].peak_bytes)
"""


def test_a_sort_larger_than_the_memory_spills(home: Home) -> None:
    home.change_setting("memory_limit", "90MB")
    home.change_setting("threads", 1)
    done = subprocess.run(
        [sys.executable, "-c", _SORT, str(home.path)], capture_output=True, text=True, check=True, timeout=60
    )
    engine = engine_of(home)
    assert engine.query("SELECT count(*) AS n FROM s", {"s": "sorted"}).to_pylist() == [{"n": 500_000}]
    # 70 MB of rows in 67 MB of buffers; the interpreter and its libraries take about 150 MB that no setting governs.
    assert int(done.stdout) < 350_000_000


def test_too_little_memory_is_told(home: Home) -> None:
    engine = Engine(Settings(memory_limit="64MB", threads=1), engine_of(home).lake, home.tmp)
    query = "SELECT list(i) AS all_of_them FROM range(30000000) AS r(i)"
    stage = Stage("list", (Read("none", "none", faults_child.RECORDS),), (SqlStep("l", query),), (Write("l", "l"),))
    with pytest.raises(StageError, match="memory_limit"), engine.run("r-1") as run:
        run.execute(stage)
    assert engine.lake.tables() == []
