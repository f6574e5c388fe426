"""Working days: the published years as chinesecalendar has them, provisional ones beyond."""

from __future__ import annotations

import datetime as dt

import chinese_calendar
import pytest

from shutong.standards.workdays import (
    FIRST_DAY,
    LAST_DAY,
    add_workdays,
    calendar_table,
    is_workday,
    published_years,
    workdays_between,
)


def days(start: dt.date, end: dt.date) -> list[dt.date]:
    return [start + dt.timedelta(days=k) for k in range((end - start).days + 1)]


def test_every_published_day_is_as_the_notices_say():
    years = published_years()
    for day in days(dt.date(years[0], 1, 1), dt.date(years[-1], 12, 31)):
        answer = is_workday(day)
        assert answer.is_workday == chinese_calendar.is_workday(day), day
        assert not answer.provisional


def test_names():
    assert is_workday(dt.date(2026, 2, 17)).name == "春节"
    assert is_workday(dt.date(2026, 2, 14)).name == "调休上班"
    assert is_workday(dt.date(2026, 3, 7)).name == "周末"
    assert is_workday(dt.date(2026, 3, 9)).name is None


def test_years_without_a_notice_are_provisional_and_never_an_error():
    unpublished = published_years().stop
    first = is_workday(dt.date(unpublished, 1, 1))
    assert (first.is_workday, first.provisional, first.name) == (False, True, "元旦")
    assert is_workday(dt.date(2099, 10, 2)).name == "国庆节"
    assert is_workday(dt.date(2003, 6, 2)).provisional
    assert all(is_workday(day).provisional for day in days(dt.date(2190, 1, 1), dt.date(2190, 2, 1)))
    assert is_workday(FIRST_DAY).provisional
    assert is_workday(LAST_DAY).provisional
    with pytest.raises(ValueError, match="outside"):
        is_workday(dt.date(1899, 12, 31))


def test_adding_steps_over_holidays_and_make_up_days():
    assert add_workdays(dt.date(2026, 9, 30), 1) == dt.date(2026, 10, 8)
    assert add_workdays(dt.date(2026, 10, 8), 2) == dt.date(2026, 10, 10)
    assert add_workdays(dt.date(2026, 10, 3), 1) == dt.date(2026, 10, 8)
    assert add_workdays(dt.date(2026, 10, 3), -1) == dt.date(2026, 9, 30)
    assert add_workdays(dt.date(2026, 10, 8), -1) == dt.date(2026, 9, 30)
    assert add_workdays(dt.date(2026, 10, 3), 0) == dt.date(2026, 10, 3)
    with pytest.raises(ValueError, match="outside"):
        add_workdays(dt.date(2199, 12, 31), 10)


def test_adding_and_counting_are_inverse_and_match_a_walk():
    start = dt.date(2025, 12, 20)
    working = [day for day in days(start + dt.timedelta(days=1), dt.date(2027, 3, 1)) if is_workday(day).is_workday]
    for n, day in enumerate(working, 1):
        assert add_workdays(start, n) == day
        assert workdays_between(start, day) == n
    assert workdays_between(dt.date(2026, 10, 8), dt.date(2026, 9, 30)) == -1


def test_the_table_adds_by_a_join():
    table = calendar_table(dt.date(2026, 9, 1), dt.date(2027, 2, 28)).to_pylist()
    by_index = {row["index"]: row["day"] for row in table if row["is_workday"]}
    for row in table[:60]:
        assert by_index[row["index"] + 7] == add_workdays(row["day"], 7)
    assert {row["provisional"] for row in table} == {True, False}
    with pytest.raises(ValueError, match="ends"):
        calendar_table(dt.date(2026, 2, 1), dt.date(2026, 1, 1))
