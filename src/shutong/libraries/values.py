"""Values: what each source says of each attribute of a subject, from when to when, and which one the library takes.

A row's values hold from the day its fact happened; a later version of the same key holds from its own fact's day
where that day is later, else from the day it was received, and ends the version before. The chosen value is that of
the source with the highest authority; within one source the one that took effect last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from shutong.engine.stage import Read, SqlStep, Stage, Step, Write
from shutong.libraries.tables import VALUES
from shutong.libraries.text import canonical_sql
from shutong.spec.catalog import Catalog, item_type, key_column, sealed, sealed_column, stored_columns, view_name
from shutong.spec.models import Attribute, Library, Resource
from shutong.subjects.current import columns_sql
from shutong.subjects.mentions import accepted_table, accepted_view
from shutong.subjects.tables import LINKS, columns, no_rows_sql

VERSION = 3

_ROW = ("record_id", "key_id", "batch_id", "seq", "row_no", "received_on")


@dataclass(frozen=True)
class Source:
    """One source of one attribute: the item of a resource, and the role in which its rows speak of the subject.

    ``principal``: only rows that are about the subject in the first place. ``instance``: the items that say which of the
    subject's licences or cases a row is of, where the library keeps them apart.
    """

    library: Library
    attribute: str
    rank: int
    resource: Resource
    item: str
    role: str
    principal: bool
    instance: tuple[str, ...] = ()

    @property
    def declared(self) -> Attribute:
        """The attribute's declaration."""
        return self.library.attributes[self.attribute]

    @property
    def step(self) -> str:
        """The step that holds the source's linked rows."""
        return f"linked_{view_name(self.resource.resource)}_{view_name(self.role)}"


def sources(catalog: Catalog) -> Iterator[Source]:
    """The sources of all libraries that can give a value.

    A plain item under a sealed attribute gives none: its plain text must not stand where only a key may.
    """
    for library in catalog.libraries.values():
        for name, attribute in library.attributes.items():
            for rank, path in enumerate(attribute.sources):
                resource_name, _, item = path.partition(".")
                resource = catalog.resources.get(resource_name)
                if resource is None or item not in resource.items:
                    continue
                if sealed(resource.items[item]) or not sealed(attribute):
                    instance = _telling(library, resource)
                    for role, principal in _speaking(resource, library.kind):
                        yield Source(library, name, rank, resource, item, role, principal, instance)


def _telling(library: Library, resource: Resource) -> tuple[str, ...]:
    """The items of a resource that tell the instances of a library apart; none where the library has none."""
    told = []
    for name in library.each:
        found = (path.partition(".") for path in library.attributes[name].sources)
        told.append(next(item for owner, _, item in found if owner == resource.resource))
    return tuple(told)


def _speaking(resource: Resource, kind: str) -> Iterator[tuple[str, bool]]:
    """The roles in which a resource's rows tell values of subjects of a kind, and whether as the principal one only.

    The first entry of the kind does. Where that holds on a condition, so does each further one up to the first
    without a condition, for the rows that it is the first to apply to: a bulletin is about a city, or else about a
    province.
    """
    for number, entry in enumerate(entry for entry in resource.about if entry.kind == kind):
        yield entry.role, number > 0
        if entry.only_if is None:
            return


def library_hash(catalog: Catalog) -> str:
    """Hash of the libraries and of the resources they are merged from."""
    names = sorted({source.resource.resource for source in sources(catalog)})
    hashes = [catalog.hash_of("library", name) for name in sorted(catalog.libraries)]
    hashes += [catalog.hash_of("resource", name) for name in names]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:20]


