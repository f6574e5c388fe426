"""Postal addresses: their parts, and a form in which two spellings of one address compare equal."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from shutong.standards.areas import find_area, leading_areas
from shutong.standards.characters import characters, translation_table
from shutong.standards.columns import map_blocks
from shutong.standards.names import simplified
from shutong.standards.text import BLANKS, CONTROLS, FULLWIDTH, INVISIBLE
from shutong.standards.verdict import Column, Values, compute

_DASHES = "–—―－─~～至"
_DROPPED = "，,。.、;；:：·“”‘’\"'"
_SAME = (("号楼", "幢"), ("栋", "幢"), ("门牌", ""), ("房间", "室"))
"""Words that say the same, applied in this order."""


@dataclass(frozen=True)
class AddressParts:
    """Parts of an address in comparable form; None where the address has none. ``rest`` is what was not understood."""

    province: str | None
    city: str | None
    county: str | None
    town: str | None
    road: str | None
    number: str | None
    building: str | None
    room: str | None
    rest: str | None


@functools.cache
def _changes() -> dict[str, str | None]:
    changes: dict[str, str | None] = {chr(code): chr(code).upper() for code in range(ord("a"), ord("z") + 1)}
    changes |= {wide: narrow.upper() for wide, narrow in FULLWIDTH.items()}
    changes |= (
        simplified() | dict.fromkeys("【〔［{[", "(") | dict.fromkeys("】〕］}]", ")") | dict.fromkeys(_DASHES, "-")
    )
    return changes | dict.fromkeys(BLANKS | INVISIBLE | CONTROLS | frozenset(_DROPPED)) | dict.fromkeys("，；：．")


@functools.cache
def _translation() -> dict[int, str | None]:
    return str.maketrans(_changes())


def normalise_address(text: str) -> str:
    """An address in comparable form: half-width, capitals, simplified, no blanks or commas, one word per thing."""
    address = text.translate(_translation())
    for word, same in _SAME:
        address = address.replace(word, same)
    return address


def column_normalise_address(column: Column) -> Values:
    """:func:`normalise_address` of a column; null stays null."""
    table = translation_table(_changes())

    def work(block: Values) -> Values:
        addresses = characters(block).translate(table).to_arrow()
        for word, same in _SAME:
            addresses = compute.replace_substring(addresses, word, same)
        return addresses

    return map_blocks(column, work)


_C = "[0-9A-Z一二三四五六七八九十百]"
_COUNTY = re.compile(r"([一-鿿]{1,8}?(?:自治县|自治旗|新区|县|区|旗|市))")
_TOWN = re.compile(
    r"([一-鿿]{1,10}?(?:街道办事处|街道|镇|苏木|乡(?!村))|[一-鿿]{0,10}?(?:开发区|工业园区|产业园区|工业园|产业园|高新区))"
)
_ROAD = re.compile(
    r"([一-鿿0-9A-Z]{1,12}?(?:大道|大街|公路|国道|胡同|路|街|巷|弄|道|村)(?:[东西南北中][段路街]|[一二三四五六七八九十0-9]+[段巷弄])?)"
)
_NUMBER = re.compile(rf"({_C}+(?:-{_C}+)?(?:号院|号|弄)(?:之{_C}+)?)")
_NAMED = r"[一-鿿A-Z0-9]{1,12}?(?:大厦|大楼|广场|中心|公寓|花园|小区|商城|市场|大院)"
_BLOCK = rf"{_C}+(?:-{_C}+)?(?:幢|座|期|区)(?:{_C}+单元)?"
_BUILDING = re.compile(rf"({_NAMED}(?:{_BLOCK})?|{_BLOCK})")
_ROOM = re.compile(rf"((?:{_C}+[层楼])?{_C}*[0-9]{_C}*(?:-{_C}+)*(?:室|房|号铺|铺|号)?|{_C}+[层楼室])")


def split_address(text: str) -> AddressParts:
    """The parts of an address. Areas are looked up, the rest follows the endings that Chinese addresses use.

    Parts are taken from left to right; one that is missing is None and does not stop the others.
    """
    areas, rest = leading_areas(normalise_address(text))
    levels: dict[str, str] = {}
    for name in areas:
        level = next((area.level for area in find_area(name) if area.level not in levels), "county")
        levels[level] = name
    parts: dict[str, str | None] = {level: levels.get(level) for level in ("province", "city", "county")}
    if parts["county"] is None and (parts["province"] or parts["city"]):
        parts["county"], rest = _take(_COUNTY, rest)
    patterns = (("town", _TOWN), ("road", _ROAD), ("number", _NUMBER), ("building", _BUILDING), ("room", _ROOM))
    for part, pattern in patterns:
        parts[part], rest = _take(pattern, rest)
    return AddressParts(**parts, rest=rest or None)


def _take(pattern: re.Pattern[str], text: str) -> tuple[str | None, str]:
    match = pattern.match(text)
    return (match[1], text[match.end() :]) if match else (None, text)
