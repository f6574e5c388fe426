"""What a run takes in beside the accepted rows: the working-day calendar, and how far earlier runs got."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from shutong.engine.run import LakeRun
from shutong.rules.plan import Planned
from shutong.standards.workdays import calendar_table
from shutong.subjects.model import IDENTIFY
from shutong.subjects.models import Decision
from shutong.subjects.tables import DECISIONS, columns

WAYS = "ways"
"""One row: how far the last committed run of the way got, and under which identities of its stages."""

DECISIONS_TABLE, MODELS_TABLE = "decisions", "models"
CALENDAR = "calendar"
_CALENDAR_FROM = dt.date(2000, 1, 1)
_CALENDAR_YEARS_AHEAD = 12

WAYS_SCHEMA = columns(
    run_id=pa.string(), kind=pa.string(), upto_seq=pa.int64(), business_day=pa.date32(), stages=pa.string()
)


@dataclass(frozen=True)
class Reached:
    """How far the last committed run of the way got."""

    run_id: str
    upto_seq: int
    business_day: dt.date
    stages: Mapping[str, str]


def last_reached(run: LakeRun) -> Reached | None:
    """The last committed run of the way, or None before the first."""
    if run.table(WAYS).stored_rows == 0:
        return None
    row = run.peek("SELECT * FROM ways", {"ways": WAYS}).to_pylist()[0]
    return Reached(row["run_id"], row["upto_seq"], row["business_day"], json.loads(row["stages"]))


def note_reached(run: LakeRun, kind: str, upto_seq: int, day: dt.date, stages: Mapping[str, str]) -> None:
    """Stage the row that says how far this run got; it becomes true with the run's commit."""
    row = {
        "run_id": run.run_id,
        "kind": kind,
        "upto_seq": upto_seq,
        "business_day": day,
        "stages": json.dumps(dict(stages), sort_keys=True),
    }
    run.stage_table(WAYS, pa.Table.from_pylist([row], WAYS_SCHEMA), "replace")


def identities(plan: tuple[Planned, ...]) -> dict[str, str]:
    """The identity of each stage of a plan, by its name."""
    return {one.stage.name: one.stage.identity for one in plan}


def last_seq(run: LakeRun, day: dt.date) -> int:
    """The number of the last delivery received up to ``day``; 0 before the first."""
    if run.table("batches").stored_rows == 0:
        return 0
    sql = "SELECT coalesce(max(seq), 0) AS seq FROM batches WHERE received_on <= :day"
    return int(run.peek(sql, {"batches": "batches"}, {"day": day}).column("seq")[0].as_py())


def stage_decisions(run: LakeRun) -> int:
    """Stage what people decided since the last run; returns how many are new.

    A decision is in the lake for good once a run with it has committed; the state database is where it was made.
    """
    known: set[str] = set()
    if run.table(DECISIONS_TABLE).stored_rows:
        known = {
            str(one)
            for one in run.peek("SELECT decision_id FROM d", {"d": DECISIONS_TABLE}).column("decision_id").to_pylist()
        }
    fields = ("decision_id", "made_on", "pk", "verb", "case_key", "subject_id", "undoes", "actor")
    rows = [
        {**dict(zip(DECISIONS.names, row, strict=True)), "undoes": row[6] or None}
        for row in Decision.objects.order_by("pk").values_list(*fields)
        if row[0] not in known
    ]
    if rows:
        run.stage_table(DECISIONS_TABLE, pa.Table.from_pylist(rows, DECISIONS))
    return len(rows)


def model_version(run: LakeRun, day: dt.date) -> int:
    """The version of the matching model in force on a day; 0 for the built-in one."""
    if run.table(MODELS_TABLE).stored_rows == 0:
        return 0
    sql = "SELECT coalesce(max(version), 0) AS v FROM m WHERE model = :model AND trained_on <= :day"
    return int(run.peek(sql, {"m": MODELS_TABLE}, {"model": IDENTIFY, "day": day}).column("v")[0].as_py())


def stage_calendar(run: LakeRun, day: dt.date) -> None:
    """Stage the working-day calendar where the lake's does not reach far enough, or differs from the standards'."""
    wanted = calendar_table(_CALENDAR_FROM, dt.date(day.year + _CALENDAR_YEARS_AHEAD, 12, 31))
    if run.table(CALENDAR).stored_rows:
        known = run.peek("SELECT * FROM calendar ORDER BY day", {"calendar": CALENDAR})
        if known.num_rows >= wanted.num_rows and known.slice(0, wanted.num_rows).equals(wanted.cast(known.schema)):
            return
    run.stage_table(CALENDAR, wanted, "replace")
