"""Running the way: what was collected goes through every stage, in one run with one commit.

A run is full (everything that is known on its business day) or an increment (what changed since the last run, with
the scopes that the stages themselves work out). Both give the same tables. After the commit the decisions that follow
from it are written and the ready answers renewed; both are repeatable, so a kill in between is made good by the next
run.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from shutong.accounts.actions import require
from shutong.accounts.actors import SYSTEM, Actor
from shutong.catalog.actions import current_catalog
from shutong.collect.conform import conform_accepted
from shutong.engine.engine import Engine, engine_of
from shutong.engine.errors import LakeError
from shutong.engine.home import Home, lease
from shutong.engine.keys import Keys
from shutong.engine.lake import Lake
from shutong.engine.run import LakeRun, StageReport
from shutong.engine.settings import Bounds
from shutong.engine.sqltext import Parameter
from shutong.pipeline import inputs
from shutong.pipeline.actions import fail_run, finish_run, start_run
from shutong.pipeline.after import Position, after_commit, shown_run
from shutong.pipeline.answers.change import renew
from shutong.pipeline.bounds import check_bounds
from shutong.pipeline.events import Since, stage_events
from shutong.pipeline.models import Run
from shutong.quality.counter import reconcile
from shutong.rules.plan import Planned, full_run, increment
from shutong.spec.catalog import Catalog
from shutong.subjects import scopes

Kind = Literal["full", "increment", "nothing"]

Progress = Callable[[str, int, int], None]
"""Called before each stage with its name, its number from 1, and how many there are."""

LEASE_WAIT = 30.0
_COMPACT_AFTER = 40
"""Patches of a table after which an increment folds them."""


@dataclass(frozen=True)
class RunReport:
    """What a run did: its kind, business day, the last delivery it took in, and each stage's figures."""

    run_id: str
    kind: Kind
    business_day: dt.date
    upto_seq: int
    stages: Sequence[StageReport]
    subjects: int | None = None


def _silent(_name: str, _number: int, _count: int) -> None:
    """No progress is shown."""


def run_way(
    home: Home,
    *,
    full: bool = False,
    day: dt.date | None = None,
    allow_changes: bool = False,
    progress: Progress = _silent,
    catalog: Catalog | None = None,
    acting: Actor,
) -> RunReport:
    """Take everything collected up to ``day`` through the stages.

    Args:
        full: compute everything again, also when only a little changed.
        day: the business day; the home's where it is missing.
        allow_changes: commit also when more is merged or lost than the home's bounds allow.
        progress: told of each stage.
        catalog: the declarations to run; the published ones where it is missing.

    Raises:
        NotAllowedError: the actor may not run the stages.
        LeaseError: another run holds the home for longer than 30 s.
        EngineError: a stage failed, or the lake is not the one that the last run left; nothing of the run is visible.
        BoundsExceededError: it would change more than it may without being asked; nothing of it is visible.
    """
    require(acting, "pipeline.run", what="pipeline.run_way")
    day = day or home.today()
    declared = catalog or current_catalog()
    run_id = f"way-{day:%Y%m%d}-{secrets.token_hex(4)}"
    with lease(home, wait=LEASE_WAIT, purpose="run"):
        entry = start_run(run_id, day, acting=acting)
        engine = engine_of(home)
        try:
            lost = lost_run(engine.lake)
            if lost is not None:
                raise lost
            reconcile(engine, declared, acting=SYSTEM)
            wanted = _Wanted(full, None if allow_changes else home.settings.bounds, home.keys)
            report, position = _compute(engine, declared, run_id, day, progress, wanted)
            after_commit(home, engine, declared, position, progress)
        except Exception as error:
            fail_run(entry, error, acting=acting)
            raise
        finally:
            engine.close()
        finish_run(entry, report.kind, report.upto_seq, report.subjects or 0, report.stages, acting=acting)
    return report


@dataclass(frozen=True)
class _Wanted:
    """How a run was asked for: everything again, the bounds it stops at (None: it may pass them), and the home's keys."""

    full: bool
    bounds: Bounds | None
    keys: Keys


