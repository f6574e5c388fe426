"""Figures of sharing per department, counted from requests: asked, granted, refused, time of reply, demand met."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from shutong.standards.workdays import workdays_between

_MET = ("granted", "partly")


@dataclass(frozen=True)
class RequestRow:
    """What figures need of a request. ``outcome``: empty while open, granted, partly, refused or cancelled.

    ``due_on`` and ``ready_due_on`` are the last days of the terms for answering and supplying, None where none runs.
    """

    receiver: str
    owner: str
    asked_on: dt.date
    outcome: str
    answered_on: dt.date | None
    due_on: dt.date | None
    ready_on: dt.date | None
    ready_due_on: dt.date | None


@dataclass(frozen=True)
class AsOwner:
    """How a department answers: requests to it, and of those granted (partly ones too), refused, withdrawn and open.

    ``overdue``: open beyond the term; ``late``: answered beyond it; ``supply_overdue``: granted, not ready beyond its term.
    ``median_days``: working days from request to answer, None before the first answer.
    """

    asked: int
    granted: int
    refused: int
    cancelled: int
    open: int
    overdue: int
    late: int
    supply_overdue: int
    median_days: float | None


@dataclass(frozen=True)
class AsReceiver:
    """What became of a department's demand.

    ``settled``: requests answered, or open beyond their term; ``met_percent``: those granted among them, None without
    any; ``reached``: whether that is at least the goal.
    """

    asked: int
    granted: int
    refused: int
    open: int
    settled: int
    met_percent: float | None
    reached: bool | None


@dataclass(frozen=True)
class Figures:
    """A department's figures on both sides."""

    as_owner: AsOwner
    as_receiver: AsReceiver


def figures(rows: Iterable[RequestRow], day: dt.date, goal_percent: int) -> dict[str, Figures]:
    """Figures on ``day`` of every department that asked or was asked, by its name.

    Args:
        goal_percent: how much of the demand is to be met, in percent.
    """
    owners: dict[str, list[RequestRow]] = {}
    receivers: dict[str, list[RequestRow]] = {}
    for row in rows:
        owners.setdefault(row.owner, []).append(row)
        receivers.setdefault(row.receiver, []).append(row)
    return {
        name: Figures(_as_owner(owners.get(name, []), day), _as_receiver(receivers.get(name, []), day, goal_percent))
        for name in sorted({*owners, *receivers})
    }


def _as_owner(rows: list[RequestRow], day: dt.date) -> AsOwner:
    days = [workdays_between(row.asked_on, row.answered_on) for row in rows if row.answered_on]
    return AsOwner(
        asked=len(rows),
        granted=sum(row.outcome in _MET for row in rows),
        refused=sum(row.outcome == "refused" for row in rows),
        cancelled=sum(row.outcome == "cancelled" for row in rows),
        open=sum(not row.outcome for row in rows),
        overdue=sum(_overdue(row, day) for row in rows),
        late=sum(_after(row.answered_on, row.due_on) for row in rows),
        supply_overdue=sum(
            row.outcome in _MET and row.ready_on is None and _after(day, row.ready_due_on) for row in rows
        ),
        median_days=median(days) if days else None,
    )


def _as_receiver(rows: list[RequestRow], day: dt.date, goal_percent: int) -> AsReceiver:
    granted = sum(row.outcome in _MET for row in rows)
    refused = sum(row.outcome == "refused" for row in rows)
    settled = granted + refused + sum(_overdue(row, day) for row in rows)
    met = round(100 * granted / settled, 1) if settled else None
    return AsReceiver(
        asked=len(rows),
        granted=granted,
        refused=refused,
        open=sum(not row.outcome for row in rows),
        settled=settled,
        met_percent=met,
        reached=None if met is None else 100 * granted >= goal_percent * settled,
    )


def _overdue(row: RequestRow, day: dt.date) -> bool:
    return not row.outcome and _after(day, row.due_on)


def _after(day: dt.date | None, last: dt.date | None) -> bool:
    return day is not None and last is not None and day > last
