"""From the lake to the tables of the ready answers: one SELECT per table, made from the catalog.

Everything that must not be public is left behind here: sealed items (they have no plain column), hidden items, items of
resources that are not open, facts that are not public, and every row about a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shutong.libraries.text import FREE_TEXT, canonical_sql, scrubbed_sql
from shutong.spec.catalog import Catalog
from shutong.spec.columns import default_mask, element_of, item_type, key_column, public_items, sealed, view_name
from shutong.spec.masks import mask_sql
from shutong.spec.models import Attribute, Library, Resource
from shutong.subjects.tables import CODE_KINDS, EVENTS_TABLE

from . import schema

LIVE_STATUS = ("1", "active", "存续")
"""Registration states that come first in the static rank."""

_ORGANISATION = "subject_id LIKE 'o%'"
_DATES = ("valid_from", "valid_to")


@dataclass(frozen=True)
class Extract:
    """What fills one table: a SELECT over ``views`` (name in the query to table of the lake).

    ``query`` may hold the parameter ``:since`` (a day) and, for the tables of subjects, the marker ``{scope}``, a
    condition that begins with the column ``subject_id``. What a query gathers per group is held in memory, so where
    ``gathers`` names a table, so many rows of it as a part may have are asked for at a time.
    """

    table: schema.Table
    query: str
    views: Mapping[str, str]
    gathers: str | None = None


def extracts(catalog: Catalog, present: set[str]) -> Iterator[Extract]:
    """The extracts of a catalog, for the tables that the lake has (``present``).

    Subjects come in the order of their static rank: those that live first, then by how much is known of them.
    """
    base = {"identifiers", "links", "values", "facts", "mentions", "batches"}
    if not base <= present:
        return
    libraries = [one for one in catalog.libraries.values() if one.public and one.kind == "organisation"]
    yield _subjects(main_library(catalog), present)
    yield _identifiers()
    yield from _facts(catalog, present)
    if libraries:
        yield _values(libraries)
    shown = [
        resource
        for resource in catalog.resources.values()
        if f"accepted/{resource.resource}" in present and public_items(resource) and resource.about
    ]
    if shown:
        yield _records(shown)
    # A file that was refused may come in later: the last word about it counts.
    latest = "(SELECT batch_id AS one, max(seq) AS latest FROM batches GROUP BY batch_id) l ON one = batch_id AND latest = seq"
    yield Extract(
        schema.BATCH,
        "SELECT batch_id, resource, seq, CAST(received_on AS VARCHAR) AS received_on, "
        "strftime(received_at, '%Y-%m-%dT%H:%M:%S+00:00') AS received_at, sha256, bytes, declaration, state, rows, "
        f"accepted, rejected, flagged, corrects FROM batches JOIN {latest} ORDER BY seq",
        {"batches": "batches"},
    )
    if EVENTS_TABLE in present:
        yield Extract(
            schema.EVENT,
            "SELECT position, event, subject_id, other_id, CAST(on_day AS VARCHAR) AS on_day, record_id, cause FROM events "
            f"WHERE {_ORGANISATION} ORDER BY position",
            {"events": EVENTS_TABLE},
        )
    public = [f"'{name}'" for name, one in catalog.indicators.items() if one.public]
    if "observations" in present and public:
        yield Extract(
            schema.OBSERVATION,
            "SELECT indicator, area, series, CAST(period AS VARCHAR) AS period, value, "
            "CAST(to_json(record_ids) AS VARCHAR) AS record_ids, records, rule_version FROM observations "
            f"WHERE indicator IN ({', '.join(public)}) ORDER BY indicator, period, area, series",
            {"observations": "observations"},
        )


def main_library(catalog: Catalog) -> Library | None:
    """The library that says who an organisation is: the public base library of organisations that holds their codes."""
    public = [one for one in catalog.libraries.values() if one.public and one.kind == "organisation" and not one.each]
    coded = [one for one in public if any(element_of(attribute) == "uscc" for attribute in one.attributes.values())]
    found = [one for one in coded if one.class_ == "base"] or coded or public
    return found[0] if found else None


def _attribute_of(library: Library, *names: str, element: str = "") -> tuple[str, Attribute] | None:
    """The attribute of one of these names, or the first of the element."""
    for name in names:
        if name in library.attributes:
            return name, library.attributes[name]
    for name, attribute in library.attributes.items():
        if element and element_of(attribute) == element:
            return name, attribute
    return None


def _column(library: Library | None, *names: str, element: str = "") -> str:
    found = _attribute_of(library, *names, element=element) if library else None
    if found is None or sealed(found[1]) or default_mask(found[1]) == "hide":
        return "CAST(NULL AS VARCHAR)"
    name, attribute = found
    return mask_sql(canonical_sql(f'lib."{name}"', item_type(attribute)), default_mask(attribute))


def _subjects(library: Library | None, present: set[str]) -> Extract:
    table = f"library/{library.library}" if library else ""
    with_library = table in present
    views = {name: name for name in ("identifiers", "links", "facts", "mentions", "values")}
    source = library if with_library else None
    if with_library:
        views["lib"] = table
    known = f"coalesce({_column(source, 'name', element='org-name')}, fallback.name)"
    code_kinds = ", ".join(f"'{kind}'" for kind in CODE_KINDS)
    live = ", ".join(f"'{status}'" for status in LIVE_STATUS)
    former = "FALSE"
    if library and (found := _attribute_of(library, "name", element="org-name")):
        former = f"attribute = '{found[0]}' AND (NOT chosen AND valid_to IS NOT NULL) OR attribute = 'former_name'"
        former = f"library = '{library.library}' AND ({former})"
    query = f"""
