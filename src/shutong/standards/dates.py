"""Dates and times in the spellings that departments deliver.

Read: ``2024-01-02``, ``2024/1/2``, ``2024.1.2``, ``20240102``, ``2024年1月2日``,
``二〇二四年一月二日``, each with a time of day behind it, and the serial numbers of spreadsheets (5 digits, day 1 =
1900-01-01 as spreadsheets count).
Refused with a reason: dates that do not exist, that leave the order of day and month open, or that are incomplete.
A time zone in the text (``Z``, ``+08:00``) is converted; without one the time is legal time, Asia/Shanghai.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.standards.code_columns import days_in_month
from shutong.standards.code_digits import BAD, digit_pairs, values_of
from shutong.standards.columns import (
    RETRY,
    Bytes,
    layout,
    over_blocks,
    pair,
    present,
    reasons_of,
    remember,
    rows_of_width,
    settle,
)
from shutong.standards.text import fold, has_controls, is_empty
from shutong.standards.verdict import EMPTY, Column, ColumnVerdict, Faults, Values, Verdict, fault, passed

Whole: TypeAlias = "npt.NDArray[np.int32]"

FIRST_YEAR, LAST_YEAR = 1800, 9999
LEGAL_OFFSET = dt.timedelta(hours=8)
"""Asia/Shanghai; the summer time of 1986-1991 is not applied (documents of those years bear no zone)."""

DATE_REASONS = reasons_of(
    "date.format",
    "date.impossible",
    "date.ambiguous",
    "date.incomplete",
    "date.indefinite",
    "date.range",
    "date.time",
    "text.control",
)

_TIME = (
    r"(?P<hour>[0-9]{1,2})\s*[:时点]\s*(?:(?P<minute>[0-9]{1,2})\s*(?:[:分]\s*(?:(?P<second>[0-9]{1,2})(?:[.,][0-9]{1,9})?\s*秒?)?)?)?"
    r"\s*(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_BEHIND = rf"(?:[T\s]\s*{_TIME})?"
_NUMERIC = re.compile(
    rf"(?P<year>[0-9]{{4}})(?P<sep>[-/.])(?P<month>[0-9]{{1,2}})(?P=sep)(?P<day>[0-9]{{1,2}}){_BEHIND}"
)
_CHINESE = re.compile(
    rf"(?P<year>[0-9]{{4}})\s*年\s*(?P<month>[0-9]{{1,2}})\s*月\s*(?P<day>[0-9]{{1,2}})\s*[日号]?\s*(?:{_TIME})?"
)
_COMPACT = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?:[T\s]?(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2}))?(?P<zone>Z)?)?"
)
_SERIAL = re.compile(r"(?P<serial>[0-9]{5})(?:\.0+)?")
_WRITTEN = re.compile(
    r"([〇○零一二三四五六七八九]{4})\s*年\s*([〇零一二三四五六七八九十廿卅]{1,3})\s*月\s*([〇零一二三四五六七八九十廿卅]{1,4})\s*[日号]?"
)
_AMBIGUOUS = re.compile(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})|[0-9]{2}年[0-9]{1,2}月[0-9]{1,2}[日号]?")
_INCOMPLETE = re.compile(r"[0-9]{4}(?:年|[-/.年][0-9]{1,2}月?|[01][0-9])?|[0-9]{1,2}月[0-9]{1,2}[日号]?")
_INDEFINITE = frozenset(["长期", "长期有效", "永久", "永久有效", "无固定期限", "无期限", "不限"])
_NUMERALS = {c: k for k, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "十": 10, "廿": 20, "卅": 30}
_LONGEST = 60
"""No spelling of a date is longer; a longer cell is refused unread."""


def check_date(text: str | None) -> Verdict:
    """A calendar day; canonical ``YYYY-MM-DD``. A time of day behind it must exist and is dropped."""
    moment = _read(text)
    if isinstance(moment, dt.datetime):
        return passed(moment.date().isoformat())
    return moment


def check_datetime(text: str | None) -> Verdict:
    """A moment in legal time; canonical ``YYYY-MM-DDTHH:MM:SS`` (no fractions; a bare day is 00:00)."""
    moment = _read(text)
    if isinstance(moment, dt.datetime):
        return passed(moment.isoformat(timespec="seconds"))
    return moment


def _read(text: str | None) -> dt.datetime | Verdict:
    if text is None or is_empty(text):
        return EMPTY
    if len(text) > _LONGEST and len(fold(text)) > _LONGEST:
        return fault("text.control" if has_controls(text) else "date.format")
    if has_controls(text):
        return fault("text.control")
    tidy = fold(text).upper()
    written = _WRITTEN.fullmatch(tidy)
    if written:
        return _from_parts(_digits(written[1]), _numeral(written[2]), _numeral(written[3]))
    for pattern in (_NUMERIC, _COMPACT, _CHINESE):
        match = pattern.fullmatch(tidy)
        if match:
            return _from_match(match)
    serial = _SERIAL.fullmatch(tidy)
    if serial:
        # Spreadsheets count a 29 February 1900 that never was; from day 61 on this epoch is exact.
        return dt.datetime(1899, 12, 30) + dt.timedelta(days=int(serial["serial"]))  # noqa: DTZ001 - legal time, no zone
    return fault(_why_not(tidy))


def _why_not(tidy: str) -> str:
    if tidy in _INDEFINITE:
        return "date.indefinite"
    if _AMBIGUOUS.fullmatch(tidy):
        return "date.ambiguous"
    return "date.incomplete" if _INCOMPLETE.fullmatch(tidy) else "date.format"


def _from_match(match: re.Match[str]) -> dt.datetime | Verdict:
    part = match.groupdict()
    day = _from_parts(int(part["year"]), int(part["month"]), int(part["day"]))
    if isinstance(day, Verdict) or part["hour"] is None:
        return day
    try:
        moment = day.replace(hour=int(part["hour"]), minute=int(part["minute"] or 0), second=int(part["second"] or 0))
        return moment + _shift(part["zone"])
    except (ValueError, OverflowError):
        return fault("date.time")


def _shift(zone: str | None) -> dt.timedelta:
    """From the zone of the text to legal time."""
    if zone is None:
        return dt.timedelta(0)
    if zone == "Z":
        return LEGAL_OFFSET
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError(zone)
    offset = dt.timedelta(hours=hours, minutes=minutes)
    return LEGAL_OFFSET + offset if zone[0] == "-" else LEGAL_OFFSET - offset


def _from_parts(year: int, month: int | None, day: int | None) -> dt.datetime | Verdict:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return fault("date.range")
    try:
        return dt.datetime(year, month or 0, day or 0)  # noqa: DTZ001 - legal time, no zone
    except ValueError:
        return fault("date.impossible")


def _digits(numerals: str) -> int:
    return int("".join(str(_NUMERALS[numeral]) for numeral in numerals))


def _numeral(numerals: str) -> int | None:
    """A number below 40 written as 三, 十二, 二十, 三十一, 廿一 or 二〇; None for anything else."""
    values = [_NUMERALS[numeral] for numeral in numerals]
    if len(values) > 1 and values[0] < 10 and values[1] == 10:
        values = [values[0] * 10, *values[2:]]
    elif len(values) == 2 and max(values) < 10:
        values = [values[0] * 10, values[1]]
    if len(values) > 2 or (len(values) == 2 and (0 < values[0] < 10 or values[1] > 9)):
        return None
    return sum(values)


def column_date(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_date`; values are date32."""
    scalar = remember(check_date)

    def check(block: Values) -> tuple[Values, Faults]:
        days, _, faults = _fast_dates(block)
        return settle(block, pa.array(days).cast(pa.date32()), faults, scalar, pa.date32(), DATE_REASONS, _as_dates)

    return over_blocks(column, check, pa.date32(), DATE_REASONS)