def _compute(
    engine: Engine, catalog: Catalog, run_id: str, day: dt.date, progress: Progress, wanted: _Wanted
) -> tuple[RunReport, Position]:
    with engine.run(run_id, "way", day) as run:
        reached = inputs.last_reached(run)
        upto = inputs.last_seq(run, day)
        whole = full_run(catalog)
        identities = {**inputs.identities(whole), "model": str(inputs.model_version(run, day))}
        decided = inputs.stage_decisions(run)
        conformed = conform_accepted(run, engine, wanted.keys, catalog)
        kind = _kind(wanted.full or bool(conformed), reached, upto, day, identities)
        if kind == "nothing" and decided:
            kind = "increment"
        previous = reached.run_id if reached else None
        if kind == "nothing" and reached:
            return RunReport(run_id, kind, day, upto, ()), Position(reached.run_id, kind, day, None)
        inputs.stage_calendar(run, day)
        params: dict[str, Parameter] = {"as_of": day}
        if kind == "increment" and reached:
            params |= {"since_seq": reached.upto_seq, "since_day": reached.business_day}
        execute_plan(run, whole if kind == "full" else increment(catalog), params, progress)
        if wanted.bounds is not None and reached:
            check_bounds(engine, run, wanted.bounds)
        if reached:
            since = Since(reached.upto_seq, reached.business_day)
            stage_events(run, catalog, since, day, increment=kind == "increment")
        inputs.note_reached(run, kind, upto, day, identities)
        subjects = None
        if kind == "increment":
            counted = run.peek("SELECT count(*) AS n FROM scope", {"scope": scopes.SUBJECTS_OF_RUN})
            subjects = int(counted.column("n")[0].as_py())
        progress("commit", 1, 1)
        run.commit()
        report = RunReport(run_id, kind, day, upto, tuple(run.reports), subjects)
    _fold_patches(engine, run_id)
    return report, Position(run_id, kind, day, previous)


def reached_run(engine: Engine) -> inputs.Reached | None:
    """How far the last committed run of the way got, read without a run; None before the first."""
    if inputs.WAYS not in engine.lake.tables():
        return None
    row = engine.query("SELECT * FROM ways", {"ways": inputs.WAYS}).to_pylist()[0]
    return inputs.Reached(row["run_id"], row["upto_seq"], row["business_day"], json.loads(row["stages"]))


def lost_run(lake: Lake) -> LakeError | None:
    """The error to tell when the lake does not have the last run that the ledger calls done; None where it has.

    A run is called done after its commit, so the lake has been lost, replaced or set back; computing on would take
    back what was decided on its findings.
    """
    done = Run.objects.filter(state=Run.State.DONE).exclude(kind="nothing").first()
    if done is None or lake.run(done.run_id) is not None:
        return None
    return LakeError(
        f"湖中没有上次完成的运行 {done.run_id}：湖丢失、被换或被退回。请恢复湖的文件夹，或从备份恢复整个数据之家",
        f"the lake does not have the last finished run {done.run_id}: it was lost, replaced or set back. "
        "Put its folder back, or restore the whole home from a backup",
        run=done.run_id,
    )


def answers_behind(home: Home) -> bool:
    """Whether the ready answers are missing, of another format, or show another run than the lake's last one."""
    engine = engine_of(home)
    try:
        reached = reached_run(engine)
    finally:
        engine.close()
    return reached is not None and reached.run_id != shown_run(home)


def renew_answers(home: Home, *, acting: Actor) -> None:
    """Make the ready answers again from the lake as the last run left it; nothing happens before the first run.

    Raises:
        NotAllowedError: the actor may not run the stages.
        LeaseError: a run holds the home for longer than 30 s.
    """
    require(acting, "pipeline.run", what="pipeline.renew_answers")
    with lease(home, wait=LEASE_WAIT, purpose="answers"):
        engine = engine_of(home)
        try:
            reached = reached_run(engine)
            if reached is not None:
                with engine.undivided():
                    renew(engine, home.answers, current_catalog(), reached.business_day, reached.run_id, full=True)
        finally:
            engine.close()


def execute_plan(
    run: LakeRun, plan: Sequence[Planned], params: dict[str, Parameter], progress: Progress = _silent
) -> None:
    """Execute planned stages in order within a run."""
    for number, one in enumerate(plan, start=1):
        progress(one.stage.name, number, len(plan))
        run.execute(one.stage, params, one.scope)


def _kind(full: bool, reached: inputs.Reached | None, upto: int, day: dt.date, identities: dict[str, str]) -> Kind:
    """A changed declaration or stage, or a business day before the last one, is computed from everything."""
    if full or reached is None or day < reached.business_day or dict(reached.stages) != identities:
        return "full"
    if upto == reached.upto_seq and day == reached.business_day:
        return "nothing"
    return "increment"


def _fold_patches(engine: Engine, run_id: str) -> None:
    for name in engine.lake.tables():
        if len(engine.lake.table(name).patches) > _COMPACT_AFTER:
            engine.compact(name, f"{run_id}-fold")
