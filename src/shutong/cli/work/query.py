"""``shutong query``: subjects with their facts, listings and provenance, now or as of a past day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import print_json
from shutong.cli.work.subject_text import show
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.pipeline.answers.extract import main_library
from shutong.pipeline.answers.search import search
from shutong.pipeline.answers.store import AnswerStore, Row
from shutong.pipeline.asof import known_on
from shutong.rules.models import Listing
from shutong.spec.catalog import Catalog, default_mask, masked
from shutong.spec.columns import public_items, sealed
from shutong.spec.models import Attribute

MOST = 10
"""Subjects shown in full; ``total`` says how many there are."""

_NAMED = ("library", "instance", "attribute")
_PROVENANCE = ("valid_from", "valid_to", "rank", "chosen", "record_id", "resource", "batch_id", "received_on")
_FACT = ("fact_id", "kind", "on_date", "until_date", "weight", "resource", "record_id", "batch_id", "received_on")
_LINK = ("record_id", "role", "resource", "method", "score", "evidence")


def query(folder: Path, *, text: str, as_of: dt.date | None, valid_on: dt.date | None, json: bool) -> None:
    """Find subjects and print them."""
    home, catalog = Home.open(folder), current_catalog()
    store = AnswerStore(home.answers)
    found = search(store, text, limit=MOST)
    subjects = [_now(store, hit.subject) for hit in found.hits]
    shown = len(subjects)
    if as_of:
        subjects = _past(home, catalog, subjects, as_of)
    if valid_on:
        subjects = [_valid(one, valid_on) for one in subjects]
    answer = {
        "query": found.text,
        # Who was not known on the day is not counted either.
        "total": found.count - shown + len(subjects),
        "note": found.note,
        "as_of": as_of,
        "valid_on": valid_on,
        "business_day": store.meta().get("business_day"),
        "subjects": subjects,
    }
    if json:
        print_json(answer)
    else:
        show(catalog, found.text, subjects)


_ORDER = "library, instance, attribute, rank, valid_from DESC, record_id"


def _now(store: AnswerStore, subject: Row) -> dict[str, Any]:
    """A subject from the ready answers: public values, masked as declared."""
    where = "WHERE subject_id = ?"
    key = [subject["subject_id"]]
    return {
        **_identity(subject),
        "attributes": [
            {**_pick(row, _NAMED), "value": row["value"], **_pick(row, _PROVENANCE)}
            for row in store.fetch(f"SELECT * FROM answer_value {where} ORDER BY {_ORDER}", key)
        ],
        "facts": [
            {**_pick(row, _FACT), "publicity_due": row["publicity_due"], "shows": json.loads(row["shows"] or "{}")}
            for row in store.fetch(f"SELECT * FROM answer_fact {where} ORDER BY on_date DESC, fact_id", key)
        ],
        "listings": [
            {**_pick(row, ("list", "ground", "since", "entered_on", "ends_on", "state", "rule_version")),
             "record_ids": json.loads(row["record_ids"] or "[]")}
            for row in store.fetch(f"SELECT * FROM answer_listing {where} ORDER BY since DESC", key)
        ],
        "links": [
            _pick(row, _LINK) for row in store.fetch(f"SELECT * FROM answer_record {where} ORDER BY record_id", key)
        ],
    }  # fmt: skip


def _identity(subject: Row) -> dict[str, Any]:
    keys = ("subject_id", "kind", "name", "uscc", "status", "area", "category")
    return {
        **_pick(subject, keys),
        "former_names": json.loads(subject["former_names"] or "[]"),
        "codes": json.loads(subject["codes"] or "{}"),
    }


def _past(home: Home, catalog: Catalog, subjects: Iterable[dict[str, Any]], day: dt.date) -> list[dict[str, Any]]:
    """The same subjects as they were known at the end of ``day``; those not known then are left out."""
    engine = engine_of(home)
    try:
        found = [(one, known_on(engine, catalog, one["subject_id"], day)) for one in subjects]
    finally:
        engine.close()
    return [_as_known(catalog, one, tables, day) for one, tables in found if tables.get("links", ())]


def _as_known(
    catalog: Catalog, subject: dict[str, Any], tables: Mapping[str, pa.Table], day: dt.date
) -> dict[str, Any]:
    values = [
        {**_pick(row, _NAMED), "value": _shown(catalog, row), **_pick(row, _PROVENANCE)}
        for row in sorted(_rows(tables, "values"), key=lambda row: (*(row[name] or "" for name in _NAMED), row["rank"]))
        if _is_shown(catalog, row)
    ]  # fmt: skip
    codes: dict[str, list[str]] = {}
    for row in _rows(tables, "identifiers"):
        if row["kind"] in subject["codes"] and row["current"]:
            codes.setdefault(row["kind"], []).append(row["value"])
    main = main_library(catalog)
    own = [one for one in values if one["chosen"] and main is not None and one["library"] == main.library]
    chosen = {one["attribute"]: one["value"] for one in own}
    known = {key: chosen.get(key, subject[key]) for key in ("name", "status", "area")}
    listings = Listing.objects.filter(subject_id=subject["subject_id"], entered_on__lte=day)
    return {
        **subject,
        **known,
        "codes": codes,
        "attributes": values,
        "facts": [
            {**_pick(row, _FACT), "publicity_due": row["publicity_due"], "shows": json.loads(row["shows"] or "{}")}
            for row in _latest_first(_rows(tables, "facts"))
        ],
        "candidates": [
            {**_pick(row, ("list", "ground", "since", "rule_version")), "record_ids": row["record_ids"]}
            for row in _rows(tables, "candidates")
        ],
        "listings": [
            {"list": one.list, "ground": one.ground, "since": one.since, "entered_on": one.entered_on,
             "ends_on": one.ends_on, "state": "listed", "rule_version": one.rule_version, "record_ids": one.record_ids}
            for one in listings
            if one.released_on is None or one.released_on > day
        ],
        "links": [
            _pick(row, _LINK)
            for row in sorted(_rows(tables, "links"), key=lambda row: row["record_id"])
            if row["current"] and public_items(catalog.resources[row["resource"]])
        ],
    }  # fmt: skip


def _rows(tables: Mapping[str, pa.Table], name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables[name].to_pylist() if name in tables else []
    return rows


def _latest_first(facts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Public facts as the ready answers give them."""
    public = [row for row in facts if row["public"] and row["on_date"]]
    return sorted(sorted(public, key=lambda row: row["fact_id"]), key=lambda row: row["on_date"], reverse=True)