def column_datetime(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_datetime`; values are timestamp[s] in legal time, without a zone."""
    scalar, kind = remember(check_datetime), pa.timestamp("s")

    def check(block: Values) -> tuple[Values, Faults]:
        days, seconds, faults = _fast_dates(block)
        moments = pa.array(days.astype(np.int64) * 86400 + seconds).cast(kind)
        return settle(block, moments, faults, scalar, kind, DATE_REASONS, _as_moments)

    return over_blocks(column, check, kind, DATE_REASONS)


def _as_dates(texts: list[str | None]) -> Values:
    return pa.array([None if text is None else dt.date.fromisoformat(text) for text in texts], pa.date32())


def _as_moments(texts: list[str | None]) -> Values:
    return pa.array([None if text is None else dt.datetime.fromisoformat(text) for text in texts], pa.timestamp("s"))


@dataclass(frozen=True)
class _Shape:
    """A spelling of fixed width: where month and day stand (place, digits) and where the separators are."""

    width: int
    month: tuple[int, int]
    day: tuple[int, int]
    separators: tuple[int, ...] = ()


_SHAPES = (
    _Shape(8, (4, 2), (6, 2)),
    _Shape(8, (5, 1), (7, 1), (4, 6)),
    _Shape(9, (5, 1), (7, 2), (4, 6)),
    _Shape(9, (5, 2), (8, 1), (4, 7)),
    _Shape(10, (5, 2), (8, 2), (4, 7)),
    _Shape(19, (5, 2), (8, 2), (4, 7)),
)
_CLOCK_WIDTH = 19


def _fast_dates(block: Values) -> tuple[Whole, Whole, Faults]:
    """Days since 1970, seconds of the day and faults, for the spellings of fixed width; the rest is RETRY."""
    data, starts = layout(block)
    lengths, there = np.diff(starts), present(block)
    days, seconds = np.zeros(len(block), np.int32), np.zeros(len(block), np.int32)
    faults = np.where(there & (lengths > 0), np.int8(RETRY), np.int8(-1))
    for shape in _SHAPES:
        rows, matrix = rows_of_width(data, starts, (faults == RETRY) & (lengths == shape.width), shape.width)
        if len(rows) == 0:
            continue
        good, day = _shaped_days(matrix, shape)
        if shape.width == _CLOCK_WIDTH:
            clock_good, seconds[rows] = _clock(matrix)
            good &= clock_good
        days[rows] = np.where(good, day, 0)
        faults[rows] = np.where(good, np.int8(0), np.int8(RETRY))
    return days, seconds, faults


def _shaped_days(matrix: Bytes, shape: _Shape) -> tuple[npt.NDArray[np.bool_], Whole]:
    century, rest = _figure(matrix, 0, 2), _figure(matrix, 2, 2)
    year, month, day = century * 100 + rest, _figure(matrix, *shape.month), _figure(matrix, *shape.day)
    good = (century != BAD) & (rest != BAD) & (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    good &= (day >= 1) & (day <= days_in_month(year, month))
    if shape.separators:
        first, second = (matrix[:, place] for place in shape.separators)
        good &= (first == second) & ((first == ord("-")) | (first == ord("/")) | (first == ord(".")))
    return good, days_from_civil(year, month, day)


def _figure(matrix: Bytes, place: int, digits: int) -> Whole:
    """The number written at ``place`` in one or two digits; BAD where it is none."""
    if digits == 1:
        return values_of("0123456789").take(matrix[:, place]).astype(np.int32)
    return digit_pairs().take(pair(matrix, place)).astype(np.int32)


def _clock(matrix: Bytes) -> tuple[npt.NDArray[np.bool_], Whole]:
    """Seconds of the day from ``HH:MM:SS`` behind a blank or T at place 10."""
    hour, minute, second = (_figure(matrix, place, 2) for place in (11, 14, 17))
    good = (hour < 24) & (minute < 60) & (second < 60)
    good &= (matrix[:, 13] == ord(":")) & (matrix[:, 16] == ord(":"))
    good &= (matrix[:, 10] == ord(" ")) | (matrix[:, 10] == ord("T"))
    return good, np.where(good, hour * 3600 + minute * 60 + second, 0).astype(np.int32)


def days_from_civil(year: Whole, month: Whole, day: Whole) -> Whole:
    """Days since 1970-01-01 of Gregorian dates, by counting years from March (H. Hinnant's algorithm)."""
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    answer: Whole = (era * 146097 + day_of_era - 719468).astype(np.int32)
    return answer
