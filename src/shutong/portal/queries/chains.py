"""The full chain behind a fact or a value: record, batch, source, checks, link with evidence, rule."""

from __future__ import annotations

from typing import Any

import orjson

from shutong.pipeline.answers.store import AnswerStore, Row
from shutong.subjects.explain import Explanation, explain

from ..metadata import Metadata, metadata
from .subjects import FACT_COLUMNS, fact_views, find_subject, listings_of
from .views import Chain, FactView, Line


def fact_chain(answers: AnswerStore, fact_id: str) -> Chain | None:
    """The chain of a public fact; None where there is no such fact."""
    row = answers.one(f"SELECT {FACT_COLUMNS} FROM answer_fact WHERE fact_id = ?", [fact_id])
    if row is None:
        return None
    fact = fact_views(answers, [row])[0]
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
    flags = tuple(orjson.loads((record or {}).get("flags") or "[]"))
    facts: tuple[FactView, ...] = ()
    listings: list[Any] = []
    if record is not None:
        record_id = record["record_id"]
        rows = answers.fetch(
            f"SELECT {FACT_COLUMNS} FROM answer_fact WHERE subject_id = ? AND record_id = ?",
            [subject["subject_id"], record_id],
        )
        facts = tuple(fact_views(answers, rows))
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
        flags=flags,
        flag_lines=tuple(Line(*known.flag_text(resource, flag), name=flag) for flag in flags),
        method=(record or {}).get("method") or "",
        score=(record or {}).get("score"),
        explanation=_explanation(record),
        former_name=_former_name(subject, record),
        facts=facts,
        listings=tuple(listings),
        checks=tuple(
            Line(check["name"], known.check_text(resource, check), check["on_fail"])
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


def _explanation(record: Row | None) -> Explanation | None:
    """Why the record is linked to its subject; None where it is not said."""
    return explain(record) if record and record.get("method") else None


def _former_name(subject: Row, record: Row | None) -> str:
    """The name in the record where it is one the subject had before; else empty."""
    former = set(orjson.loads(subject["former_names"] or "[]"))
    values = orjson.loads(record["items"] or "{}").values() if record and former else ()
    return next((str(value) for value in values if value in former), "")
