"""Taking a day's changes into the current answers file, some subjects at a time, while readers go on.

Each transaction is short (the target is 100 ms), so a listing that somebody decides meanwhile never waits long.
A subject's rows are replaced as a whole and within one transaction: no reader sees half of a subject.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from shutong.engine.engine import Engine
from shutong.spec.catalog import Catalog
from shutong.subjects.scopes import SUBJECTS_OF_RUN

from . import names, schema
from .build import (
    BuildReport,
    build_full,
    count_listings,
    lake_rows,
    listing_batches,
    meta_values,
    replace_statistics,
    writing,
)
from .extract import extracts
from .features import apply_features, feature_changes, standing_before
from .snapshot import snapshot
from .store import AnswersMissing, current_file
from .write import INSERT_NAME, Cells, cells_of, names_of, prepare_subject, swap_in

_TARGET_SECONDS = 0.1
_FULL_SHARE = 0.3
"""From this share of changed subjects on, a new file is quicker than changing the old one."""

_WAL_PAGES = 65_536
"""Half a gigabyte may stand beside the file until then."""

_OF_SUBJECT = tuple(table for table in schema.TABLES if table.subject and table is not schema.LISTING)


def renew(
    engine: Engine, folder: Path, catalog: Catalog, business_day: dt.date, run_id: str, *, full: bool
) -> BuildReport:
    """Bring the ready answers in line with a committed run: a new file after a full run, else the changed subjects.

    Args:
        full: whether the run computed everything; an increment's subjects are read from the lake.
    """
    path = current_file(folder)
    if full or path is None or not _same_format(path):
        return build_full(engine, folder, catalog, business_day, run_id)
    changed: list[str] = []
    if SUBJECTS_OF_RUN in engine.lake.tables():
        found = engine.query("SELECT DISTINCT subject_id FROM scope ORDER BY 1", {"scope": SUBJECTS_OF_RUN})
        changed = [str(one) for one in found.column("subject_id").to_pylist()]
    return apply_changes(engine, folder, catalog, changed, business_day, run_id)


def _same_format(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT value FROM answer_meta WHERE name = 'format'").fetchone()
    return bool(found == (str(schema.FORMAT),))


def apply_changes(
    engine: Engine, folder: Path, catalog: Catalog, subject_ids: Sequence[str], business_day: dt.date, run_id: str = ""
) -> BuildReport:  # fmt: skip
    """Replace the answers of these subjects, and what is told of the whole (listings, batches, statistics).

    Raises:
        AnswersMissing: nothing was built yet.
    """
    started = time.perf_counter()
    path = current_file(folder)
    if path is None:
        raise AnswersMissing(folder, "nothing was built / 尚未生成")
    wanted = sorted({one for one in subject_ids if one.startswith("o")})
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        total = connection.execute("SELECT count(*) FROM answer_subject").fetchone()[0]
        if len(wanted) > _FULL_SHARE * max(total, 1000):
            return build_full(engine, folder, catalog, business_day, run_id)
        connection.execute("PRAGMA synchronous=NORMAL")
        # Written back to the file once, at the end, and not after every few subjects.
        connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
        connection.execute("PRAGMA cache_size=-131072")
        present = set(engine.lake.tables())
        writer = _Writer(connection)
        with writing(folder):
            if wanted:
                _apply_subjects(writer, _rows_of(engine, catalog, present, wanted), wanted)
            statistics = lake_rows(engine, catalog, present, business_day)
            whole = _whole_tables(engine, catalog, present, business_day)
            standing = standing_before(connection, subject_ids)
            for one in feature_changes(engine, catalog, present, subject_ids, standing):
                writer.transaction(lambda one=one: apply_features(connection, one))  # type: ignore[misc]
            writer.transaction(lambda: _apply_listings(connection, catalog))
            writer.transaction(lambda: _apply_whole(connection, whole))
            writer.transaction(lambda: replace_statistics(connection, statistics))
            values = meta_values(business_day, run_id)
            writer.transaction(
                lambda: connection.executemany(
                    "INSERT OR REPLACE INTO answer_meta (name, value) VALUES (?, ?)", values.items()
                )
            )
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            swap_in(folder, path)
    return BuildReport({"answer_subject": len(wanted)}, time.perf_counter() - started, writer.longest, path)


def apply_listings(folder: Path, catalog: Catalog) -> None:
    """Show decided listings at once, without a run; nothing happens where no answers were built yet."""
    path = current_file(folder)
    if path is None:
        return
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection, writing(folder):
        _Writer(connection).transaction(lambda: _apply_listings(connection, catalog))
        swap_in(folder, path)


class _Writer:
    """Runs changes in transactions and keeps the longest one's seconds."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.longest = 0.0

    def transaction(self, change: Callable[[], Any]) -> float:
        """Do ``change`` in one transaction; returns its seconds."""
        started = time.perf_counter()
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            change()
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        seconds = time.perf_counter() - started
        self.longest = max(self.longest, seconds)
        return seconds