WITH organisations AS (
  SELECT DISTINCT subject_id FROM identifiers
  WHERE {_ORGANISATION} AND kind NOT IN ('redirected', 'area') AND {{scope}}),
codes AS (
  SELECT subject_id, {_sorted_object("kind", "vals")} AS codes,
         max(first) FILTER (kind = 'uscc') AS uscc
  FROM (SELECT subject_id, kind, list(DISTINCT value ORDER BY value) AS vals, max_by(value, row(current, value)) AS first
        FROM identifiers WHERE kind IN ({code_kinds}) AND {_ORGANISATION} AND {{scope}} GROUP BY subject_id, kind)
  GROUP BY subject_id),
counted AS (
  SELECT subject_id, sum(n) AS facts, sum(n) FILTER (weight = 'positive') AS positive,
         sum(n) FILTER (weight = 'negative') AS negative, {_sorted_object("kind", "n")} AS counts
  FROM (SELECT subject_id, kind, max(weight) AS weight, count(*) AS n FROM facts WHERE public AND {{scope}} GROUP BY subject_id, kind)
  GROUP BY subject_id),
former AS (
  SELECT subject_id, list(DISTINCT value) AS former_names FROM values
  WHERE value IS NOT NULL AND ({former}) AND {{scope}} GROUP BY subject_id),
fallback AS (
  SELECT l.subject_id, max_by(m.name, m.seq) AS name
  FROM links l JOIN mentions m ON m.record_id = l.record_id AND m.role = l.role
  WHERE l.kind = 'organisation' AND l.current AND m.name IS NOT NULL AND l.{{scope}} GROUP BY l.subject_id),
named AS (
  SELECT o.subject_id, {known} AS name, former.former_names, coalesce({_column(source, "uscc", element="uscc")}, codes.uscc) AS uscc,
         codes.codes, {_column(source, "status")} AS status, {_column(source, "area", element="area")} AS area,
         {_column(source, "kind", "category")} AS category, {_column(source, "industry", element="industry")} AS industry,
         {_column(source, "established_on")} AS established_on, coalesce(counted.facts, 0) AS facts,
         coalesce(counted.positive, 0) AS positive, coalesce(counted.negative, 0) AS negative, counted.counts
  FROM organisations o {"LEFT JOIN lib ON lib.subject_id = o.subject_id" if with_library else ""}
  LEFT JOIN codes ON codes.subject_id = o.subject_id LEFT JOIN counted ON counted.subject_id = o.subject_id
  LEFT JOIN former ON former.subject_id = o.subject_id LEFT JOIN fallback ON fallback.subject_id = o.subject_id)
