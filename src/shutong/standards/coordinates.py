"""Coordinates: longitude and latitude as they stand in cells, in degrees of CGCS2000 or WGS 84.

Understood: decimal degrees (``113.264385``), also with ``°``; degrees, minutes and seconds (``113°15′51.8″``); the
hemisphere as a letter or in words (``E``, ``东经``); full-width characters. The two reference systems differ by less than
a decimetre, so values of both are kept as they are. Offset coordinates of map sites (GCJ-02 and what is made of it) are
no geodetic coordinates and can't be told by their values: a resource must not deliver them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pyarrow as pa

from shutong.standards.columns import RETRY, over_blocks, reasons_of, remember, settle
from shutong.standards.numbers import DECIMAL, check_decimal, column_decimal
from shutong.standards.text import fold, has_controls, is_empty
from shutong.standards.verdict import EMPTY, Column, ColumnVerdict, Faults, Values, Verdict, fault, passed

COORDINATE = DECIMAL
"""Degrees with at most eight decimals: about a millimetre on the ground."""

SYSTEMS = ("cgcs2000", "wgs84")
"""Reference systems that a declaration may give a column; CGCS2000 is the legal one (国测法发〔2008〕6号)."""

LONGITUDE_REASONS = reasons_of("coordinate.format", "longitude.range", "text.control")
LATITUDE_REASONS = reasons_of("coordinate.format", "latitude.range", "text.control")

_LONGEST = 40
_STEP = Decimal("0.00000001")
_ANGLE = re.compile(
    r"(?P<sign>[+-]?)(?P<degrees>[0-9]{1,3}(?:\.[0-9]{1,15})?)\s*(?:[°º度]\s*"
    r"(?:(?P<minutes>[0-9]{1,2}(?:\.[0-9]{1,12})?)\s*['′’分]\s*"
    r"(?:(?P<seconds>[0-9]{1,2}(?:\.[0-9]{1,10})?)\s*(?:[\"″”秒]|'')\s*)?)?)?"
)
_HEMISPHERES = {"E": 1, "东经": 1, "W": -1, "西经": -1, "N": 1, "北纬": 1, "S": -1, "南纬": -1}


def check_longitude(text: str | None, system: str | None = None) -> Verdict:  # noqa: ARG001 - the values are the same
    """A longitude of -180 to 180 degrees, east positive; canonical in decimal degrees."""
    return _check(text, 180, ("E", "W", "东经", "西经"), "longitude.range")


def check_latitude(text: str | None, system: str | None = None) -> Verdict:  # noqa: ARG001 - the values are the same
    """A latitude of -90 to 90 degrees, north positive; canonical in decimal degrees."""
    return _check(text, 90, ("N", "S", "北纬", "南纬"), "latitude.range")


def column_longitude(column: Column, system: str | None = None) -> ColumnVerdict:
    """Twin of :func:`check_longitude`; values are decimal128(28, 8) degrees."""
    return _column(column, lambda text: check_longitude(text, system), 180, LONGITUDE_REASONS)


def column_latitude(column: Column, system: str | None = None) -> ColumnVerdict:
    """Twin of :func:`check_latitude`; values are decimal128(28, 8) degrees."""
    return _column(column, lambda text: check_latitude(text, system), 90, LATITUDE_REASONS)


def _check(text: str | None, limit: int, hemispheres: tuple[str, ...], out_of_range: str) -> Verdict:
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    plain = check_decimal(text).canonical
    if plain is not None:
        degrees = Decimal(plain)
    else:
        tidy = fold(text).upper()
        found = _angle(tidy, hemispheres) if len(tidy) <= _LONGEST else None
        if found is None:
            return fault("coordinate.format")
        degrees = found
    if abs(degrees) > limit:
        return fault(out_of_range)
    # More decimals than are kept are no fault: positioning devices write fifteen of them.
    rounded = degrees.quantize(_STEP, ROUND_HALF_UP)
    shortest = f"{rounded:f}".rstrip("0").rstrip(".")
    return passed("0" if shortest in ("-0", "") else shortest)


def _angle(tidy: str, hemispheres: tuple[str, ...]) -> Decimal | None:
    """The degrees that a folded text writes, or None; the hemisphere may stand before or behind."""
    side = 0
    for mark in hemispheres:
        if tidy.startswith(mark) or tidy.endswith(mark):
            tidy, side = tidy.removeprefix(mark).removesuffix(mark).strip(), _HEMISPHERES[mark]
            break
    match = _ANGLE.fullmatch(tidy)
    if match is None or (side and match["sign"]):
        return None
    minutes, seconds = Decimal(match["minutes"] or 0), Decimal(match["seconds"] or 0)
    if minutes >= 60 or seconds >= 60 or (match["minutes"] and "." in match["degrees"]):
        return None
    if match["seconds"] and "." in str(match["minutes"]):
        return None
    degrees = Decimal(match["degrees"]) + minutes / 60 + seconds / 3600
    return -degrees if side < 0 or match["sign"] == "-" else degrees


def _column(column: Column, scalar: Callable[[str], Verdict], limit: int, reasons: tuple[str, ...]) -> ColumnVerdict:
    """Decimal degrees at once; every other spelling by its distinct values."""
    remembered = remember(scalar)

    def check(block: Values) -> tuple[Values, Faults]:
        decimals = column_decimal(block)
        number = np.asarray(decimals.fault)
        degrees = np.nan_to_num(np.asarray(decimals.canonical.cast(pa.float64()), np.float64), nan=0.0)
        inside = (number == 0) & (np.abs(degrees) <= limit)
        faults = np.where(inside, np.int8(0), np.where(number == -1, np.int8(-1), np.int8(RETRY)))
        return settle(block, decimals.canonical, faults, remembered, COORDINATE, reasons, _as_texts)

    return over_blocks(column, check, COORDINATE, reasons)


def _as_texts(texts: list[str | None]) -> Values:
    return pa.array(texts, pa.string())
