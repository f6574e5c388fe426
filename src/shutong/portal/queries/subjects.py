"""The subject page's questions: who is it, what is known of it, and where does each value come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson
from django.utils.translation import gettext as _

from shutong.pipeline.answers.search import Hit
from shutong.pipeline.answers.store import AnswerStore, Row

from ..answers import business_day
from ..metadata import Metadata, localised, metadata
from ..terms import term_text
from .views import AttributeGroup, AttributeView, Clock, FactView, Line, ListingView, SourceValue, SubjectView

FACT_COLUMNS = (
    "fact_id, subject_id, kind, resource, on_date, until_date, weight, record_id, batch_id, received_on, shows, "
    "publicity_due, publicity_rule, published_on, flags"
)
PAGE_FACTS = 200
"""Facts on one subject page; further ones come through the API and the pager."""

_CODE_ORDER = ("uscc", "org_code", "registration_no", "taxpayer_no", "certificate_no")


def code_titles() -> dict[str, str]:
    """Kind of code to its title."""
    return {
        "uscc": _("统一社会信用代码"),
        "org_code": _("组织机构代码"),
        "registration_no": _("注册号"),
        "taxpayer_no": _("纳税人识别号"),
        "certificate_no": _("证书号"),
        "name": _("名称"),
    }


def find_subject(answers: AnswerStore, subject_id: str) -> Row | None:
    """A subject row by id, following redirects of merged subjects; None where there is no public subject."""
    for _step in range(5):
        row = answers.one("SELECT * FROM answer_subject WHERE subject_id = ?", [subject_id])
        if row is None or not row["redirect_to"]:
            return row
        subject_id = row["redirect_to"]
    return None


def subject_view(
    answers: AnswerStore, row: Row, *, as_of: dt.date | None = None, valid_on: dt.date | None = None,
    kind: str | None = None,
) -> SubjectView:  # fmt: skip
    """Everything about a subject.

    Args:
        as_of: show only what the platform had received by the end of this day.
        valid_on: show what was true on this day: values in force, facts that had happened.
        kind: show facts of this kind only.
    """
    known = metadata(answers)
    today = business_day(answers)
    subject_id = row["subject_id"]
    facts, kinds = _facts(answers, subject_id, as_of, valid_on, kind)
    listings = [
        one
        for one in listings_of(answers, "subject_id = ?", [subject_id])
        if (as_of is None or (one.entered_on or one.since) <= str(as_of))
        and (valid_on is None or one.since <= str(valid_on) <= (one.ends_on or "9999"))
    ]
    return SubjectView(
        subject=row,
        codes=tuple(_codes(public_codes(answers, row))),
        former_names=tuple(orjson.loads(row["former_names"] or "[]")),
        attributes=tuple(_attributes(answers, known, subject_id, as_of, valid_on)),
        listings=tuple(listings),
        facts=tuple(facts),
        kinds=tuple((name, known.fact_title(name), count) for name, count in kinds),
        today=today,
        fact_count=sum(count for _name, count in kinds),
    )


def public_codes(answers: AnswerStore, row: Row) -> dict[str, list[str]]:
    """A subject's codes by kind, without the kinds that a library hides: a hidden number leads to it, but is not shown."""
    libraries = metadata(answers).of_kind("library").values()
    hidden = {
        name
        for library in libraries
        for name, attribute in library.get("attributes", {}).items()
        if attribute.get("mask") == "hide"
    }
    codes: dict[str, list[str]] = orjson.loads(row["codes"] or "{}")
    return {kind: values for kind, values in codes.items() if kind not in hidden}


def shown_match(answers: AnswerStore, hit: Hit) -> str | None:
    """What a subject was found by; None for a code of a hidden kind, which a slip must not complete."""
    if not hit.by.startswith("code"):
        return hit.matched
    codes = {
        hit.subject["uscc"],
        *(value for values in public_codes(answers, hit.subject).values() for value in values),
    }
    return hit.matched if hit.matched in codes else None


def _codes(codes: dict[str, list[str]]) -> Iterable[Line]:
    titles = code_titles()
    for kind in _CODE_ORDER:
        for value in codes.get(kind, []):
            yield Line(titles[kind], value, kind)


