"""The verbs of the run ledger: a run starts, is done, failed, or is found to have been killed; and the change of a key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from datetime import UTC, datetime

from shutong.accounts.actions import action, note, send
from shutong.accounts.actors import Actor
from shutong.engine.errors import EngineError
from shutong.engine.home import Home, lease
from shutong.engine.keys import KeyInfo, Kind
from shutong.engine.run import StageReport
from shutong.jobs.worker import living_workers
from shutong.pipeline.bounds import BoundsExceededError
from shutong.pipeline.models import Run, StageRun


@action(permission="pipeline.run", audited=("run_id", "business_day"))
def start_run(run_id: str, business_day: dt.date, *, acting: Actor) -> Run:
    """Write down that a run begins; runs that a kill left behind are marked so. The caller holds the home's lease."""
    left = Run.objects.filter(state=Run.State.RUNNING)
    killed = left.update(state=Run.State.KILLED, ended_at=datetime.now(UTC), error="进程中断 / the process was killed")
    note(killed=killed)
    return Run.objects.create(run_id=run_id, kind="", business_day=business_day, started_at=datetime.now(UTC))


@action(permission="pipeline.run", audited=("run.run_id", "kind", "upto_seq"))
def finish_run(
    run: Run, kind: str, upto_seq: int, subjects: int, reports: Sequence[StageReport], *, acting: Actor
) -> Run:
    """Write down that a run was committed, with what each stage took."""
    run.kind, run.upto_seq, run.subjects = kind, upto_seq, subjects
    run.state, run.ended_at = Run.State.DONE, datetime.now(UTC)
    run.save()
    StageRun.objects.bulk_create(
        StageRun(
            run=run,
            position=position,
            stage=report.name,
            seconds=report.seconds,
            peak_bytes=report.peak_bytes,
            rows=dict(report.rows_out),
        )
        for position, report in enumerate(reports)
    )
    send("way.done", run=run.run_id, kind=kind)
    return run


@action(permission="pipeline.run", audited=("run.run_id",))
def fail_run(run: Run, error: Exception, *, acting: Actor) -> Run:
    """Write down that a run failed, or stopped at its bounds and waits; nothing of it is visible in the lake."""
    stopped = isinstance(error, BoundsExceededError)
    run.state, run.ended_at = Run.State.STOPPED if stopped else Run.State.FAILED, datetime.now(UTC)
    # The type and our own texts only: an engine's message may quote a person's data.
    zh, en = getattr(error, "zh", ""), getattr(error, "en", "")
    run.error = f"{zh} / {en}" if zh else type(error).__name__
    run.save()
    note(error=type(error).__name__)
    return run


class ServedError(EngineError):
    """The home is being served, and what was asked for needs it to stand still."""


@action(permission="keys.rotate", audited=("kind",))
def rotate_key(home: Home, kind: Kind, *, acting: Actor) -> KeyInfo:
    """Change the key of a kind; what was sealed or signed before still opens and verifies. Returns the new one.

    Raises:
        ServedError: the home is being served: its processes would not know the new key.
        LeaseError: a run is at work.
    """
    if living_workers():
        raise ServedError(
            "数据之家正在服务，请先停止 shutong serve（被强行终止的，请等一分钟）",
            "the home is being served: stop shutong serve first (wait a minute where it was killed)",
        )
    with lease(home, purpose="keys"):
        found = home.keys.rotate(kind).listed()
    new = next(one for one in reversed(found) if one.kind == kind and one.in_use)
    note(key=new.id)
    return new