SELECT subject_id, 'organisation' AS kind, name,
       CAST(to_json(list_filter(coalesce(former_names, []), one -> one <> name)) AS VARCHAR) AS former_names, uscc, codes,
       status, area, category, industry, established_on, CAST(facts AS BIGINT) AS facts, CAST(positive AS BIGINT) AS positive,
       CAST(negative AS BIGINT) AS negative, CAST(0 AS BIGINT) AS listings, counts, redirect_to
FROM (SELECT *, CAST(NULL AS VARCHAR) AS redirect_to FROM named WHERE name IS NOT NULL
      UNION ALL BY NAME
      SELECT DISTINCT value AS subject_id, subject_id AS redirect_to FROM identifiers
      WHERE kind = 'redirected' AND {_ORGANISATION} AND {{scope}})
ORDER BY redirect_to IS NOT NULL, status IS NOT NULL AND status NOT IN ({live}), status IS NULL, facts DESC,
         length(name), subject_id"""
    return Extract(schema.SUBJECT, query, views)


def _identifiers() -> Extract:
    kinds = ", ".join(f"'{kind}'" for kind in CODE_KINDS)
    return Extract(
        schema.IDENTIFIER,
        "SELECT subject_id, kind, value, CAST(max(current) AS BIGINT) AS current, "
        "CAST(min(valid_from) AS VARCHAR) AS valid_from FROM identifiers "
        f"WHERE kind IN ({kinds}) AND value IS NOT NULL AND {_ORGANISATION} AND {{scope}} "
        "GROUP BY subject_id, kind, value ORDER BY subject_id, kind, value",
        {"identifiers": "identifiers"},
    )


def _facts(catalog: Catalog, present: set[str]) -> Iterator[Extract]:
    """Public facts. What has a publicity term was published on the day the platform first received it."""
    clocked = [
        resource
        for resource in catalog.resources.values()
        if resource.publicity and resource.fact and f"accepted/{resource.resource}" in present
    ]
    views = {"facts": "facts"} | {f"a_{view_name(r.resource)}": f"accepted/{r.resource}" for r in clocked}
    first = " UNION ALL ".join(
        f"SELECT record_id, min(received_on) OVER (PARTITION BY key_id) AS published_on FROM a_{view_name(r.resource)}"
        for r in clocked
    )
    nothing = "SELECT CAST(NULL AS VARCHAR) AS record_id, CAST(NULL AS DATE) AS published_on WHERE FALSE"
    yield Extract(
        schema.FACT,
        f"WITH first AS ({first or nothing}) "
        "SELECT f.fact_id, f.subject_id, f.kind, f.resource, CAST(f.on_date AS VARCHAR) AS on_date, "
        "CAST(f.until_date AS VARCHAR) AS until_date, f.weight, f.record_id, f.batch_id, "
        f"CAST(f.received_on AS VARCHAR) AS received_on, {scrubbed_sql('f.shows')} AS shows, "
        "CAST(f.publicity_due AS VARCHAR) AS publicity_due, f.publicity_rule, "
        "CAST(first.published_on AS VARCHAR) AS published_on, CAST(to_json(f.flags) AS VARCHAR) AS flags "
        "FROM (SELECT * FROM facts WHERE public AND on_date IS NOT NULL "
        f"AND {_ORGANISATION} AND {{scope}}) f "
        "LEFT JOIN first ON first.record_id = f.record_id ORDER BY f.subject_id, f.on_date, f.fact_id",
        views,
    )


def _values(libraries: list[Library]) -> Extract:
    """Values of public attributes with every source; hidden attributes are left out altogether."""
    shown, masked = [], []
    for library in libraries:
        for name, attribute in library.attributes.items():
            mask = default_mask(attribute)
            if mask != "hide" and not sealed(attribute):
                here = f"library = '{library.library}' AND attribute = '{name}'"
                text = scrubbed_sql("value") if element_of(attribute) in FREE_TEXT else "value"
                shown.append(f"WHEN {here} THEN {mask_sql(text, mask)}")
                if mask != "none":
                    masked.append(here)
    is_masked = " OR ".join(masked) or "FALSE"
    dates = {name: f"""CASE WHEN {name} IS NULL THEN 'null' ELSE concat('"', {name}, '"') END""" for name in _DATES}
    said = ", ',', ".join(
        {"attribute": "to_json(attribute)", "value": "to_json(value)", **dates}.get(name, name) for name in schema.SAID
    )
    return Extract(
        schema.SOURCE,
        "SELECT subject_id, library, instance, record_id, min(resource) AS resource, min(batch_id) AS batch_id, "
        f"CAST(min(received_on) AS VARCHAR) AS received_on, concat('[', string_agg(concat('[', {said}, ']'), ','), ']') AS said "
        "FROM (SELECT subject_id, library, instance, record_id, resource, batch_id, received_on, attribute, "
        f"CASE {' '.join(shown)} END AS value, rank, CAST(chosen AS INTEGER) AS chosen, valid_from, valid_to, "
        f"CAST({is_masked} AS INTEGER) AS masked "
        f"FROM values WHERE {_ORGANISATION} AND value IS NOT NULL AND {{scope}}) WHERE value IS NOT NULL "
        "GROUP BY subject_id, library, instance, record_id ORDER BY subject_id",
        {"values": "values"},
        gathers="values",
    )


def _records(resources: Sequence[Resource]) -> Extract:
    """Accepted rows of open resources whose principal subject is an organisation, as masked JSON in declared order.

    Besides current rows, earlier versions that a value of the past comes from; withdrawn rows give no values.
    """
    views = {view_name(one.resource): f"accepted/{one.resource}" for one in resources}
    parts = [
        f"SELECT a.record_id, l.subject_id, l.role, l.resource, a.batch_id, a.row_no, "
        f"CAST(a.received_on AS VARCHAR) AS received_on, {_shown_items(one)} AS items, "
        "CAST(to_json(a.flags) AS VARCHAR) AS flags, l.method, CAST(l.score AS BIGINT) AS score, l.evidence, "
        "CAST(l.current AS BIGINT) AS current "
        f"FROM l JOIN a_{view_name(one.resource)} a ON a.record_id = l.record_id WHERE l.resource = '{one.resource}'"
        for one in resources
    ]
    return Extract(
        schema.RECORD,
        "WITH l AS MATERIALIZED (SELECT record_id, subject_id, role, resource, method, score, evidence, current FROM links "
        f"WHERE principal AND kind = 'organisation' AND {_ORGANISATION} AND {{scope}} "
        "AND (current OR record_id IN (SELECT record_id FROM values WHERE {scope}))) " + " UNION ALL ".join(parts),
        {"links": "links", "values": "values"} | {f"a_{view}": table for view, table in views.items()},
    )


def _shown_items(resource: Resource) -> str:
    """SQL of the JSON text of a row's public items, masked."""
    parts: list[str] = []
    for name, mask in public_items(resource).items():
        item = resource.items[name]
        if sealed(item):
            # No plain value exists; that there is one may be said where the mask shows anything at all.
            text = f"""CASE WHEN a."{key_column(name)}" IS NULL THEN NULL ELSE '***' END"""
        else:
            plain = canonical_sql(f'a."{name}"', item_type(item))
            text = mask_sql(scrubbed_sql(plain) if element_of(item) in FREE_TEXT else plain, mask)
        parts += [f"""'{"," if parts else "{"}"{name}":'""", f"coalesce(CAST(to_json({text}) AS VARCHAR), 'null')"]
    return f"concat({', '.join(parts)}, '}}')" if parts else "'{}'"


def _sorted_object(key: str, value: str) -> str:
    """SQL of a JSON object over a group with its keys in order, so that a change gives the text of a new build."""
    return f"CAST(to_json(map_from_entries(list_sort(list(struct_pack(k := {key}, v := {value}))))) AS VARCHAR)"
