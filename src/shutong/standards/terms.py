"""Dated legal terms: how long the law gives, since when, where, and on what ground. Numbers live in ``terms.csv``.

Counting follows the Civil Code: the day on which a term begins is not counted (art. 201); a term of months or years
ends on the corresponding day, or the month's last (art. 202); a deadline whose last day is no working day ends on the
next one (art. 203). Periods (how long something is shown or kept) do not move.
"""

from __future__ import annotations

import calendar
import datetime as dt
import functools
from dataclasses import dataclass
from typing import Literal, cast

from shutong.standards.areas import area_parents
from shutong.standards.tables import read_table
from shutong.standards.workdays import add_workdays, is_workday

NATION = "000000"
Unit = Literal["wd", "day", "month", "year", "hour", "date"]


@dataclass(frozen=True)
class Term:
    """One row of the table of terms.

    ``unit``: wd (working days), day, month, year, hour, or date (``n`` is month * 100 + day, of every year).
    ``rolls``: a last day that is no working day moves to the next one. ``verify``: not read in the source's text.
    """

    name: str
    n: int
    unit: Unit
    rolls: bool
    in_force_from: dt.date | None
    in_force_to: dt.date | None
    jurisdiction: str
    zh: str
    en: str
    source: str
    verify: bool

    def in_force(self, on: dt.date) -> bool:
        """True when the row is the law on that day."""
        return (self.in_force_from or dt.date.min) <= on <= (self.in_force_to or dt.date.max)


@functools.cache
def terms() -> tuple[Term, ...]:
    """All rows, in the order of the table."""
    return tuple(_term(row) for row in read_table("terms.csv"))


def _term(row: dict[str, str]) -> Term:
    since, until = (dt.date.fromisoformat(row[key]) if row[key] else None for key in ("from", "to"))
    return Term(
        name=row["name"],
        n=int(row["n"]),
        unit=cast(Unit, row["unit"]),
        rolls=row["kind"] == "deadline",
        in_force_from=since,
        in_force_to=until,
        jurisdiction=row["jurisdiction"],
        zh=row["zh"],
        en=row["en"],
        source=row["source"],
        verify=row["verify"] == "yes",
    )


def term_names() -> tuple[str, ...]:
    """Names of all terms, each once; what a declaration may refer to."""
    return tuple(dict.fromkeys(term.name for term in terms()))


def term(name: str, on: dt.date, area: str = NATION) -> Term:
    """The term in force on a day for an area: its own rule, else its city's, its province's, the nation's.

    KeyError when the name is unknown, LookupError when no rule was in force there on that day.
    """
    rows = [row for row in terms() if row.name == name]
    if not rows:
        raise KeyError(f"no term {name!r}; there are: {', '.join(term_names())}")
    places = [area, *reversed(area_parents(area)), NATION] if area != NATION else [NATION]
    for place in places:
        for row in rows:
            if row.jurisdiction == place and row.in_force(on):
                return row
    raise LookupError(f"term {name!r} has no rule in force on {on} for {area}")


def deadline(term: Term, start: dt.date) -> dt.date:
    """The last day of a term that begins on ``start`` (which is not counted).

    A term in hours ends on the day that holds its last hour; a date of the year is the first such day not before
    ``start``.
    """
    if term.unit == "wd":
        return add_workdays(start, term.n)
    if term.unit == "date":
        return _next_date(start, *divmod(term.n, 100))
    if term.unit in ("day", "hour"):
        last = start + dt.timedelta(days=term.n if term.unit == "day" else -(-term.n // 24))
    else:
        last = add_months(start, term.n * (12 if term.unit == "year" else 1))
    if not term.rolls or term.unit == "hour" or is_workday(last).is_workday:
        return last
    return add_workdays(last, 1)


def _next_date(start: dt.date, month: int, day: int) -> dt.date:
    this_year = dt.date(start.year, month, day)
    return this_year if this_year >= start else dt.date(start.year + 1, month, day)


def add_months(day: dt.date, months: int) -> dt.date:
    """The corresponding day some months later or earlier, or the last day of that month (Civil Code, art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