def _rows_of(
    engine: Engine, catalog: Catalog, present: set[str], wanted: list[str]
) -> dict[str, dict[str, list[Cells]]]:
    """New rows by table and subject. A merged subject's redirect belongs to the one that survived it."""
    scope = "subject_id IN (" + ", ".join(f"'{one}'" for one in wanted if one.isalnum()) + ")"
    found: dict[str, dict[str, list[Cells]]] = {table.name: {} for table in (schema.SUBJECT, *_OF_SUBJECT)}
    for one in extracts(catalog, present):
        if one.table.name not in found:
            continue
        owner = one.table.names.index("subject_id")
        redirect = one.table.names.index("redirect_to") if one.table is schema.SUBJECT else None
        rows = engine.query(one.query.replace("{scope}", scope), one.views)
        for row in cells_of(one.table, rows.to_batches(20_000)):
            subject = row[redirect] if redirect is not None and row[redirect] else row[owner]
            found[one.table.name].setdefault(subject, []).append(row)
    return found


def _apply_subjects(writer: _Writer, rows: dict[str, dict[str, list[Cells]]], wanted: list[str]) -> None:
    size, start = 20, 0
    while start < len(wanted):
        part = wanted[start : start + size]
        seconds = writer.transaction(lambda part=part: _replace(writer.connection, rows, part))  # type: ignore[misc]
        start += len(part)
        size = max(1, min(1000, int(size * min(2.0, _TARGET_SECONDS / max(seconds, 1e-4)))))


def _replace(connection: sqlite3.Connection, rows: dict[str, dict[str, list[Cells]]], part: list[str]) -> None:
    """Replace everything of these subjects but their listings."""
    marks = ", ".join("?" * len(part))
    for table in _OF_SUBJECT:
        connection.execute(f"DELETE FROM {table.name} WHERE subject_id IN ({marks})", part)
        connection.executemany(
            table.insert_sql(), [row for subject in part for row in rows[table.name].get(subject, ())]
        )
    old = _remove_names(connection, part)
    new = [row for subject in part for row in rows[schema.SUBJECT.name].get(subject, ())]
    _insert_names(connection, new, old)
    count_listings(connection, part)


