"""The public part of the JSON interface."""

# ruff: noqa: ARG001 - ninja hands the request to every operation and finds it by the name ``request``

from __future__ import annotations

from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Query, Router

from shutong.pipeline.answers.search import search as find
from shutong.pipeline.answers.store import AnswersMissing, AnswerStore, Row

from ..answers import business_day, store
from ..metadata import metadata
from ..queries import public as queries
from ..queries.chains import fact_chain, record_chain
from ..queries.events import Gone, events_of, gone_subject
from ..queries.subjects import (
    FACT_COLUMNS,
    fact_views,
    find_subject,
    listings_of,
    public_codes,
    shown_match,
    subject_view,
)
from ..queries.views import Chain
from . import convert, schemas

router = Router(tags=["public"])

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9:_-]{1,80}$")]
Name = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,64}$")]
Limit = Annotated[int, Query(ge=1, le=100, description="entries on a page")]
Offset = Annotated[int, Query(ge=0, le=100_000, description="entries before the page")]
Text = Annotated[str, Query(max_length=100)]

ERRORS: dict[int | frozenset[int], Any] = {422: schemas.Problem, 503: schemas.Problem}
NAMED: dict[int | frozenset[int], Any] = {**ERRORS, 404: schemas.Problem}
OF_SUBJECT: dict[int | frozenset[int], Any] = {**NAMED, 410: schemas.Gone}


@router.get("/search", response={200: schemas.SearchAnswer, **ERRORS}, summary="Find organisations")
def search(
    request: HttpRequest, q: Text = "", category: Text = "", area: Text = "", limit: Limit = 20, offset: Offset = 0
) -> Any:
    """By any code (also with one typing slip) or by two or more characters of a name."""
    found = find(store(), q, category=category or None, area=area or None, limit=limit, offset=offset)
    return {
        "query": found.text,
        "count": found.count,
        "capped": found.capped,
        "note": found.note,
        "limit": limit,
        "offset": offset,
        "items": [convert.hit(one, shown_match(store(), one)) for one in found.hits],
    }


class SubjectGone(Exception):
    """The subject had a page and has none now; answered with 410, so that programs know it from an id that never was."""

    def __init__(self, gone: Gone) -> None:
        super().__init__(f"主体 {gone.subject_id} 已不在记录中 / the records no longer show this subject")
        self.gone = gone


def _subject(answers: AnswerStore, subject_id: str) -> Row:
    row = find_subject(answers, subject_id)
    if row is None:
        if (gone := gone_subject(answers, subject_id)) is not None:
            raise SubjectGone(gone)
        raise Http404("没有这一主体，或它没有公开页面 / no such public subject")
    return row


@router.get("/subjects/{subject_id}", response={200: schemas.Subject, **OF_SUBJECT}, summary="An organisation")
def subject(request: HttpRequest, subject_id: Id) -> Any:
    """Identity with the provenance of every value, listings, and how many facts of each kind. Follows merges."""
    answers = store()
    row = _subject(answers, subject_id)
    view = subject_view(answers, row)
    raw = {
        (one["attribute"], one["record_id"]): one["value"]
        for one in answers.fetch(
            "SELECT attribute, record_id, value FROM answer_value WHERE subject_id = ?", [row["subject_id"]]
        )
    }
    names = ("subject_id", "kind", "name", "uscc", "status", "category", "area", "industry", "established_on")
    return {
        **{name: row[name] for name in names},
        "former_names": list(view.former_names),
        "codes": public_codes(answers, row),
        "attributes": [convert.attribute(one, raw) for one in view.attributes],
        "listings": [convert.listing(one) for one in view.listings],
        "fact_counts": {kind: count for kind, _title, count in view.kinds},
        "events": [convert.event(one) for one in events_of(answers, row["subject_id"])],
        "business_day": str(view.today),
    }


@router.get(
    "/subjects/{subject_id}/facts",
    response={200: schemas.Page[schemas.Fact], **OF_SUBJECT},
    summary="Facts of an organisation",
)
def facts(request: HttpRequest, subject_id: Id, kind: Text = "", limit: Limit = 20, offset: Offset = 0) -> Any:
    """Dated things known of it, newest first."""
    answers = store()
    key: list[Any] = [_subject(answers, subject_id)["subject_id"]]
    where = "subject_id = ?"
    if kind:
        where, key = f"{where} AND kind = ?", [*key, kind]
    count = answers.scalar(f"SELECT count(*) FROM answer_fact WHERE {where}", key)
    items = _facts(answers, f"{where} ORDER BY on_date DESC, fact_id LIMIT ? OFFSET ?", [*key, limit, offset])
    return {"count": count, "limit": limit, "offset": offset, "items": items}


def _facts(answers: AnswerStore, where: str, parameters: list[Any]) -> list[dict[str, Any]]:
    rows = answers.fetch(f"SELECT {FACT_COLUMNS} FROM answer_fact WHERE {where}", parameters)
    return [convert.fact(row, view) for row, view in zip(rows, fact_views(answers, rows), strict=True)]


@router.get("/facts/{fact_id}", response={200: schemas.Fact, **NAMED}, summary="A fact")
def fact(request: HttpRequest, fact_id: Id) -> Any:
    """One fact by its id."""
    found = _facts(store(), "fact_id = ?", [fact_id])
    if not found:
        raise Http404("没有这条信息，或它不公开 / no such public fact")
    return found[0]


@router.get("/facts/{fact_id}/chain", response={200: schemas.Chain, **NAMED}, summary="Where a fact comes from")
def chain_of_fact(request: HttpRequest, fact_id: Id) -> Any:
    """Record, batch, source, checks, link with evidence, rules."""
    return _chain(fact_chain(store(), fact_id))


