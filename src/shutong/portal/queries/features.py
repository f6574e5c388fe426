"""Features of placed libraries by collection, box and time, a page at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from shutong.pipeline.answers.store import AnswerStore, Row

from ..metadata import Metadata, metadata

PLENTY = 5_000
"""From so many matches on, reading in the order of ids finds a page sooner than collecting them all."""


@dataclass(frozen=True)
class Box:
    """A bounding box in degrees; ``west`` greater than ``east`` crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Span:
    """Days from ``first`` to ``last``, both included; None is open."""

    first: dt.date | None
    last: dt.date | None


@dataclass(frozen=True)
class Collection:
    """A placed library with what its features span."""

    name: str
    title: str
    content: Mapping[str, Any]
    features: int
    box: Box | None
    span: Span


@dataclass(frozen=True)
class Found:
    """A page of features: rows in the order of their ids, how many there are in all, and whether more follow."""

    rows: list[Row]
    matched: int
    more: bool


def collections(answers: AnswerStore) -> list[Collection]:
    """The placed libraries, in declared order."""
    known = metadata(answers)
    extents: dict[str, Row] = answers.derived("feature-extents", _extents)
    return [
        _collection(known, name, content, extents.get(name))
        for name, content in known.of_kind("library").items()
        if content.get("space") is not None
    ]


def _extents(answers: AnswerStore) -> dict[str, Row]:
    rows = answers.fetch(
        "SELECT collection, count(*) AS n, min(x) AS west, min(y) AS south, max(x) AS east, max(y) AS north,"
        " min(valid_from) AS first, max(valid_to) AS last, count(*) - count(valid_to) AS open_ended"
        " FROM answer_feature GROUP BY collection"
    )
    return {row["collection"]: row for row in rows}


def _collection(known: Metadata, name: str, content: Mapping[str, Any], extent: Row | None) -> Collection:
    box, span = None, Span(None, None)
    if extent:
        if extent["west"] is not None:
            box = Box(extent["west"], extent["south"], extent["east"], extent["north"])
        last = None if extent["open_ended"] or not extent["last"] else dt.date.fromisoformat(extent["last"])
        span = Span(dt.date.fromisoformat(extent["first"]) if extent["first"] else None, last)
    return Collection(name, known.title("library", name), content, extent["n"] if extent else 0, box, span)


def collection(answers: AnswerStore, name: str) -> Collection | None:
    """One collection, or None."""
    return next((one for one in collections(answers) if one.name == name), None)


def features(
    answers: AnswerStore, name: str, *, box: Box | None = None, span: Span | None = None, after: str = "", limit: int
) -> Found:
    """A page of a collection's features.

    Args:
        box: only features with a point in it.
        span: only features that were there on some day of it; an end that is not recorded is open.
        after: the id of the feature before the page.
    """
    where, parameters = _condition(name, box, span)
    matched = int(answers.scalar(f"SELECT count(*) FROM answer_feature WHERE {where}", parameters) or 0)
    # A box is looked up by its own index; where it holds much, the order of the ids is the quicker way to a page.
    hint = "INDEXED BY answer_feature_1 " if box and matched < PLENTY else ""
    rows = answers.fetch(
        f"SELECT * FROM answer_feature {hint}WHERE {where} AND feature_id > ? ORDER BY feature_id LIMIT ?",
        [*parameters, after, limit + 1],
    )
    return Found(rows[:limit], matched, len(rows) > limit)


def feature(answers: AnswerStore, name: str, feature_id: str) -> Row | None:
    """One feature, or None."""
    return answers.one("SELECT * FROM answer_feature WHERE collection = ? AND feature_id = ?", [name, feature_id])


def _condition(name: str, box: Box | None, span: Span | None) -> tuple[str, list[Any]]:
    where, parameters = "collection = ?", [name]
    values: list[Any] = list(parameters)
    if box is not None:
        between = "(x >= ? OR x <= ?)" if box.west > box.east else "x BETWEEN ? AND ?"
        where += f" AND {between} AND y BETWEEN ? AND ?"
        values += [box.west, box.east, box.south, box.north]
    if span is not None and span.last is not None:
        where += " AND (valid_from IS NULL OR valid_from <= ?)"
        values.append(str(span.last))
    if span is not None and span.first is not None:
        where += " AND (valid_to IS NULL OR valid_to >= ?)"
        values.append(str(span.first))
    return where, values


def properties(known: Metadata, name: str, row: Row) -> dict[str, Any]:
    """The properties of a feature: public attributes, codes with their text behind (``<name>_text``), its time."""
    shown: dict[str, Any] = {}
    attributes = known.get("library", name).get("attributes", {})
    for key, value in orjson.loads(row["properties"] or "{}").items():
        shown[key] = value
        codes = attributes.get(key, {}).get("codes")
        if codes and value is not None:
            shown[f"{key}_text"] = known.code_text(codes, value)
    return {**shown, "valid_from": row["valid_from"], "valid_to": row["valid_to"]}