def _attribute(catalog: Catalog, row: Mapping[str, Any]) -> Attribute:
    return catalog.libraries[row["library"]].attributes[row["attribute"]]


def _is_shown(catalog: Catalog, row: Mapping[str, Any]) -> bool:
    """Whether the public sees this value at all, masked or not."""
    attribute = _attribute(catalog, row)
    return catalog.libraries[row["library"]].public and not sealed(attribute) and default_mask(attribute) != "hide"


def _shown(catalog: Catalog, row: Mapping[str, Any]) -> str | None:
    """The value as the public sees it."""
    value = row["value"]
    return masked(value, default_mask(_attribute(catalog, row))) if value is not None else None


def _valid(subject: dict[str, Any], day: dt.date) -> dict[str, Any]:
    """What was true on a day: values in force, facts that had begun and not ended."""
    text = day.isoformat()
    begun = [one for one in subject["facts"] if str(one["on_date"]) <= text]
    return {
        **subject,
        "attributes": [
            one
            for one in subject["attributes"]
            if str(one["valid_from"] or "") <= text and text < str(one["valid_to"] or "9999-12-31")
        ],
        "facts": [one for one in begun if text <= str(one["until_date"] or "9999-12-31")],
        "listings": [
            one for one in subject["listings"] if str(one["since"]) <= text <= str(one["ends_on"] or "9999-12-31")
        ],
    }


def _pick(row: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: row[key] for key in keys}