def _attributes(
    answers: AnswerStore, known: Metadata, subject_id: str, as_of: dt.date | None, valid_on: dt.date | None
) -> Iterable[AttributeView]:
    """Attributes in declared order. On a past day the value that counted is chosen again by rank and date."""
    conditions, parameters = ["subject_id = ?"], [subject_id]
    if as_of is not None:
        conditions.append("received_on <= ?")
        parameters.append(str(as_of))
    if valid_on is not None:
        conditions.append("(valid_from IS NULL OR valid_from <= ?) AND (valid_to IS NULL OR valid_to > ?)")
        parameters += [str(valid_on)] * 2
    past = as_of is not None or valid_on is not None
    order = "rank, valid_from DESC, received_on DESC" if past else "chosen DESC, rank, valid_from DESC"
    order += ", record_id, value"
    grouped: dict[tuple[str, str, str], list[Row]] = {}
    instances: dict[str, dict[str, None]] = {}
    for value in answers.fetch(
        f"SELECT * FROM answer_value WHERE {' AND '.join(conditions)} ORDER BY library, attribute, {order}", parameters
    ):
        instance = value.get("instance") or ""
        grouped.setdefault((value["library"], instance, value["attribute"]), []).append(value)
        instances.setdefault(value["library"], {})[instance] = None
    for library, content in known.of_kind("library").items():
        for instance in instances.get(library, {}):
            for attribute, declared in content.get("attributes", {}).items():
                values = [_source_value(known, one) for one in grouped.get((library, instance, attribute), [])]
                if values:
                    title = known.attribute_title(library, attribute)
                    code = declared["element"] == "uscc" and attribute != "uscc"
                    yield AttributeView(library, attribute, title, values[0], tuple(values[1:]), code, instance)


def attribute_groups(answers: AnswerStore, attributes: Iterable[AttributeView]) -> list[AttributeGroup]:
    """Attributes by library in declared order, and in a library by instance; what is not public is only named."""
    known = metadata(answers)
    groups: dict[str, dict[str, list[AttributeView]]] = {}
    for one in attributes:
        groups.setdefault(one.library, {}).setdefault(one.instance, []).append(one)
    return [
        AttributeGroup(
            library,
            known.title("library", library),
            tuple(tuple(one for one in members if one.value.text) for members in instances.values()),
            tuple(dict.fromkeys(one.title for members in instances.values() for one in members if not one.value.text)),
        )
        for library, instances in groups.items()
    ]


def _source_value(known: Metadata, row: Row) -> SourceValue:
    return SourceValue(
        text=known.show_attribute(row["library"], row["attribute"], row["value"]),
        chosen=bool(row["chosen"]),
        masked=bool(row["masked"]),
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        resource=row["resource"],
        resource_title=known.title("resource", row["resource"]),
        department=known.department_title(row["resource"]),
        record_id=row["record_id"],
        batch_id=row["batch_id"],
        received_on=row["received_on"],
        record_public=known.get("resource", row["resource"]).get("open", {}).get("type") == "open",
    )


def _facts(
    answers: AnswerStore, subject_id: str, as_of: dt.date | None, valid_on: dt.date | None, kind: str | None,
) -> tuple[list[FactView], list[tuple[str, int]]]:  # fmt: skip
    where, parameters = "subject_id = ?", [subject_id]
    if as_of is not None:
        where, parameters = f"{where} AND received_on <= ?", [*parameters, str(as_of)]
    if valid_on is not None:
        where += " AND on_date <= ? AND (until_date IS NULL OR until_date >= ?)"
        parameters = [*parameters, str(valid_on), str(valid_on)]
    kinds = [
        (row["kind"], row["n"])
        for row in answers.fetch(
            f"SELECT kind, count(*) AS n FROM answer_fact WHERE {where} GROUP BY kind ORDER BY n DESC, kind", parameters
        )
    ]
    if kind:
        where, parameters = f"{where} AND kind = ?", [*parameters, kind]
    rows = answers.fetch(
        f"SELECT {FACT_COLUMNS} FROM answer_fact WHERE {where} ORDER BY on_date DESC, fact_id LIMIT {PAGE_FACTS}",
        parameters,
    )
    return fact_views(answers, rows), kinds


def fact_views(answers: AnswerStore, rows: Iterable[Row]) -> list[FactView]:
    """Rows of ``answer_fact`` as they are shown."""
    known, today = metadata(answers), business_day(answers)
    began: dict[str, str] = answers.derived("began", _began)
    return [_fact_view(known, today, began.get(row["resource"], ""), row) for row in rows]


def _began(answers: AnswerStore) -> dict[str, str]:
    """Resource to the day on which the platform began to receive it."""
    rows = answers.fetch("SELECT resource, min(received_on) AS day FROM answer_batch GROUP BY resource")
    return {row["resource"]: row["day"] for row in rows}


