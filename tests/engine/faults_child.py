"""What the children of the fault tests do; started with forkserver, so they are small and quick."""

from __future__ import annotations

import datetime as dt
import resource
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from shutong.engine.engine import engine_of
from shutong.engine.errors import EngineError
from shutong.engine.home import Home, lease
from shutong.engine.stage import ArrowStep, Read, SqlStep, Stage, Write

RECORDS = pa.schema([("record_id", pa.string()), ("subject_id", pa.string()), ("fine", pa.int64())])
SUBJECTS = pa.schema([("subject_id", pa.string()), ("fines", pa.int64())])
DAYS = 6


def _add_one(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.record_batch([batch.column("subject_id"), pc.add(batch.column("fines"), 1)], schema=SUBJECTS)


FINES = Stage(
    "fines",
    reads=(Read("penalty", "penalty", RECORDS, scope="subject_id"),),
    steps=(
        SqlStep("sums", "SELECT subject_id, sum(fine) AS fines FROM penalty GROUP BY subject_id", materialise=True),
        ArrowStep("more", "sums", _add_one, SUBJECTS),
    ),
    writes=(Write("sums", "sums", key="subject_id"), Write("more", "more", key="subject_id")),
)
COUNTS = Stage(
    "counts",
    reads=(Read("more", "more", SUBJECTS),),
    steps=(SqlStep("counts", "SELECT count(*) AS subjects, sum(fines) AS fines FROM more"),),
    writes=(Write("counts", "counts"),),
)


def delivered(day: int) -> pa.Table:
    """The rows of a day: the first day has all subjects, later ones a few."""
    subjects = range(40) if day == 0 else range(day * 3, day * 3 + 5)
    rows = [{"record_id": f"r{day}-{n}", "subject_id": f"s{n}", "fine": day * 100 + n} for n in subjects]
    return pa.Table.from_pylist(rows, schema=RECORDS)


def way(path: str) -> None:
    """Every day that is not yet in: deliver, compute the changed subjects, fold now and then."""
    home = Home.open(path)
    with lease(home, wait=60):
        engine = engine_of(home)
        for day in range(DAYS):
            if engine.lake.run(f"day-{day}") is None:
                rows = delivered(day)
                with engine.run(f"day-{day}", "daily", dt.date(2026, 1, 1 + day)) as run:
                    run.stage_table("penalty", rows)
                    scope = rows.select(["subject_id"]) if day else None
                    run.execute(FINES, scope=scope)
                    run.execute(COUNTS)
                    run.commit()
            if day % 2:
                engine.compact("more")
        engine.close()


def way_until_killed(path: str, seconds: float) -> None:
    """The way, ended without warning after so many seconds of processor time (0: never).

    The timer's signal has no handler, so the kernel ends the process wherever it is, as ``kill -9`` does; counting
    processor time keeps the moments spread over the way on a busy machine too.
    """
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    way(path)
    signal.setitimer(signal.ITIMER_PROF, 0)


def write_until_full(path: str, limit: int, answer: Connection) -> None:
    """Deliver and compute while no file may be larger than ``limit`` bytes; tell what happened."""
    engine = engine_of(Home.open(path))
    try:
        with engine.run("day-9") as run:
            if limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            run.stage_table("penalty", pa.table({"record_id": _noise(200_000)}))
            run.commit()
        answer.send("committed")
    except EngineError as error:
        answer.send(f"{type(error).__name__}: {error.en}")
    except BaseException as error:
        answer.send(f"unexpected {error!r}")


def commit_until_full(path: str, limit: int, answer: Connection) -> None:
    """Stage a row, then let no file grow beyond ``limit`` bytes: the append to the manifest fails."""
    engine = engine_of(Home.open(path))
    try:
        with engine.run("day-9") as run:
            run.stage_table("penalty", delivered(1))
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            run.commit()
        answer.send("committed")
    except EngineError as error:
        answer.send(f"{type(error).__name__}: {error.en}")
    except BaseException as error:
        answer.send(f"unexpected {error!r}")


def _noise(rows: int) -> pa.Array:
    """Text that does not compress: the digests of numbers."""
    numbers = range(rows)
    return pa.array([f"{hash((n, n * 7919)) & (2**63 - 1):x}{hash((n * 31, n)) & (2**63 - 1):x}" for n in numbers])


def snapshot(path: Path) -> dict[str, list[dict[str, object]]]:
    """Every table's rows, in one order."""
    engine = engine_of(Home.open(path))
    engine.recover()
    try:
        return {
            name: engine.query("SELECT * FROM t ORDER BY ALL", {"t": name}).to_pylist() for name in engine.lake.tables()
        }
    finally:
        engine.close()
