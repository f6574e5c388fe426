"""The files that make up a table at one moment, and the SQL that reads them as one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from shutong.engine import sqltext
from shutong.engine.errors import LakeError
from shutong.engine.manifest import Change, DataFile, decode_schema
from shutong.engine.storage import Storage


@dataclass(frozen=True)
class Segment:
    """Files that were added together; ``key_files`` names the keys whose older rows they stand for."""

    files: tuple[DataFile, ...]
    schema: pa.Schema
    key: str | None = None
    key_files: tuple[DataFile, ...] = ()


@dataclass(frozen=True)
class TableFiles:
    """A table at one moment: segments in order of commit, with the storage that holds their files.

    A row counts when its key is in the ``key_files`` of no later segment.
    """

    name: str
    storage: Storage
    segments: tuple[Segment, ...]

    @property
    def base(self) -> tuple[DataFile, ...]:
        """Files of the segments before the first patch."""
        return tuple(file for each in self.segments[: self._first_patch] for file in each.files)

    @property
    def patches(self) -> tuple[Segment, ...]:
        """The first patch and every segment after it."""
        return self.segments[self._first_patch :]

    @property
    def _first_patch(self) -> int:
        return next((n for n, each in enumerate(self.segments) if each.key_files), len(self.segments))

    @property
    def key(self) -> str | None:
        """The column of the patches, or None when there are none."""
        return next((each.key for each in self.segments if each.key_files), None)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of all segments; where a type changed, the latest one counts."""
        fields: dict[str, pa.Field[Any]] = {}
        for segment in self.segments:
            for field in segment.schema:
                fields[field.name] = field
        return pa.schema(list(fields.values()))

    @property
    def files(self) -> tuple[DataFile, ...]:
        """Every data file."""
        return tuple(file for each in self.segments for file in each.files)

    @property
    def stored_rows(self) -> int:
        """Rows in the files: the table's rows, plus those that patches hide."""
        return sum(file.rows for file in self.files)

    @property
    def rows(self) -> int | None:
        """The table's rows, or None where patches hide an unknown number (then count them by a query)."""
        return self.stored_rows if self.key is None else None

    @property
    def bytes(self) -> int:
        """Bytes of the data files."""
        return sum(file.bytes for file in self.files)

    def missing(self) -> list[str]:
        """Addresses of data files that are not there."""
        return [self.storage.address(file.path) for file in self.files if not self.storage.exists(file.path)]


def build(name: str, storage: Storage, changes: Iterable[Change]) -> TableFiles:
    """Fold the changes of one table, in order of commit, into the files that count now."""
    # Each segment's files are gathered in a list of their own: a table may have thousands of small deliveries.
    segments: list[tuple[Segment, list[DataFile]]] = []
    last = ""
    for change in changes:
        schema, same_text, last = decode_schema(change.schema), change.schema == last, change.schema
        if change.mode == "replace":
            segments = []
        elif change.mode == "patch":
            _refuse_other_key(name, change.key, [each for each, _ in segments])
        elif segments and (same_text or _same_columns(segments[-1][0].schema, schema)):
            segments[-1][1].extend(change.files)
            continue
        segments.append((Segment((), schema, change.key, change.key_files), list(change.files)))
    return TableFiles(name, storage, tuple(replace(each, files=tuple(files)) for each, files in segments))


def _refuse_other_key(name: str, key: str | None, segments: list[Segment]) -> None:
    known = next((each.key for each in segments if each.key_files), key)
    if known != key:
        raise LakeError(
            f"表 {name} 的补丁键由 {known} 变为 {key}，请先整表重算或合并",
            f"table {name}: the key of its patches changed from {known} to {key}; "
            "compute it in full or compact it first",
            table=name,
        )


def _same_columns(left: pa.Schema, right: pa.Schema) -> bool:
    return left.names == right.names and all(
        sqltext.type_name(a.type) == sqltext.type_name(b.type) for a, b in zip(left, right, strict=True)
    )


def _columns(schema: pa.Schema, wanted: pa.Schema) -> list[str]:
    parts = []
    for field in wanted:
        column, kind = sqltext.name(field.name), sqltext.type_name(field.type)
        index = schema.get_field_index(field.name)
        if index < 0:
            parts.append(f"CAST(NULL AS {kind}) AS {column}")
        elif sqltext.type_name(schema.field(index).type) == kind:
            parts.append(f"t.{column}")
        else:
            parts.append(f"CAST(t.{column} AS {kind}) AS {column}")
    return parts


def _source(storage: Storage, files: Iterable[DataFile]) -> str:
    return f"read_parquet({sqltext.file_list(storage.address(file.path) for file in files)})"


def empty_sql(schema: pa.Schema) -> str:
    """A SELECT of no rows with the columns of ``schema``."""
    return f"SELECT {', '.join(_columns(pa.schema([]), schema))} WHERE FALSE"


@dataclass(frozen=True)
class Scope:
    """A narrowing of a table to the keys in ``relation`` (an SQL relation with a column ``key``)."""

    column: str
    relation: str


def table_sql(table: TableFiles, wanted: pa.Schema | None = None, scope: Scope | None = None) -> str:
    """The SELECT that reads a table.

    Args:
        wanted: the columns to read, with the types they are to have; a column that older files lack is NULL.
            Default: every column of the table.
        scope: only rows whose column is among the scope's keys.
    """
    schema = table.schema if wanted is None or not wanted.names else wanted
    if not schema.names:
        raise LakeError(
            f"表 {table.name} 不存在，也没有声明它的列",
            f"table {table.name} does not exist and its columns are not declared",
            table=table.name,
        )
    segments = [(number, each) for number, each in enumerate(table.segments) if each.files]
    if not segments:
        return empty_sql(schema)
    later = [(number, each) for number, each in enumerate(table.segments) if each.key_files]
    join = f" SEMI JOIN {scope.relation} AS s ON s.key = t.{sqltext.name(scope.column)}" if scope else ""
    columns = ", ".join(f"r.{sqltext.name(field)}" for field in schema.names)
    branches = []
    for number, segment in segments:
        chosen = _columns(segment.schema, schema)
        if later and number < later[-1][0]:
            chosen = [*chosen, f"{number} AS __n", f"t.{sqltext.name(later[0][1].key or '')} AS __k"]
        elif later:
            chosen = [*chosen, f"{number} AS __n", "NULL AS __k"]
        branches.append(f"SELECT {', '.join(chosen)} FROM {_source(table.storage, segment.files)} AS t{join}")
    union = " UNION ALL ".join(branches)
    if not later:
        return union
    keys = " UNION ALL ".join(
        f"SELECT key, {n} AS n FROM {_source(table.storage, each.key_files)}" for n, each in later
    )
    return (
        f"SELECT {columns} FROM ({union}) AS r "
        f"LEFT JOIN (SELECT key, max(n) AS n FROM ({keys}) GROUP BY key) AS k ON r.__k = k.key "
        "WHERE k.n IS NULL OR r.__n >= k.n"
    )
