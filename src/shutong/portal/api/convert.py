"""From the views that pages use to the shapes of the JSON interface."""

from __future__ import annotations

from typing import Any

import orjson

from shutong.pipeline.answers.search import Hit
from shutong.pipeline.answers.store import Row
from shutong.subjects.explain import Explanation

from ..metadata import Metadata
from ..queries import views
from ..queries.events import EventView
from . import schemas


def hit(found: Hit, matched: str | None) -> dict[str, Any]:
    """A search hit; ``matched`` is the code by which it was found, as far as it is public."""
    row = found.subject
    return {
        **{
            name: row[name]
            for name in ("subject_id", "name", "uscc", "status", "category", "area", "facts", "listings")
        },
        "negative_facts": row["negative"],
        "found_by": found.by,
        "matched": matched,
    }


def fact(row: Row, view: views.FactView) -> dict[str, Any]:
    """A fact: machine values of the row, texts and clock of its view."""
    return {
        **{name: row[name] for name in ("fact_id", "subject_id", "kind", "on_date", "until_date", "resource",
                                        "record_id", "batch_id", "received_on")},
        "title": view.title,
        "weight": view.weight,
        "shows": texts(orjson.loads(row["shows"] or "{}")),
        "department": view.department,
        "publicity": clock(view.clock),
    }  # fmt: skip


def texts(values: dict[str, Any]) -> dict[str, str | None]:
    """JSON values as text; null stays null."""
    return {name: None if value is None else str(value) for name, value in values.items()}


def clock(found: views.Clock | None) -> dict[str, Any] | None:
    """A legal term."""
    if found is None:
        return None
    met = str(found.done) if found.done else None
    return {"rule": found.rule, "due": str(found.due), "met_on": met, "state": found.state, "workdays": found.workdays}


def listing(found: views.ListingView) -> dict[str, Any]:
    """A listing."""
    names = ("listing_id", "list", "subject_id", "subject_name", "ground", "ground_title", "basis", "ground_basis",
             "since", "entered_on", "ends_on", "rule_version")  # fmt: skip
    return {
        **{name: getattr(found, name) for name in names},
        "uscc": found.uscc or None,
        "record_ids": list(found.record_ids),
    }


def attribute(found: views.AttributeView, raw: dict[tuple[str, str], str | None]) -> dict[str, Any]:
    """An attribute; ``raw`` holds the canonical values by attribute and record, as the pages show texts."""
    values = [
        {
            "value": raw.get((found.name, one.record_id), one.text),
            **{name: getattr(one, name) for name in ("chosen", "masked", "valid_from", "valid_to", "resource",
                                                     "department", "record_id", "batch_id", "received_on")},
        }
        for one in (found.value, *found.others)
    ]  # fmt: skip
    return {"library": found.library, "name": found.name, "title": found.title, "values": values}


def event(found: EventView) -> dict[str, Any]:
    """What became of a subject's id."""
    names = ("event", "on_day", "subject_id", "other_id", "record_id")
    return {**{name: getattr(found, name) for name in names}, "cause": found.cause or None}


def batch(row: Row | None) -> dict[str, Any] | None:
    """A batch of the public answers."""
    if row is None:
        return None
    return {name: row[name] for name in schemas.Batch.model_fields}


def chain(found: views.Chain, facts: list[dict[str, Any]]) -> dict[str, Any]:
    """The chain behind a fact or a record."""
    record = found.record
    return {
        "record_id": record["record_id"] if record else None,
        "subject_id": found.subject["subject_id"],
        "subject_name": found.subject["name"],
        "resource": found.resource,
        "department": found.department,
        "basis": found.basis,
        "items": texts(orjson.loads(record["items"] or "{}")) if record else {},
        "hidden_items": [line.name for line in found.items if line.masked and not line.text],
        "batch": batch(found.batch),
        "flags": list(found.flags),
        "link_method": found.method or None,
        "link_score": found.score,
        "link_evidence": texts(orjson.loads(record["evidence"] or "{}")) if record else {},
        "link_explanation": explanation(found.explanation),
        "facts": facts,
        "listings": [listing(one) for one in found.listings],
    }


def explanation(found: Explanation | None) -> list[dict[str, str]]:
    """Why a record is linked to its subject: the headline, then the evidence."""
    said = (found.headline, *found.evidence) if found else ()
    return [{"zh": one.zh, "en": one.en} for one in said]


def resource(name: str, content: Any, records: int, latest: str | None) -> dict[str, Any]:
    """A resource of the data catalog."""
    return {
        "name": name,
        "title": content["title"],
        "department": content["department"],
        "basis": content["basis"],
        "cycle": content["cycle"],
        "share": content["share"]["type"],
        "share_condition": content["share"].get("condition"),
        "open": content["open"]["type"],
        "open_condition": content["open"].get("condition"),
        "records": records,
        "latest": latest,
        "items": [
            {
                "name": key, "title": item["title"], "element": item["element"], "codes": item["codes"],
                "required": item["required"], "grade": str(item["grade"]),
                "published": "hidden" if not item["public"] else "open" if item["mask"] in (None, "none") else "masked",
            }
            for key, item in content["items"].items()
        ],
    }  # fmt: skip


def list_view(known: Metadata, name: str, members: int) -> dict[str, Any]:
    """A list with its grounds."""
    content = known.get("list", name)
    return {
        "name": name,
        **{key: content[key] for key in ("title", "basis", "weight", "entry", "department")},
        "members": members,
        "grounds": [
            {"name": key, "title": ground["title"], "basis": ground["basis"], "sql": ground["sql"]}
            for key, ground in content["grounds"].items()
        ],
    }
