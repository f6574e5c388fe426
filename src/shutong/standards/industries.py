"""Industries of GB/T 4754-2017: sections (A-T), divisions (2 digits), groups (3) and classes (4)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from shutong.standards.columns import by_distinct, reasons_of
from shutong.standards.tables import read_table
from shutong.standards.text import has_controls, is_empty, squeeze
from shutong.standards.verdict import EMPTY, Column, ColumnVerdict, Verdict, fault, passed

INDUSTRY_REASONS = reasons_of("industry.format", "industry.unknown", "industry.section", "text.control")


@dataclass(frozen=True)
class Industry:
    """One industry; ``name`` is None for groups whose name the table does not hold. ``section`` is its letter."""

    code: str
    name: str | None
    section: str


@functools.cache
def industries() -> dict[str, Industry]:
    """All industries by code; sections by their letter."""
    sections = [Industry(row["section"], row["name"], row["section"]) for row in read_table("industry_sections.csv")]
    others = [Industry(row["code"], row["name"] or None, row["section"]) for row in read_table("industries.csv")]
    return {industry.code: industry for industry in (*sections, *others)}


@functools.cache
def section_names_en() -> dict[str, str]:
    """English names of the sections by letter."""
    return {row["section"]: row["en"] for row in read_table("industry_sections.csv")}


def industry_name(code: str) -> str | None:
    """Chinese name of a section, division, group or class; None when unknown (or a group without a name here)."""
    industry = industries().get(code)
    return industry.name if industry else None


def section_of(code: str) -> str | None:
    """Section letter of an industry code; None when the code does not exist."""
    industry = industries().get(code)
    return industry.section if industry else None


_CODE = re.compile(r"(?P<section>[A-Z])?(?P<digits>[0-9]{2,4})?")


def check_industry(text: str | None) -> Verdict:
    """An industry code: a section letter, or 2 to 4 digits, with or without the letter before them.

    Canonical: the digits alone where there are any (``A0111`` is ``0111``), the letter otherwise.
    """
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    match = _CODE.fullmatch(squeeze(text)) if len(text) <= 64 else None
    if match is None or not match[0]:
        return fault("industry.format")
    code = match["digits"] or match["section"]
    industry = industries().get(code)
    if industry is None:
        return fault("industry.unknown")
    if match["section"] and match["section"] != industry.section:
        return fault("industry.section")
    return passed(code)


def column_industry(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_industry`."""
    return by_distinct(column, check_industry, INDUSTRY_REASONS)
