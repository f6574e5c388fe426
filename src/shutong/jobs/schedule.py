"""Work of every day: queued once per day when its time has come, also when the machine was off at that time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django_tasks.base import Task

from shutong.jobs.work import enqueue

LEGAL_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Daily:
    """Work that is done once a day.

    Args:
        name: what it is called in the queue's keys; a day's work of one name is queued once.
        at: time of day in Asia/Shanghai from which it is due.
        work: the job; it is called with the day (ISO date text).
    """

    name: str
    at: time
    work: Task[..., Any]


def start_due(schedule: Sequence[Daily], now: datetime) -> list[str]:
    """Queues what is due on the day of ``now`` and was not queued yet; returns the ids, old and new.

    Days on which nothing ran are not made up for: the way's daily run covers what came in since.
    """
    local = now.astimezone(LEGAL_TIME)
    day = local.date().isoformat()
    return [enqueue(one.work, day, key=f"{one.name} {day}") for one in schedule if local.time() >= one.at]
