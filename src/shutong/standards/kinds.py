"""Answers for programs and the command line: ``shutong standards check KIND`` and ``shutong standards workday``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from shutong.standards.addresses import normalise_address, split_address
from shutong.standards.areas import area_name, area_path
from shutong.standards.dates import check_date
from shutong.standards.elements import ELEMENTS
from shutong.standards.industries import industry_name, section_of
from shutong.standards.names import name_key, split_name
from shutong.standards.verdict import REASONS
from shutong.standards.workdays import add_workdays, is_workday, workdays_between

KINDS = (
    "uscc",
    "org-code",
    "registration-no",
    "taxpayer-no",
    "citizen-id",
    "area",
    "industry",
    "date",
    "datetime",
    "money",
    "org-name",
    "person-name",
    "address",
    "mobile",
    "telephone",
    "longitude",
    "latitude",
)
"""Kinds that :func:`check_kind` knows."""

Answer = dict[str, Any]


def check_kind(kind: str, text: str | None, unit: str | None = None) -> Answer:
    """Judge one value of a kind; an empty line gets an answer with the reason ``empty``.

    Keys: ``kind``, ``value`` (as given), ``valid``, ``reason`` (code or None), ``canonical``, ``message`` (``zh`` and
    ``en``, or None) and, for valid codes with structure, areas, industries, names and addresses, ``parts``.
    ValueError for an unknown kind or unit.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind {kind!r}; known kinds: {', '.join(KINDS)}")
    verdict = ELEMENTS[kind].scalar(text, unit)
    answer: Answer = {
        "kind": kind,
        "value": text,
        "valid": verdict.valid,
        "reason": verdict.reason,
        "canonical": verdict.canonical,
        "message": None,
    }
    if verdict.reason is not None:
        answer["message"] = asdict(REASONS[verdict.reason])
    parts = _PARTS.get(kind)
    if parts is not None:
        answer["parts"] = parts(verdict.canonical) if verdict.canonical is not None else None
    return answer


def check_bytes(kind: str, data: bytes, unit: str | None = None) -> Answer:
    """Judge one value as it came, in UTF-8; anything else is answered with the reason ``text.encoding``.

    ``value`` then shows what could be read, with a mark for each byte that could not.
    """
    try:
        return check_kind(kind, data.decode("utf-8"), unit)
    except UnicodeDecodeError:
        answer = check_kind(kind, "", unit)
        message = asdict(REASONS["text.encoding"])
        return {**answer, "value": data.decode("utf-8", "replace"), "reason": "text.encoding", "message": message}


def _uscc_parts(code: str) -> Answer:
    return {
        "registration_authority": code[0],
        "category": code[1],
        "area": code[2:8],
        "area_name": area_path(code[2:8]),
        "org_code": code[8:17],
        "check": code[17],
    }


def _taxpayer_parts(code: str) -> Answer:
    if len(code) == 18:
        return {"uscc": code, "org_code": code[8:17]}
    return {"area": code[:6], "area_name": area_path(code[:6]), "org_code": code[6:]}


def _area_parts(code: str) -> Answer:
    return {"name": area_name(code), "full_name": area_path(code), "fictional": code.startswith("98")}


def _industry_parts(code: str) -> Answer:
    section = section_of(code)
    return {"name": industry_name(code), "section": section, "section_name": industry_name(section or "")}


def _name_parts(name: str) -> Answer:
    return {**asdict(split_name(name)), "key": name_key(name)}


def _address_parts(address: str) -> Answer:
    return {**asdict(split_address(address)), "normalised": normalise_address(address)}


_PARTS: dict[str, Callable[[str], Answer]] = {
    "uscc": _uscc_parts,
    "taxpayer-no": _taxpayer_parts,
    "area": _area_parts,
    "industry": _industry_parts,
    "org-name": _name_parts,
    "address": _address_parts,
}


def workday_is(text: str) -> Answer:
    """Is a day a working day? Keys ``date``, ``is_workday``, ``provisional``, ``name``. ValueError for a wrong date."""
    day = read_day(text)
    return {"date": day.isoformat(), **asdict(is_workday(day))}


def workday_add(text: str, n: int) -> Answer:
    """The n-th working day after a day. Keys ``date``, ``n``, ``result``, ``provisional`` (an unpublished year is touched)."""
    day = read_day(text)
    result = add_workdays(day, n)
    touched = is_workday(day).provisional or is_workday(result).provisional
    return {"date": day.isoformat(), "n": n, "result": result.isoformat(), "provisional": touched}


def workday_between(start: str, end: str) -> Answer:
    """Working days after ``start`` up to ``end``. Keys ``start``, ``end``, ``workdays``."""
    first, last = read_day(start), read_day(end)
    return {"start": first.isoformat(), "end": last.isoformat(), "workdays": workdays_between(first, last)}


def read_day(text: str) -> dt.date:
    """A date in any spelling of the element ``date``; ValueError says in Chinese and English what is wrong."""
    verdict = check_date(text)
    if verdict.canonical is None:
        reason = REASONS[verdict.reason or "date.format"]
        raise ValueError(f"{text!r}: {reason.zh} / {reason.en}")
    return dt.date.fromisoformat(verdict.canonical)