def values_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``values``. Parameters: ``:as_of``. Scope: subject ids."""
    found = list(sources(catalog))
    resources = {source.resource.resource: source.resource for source in found}
    reads = [Read("links", "links", LINKS, scope="subject_id")]
    reads += [Read(accepted_table(name), accepted_view(name), stored_columns(r)) for name, r in resources.items()]
    return Stage(
        name="values",
        reads=tuple(reads),
        steps=tuple(_steps(found)),
        writes=(Write("values", "values", key="subject_id", schema=VALUES),),
        version=VERSION,
        declarations=library_hash(catalog),
    )


def _steps(found: list[Source]) -> Iterator[Step]:
    by_step: dict[str, list[Source]] = {}
    for source in found:
        by_step.setdefault(source.step, []).append(source)
    for name, together in by_step.items():
        yield SqlStep(name, _linked_sql(together), materialise=True)
    said = " UNION ALL ".join(_said_sql(source, number) for number, source in _numbered(found))
    # Not kept: the contested places read four of its columns, and the rows are written once, as the result.
    yield SqlStep("said", said or no_rows_sql(_SAID))
    yield SqlStep("contested", _CONTESTED, materialise=True)
    computed = {
        "chosen": "(s.current AND (b.place IS NULL OR b.place = s.place)) AS chosen",
        "instance": "CASE WHEN s.instance <> '' THEN s.instance END AS instance",
    }
    written = ", ".join(computed.get(name, f"s.{name}") for name in VALUES.names)
    yield SqlStep(
        "values",
        f"SELECT {written} FROM said s LEFT JOIN contested b ON b.subject_id = s.subject_id AND b.number = s.number"
        " AND b.instance = s.instance",
    )


def _numbered(found: list[Source]) -> Iterator[tuple[int, Source]]:
    """Sources with the number of their attribute: sources of the same attribute compete."""
    numbers: dict[tuple[str, str], int] = {}
    for source in found:
        yield numbers.setdefault((source.library.library, source.attribute), len(numbers)), source


def _linked_sql(together: list[Source]) -> str:
    """The rows of a resource that speak of a subject in one role, with the time in which they held."""
    first = together[0]
    resource, view = first.resource, accepted_view(first.resource.resource)
    items = list(dict.fromkeys(column for source in together for column in _columns(source)))
    taken = [_taken(column) for column in items]
    wanted = ", ".join(f'"{column}" AS "{name}"' for column, name in zip(items, taken, strict=True))
    on = f'"{resource.fact.on}"' if resource.fact else "CAST(NULL AS DATE)"
    mine = (
        "SELECT record_id, subject_id, current FROM links"
        f" WHERE resource = '{resource.resource}' AND role = '{first.role}'{' AND principal' if first.principal else ''}"
    )
    began = (
        "CASE WHEN on_before IS NULL THEN on_date WHEN on_date > on_before THEN on_date END"
        if resource.delivery != "snapshot"
        else "coalesce(on_date, first_received)"
    )
    ordered = "OVER (PARTITION BY key_id ORDER BY seq, row_no)"
    return (
        f"WITH mine AS ({mine}), versions AS (SELECT {', '.join(_ROW)}, {wanted}, {on} AS on_date,"
        f" CASE WHEN row_number() {ordered} = 1 THEN NULL ELSE coalesce(lag({on}) {ordered}, DATE '9999-12-31') END"
        f" AS on_before, min(received_on) OVER (PARTITION BY key_id) AS first_received FROM {view}"
        f" WHERE received_on <= :as_of AND key_id IN (SELECT key_id FROM {view} WHERE record_id IN"
        f" (SELECT record_id FROM mine))), timed AS (SELECT *, coalesce({began}, received_on) AS valid_from FROM versions),"
        f" ended AS (SELECT *, greatest(valid_from, lead(valid_from) {ordered}) AS valid_to,"
        f" lead(valid_from) {ordered} IS NULL AS last FROM timed)"
        f" SELECT m.subject_id, m.current, e.record_id, e.batch_id, e.received_on, e.valid_from,"
        f" CASE WHEN NOT e.last THEN e.valid_to END AS valid_to, {_PLACE} AS place, {columns_sql(taken, 'e')}"
        " FROM ended e JOIN mine m ON m.record_id = e.record_id"
    )


def _columns(source: Source) -> tuple[str, ...]:
    """The columns that hold the value, then those that tell the instance."""
    return (*_held(source), *source.instance)


def _taken(column: str) -> str:
    """The name of an item's column beside those of the platform, which an item may be named like: valid_to, chosen."""
    return f"_{column}"


def _held(source: Source) -> tuple[str, ...]:
    if sealed(source.resource.items[source.item]):
        return key_column(source.item), sealed_column(source.item)
    return (source.item,)


def _said_sql(source: Source, number: int) -> str:
    held = [_taken(column) for column in _held(source)]
    instance, told = _instance_sql(source)
    kind = item_type(source.resource.items[source.item])
    value = f'"{held[0]}"' if len(held) == 2 else canonical_sql(f'"{held[0]}"', kind)
    cipher = f'"{held[1]}"' if len(held) == 2 else "CAST(NULL AS BLOB)"
    return (
        f"SELECT subject_id, '{source.library.library}' AS library, {instance} AS instance,"
        f" '{source.attribute}' AS attribute, {value} AS value,"
        f" CAST({source.rank} AS INTEGER) AS rank, current, valid_from, valid_to, record_id,"
        f" '{source.resource.resource}' AS resource, batch_id, received_on, '{source.declared.grade}' AS grade,"
        f" {cipher} AS sealed, CAST({number} AS INTEGER) AS number,"
        f" CAST(place + CAST({source.rank * _RANK} AS DECIMAL(38,0)) AS DECIMAL(38,0)) AS place"
        f" FROM {source.step} WHERE {value} IS NOT NULL{told}"
    )


def _instance_sql(source: Source) -> tuple[str, str]:
    """The text of the instance, its parts separated by a bar, and the condition that all of them are there."""
    parts = [canonical_sql(f'"{_taken(name)}"', item_type(source.resource.items[name])) for name in source.instance]
    if not parts:
        return "''", ""
    joined = ", '|', ".join(f"replace({part}, '|', '||')" for part in parts)
    return f"concat({joined})", "".join(f" AND {part} IS NOT NULL" for part in parts)


_SAID = pa.schema(
    [
        *(field for field in VALUES if field.name != "chosen"),
        *columns(number=pa.int32(), place=pa.decimal128(38, 0), current=pa.bool_()),
    ]
)

_RANK = 8_388_608 * 2**63
_PLACE = (
    "CAST(CAST(days_between(e.valid_from, DATE '9999-12-31') AS DECIMAL(18,0)) * CAST(9223372036854775808 AS DECIMAL(19,0))"
    " - CAST(e.seq * 4294967296 + e.row_no AS DECIMAL(19,0)) AS DECIMAL(38,0))"
)
"""The place of a value among its attribute's as one number, ``_RANK`` for each rank added: least rank, then latest day,
then latest arrival.

A number, because a group's least number has a fixed size in memory and can be spilled, which a struct's cannot: the
values of a million subjects are tens of millions of groups.
"""

# Most values are the only one of their subject; only where several hold now, one is chosen.
_CONTESTED = (
    "SELECT subject_id, number, instance, min(place) AS place FROM said WHERE current GROUP BY subject_id, number, instance"
    " HAVING count(*) > 1"
)
