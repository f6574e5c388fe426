"""Administrative areas by code and by name (GB/T 2260), dated; with the fictional overlay 98xxxx of demonstrations."""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass

from shutong.standards.columns import by_distinct, reasons_of
from shutong.standards.tables import read_table
from shutong.standards.text import has_controls, is_empty, squeeze
from shutong.standards.verdict import EMPTY, Column, ColumnVerdict, Verdict, fault, passed

AREA_REASONS = reasons_of("area.format", "area.province", "text.control")

PROVINCE_PREFIXES = frozenset(
    map(
        str,
        [*range(11, 16), 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 98],
    )
)
"""First two digits that a code can have; 98 is the project's overlay."""

_FILLERS = frozenset(["市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"])
"""Names of rows that only group counties; they are no part of a full name."""

_ENDINGS = (
    "特别行政区",
    "维吾尔自治区",
    "壮族自治区",
    "回族自治区",
    "自治区",
    "自治州",
    "自治县",
    "地区",
    "省",
    "市",
    "区",
    "县",
    "盟",
    "旗",
)


@dataclass(frozen=True)
class Area:
    """One area; ``level`` is province, city or county. ``since`` None: not recorded. ``until`` None: still in force."""

    code: str
    name: str
    since: dt.date | None
    until: dt.date | None
    successor: str | None

    @property
    def level(self) -> str:
        """``province``, ``city`` or ``county``."""
        if self.code.endswith("0000"):
            return "province"
        return "city" if self.code.endswith("00") else "county"

    def in_force(self, on: dt.date | None) -> bool:
        """True when the area is known to exist on that day; without a day, always."""
        if on is None:
            return True
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


@functools.cache
def areas() -> dict[str, Area]:
    """All areas by code, the overlay included."""
    return {
        row["code"]: Area(row["code"], row["name"], _day(row["from"]), _day(row["to"]), row["successor"] or None)
        for table in ("areas.csv", "overlay.csv")
        for row in read_table(table)
    }


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def area_name(code: str, on: dt.date | None = None) -> str | None:
    """The area's own name (``东城区``); None when the code is unknown or was not in force on that day."""
    area = areas().get(code)
    return area.name if area and area.in_force(on) else None


def area_parents(code: str) -> tuple[str, ...]:
    """Codes above a six-digit code, province first; they follow from the digits and need not be in the table."""
    province, city = f"{code[:2]}0000", f"{code[:4]}00"
    return tuple(parent for parent in dict.fromkeys((province, city)) if parent != code)


def area_path(code: str, on: dt.date | None = None) -> str | None:
    """The full name (``北京市东城区``), without the rows that only group counties; None when unknown."""
    if area_name(code, on) is None:
        return None
    names = [area_name(part) for part in (*area_parents(code), code)]
    return "".join(name for name in dict.fromkeys(names) if name and name not in _FILLERS)


def short_name(name: str) -> str:
    """The name without its kind (杭州市: 杭州); unchanged when less than two characters would stay."""
    for ending in _ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name[: -len(ending)]
    return name


@functools.cache
def _by_name() -> dict[str, tuple[Area, ...]]:
    found: dict[str, list[Area]] = {}
    for code, area in areas().items():
        if area.name not in _FILLERS:
            for name in {area.name, short_name(area.name), area_path(code) or area.name}:
                found.setdefault(name, []).append(area)
    return {name: tuple(matches) for name, matches in found.items()}


def find_area(name: str, on: dt.date | None = None, within: str | None = None) -> tuple[Area, ...]:
    """Areas of that name: an own name (东城区), a short one (杭州) or a full one (北京市东城区), higher levels first.

    ``within`` keeps those below or equal to a code. Several areas may share a name; none is an empty answer.
    """
    stem = within.removesuffix("0000").removesuffix("00") if within else ""
    matches = [area for area in _by_name().get(name, ()) if area.in_force(on) and area.code.startswith(stem)]
    return tuple(sorted(matches, key=lambda area: (("province", "city", "county").index(area.level), area.code)))


def leading_areas(text: str, keep: int = 0) -> tuple[list[str], str]:
    """Names of areas at the start of a name or address, from high to low, and what follows them.

    Each must lie within the one before. A county counts at the very start only with its full name (its short name is
    too often part of a brand). At least ``keep`` characters are left; 中国 is taken as an area of its own.
    """
    found: list[str] = []
    within: str | None = None
    rest = text
    if rest.startswith("中国") and len(rest) - 2 >= max(keep, 2):
        return ["中国"], rest[2:]
    while len(found) < 3:
        step = _leading_area(rest, within, keep)
        if step is None:
            break
        name, within = step
        found.append(name)
        rest = rest[len(name) :]
    return found, rest


@functools.cache
def _lengths() -> dict[str, tuple[int, ...]]:
    """Lengths of the names that begin with two characters, the longest first."""
    found: dict[str, set[int]] = {}
    for name in _by_name():
        if 2 <= len(name) <= _LONGEST_AREA_NAME:
            found.setdefault(name[:2], set()).add(len(name))
    return {start: tuple(sorted(lengths, reverse=True)) for start, lengths in found.items()}


_LONGEST_AREA_NAME = 16


def _leading_area(text: str, within: str | None, keep: int) -> tuple[str, str] | None:
    """The longest name of an area that ``text`` starts with, and the area's code."""
    for length in _lengths().get(text[:2], ()):
        if length <= len(text) - keep:
            code = _own_name(text[:length], within)
            if code is not None:
                return text[:length], code
    return None


@functools.lru_cache(1 << 15)
def _own_name(name: str, within: str | None) -> str | None:
    """The code of the area that a text may begin with by this name; None where it is no area's own or short name."""
    if name not in _by_name():
        return None
    for area in find_area(name, within=within):
        own = name in (area.name, short_name(area.name))
        if own and area.code != within and (within or area.level != "county" or area.name == name):
            return area.code
    return None


_CODE = re.compile(r"[0-9]{6}")
_STATISTICAL = re.compile(r"([0-9]{6})[0-9]{6}|([0-9]{6})\.0")


def check_area(text: str | None) -> Verdict:
    """An area code: 6 digits whose first two are a province; it need not be in force, nor in the table.

    Statistical codes of 12 digits (to the village) are cut to their county.
    """
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    code = squeeze(text) if len(text) <= 64 else ""
    longer = _STATISTICAL.fullmatch(code)
    if longer:
        code = longer[1] or longer[2]
    if not _CODE.fullmatch(code):
        return fault("area.format")
    return passed(code) if code[:2] in PROVINCE_PREFIXES else fault("area.province")


def column_area(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_area`."""
    return by_distinct(column, check_area, AREA_REASONS)
