"""Rows accepted under an earlier version of a declaration, brought into the form of the present one (law 9 of the way).

An item that was renamed (``from:``) keeps its values under its new name, one of another type is read again by its new
element (a value that it can't read is left out), and one that is sealed now is sealed in the rows that are there. A new
item is empty in older rows; an item that is no longer declared stays in them. Rows, ids and keys stay what they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from shutong.collect.intake import seal_context
from shutong.collect.tables import accepted_table
from shutong.engine.engine import Engine
from shutong.engine.keys import Keys
from shutong.engine.run import LakeRun
from shutong.engine.tablefiles import TableFiles, table_sql
from shutong.spec.catalog import Catalog, element_of, item_type, key_column, sealed, sealed_column, stored_columns
from shutong.spec.models import Item, Resource
from shutong.standards.elements import ELEMENTS
from shutong.standards.verdict import arrow, compute

_LEGAL_OFFSET = dt.timedelta(hours=8)


@dataclass(frozen=True)
class Change:
    """How one item is stored and how it is to be: ``old`` is its stored name; ``was_sealed`` how its values stand."""

    item: str
    old: str
    was_sealed: bool


def changes(resource: Resource, stored: pa.Schema) -> tuple[Change, ...]:
    """The items of a resource whose stored columns differ from the declared ones."""
    return tuple(_changes(resource, set(stored.names), stored))


def _changes(resource: Resource, names: set[str], stored: pa.Schema) -> Iterator[Change]:
    for name, item in resource.items.items():
        renamed = item.from_ if item.from_ and {item.from_, key_column(item.from_)} & names else None
        old = renamed or name
        plain, was_sealed = old in names, sealed_column(old) in names
        if renamed:
            yield Change(name, old, was_sealed)
        elif plain and (sealed(item) or stored.field(old).type != item_type(item)):
            yield Change(name, old, False)
        elif was_sealed and not plain and not sealed(item):
            yield Change(name, old, True)


def conform_accepted(run: LakeRun, engine: Engine, keys: Keys, catalog: Catalog) -> list[str]:
    """Stage the accepted rows of every resource whose declaration changed its items; returns those resources.

    A delivery that comes in meanwhile makes the run's commit a conflict, so no row is lost.
    """
    changed = []
    for name, resource in catalog.resources.items():
        files = run.table(accepted_table(name))
        if any(changes(resource, segment.schema) for segment in files.segments):
            schema = _declared(resource, files)
            batches = _batches(engine, files, resource, keys, schema)
            run.stage_table(files.name, pa.RecordBatchReader.from_batches(schema, batches), "replace")
            changed.append(name)
    return changed


def _declared(resource: Resource, files: TableFiles) -> pa.Schema:
    """The declared columns, then those that older rows have and nothing declares any more."""
    declared = stored_columns(resource)
    gone = {
        column
        for segment in files.segments
        for one in changes(resource, segment.schema)
        for column in (one.old, key_column(one.old), sealed_column(one.old))
    }
    others = [field for field in files.schema if field.name not in {*declared.names, *gone}]
    return pa.schema([*declared, *others])


def _batches(
    engine: Engine, files: TableFiles, resource: Resource, keys: Keys, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """All rows in the declared columns, each segment read with the columns that it was written with."""
    for segment in files.segments:
        wanted = changes(resource, segment.schema)
        with engine.stream(table_sql(replace(files, segments=(segment,)))) as rows:
            for batch in rows:
                columns = _conformed(batch, resource, wanted, keys)
                made = [columns.get(field.name, arrow.nulls(batch.num_rows, field.type)) for field in schema]
                yield pa.RecordBatch.from_arrays(
                    [column.cast(field.type) for column, field in zip(made, schema, strict=True)], schema=schema
                )


def _conformed(batch: pa.RecordBatch, resource: Resource, wanted: tuple[Change, ...], keys: Keys) -> dict[str, Any]:
    columns: dict[str, Any] = {name: batch.column(name) for name in batch.schema.names}
    for one in wanted:
        item = resource.items[one.item]
        values = _values(columns, one, resource, item, keys)
        for name in (one.old, key_column(one.old), sealed_column(one.old)):
            columns.pop(name, None)
        columns |= _stored(values, one.item, resource, item, keys, columns)
    return columns


def _values(columns: dict[str, Any], change: Change, resource: Resource, item: Item, keys: Keys) -> Any:
    """The values that older rows hold under the earlier name or in the earlier form, in the declared type."""
    if change.was_sealed:
        context = seal_context(resource.resource, change.old)
        values = keys.unseal(context, columns[sealed_column(change.old)]).cast(pa.string())
    else:
        values = columns[change.old]
    kind: Any = item_type(item)
    if values.type == kind:
        return values
    # Codes are texts already; every other element reads the canonical text of what was there.
    read: Any = ELEMENTS[element_of(item)].column(values.cast(pa.string())).canonical if not item.codes else values
    if pa.types.is_timestamp(read.type) and read.type != kind:
        return compute.subtract(read.cast(pa.timestamp("us")), pa.scalar(_LEGAL_OFFSET)).cast(kind)
    return read.cast(kind)


def _stored(
    values: Any, name: str, resource: Resource, item: Item, keys: Keys, present: dict[str, Any]
) -> dict[str, Any]:
    """The columns of an item; rows that came under the new name already keep their own."""
    if not sealed(item):
        return {name: _first(present.get(name), values)}
    text = values.cast(pa.string())
    return {
        key_column(name): _first(present.get(key_column(name)), keys.match(text)),
        sealed_column(name): _first(
            present.get(sealed_column(name)), keys.seal(seal_context(resource.resource, name), text)
        ),
    }


def _first(own: Any, earlier: Any) -> Any:
    return earlier if own is None else compute.coalesce(own.cast(earlier.type), arrow.array(earlier))
