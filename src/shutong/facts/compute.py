"""The stage of facts: each current row of a resource that declares one becomes a dated fact of its principal subject."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from shutong.engine.stage import ArrowStep, Read, SqlStep, Stage, Write
from shutong.facts.deadlines import DEADLINES, STARTS, deadline_rows, law_hash
from shutong.libraries.text import canonical_sql, json_text_sql
from shutong.spec.catalog import (
    FACTS_VIEW,
    Catalog,
    default_mask,
    item_type,
    mask_sql,
    sealed,
    stored_columns,
    view_name,
)
from shutong.spec.models import Fact, Resource
from shutong.subjects.mentions import accepted_table, accepted_view
from shutong.subjects.tables import LINKS, no_rows_sql

VERSION = 2


def facts_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``facts``. Scope: subject ids."""
    resources = [r for r in catalog.resources.values() if r.fact and r.about]
    reads = [Read("links", "links", LINKS, scope="subject_id")]
    reads += [Read(accepted_table(r.resource), accepted_view(r.resource), stored_columns(r)) for r in resources]
    steps = [SqlStep(f"facts_{view_name(r.resource)}", _facts_sql(r, r.fact)) for r in resources if r.fact]
    columns = ", ".join(FACTS_VIEW.names)
    union = " UNION ALL ".join(f"SELECT {columns} FROM {step.name}" for step in steps)
    return Stage(
        name="facts",
        reads=tuple(reads),
        steps=(
            SqlStep("starts", _starts_sql(resources)),
            ArrowStep("deadlines", "starts", deadline_rows, DEADLINES),
            *steps,
            SqlStep("facts", union or no_rows_sql(FACTS_VIEW)),
        ),
        writes=(Write("facts", "facts", key="subject_id", schema=FACTS_VIEW),),
        version=VERSION,
        declarations=_hash(catalog, resources),
    )


def _hash(catalog: Catalog, resources: list[Resource]) -> str:
    hashes = " ".join(catalog.hash_of("resource", r.resource) for r in resources)
    return hashlib.sha256(f"{law_hash()} {hashes}".encode()).hexdigest()[:20]


def _starts_sql(resources: list[Resource]) -> str:
    """The distinct days on which a term of publicity begins."""
    selects = [
        f"SELECT '{r.publicity.rule}' AS rule, \"{_start_item(r)}\" AS start FROM {accepted_view(r.resource)}"
        f' WHERE "{_start_item(r)}" IS NOT NULL'
        for r in resources
        if r.publicity
    ]
    if not selects:
        return no_rows_sql(STARTS)
    return f"SELECT DISTINCT rule, start FROM ({' UNION ALL '.join(selects)})"


def _start_item(resource: Resource) -> str:
    """The item whose day begins the term of publicity; the day of the fact where nothing is said."""
    said = resource.publicity.from_ if resource.publicity else None
    return said or (resource.fact.on if resource.fact else "")


def _facts_sql(resource: Resource, fact: Fact) -> str:
    until = f'a."{fact.until}"' if fact.until else "CAST(NULL AS DATE)"
    is_open = "TRUE" if resource.open.type == "open" else "FALSE"
    due, rule, join = "CAST(NULL AS DATE)", "CAST(NULL AS VARCHAR)", ""
    if resource.publicity:
        start = f'a."{_start_item(resource)}"'
        due, rule = "d.due", f"'{resource.publicity.rule}'"
        join = f" LEFT JOIN deadlines d ON d.rule = {rule} AND d.start = {start}"
    return (
        f"SELECT concat(l.record_id, ':', l.role) AS fact_id, l.subject_id, '{fact.kind}' AS kind,"
        f" '{resource.resource}' AS resource, a.\"{fact.on}\" AS on_date, {until} AS until_date,"
        f" '{fact.weight}' AS weight, {is_open} AND l.kind <> 'person' AS public, a.record_id, a.batch_id,"
        f" a.received_on, {_shows_sql(resource, fact)} AS shows, {due} AS publicity_due, {rule} AS publicity_rule,"
        f" a.flags FROM links l JOIN {accepted_view(resource.resource)} a ON a.record_id = l.record_id{join}"
        f" WHERE l.resource = '{resource.resource}' AND l.current AND l.principal"
    )


def _shows_sql(resource: Resource, fact: Fact) -> str:
    """The shown items as a JSON object in declared order, masked as for a reader without a grant.

    Sealed items have no plain text here and are left out, as are those whose mask hides them.
    """
    parts = list(_shown(resource, fact))
    if not parts:
        return "'{}'"
    texts = []
    for number, (name, value) in enumerate(parts):
        texts += [f"""'{"," if number else "{"}"{name}":'""", json_text_sql(value)]
    return f"concat({', '.join(texts)}, '}}')"


def _shown(resource: Resource, fact: Fact) -> Iterator[tuple[str, str]]:
    for name in fact.shows:
        item = resource.items[name]
        mask = default_mask(item)
        if not sealed(item) and mask != "hide":
            yield name, mask_sql(canonical_sql(f'a."{name}"', item_type(item)), mask)
