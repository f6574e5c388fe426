"""The full chain behind a fact or a value: record, batch, source, checks, link with evidence, rule."""

from __future__ import annotations

from typing import Any

import orjson
from django.utils.translation import gettext as _

from shutong.pipeline.answers.store import AnswerStore, Row

from ..answers import business_day
from ..metadata import Metadata, localised, metadata
from .subjects import FACT_COLUMNS, code_titles, fact_view, find_subject, listings_of
from .views import Chain, FactView, Line


def fact_chain(answers: AnswerStore, fact_id: str) -> Chain | None:
    """The chain of a public fact; None where there is no such fact."""
    row = answers.one(f"SELECT {FACT_COLUMNS} FROM answer_fact WHERE fact_id = ?", [fact_id])
    if row is None:
        return None
    fact = fact_view(metadata(answers), business_day(answers), row)
    record = answers.one("SELECT * FROM answer_record WHERE record_id = ?", [row["record_id"]])
    return _chain(answers, fact, fact.subject_id, record, fact.resource, fact.batch_id)


def record_chain(answers: AnswerStore, record_id: str) -> Chain | None:
    """The chain of a public record, with the facts that came of it; None where there is no such record."""
    record = answers.one("SELECT * FROM answer_record WHERE record_id = ?", [record_id])
    if record is None:
        return None
    return _chain(answers, None, record["subject_id"], record, record["resource"], record["batch_id"])


def _chain(
    answers: AnswerStore, fact: FactView | None, subject_id: str, record: Row | None, resource: str, batch_id: str
) -> Chain | None:
    known = metadata(answers)
    subject = find_subject(answers, subject_id)
    if subject is None:
        return None
    content = known.get("resource", resource)
    facts: tuple[FactView, ...] = ()
    listings: list[Any] = []
    if record is not None:
        record_id = record["record_id"]
        facts = tuple(
            fact_view(known, business_day(answers), row)
            for row in answers.fetch(
                f"SELECT {FACT_COLUMNS} FROM answer_fact WHERE subject_id = ? AND record_id = ?",
                [subject["subject_id"], record_id],
            )
        )
        listings = [
            one
            for one in listings_of(answers, "subject_id = ?", [subject["subject_id"]])
            if record_id in one.record_ids
        ]
    return Chain(
        fact=fact,
        subject=subject,
        record=record,
        items=tuple(_items(known, resource, record)),
        batch=answers.one("SELECT * FROM answer_batch WHERE batch_id = ?", [batch_id]),
        resource=resource,
        resource_title=known.title("resource", resource),
        department=known.department_title(resource),
        basis=content.get("basis", ""),
        flags=tuple(orjson.loads((record or {}).get("flags") or "[]")),
        method=(record or {}).get("method") or "",
        score=(record or {}).get("score"),
        evidence=tuple(_evidence(record)),
        facts=facts,
        listings=tuple(listings),
        checks=tuple(
            Line(check["name"], localised(check.get("message"), check["expr"]), check["on_fail"])
            for check in content.get("checks", ())
        ),
    )


def _items(known: Metadata, resource: str, record: Row | None) -> list[Line]:
    """The record's items in declared order; hidden ones are named with no value."""
    if record is None:
        return []
    values: dict[str, Any] = orjson.loads(record["items"] or "{}")
    lines = []
    for name, item in known.get("resource", resource).get("items", {}).items():
        masked = item.get("mask") not in (None, "none")
        if not item.get("public"):
            lines.append(Line(known.item_title(resource, name), "", name, masked=True, grade=str(item.get("grade"))))
        elif values.get(name) not in (None, ""):
            text = known.show_item(resource, name, values[name])
            lines.append(Line(known.item_title(resource, name), text, name, masked, str(item.get("grade"))))
    return lines


def method_title(method: str) -> str:
    """How a record was matched to its subject, in words."""
    titles = {
        **code_titles(),
        "name_area": _("名称与区划"),
        "registry": _("登记簿本身"),
        "name_variant": _("名称的其他写法与区划"),
        "person_key": _("本人证件"),
        "place": _("地址"),
    }
    return titles.get(method, method)


def _evidence(record: Row | None) -> list[Line]:
    """Evidence of the link, field by field; the stored JSON is an object or a list of objects."""
    if record is None or not record["evidence"]:
        return []
    found = orjson.loads(record["evidence"])
    pairs = found.items() if isinstance(found, dict) else enumerate(found, start=1)
    titles = {**code_titles(), "area": _("区划"), "address": _("地址"), "former_name": _("曾用名")}
    words = {
        "equal": _("相同"),
        "absent": _("未填"),
        "different": _("不同"),
        "similar": _("相近"),
        "unknown": _("未知"),
    }
    return [
        Line(titles.get(str(name), str(name)), words.get(str(value), _text(value)), str(name))
        for name, value in pairs
        if value != "absent"
    ]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "，".join(f"{key}: {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "、".join(map(_text, value))
    return str(value)