@router.get("/records/{record_id}/chain", response={200: schemas.Chain, **NAMED}, summary="Where a value comes from")
def chain_of_record(request: HttpRequest, record_id: Id) -> Any:
    """The same for a record that gave a value or a ground."""
    return _chain(record_chain(store(), record_id))


def _chain(found: Chain | None) -> dict[str, Any]:
    if found is None:
        raise Http404("没有这条记录，或它不公开 / no such public record")
    key = [found.fact.fact_id] if found.fact else [one.fact_id for one in found.facts]
    marks = ", ".join("?" * len(key))
    return convert.chain(found, _facts(store(), f"fact_id IN ({marks})", list(key)) if key else [])


@router.get("/lists", response={200: list[schemas.ListView], **ERRORS}, summary="All lists")
def lists(request: HttpRequest) -> Any:
    """Every public list with its law, grounds and rules."""
    answers = store()
    return [convert.list_view(metadata(answers), one.name, one.members) for one in queries.lists(answers)]


@router.get(
    "/lists/{name}/listings", response={200: schemas.Page[schemas.Listing], **NAMED}, summary="Who is on a list"
)
def listings(
    request: HttpRequest, name: Name, q: Text = "", ground: Text = "", limit: Limit = 20, offset: Offset = 0
) -> Any:
    """Members, newest first; ``q`` is a name fragment or the beginning of a code."""
    answers = store()
    if not metadata(answers).get("list", name):
        raise Http404("没有这一名单 / no such list")
    found, count = queries.members(answers, name, text=q, ground=ground, limit=limit, offset=offset)
    return {"count": count, "limit": limit, "offset": offset, "items": [convert.listing(one) for one in found]}


@router.get(
    "/subjects/{subject_id}/listings",
    response={200: list[schemas.Listing], **OF_SUBJECT},
    summary="Listings of an organisation",
)
def listings_of_subject(request: HttpRequest, subject_id: Id) -> Any:
    """Lists it is on now."""
    answers = store()
    row = _subject(answers, subject_id)
    return [convert.listing(one) for one in listings_of(answers, "subject_id = ?", [row["subject_id"]])]


@router.get("/statistics", response={200: list[schemas.StatisticName], **ERRORS}, summary="Statistics")
def statistics(request: HttpRequest) -> Any:
    """The statistics that can be asked for, by name."""
    return queries.statistics(store())


@router.get("/statistics/{name}", response={200: schemas.Statistic, **NAMED}, summary="A statistic")
def statistic(request: HttpRequest, name: Name) -> Any:
    """Figures of one statistic in the order in which they are shown; its name is one of ``/statistics``."""
    answers = store()
    figures = queries.statistic(answers, name)
    if not figures:
        raise Http404("没有这一统计 / no such statistic")
    return {"name": name, "business_day": str(business_day(answers)), "figures": figures}


@router.get("/indicators", response={200: list[schemas.Indicator], **ERRORS}, summary="Open indicators")
def indicators(request: HttpRequest) -> Any:
    """Indicators that are open."""
    return [
        {"name": name, "title": content["title"], "unit": content["unit"]}
        for name, _title, content in queries.indicators(store())
    ]


@router.get(
    "/indicators/{name}/observations",
    response={200: list[schemas.Observation], **NAMED},
    summary="Figures of an indicator",
)
def observations(request: HttpRequest, name: Name) -> Any:
    """Every figure with the records it comes from."""
    answers = store()
    if not metadata(answers).get("indicator", name):
        raise Http404("没有这一指标 / no such indicator")
    return queries.observations(answers, name)


@router.get("/publicity", response={200: list[schemas.Lateness], **ERRORS}, summary="Timely publicity by department")
def publicity(request: HttpRequest) -> Any:
    """Decisions whose term ended since deliveries began, and those that were late."""
    return [
        {
            "department": one.department,
            "title": one.title,
            "due": one.due,
            "late": one.late,
            "average_days_late": one.late_days,
        }
        for one in queries.lateness(store())
    ]


@router.get("/resources", response={200: list[schemas.Resource], **ERRORS}, summary="The data catalog")
def resources(request: HttpRequest, department: Text = "", q: Text = "") -> Any:
    """Resources with their items and conditions."""
    found = queries.resources(store(), department=department, text=q)
    return [convert.resource(one.name, one.content, one.records, one.latest) for one in found]


@router.get("/resources/{name}", response={200: schemas.Resource, **NAMED}, summary="A resource")
def resource(request: HttpRequest, name: Name) -> Any:
    """One resource."""
    found = [one for one in queries.resources(store()) if one.name == name]
    if not found:
        raise Http404("目录中没有这一资源 / no such resource")
    return convert.resource(name, found[0].content, found[0].records, found[0].latest)


@router.get("/departments", response={200: list[schemas.Department], **ERRORS}, summary="Departments")
def departments(request: HttpRequest) -> Any:
    """Departments of the catalog."""
    return [
        {"name": name, "title": content["title"], "level": content["level"]}
        for name, content in metadata(store()).of_kind("department").items()
    ]


@router.get("/health", response=schemas.Health, summary="Whether the interface can answer")
def health(request: HttpRequest) -> Any:
    """Ready or not, and of which day the answers are."""
    try:
        meta = store().meta()
    except AnswersMissing:
        return {"ready": False, "business_day": None, "answers_built_at": None}
    return {"ready": True, "business_day": meta.get("business_day"), "answers_built_at": meta.get("built_at")}
