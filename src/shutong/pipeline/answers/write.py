"""Writing an answers file in bulk, and swapping it in by name."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import adbc_driver_manager as adbc
import adbc_driver_sqlite
import orjson
import pyarrow as pa

from shutong.engine.errors import SpaceError, StageError

from . import names, schema
from .store import CURRENT

_CHUNK = 20_000
_PAGE = 8192
_LITTLE = 256_000_000
"""With less free, a failure is taken for want of space."""

Cells = tuple[Any, ...]


def fitted(table: schema.Table, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches in the table's columns, order and types; columns that are absent are NULL.

    Raises:
        ValueError: a batch has a column that the table does not have.
    """
    for batch in batches:
        given = batch.schema.names
        unknown = set(given) - set(table.names)
        if unknown:
            raise ValueError(f"{table.name} has no columns {sorted(unknown)}")
        columns = [
            batch.column(field.name).cast(field.type) if field.name in given else pa.nulls(batch.num_rows, field.type)
            for field in table.arrow
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=table.arrow)


def cells_of(table: schema.Table, batches: Iterable[pa.RecordBatch]) -> Iterator[Cells]:
    """The rows of record batches as tuples in the table's column order; columns that are absent are NULL.

    Raises:
        ValueError: a batch has a column that the table does not have.
    """
    for batch in fitted(table, batches):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def chunks(rows: Iterable[Cells], size: int = _CHUNK) -> Iterator[list[Cells]]:
    """Rows in lists of at most ``size``."""
    iterator = iter(rows)
    while part := list(islice(iterator, size)):
        yield part


# The file is not visible until it is complete, so nothing in it needs a journal.
_BUILDING = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-131072", "temp_store=MEMORY")


LOAD_ORDER = (schema.SUBJECT, *(one for one in schema.TABLES if one not in (schema.SUBJECT, schema.BIGRAM)))
"""The order in which tables are written: subjects bring their names' identifiers along, bigrams are counted from names."""


def write_file(path: Path, tables: Mapping[str, Iterable[pa.RecordBatch]]) -> dict[str, int]:
    """Write a complete answers file.

    Args:
        path: a file that does not exist yet.
        tables: per table name its record batches, taken in ``LOAD_ORDER``. The order of ``answer_subject`` is the static
            rank, unless its rows bring a ``doc``. Tables that are absent stay empty; names and bigrams are made here.

    Returns:
        Rows written per table.
    """
    with _building(path) as connection:
        for table in schema.TABLES:
            connection.execute(table.create_sql())
        connection.execute(schema.VALUE_VIEW)
        connection.execute(names.CREATE_INDEX)
        subjects = _write_subjects(connection, cells_of(schema.SUBJECT, tables.get(schema.SUBJECT.name, ())))
        for table in (schema.SUBJECT, schema.BIGRAM):
            _index(connection.execute, table)
    counts = {schema.SUBJECT.name: subjects, **_load(path, tables)}
    with _building(path) as connection:
        connection.execute(
            "INSERT OR REPLACE INTO answer_meta (name, value) VALUES ('format', ?)", (str(schema.FORMAT),)
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA analysis_limit=1000")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA locking_mode=NORMAL")
        connection.execute("PRAGMA journal_mode=WAL")
    return counts


def _index(execute: Callable[[str], Any], table: schema.Table) -> None:
    for statement in table.index_sql():
        execute(statement)


