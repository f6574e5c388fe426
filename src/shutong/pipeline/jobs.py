"""Background runs of the way: after deliveries, and once a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta

from django.conf import settings

from shutong.accounts.actors import SYSTEM
from shutong.audit.sealing import seal
from shutong.engine.home import Home
from shutong.engine.lake import lake_of
from shutong.engine.vacuum import vacuum
from shutong.jobs.schedule import Daily
from shutong.jobs.work import enqueue_unless_waiting, job
from shutong.pipeline.runs import run_way

KEEP = timedelta(days=1)
"""How long replaced files of the lake stay, for readers and backups that are still at work."""


def the_home() -> Home:
    """The home that this process serves.

    Raises:
        RuntimeError: it serves none.
    """
    if settings.SHUTONG_HOME is None:
        raise RuntimeError("本进程没有数据之家 / this process serves no home: set SHUTONG_HOME")
    return Home.open(settings.SHUTONG_HOME)


@job
def run_increment(full: bool = False) -> str:
    """Take what was delivered through the stages; returns the run's id."""
    return run_way(the_home(), full=full, acting=SYSTEM).run_id


@job
def run_daily(_day: str) -> str:
    """The run of every day: terms that end and reports that are absent count too.

    Then the audit log is sealed, and files that no table has needed for ``KEEP`` are removed from the lake.
    """
    home = the_home()
    run_id = run_way(home, acting=SYSTEM).run_id
    seal(home)
    vacuum(lake_of(home), KEEP)
    return run_id


def on_delivery(_payload: Mapping[str, object]) -> None:
    """A batch came in: one run for all that came in before it starts."""
    enqueue_unless_waiting(run_increment)


def on_decision(_payload: Mapping[str, object]) -> None:
    """A case was decided: one run for all decisions that were made before it starts."""
    enqueue_unless_waiting(run_increment)


SCHEDULE = (Daily("way", time(1, 30), run_daily),)
