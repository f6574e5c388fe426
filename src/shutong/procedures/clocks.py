"""Legal terms: until when something must be done, and how much of the term is left."""

from __future__ import annotations

from datetime import date, timedelta

from shutong.procedures.models import Case
from shutong.procedures.spec import Term
from shutong.standards import workdays


def due_on(term: Term | None, since: date) -> date | None:
    """The last day of a term that begins on ``since``; that day itself is not counted (Civil Code, art. 201).

    A term in calendar days that would end on a day off ends on the next working day (Civil Code, art. 203).
    """
    if term is None:
        return None
    if term.unit == "working-days":
        return workdays.add_workdays(since, term.count)
    end = since + timedelta(days=term.count)
    return end if workdays.is_workday(end).is_workday else workdays.add_workdays(end, 1)


def rest_of(term: Term | None, due: date | None, day: date) -> int | None:
    """What is left on ``day`` of a term that ends on ``due``, in the term's unit; negative when it has passed."""
    if term is None or due is None:
        return None
    return workdays.workdays_between(day, due) if term.unit == "working-days" else (due - day).days


def due_after(term: Term | None, rest: int | None, day: date) -> date | None:
    """The last day of a term of which ``rest`` was left, when it runs on from ``day``."""
    if term is None or rest is None:
        return None
    if term.unit == "working-days":
        return workdays.add_workdays(day, rest)
    end = day + timedelta(days=rest)
    return end if rest <= 0 or workdays.is_workday(end).is_workday else workdays.add_workdays(end, 1)


def days_left(case: Case, day: date) -> int | None:
    """Working days that are left of a case's term on ``day``; negative when it is overdue, None without a term."""
    return None if case.due_on is None else workdays.workdays_between(day, case.due_on)


def overdue(case: Case, day: date) -> bool:
    """Whether the term of an open case has passed on ``day``."""
    return case.closed_on is None and case.due_on is not None and day > case.due_on