def _fact_view(known: Metadata, today: dt.date, began: str, row: Row) -> FactView:
    resource = row["resource"]
    shows: dict[str, Any] = orjson.loads(row["shows"] or "{}")
    lines = [
        Line(known.item_title(resource, item), known.show_item(resource, item, value), item)
        for item, value in shows.items()
        if value not in (None, "")
    ]
    clock = None
    # What was due before the platform took this resource in could not be late here: no clock runs for it.
    if row["publicity_due"] and row["publicity_due"] >= began:
        published = dt.date.fromisoformat(row["published_on"]) if row["published_on"] else None
        clock = Clock(dt.date.fromisoformat(row["publicity_due"]), published, today, row["publicity_rule"] or "")
    return FactView(
        fact_id=row["fact_id"],
        subject_id=row["subject_id"],
        kind=row["kind"],
        title=known.fact_title(row["kind"]),
        headline=_headline(lines) or known.title("resource", resource),
        lines=tuple(lines[1:]),
        on_date=row["on_date"],
        # Where an item shows the last day already, it is not said twice.
        until_date=None if row["until_date"] in shows.values() else row["until_date"],
        weight=row["weight"] or "neutral",
        resource=resource,
        resource_title=known.title("resource", resource),
        department=known.department_title(resource),
        record_id=row["record_id"],
        batch_id=row["batch_id"],
        received_on=row["received_on"],
        clock=clock,
        flags=tuple(orjson.loads(row["flags"] or "[]")),
        subject_name=row.get("subject_name") or "",
    )


def _headline(lines: list[Line]) -> str:
    """The first shown item; a bare year or code needs its title to be understood."""
    if not lines:
        return ""
    first = lines[0]
    return first.text if len(first.text) > 4 else f"{first.title} {first.text}"


def listings_of(
    answers: AnswerStore, where: str, parameters: list[Any], *, limit: int = 100, offset: int = 0
) -> list[ListingView]:
    """Listings in force that meet a condition over ``answer_listing`` (aliased l) and ``answer_subject`` (s)."""
    known = metadata(answers)
    today = business_day(answers)
    condition = where.replace("subject_id", "l.subject_id") if where.startswith("subject_id") else where
    rows = answers.fetch(
        "SELECT l.*, s.name AS subject_name, s.uscc FROM answer_listing l JOIN answer_subject s USING (subject_id) "
        f"WHERE {condition} ORDER BY l.since DESC, l.listing_id LIMIT ? OFFSET ?",
        [*parameters, limit, offset],
    )
    views = [_listing_view(known, today, row) for row in rows]
    public = public_records(answers, {record for one in views for record in one.record_ids})
    return [replace(one, record_ids=tuple(r for r in one.record_ids if r in public)) for one in views]


def public_records(answers: AnswerStore, records: set[str]) -> set[str]:
    """Those of the records that have a public page; grounds may rest on records that are not open."""
    found: set[str] = set()
    wanted = sorted(records)
    for start in range(0, len(wanted), 400):
        part = wanted[start : start + 400]
        marks = ", ".join("?" * len(part))
        rows = answers.fetch(f"SELECT record_id FROM answer_record WHERE record_id IN ({marks})", part)
        found.update(row["record_id"] for row in rows)
    return found


def _listing_view(known: Metadata, today: dt.date, row: Row) -> ListingView:
    content = known.get("list", row["list"])
    ground = content.get("grounds", {}).get(row["ground"], {})
    clock = None
    if row["release_due_on"]:
        clock = Clock(dt.date.fromisoformat(row["release_due_on"]), None, today, "release")
    return ListingView(
        listing_id=row["listing_id"],
        subject_id=row["subject_id"],
        subject_name=row["subject_name"],
        uscc=row["uscc"] or "",
        list=row["list"],
        list_title=known.title("list", row["list"]),
        weight=content.get("weight", "negative"),
        basis=content.get("basis", ""),
        ground=row["ground"],
        ground_title=localised(ground.get("title"), row["ground"]),
        ground_basis=ground.get("basis", ""),
        since=row["since"],
        entered_on=row["entered_on"],
        ends_on=row["ends_on"],
        ground_gone_on=row["ground_gone_on"],
        entry_reason=row["entry_reason"] or "",
        department=known.title("department", content.get("department")),
        record_ids=tuple(orjson.loads(row["record_ids"] or "[]")),
        rule_version=row["rule_version"] or "",
        release_term=term_text(content.get("release_within")),
        release_clock=clock,
    )