def _remove_names(connection: sqlite3.Connection, part: list[str]) -> dict[str, int]:
    """Take subjects (and those that redirect to them) out of the index; returns the document number each had.

    A contentless index forgets a document only when it is told exactly what it holds, so the text is made again from
    the stored names.
    """
    marks = ", ".join("?" * len(part))
    held = "SELECT subject_id, doc, name, former_names FROM answer_subject WHERE"
    rows = connection.execute(
        f"{held} subject_id IN ({marks}) UNION {held} redirect_to IN ({marks})", [*part, *part]
    ).fetchall()
    gone: Counter[str] = Counter()
    for _subject, doc, name, former in rows:
        shown = names_of(name, former)
        connection.execute(
            "INSERT INTO answer_name (answer_name, rowid, names) VALUES ('delete', ?, ?)", (doc, names.document(shown))
        )
        gone.update({pair for one in shown for pair in names.bigrams(names.search_key(one))})
    connection.executemany("DELETE FROM answer_subject WHERE doc = ?", [(row[1],) for row in rows])
    connection.executemany(
        "UPDATE answer_bigram SET docs = docs - ? WHERE bigram = ?", [(n, p) for p, n in gone.items()]
    )
    return {subject: doc for subject, doc, _name, _former in rows}


def _insert_names(connection: sqlite3.Connection, rows: list[Cells], old: dict[str, int]) -> None:
    """Put subjects into the index, at the place they had; new ones come last until the next full build ranks them."""
    last = connection.execute("SELECT coalesce(max(doc), 0) FROM answer_subject").fetchone()[0]
    last = max([last, *old.values()])
    at = schema.SUBJECT.names.index("subject_id")
    come: Counter[str] = Counter()
    for row in rows:
        doc = old.get(row[at])
        if doc is None:
            doc = last = last + 1
        one = prepare_subject(row, doc)
        connection.execute(schema.SUBJECT.insert_sql(), one.row)
        connection.execute(INSERT_NAME, (one.doc, one.document))
        connection.executemany(schema.IDENTIFIER.insert_sql(), one.name_identifiers())
        come.update({pair for key in one.keys for pair in names.bigrams(key)})
    connection.executemany(
        "INSERT INTO answer_bigram (bigram, docs) VALUES (?, ?) ON CONFLICT (bigram) DO UPDATE SET docs = docs + excluded.docs",
        list(come.items()),
    )


def _apply_listings(connection: sqlite3.Connection, catalog: Catalog) -> None:
    """Bring listings in line with the state database: only those that differ are written."""
    new = {row[0]: row for row in cells_of(schema.LISTING, listing_batches(catalog))}
    columns = ", ".join(schema.LISTING.names)
    old = {row[0]: row for row in connection.execute(f"SELECT {columns} FROM answer_listing")}
    differing = [key for key in new.keys() | old.keys() if new.get(key) != old.get(key)]
    connection.executemany("DELETE FROM answer_listing WHERE listing_id = ?", [(key,) for key in differing])
    connection.executemany(schema.LISTING.insert_sql(), [new[key] for key in differing if key in new])
    subject = schema.LISTING.names.index("subject_id")
    count_listings(connection, {(new.get(key) or old[key])[subject] for key in differing})


def _whole_tables(
    engine: Engine, catalog: Catalog, present: set[str], day: dt.date
) -> dict[str, Iterable[pa.RecordBatch]]:
    """Tables that are small and not of one subject: written anew each time."""
    tables: dict[str, Iterable[pa.RecordBatch]] = {schema.CATALOG.name: snapshot(catalog, day)}
    for one in extracts(catalog, present):
        if one.table in (schema.BATCH, schema.OBSERVATION, schema.EVENT):
            tables[one.table.name] = engine.query(one.query, one.views).to_batches(20_000)
    return tables


def _apply_whole(connection: sqlite3.Connection, tables: dict[str, Iterable[pa.RecordBatch]]) -> None:
    for name, batches in tables.items():
        table = schema.BY_NAME[name]
        columns = ", ".join(table.names)
        new = list(cells_of(table, batches))
        old = set(connection.execute(f"SELECT {columns} FROM {name}"))
        if len(new) != len(old) or set(new) != old:
            added = [row for row in new if row not in old]
            if table.key and len(old) + len(added) == len(new):
                connection.executemany(table.insert_sql(), added)
            else:
                connection.execute(f"DELETE FROM {name}")
                connection.executemany(table.insert_sql(), new)
