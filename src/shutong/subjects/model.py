"""The matching model: weights, frequencies, block caps and thresholds as rows of a table, trained or built in.

A model is an input of the way: a daily run only reads it. ``shutong train`` appends a new version to the lake's table
``models``; before the first one the weights that come with the program are used (version 0).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from shutong.subjects.blocks import MARKS

IDENTIFY = "identify"
"""Name of the model in the table ``models``."""

LEVELS: Mapping[str, tuple[str, ...]] = {
    "brand": ("other", "part", "near-short", "near", "equal"),
    "trade": ("other", "absent", "near", "equal"),
    "area": ("other", "open", "equal"),
    "legal_rep": ("other", "absent", "equal"),
    "phone": ("other", "absent", "equal"),
    "address": ("other", "absent", "equal"),
}
"""What is compared, and the levels of agreement by number. ``near``: one character differs, or one
trade holds the other. In a brand of two characters one that differs (``near-short``) makes another brand as often as a
slip."""

SETTINGS = ("link", "review", "margin")
"""Thresholds in hundredths of a bit: linked from ``link`` on when no other subject comes within ``margin``; between
``review`` and that a person decides."""


@cache
def built_in() -> tuple[tuple[str, int, str | None, int], ...]:
    """The rows of version 0: part, level, term, weight."""
    text = files("shutong.subjects").joinpath("model.csv").read_text(encoding="utf-8")
    return tuple(
        (row["part"], int(row["level"]), row["term"] or None, int(row["weight"]))
        for row in csv.DictReader(text.splitlines())
    )


def complete(rows: tuple[tuple[str, int, str | None, int], ...]) -> bool:
    """Whether a model has every weight, cap and threshold."""
    found = {(part, level, term) for part, level, term, _ in rows}
    wanted: set[tuple[str, int, str | None]] = {
        (part, level, None) for part, levels in LEVELS.items() for level in range(len(levels))
    }
    wanted |= {("cap", 0, mark) for mark in MARKS} | {(name, 0, None) for name in SETTINGS}
    return wanted <= found


def model_sql(models: str) -> str:
    """SELECT of version, part, level, term and weight of the model in force on ``:as_of``: the latest, else version 0."""
    latest = f"SELECT max(version) AS version FROM {models} WHERE model = '{IDENTIFY}' AND trained_on <= :as_of"
    own = " UNION ALL ".join(
        f"SELECT 0 AS version, '{part}' AS part, {level} AS level, {_text(term)} AS term, {weight} AS weight"
        for part, level, term, weight in built_in()
    )
    return (
        f"SELECT m.version, m.part, m.level, m.term, m.weight FROM {models} m JOIN ({latest}) l ON l.version = m.version"
        f" WHERE m.model = '{IDENTIFY}' UNION ALL SELECT b.version, b.part, b.level, b.term, b.weight FROM ({own}) b"
        f" JOIN ({latest}) l ON l.version IS NULL"
    )


def _text(term: str | None) -> str:
    return "CAST(NULL AS VARCHAR)" if term is None else "'" + term.replace("'", "''") + "'"
