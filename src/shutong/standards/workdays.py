"""The working-day calendar of mainland China.

Statutory holidays and make-up working days come from the State Council's yearly notices (chinesecalendar, 2004 on).
Outside its years a day is working unless it is a Saturday, a Sunday or a holiday with a fixed date (1 January,
1 and 2 May, 1 to 3 October), and is marked provisional: the notice, with spring festival and make-up days, is to come.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass

import chinese_calendar
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from chinese_calendar import constants

FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(2199, 12, 31)
"""The calendar's reach; days outside it raise ValueError."""

_FIXED = {(1, 1): "元旦", (5, 1): "劳动节", (5, 2): "劳动节", (10, 1): "国庆节", (10, 2): "国庆节", (10, 3): "国庆节"}
_NAMES = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}
_KNOWN_YEARS = range(min(constants.holidays).year, max(constants.holidays).year + 1)


@dataclass(frozen=True)
class Workday:
    """One day: is it a working day, is that provisional, and the holiday or reason in Chinese (None for plain days)."""

    is_workday: bool
    provisional: bool
    name: str | None


@dataclass(frozen=True)
class _Calendar:
    """Parallel arrays over the reach: working or not; number of working days up to and including the day; their places."""

    working: npt.NDArray[np.bool_]
    count: npt.NDArray[np.int32]
    places: npt.NDArray[np.int64]


def is_workday(day: dt.date) -> Workday:
    """What kind of day it is. Never fails inside 1900-2199; beyond the published years the answer is provisional."""
    provisional = day.year not in _KNOWN_YEARS
    working = bool(_calendar().working[_place(day)])
    if provisional:
        name = _FIXED.get((day.month, day.day)) or (None if working else "周末")
        return Workday(working, True, name)
    if day in constants.holidays:
        return Workday(working, False, _NAMES.get(constants.holidays[day], constants.holidays[day]))
    if day in constants.workdays:
        return Workday(working, False, "调休上班")
    return Workday(working, False, None if working else "周末")


def add_workdays(day: dt.date, n: int) -> dt.date:
    """The n-th working day after ``day`` (before it when n is negative); 0 is the day itself, working or not.

    Day 1 is the first working day after ``day``: the day on which a term begins is not counted (Civil Code, art. 201).
    """
    if n == 0:
        return day
    calendar, place = _calendar(), _place(day)
    if n > 0:
        target = int(calendar.count[place]) + n - 1
    else:
        target = int(calendar.count[place]) - int(calendar.working[place]) + n
    if not 0 <= target < len(calendar.places):
        raise ValueError(
            f"{day} 起第 {n} 个工作日超出日历（{FIRST_DAY} 至 {LAST_DAY}）"
            f" / {n} working days from {day} lie outside the calendar ({FIRST_DAY} to {LAST_DAY})"
        )
    return FIRST_DAY + dt.timedelta(days=int(calendar.places[target]))


def workdays_between(start: dt.date, end: dt.date) -> int:
    """Working days after ``start`` up to and including ``end``; negative when ``end`` comes first.

    For a working day ``end`` after ``start``: ``add_workdays(start, workdays_between(start, end)) == end``.
    """
    count = _calendar().count
    return int(count[_place(end)]) - int(count[_place(start)])


def calendar_table(start: dt.date, end: dt.date) -> pa.Table:
    """One row per day from ``start`` to ``end`` (both included), so that SQL can add working days by a join.

    Columns: ``day`` date32; ``is_workday`` bool; ``index`` int32, working days from ``start`` up to and including the
    day; ``provisional`` bool. The n-th working day after a day with index i is the working day with index i + n.
    """
    first, last = _place(start), _place(end)
    if last < first:
        raise ValueError(f"the calendar ends ({end}) before it begins ({start})")
    calendar = _calendar()
    index = calendar.count[first : last + 1] - (calendar.count[first] - int(calendar.working[first]))
    days = np.arange(np.datetime64(start, "D"), np.datetime64(end, "D") + 1)
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    provisional = (years < _KNOWN_YEARS.start) | (years >= _KNOWN_YEARS.stop)
    return pa.table(
        {
            "day": pa.array(days),
            "is_workday": pa.array(calendar.working[first : last + 1]),
            "index": pa.array(index.astype(np.int32)),
            "provisional": pa.array(provisional),
        }
    )


def published_years() -> range:
    """Years for which the State Council's notice is in the calendar."""
    return _KNOWN_YEARS


def _place(day: dt.date) -> int:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(
            f"{day} 超出日历（{FIRST_DAY} 至 {LAST_DAY}） / {day} lies outside the calendar ({FIRST_DAY} to {LAST_DAY})"
        )
    return day.toordinal() - FIRST_DAY.toordinal()


@functools.cache
def _calendar() -> _Calendar:
    size = LAST_DAY.toordinal() - FIRST_DAY.toordinal() + 1
    working = (np.arange(size) + FIRST_DAY.weekday()) % 7 < 5
    for year in range(FIRST_DAY.year, LAST_DAY.year + 1):
        if year not in _KNOWN_YEARS:
            for month, day in _FIXED:
                working[_place(dt.date(year, month, day))] = False
    for day in constants.holidays:
        working[_place(day)] = False
    for day in constants.workdays:
        working[_place(day)] = True
    return _Calendar(working, np.cumsum(working, dtype=np.int32), np.flatnonzero(working))
