"""The features of placed libraries: one SELECT per library for a full build, and what a day's changes touch of them.

A feature depends on more than its subject: an organisation stands where its address does, an area is marked by the
mean of its addresses. So a change replaces the features of the changed subjects, those that stand at a changed place,
and those of every area.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from shutong.engine.engine import Engine
from shutong.libraries.space import STANDING_VIEWS, Placed, placed, placed_libraries, standing_sql
from shutong.spec.catalog import Catalog

from . import schema
from .write import Cells, cells_of

_BATCH = 20_000
_CHUNK = 400


@dataclass(frozen=True)
class Change:
    """What a day's changes do to one collection: features of these subjects go (all of them for None), these come."""

    collection: str
    gone: Sequence[str] | None
    rows: list[Cells]


def feature_queries(catalog: Catalog, present: set[str]) -> Iterator[Placed]:
    """The placed libraries whose tables the lake has."""
    for library in placed_libraries(catalog):
        one = placed(catalog, library)
        if set(one.views.values()) <= present:
            yield one


def feature_sql(one: Placed, scope: str) -> str:
    """SELECT of the rows of ``answer_feature`` of one library, in the order of their ids."""
    shown = {"point_from": "_point_from", "addresses": "_addresses"} | {name: f'"{name}"' for name in one.attributes}
    fields = ", ".join(f'"{name}" := {column}' for name, column in shown.items())
    return (
        f"SELECT '{one.library.library}' AS collection, _feature AS feature_id, _subject AS subject_id,"
        " _place AS place_id, _x AS x, _y AS y, CAST(_since AS VARCHAR) AS valid_from, CAST(_until AS VARCHAR) AS valid_to,"
        f" CAST(to_json(struct_pack({fields})) AS VARCHAR) AS properties"
        f" FROM ({one.sql.replace('{scope}', scope)}) ORDER BY _feature"
    )


def feature_changes(
    engine: Engine, catalog: Catalog, present: set[str], subject_ids: Sequence[str], standing: Iterable[str]
) -> list[Change]:
    """The features that a day's changes touch.

    Args:
        subject_ids: the changed subjects, places among them.
        standing: subjects that have stood at a changed place so far.
    """
    changed = sorted({*subject_ids, *standing, *_standing_now(engine, catalog, present, subject_ids)})
    changes = []
    for one in feature_queries(catalog, present):
        if one.space.area is not None:
            rows = engine.query(feature_sql(one, "_subject IS NOT NULL"), one.views)
            changes.append(Change(one.library.library, None, _cells(rows)))
        elif changed:
            rows = engine.query(feature_sql(one, f"_subject IN ({_quoted(changed)})"), one.views)
            changes.append(Change(one.library.library, changed, _cells(rows)))
    return changes


def _standing_now(engine: Engine, catalog: Catalog, present: set[str], subject_ids: Sequence[str]) -> set[str]:
    """Organisations whose register rows name a changed place."""
    places = [one for one in subject_ids if one.startswith("l")]
    found: set[str] = set()
    for library in placed_libraries(catalog):
        role = library.space.at if library.space else None
        if role and places and set(STANDING_VIEWS) <= present:
            sql = f"SELECT subject_id FROM ({standing_sql(role)}) WHERE place IN ({_quoted(places)})"
            found.update(str(one) for one in engine.query(sql, STANDING_VIEWS).column("subject_id").to_pylist())
    return found


def standing_before(connection: sqlite3.Connection, subject_ids: Sequence[str]) -> set[str]:
    """Subjects whose features stand at one of these places in the current answers."""
    places = [one for one in subject_ids if one.startswith("l")]
    found: set[str] = set()
    for start in range(0, len(places), _CHUNK):
        part = places[start : start + _CHUNK]
        marks = ", ".join("?" * len(part))
        rows = connection.execute(f"SELECT subject_id FROM answer_feature WHERE place_id IN ({marks})", part)
        found.update(row[0] for row in rows)
    return found


def apply_features(connection: sqlite3.Connection, change: Change) -> None:
    """Write what a change does to a collection, within the caller's transaction. What stays the same is not written."""
    table, columns = schema.FEATURE, ", ".join(schema.FEATURE.names)
    at = table.names.index("feature_id")
    old: dict[str, Cells] = {}
    for part in _parts(change.gone):
        where = "" if part is None else f" AND subject_id IN ({', '.join('?' * len(part))})"
        # The plus keeps the planner from the index of the collection, of which it would read everything.
        own = "collection" if part is None else "+collection"
        sql = f"SELECT {columns} FROM {table.name} WHERE {own} = ?{where}"
        old |= {row[at]: row for row in connection.execute(sql, [change.collection, *(part or ())])}
    new = {row[at]: row for row in change.rows}
    differing = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    connection.executemany(
        f"DELETE FROM {table.name} WHERE collection = ? AND feature_id = ?",
        [(change.collection, key) for key in differing],
    )
    connection.executemany(table.insert_sql(), [new[key] for key in differing if key in new])


def _parts(gone: Sequence[str] | None) -> Iterator[list[str] | None]:
    if gone is None:
        yield None
        return
    for start in range(0, len(gone), _CHUNK):
        yield list(gone[start : start + _CHUNK])


def _cells(rows: pa.Table) -> list[Cells]:
    return list(cells_of(schema.FEATURE, rows.to_batches(_BATCH)))


def _quoted(ids: Iterable[str]) -> str:
    return ", ".join(f"'{one}'" for one in ids if one.isalnum()) or "NULL"