@contextlib.contextmanager
def _building(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is being built, in a transaction."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (f"page_size={_PAGE}", *_BUILDING):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        yield connection
        if connection.in_transaction:
            connection.execute("COMMIT")


def _load(path: Path, tables: Mapping[str, Iterable[pa.RecordBatch]]) -> dict[str, int]:
    """Take whole tables into the file as they are, without a Python object for each cell, and index each of them."""
    counts = {}
    with (
        _explained(path),
        adbc_driver_sqlite.connect(str(path)) as database,
        adbc.AdbcConnection(database) as connection,
    ):

        def execute(sql: str) -> None:
            with adbc.AdbcStatement(connection) as statement:
                statement.set_sql_query(sql)
                statement.execute_update()

        for pragma in _BUILDING:
            execute(f"PRAGMA {pragma}")
        for table in LOAD_ORDER[1:]:
            if table.name in tables:
                with adbc.AdbcStatement(connection) as statement:
                    counts[table.name] = _ingest(statement, table, tables[table.name])
            _index(execute, table)
    return counts


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the driver's failures into one that says where; of a full disk it tells only that it could not roll back."""
    try:
        yield
    except adbc.Error as error:
        free = shutil.disk_usage(path.parent).free
        space = free < _LITTLE or "full" in str(error)
        do_zh, do_en = ("请腾出空间后重试", "Make room and try again") if space else ("请重试", "Try again")
        raise (SpaceError if space else StageError)(
            f"写入现成答案 {path.name} 失败：{error}（磁盘剩余 {free / 1e6:,.0f} MB）。{do_zh}",
            f"writing the ready answers {path.name} failed: {error} ({free / 1e6:,.0f} MB of disk are free). {do_en}",
            path=str(path),
        ) from error


def _ingest(statement: adbc.AdbcStatement, table: schema.Table, batches: Iterable[pa.RecordBatch]) -> int:
    stream = _Stream(table, batches)
    statement.set_options(**{_INTO: table.name, _MODE: adbc.INGEST_OPTION_MODE_APPEND})
    statement.bind_stream(stream.reader())
    try:
        count: int = statement.execute_update()
    except adbc.Error:
        # What went wrong in our own stream is told as it was, not as the driver heard of it.
        if stream.failure is not None:
            raise stream.failure from None
        raise
    return count


_INTO, _MODE = adbc.INGEST_OPTION_TARGET_TABLE, adbc.INGEST_OPTION_MODE


@dataclass
class _Stream:
    """Batches of a table on their way into the file, and what stopped them."""

    table: schema.Table
    batches: Iterable[pa.RecordBatch]
    failure: BaseException | None = None

    def reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self.table.arrow, self._watched())

    def _watched(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from fitted(self.table, self.batches)
        except BaseException as error:
            self.failure = error
            raise


def _insert(connection: sqlite3.Connection, table: schema.Table, rows: Iterable[Cells]) -> None:
    for part in chunks(rows):
        connection.executemany(table.insert_sql(), part)


def _write_subjects(connection: sqlite3.Connection, rows: Iterable[Cells]) -> int:
    """Subjects with their name keys, the name index, and how often each bigram occurs."""
    frequency: Counter[str] = Counter()
    count = 0
    for part in chunks(rows):
        prepared = [prepare_subject(row, doc) for doc, row in enumerate(part, start=count + 1)]
        count += len(part)
        connection.executemany(schema.SUBJECT.insert_sql(), [one.row for one in prepared])
        connection.executemany(INSERT_NAME, [(one.doc, one.document) for one in prepared])
        connection.executemany(
            schema.IDENTIFIER.insert_sql(), [row for one in prepared for row in one.name_identifiers()]
        )
        for one in prepared:
            frequency.update({pair for key in one.keys for pair in names.bigrams(key)})
    connection.execute("INSERT INTO answer_name (answer_name) VALUES ('optimize')")
    _insert(connection, schema.BIGRAM, frequency.items())
    return count


INSERT_NAME = "INSERT INTO answer_name (rowid, names) VALUES (?, ?)"
_AT = {name: position for position, name in enumerate(schema.SUBJECT.names)}


@dataclass(frozen=True)
class PreparedSubject:
    """A subject row made ready for the index: its number, its keys (current name first) and its indexed text."""

    row: Cells
    doc: int
    keys: list[str]
    document: str

    def name_identifiers(self) -> list[Cells]:
        """Rows of ``answer_identifier`` for the names; only the first is current."""
        subject = self.row[_AT["subject_id"]]
        unique = dict.fromkeys(key for key in self.keys if key)
        return [(subject, "name", key, int(number == 0), None) for number, key in enumerate(unique)]


def prepare_subject(row: Cells, doc: int) -> PreparedSubject:
    """Fill ``doc`` (where it is NULL) and ``name_key`` of a subject row and make its indexed text."""
    all_names = names_of(row[_AT["name"]], row[_AT["former_names"]])
    keys = [names.search_key(name) for name in all_names]
    cells = list(row)
    doc = cells[_AT["doc"]] or doc
    cells[_AT["doc"]], cells[_AT["name_key"]] = doc, keys[0] if keys else None
    return PreparedSubject(tuple(cells), doc, keys, names.document(all_names))


def swap_in(folder: Path, path: Path, keep: int = 1) -> None:
    """Make ``path`` the current answers file of ``folder`` in one step, and remove files no reader needs.

    Args:
        folder: the answers folder; ``path`` lies in it.
        keep: how many earlier files stay for readers that are in the middle of a page.
    """
    pointer = folder / f".{CURRENT}-{os.getpid()}"
    with pointer.open("w", encoding="utf-8") as file:
        file.write(path.name)
        file.flush()
        os.fsync(file.fileno())
    pointer.replace(folder / CURRENT)
    others = sorted(
        (other for other in folder.glob("answers-*.sqlite3") if other != path), key=lambda o: o.stat().st_mtime
    )
    for old in others[: len(others) - keep]:
        for name in (old.name, f"{old.name}-wal", f"{old.name}-shm"):
            (folder / name).unlink(missing_ok=True)


def names_of(name: str | None, former_names: str | None) -> list[str]:
    """The names of a subject row, current first; ``former_names`` is a JSON array of strings."""
    former = parse_json(former_names) or []
    return [one for one in [name, *former] if one]


def parse_json(text: str | None) -> Any:
    """JSON text as a value; None for NULL."""
    return orjson.loads(text) if text else None


def catalog_batch(contents: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> pa.RecordBatch:
    """Rows of ``answer_catalog`` from kind to name to content, in the given order."""
    rows = [
        (kind, name, position, orjson.dumps(content).decode())
        for kind, of_kind in contents.items()
        for position, (name, content) in enumerate(of_kind.items())
    ]
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    types = (pa.string(), pa.string(), pa.int64(), pa.string())
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=["kind", "name", "position", "content"])
