"""Making the ready answers: a whole new file from the lake, or the changed subjects in the current one."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from shutong.engine.engine import Engine
from shutong.rules.models import Listing
from shutong.spec.catalog import Catalog

from . import schema
from .ahead import reading_ahead
from .extract import Extract, extracts
from .features import feature_queries, feature_sql
from .snapshot import snapshot
from .statistics import FILE_STATISTICS, lake_statistics
from .write import LOAD_ORDER, swap_in, write_file

_AHEAD_SHARE = 16
"""Of the memory, what waits to be written may take."""


@dataclass(frozen=True)
class BuildReport:
    """What a build wrote: rows per table, seconds, and the longest transaction of an increment."""

    rows: Mapping[str, int]
    seconds: float
    longest_transaction: float = 0.0
    path: Path = field(default_factory=Path)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """One writer of the answers at a time, over all processes; readers never wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "writing.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build_full(engine: Engine, folder: Path, catalog: Catalog, business_day: dt.date, run_id: str = "") -> BuildReport:
    """Write a new answers file from the lake and swap it in by name.

    Readers go on with the old file until their next request. A build that is killed leaves only a file that nobody
    names; the next build removes it.

    Args:
        engine: reads the committed tables.
        folder: the answers folder of the home.
        catalog: the declarations of the run; titles and masks come from it.
        business_day: the day that countdowns are relative to.
        run_id: the run whose tables these are.
    """
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"answers-{secrets.token_hex(6)}.sqlite3"
    present = set(engine.lake.tables())
    try:
        own: dict[str, Sequence[Iterable[pa.RecordBatch]]] = {
            schema.META.name: [[_meta(business_day, run_id)]],
            schema.CATALOG.name: [list(snapshot(catalog, business_day))],
            schema.LISTING.name: [list(listing_batches(catalog))],
        }
        streams = own | _streams(engine, catalog, present)
        ordered = {one.name: streams[one.name] for one in LOAD_ORDER if one.name in streams}
        ahead = engine.settings.memory_bytes // _AHEAD_SHARE
        with writing(folder), reading_ahead(ordered, ahead) as tables:
            counts = write_file(path, tables)
            _finish(path, engine, catalog, present, business_day)
            swap_in(folder, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return BuildReport(counts, time.perf_counter() - started, path=path)


def _streams(engine: Engine, catalog: Catalog, present: set[str]) -> dict[str, list[Iterable[pa.RecordBatch]]]:
    """Per table the streams that fill it; each is opened only when it is read."""

    def opened(query: str, views: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        with engine.stream(query, views, batch_rows=20_000) as reader:
            yield from reader

    streams: dict[str, list[Iterable[pa.RecordBatch]]] = {}
    for one in extracts(catalog, present):
        for scope in _parts(engine, one):
            streams.setdefault(one.table.name, []).append(opened(one.query.replace("{scope}", scope), one.views))
    for placed in feature_queries(catalog, present):
        sql = feature_sql(placed, "_subject IS NOT NULL")
        streams.setdefault(schema.FEATURE.name, []).append(opened(sql, placed.views))
    return streams


def _parts(engine: Engine, one: Extract) -> Iterator[str]:
    """The scopes that together are everybody: one, or as many as keep what is gathered at a time bounded."""
    rows = engine.lake.table(one.gathers).stored_rows if one.gathers else 0
    count = -(-rows // PART_ROWS)
    if count < 2:
        yield EVERYBODY
        return
    yield from (f"subject_id IS NOT NULL AND hash(subject_id) % {count} = {part}" for part in range(count))


def meta_values(business_day: dt.date, run_id: str) -> dict[str, str]:
    """What ``answer_meta`` says of a build."""
    return {
        "business_day": str(business_day),
        "built_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "run_id": run_id,
    }


def _meta(business_day: dt.date, run_id: str) -> pa.RecordBatch:
    values = meta_values(business_day, run_id)
    return pa.RecordBatch.from_pydict({"name": list(values), "value": list(values.values())})


EVERYBODY = "subject_id IS NOT NULL"
"""The scope of a full build."""

PART_ROWS = 4_000_000
"""Rows that a query may gather at a time; a build at 8.4 M values stayed below 2 GB."""

_LISTING_FIELDS = (
    "subject_id", "list", "ground", "since", "found_on", "enter_due_on", "entered_on", "ends_on", "ground_gone_on",
    "release_due_on", "state", "entry_reason", "record_ids", "rule_version",
)  # fmt: skip


def listing_batches(catalog: Catalog, subject_ids: Iterable[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Listings in force of public lists, from the state database; of some subjects where they are named."""
    public = [name for name, one in catalog.lists.items() if one.public]
    found = Listing.objects.filter(state=Listing.State.LISTED, list__in=public).order_by("pk")
    if subject_ids is not None:
        found = found.filter(subject_id__in=list(subject_ids))
    rows = [
        {"listing_id": row["candidate_id"], **{name: _text(row[name]) for name in _LISTING_FIELDS}}
        for row in found.values("candidate_id", *_LISTING_FIELDS).iterator(chunk_size=5000)
    ]
    if rows:
        types = pa.schema([(name, pa.string()) for name in schema.LISTING.names])
        yield from pa.Table.from_pylist(rows, schema=types).to_batches(20_000)


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return "[" + ",".join(f'"{one}"' for one in value) + "]"
    return None if value is None else str(value)


def _finish(path: Path, engine: Engine, catalog: Catalog, present: set[str], day: dt.date) -> None:
    """Count listings into the subjects and write the statistics."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        count_listings(connection)
        replace_statistics(connection, lake_rows(engine, catalog, present, day))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def count_listings(connection: sqlite3.Connection, subject_ids: Iterable[str] | None = None) -> None:
    """Set ``answer_subject.listings`` (negative lists and positive ones alike)."""
    sql = (
        "UPDATE answer_subject SET listings = (SELECT count(*) FROM answer_listing l "
        "WHERE l.subject_id = answer_subject.subject_id)"
    )
    if subject_ids is None:
        connection.execute(f"{sql} WHERE subject_id IN (SELECT subject_id FROM answer_listing)")
    else:
        connection.executemany(f"{sql} WHERE subject_id = ?", [(one,) for one in subject_ids])


def lake_rows(engine: Engine, catalog: Catalog, present: set[str], day: dt.date) -> list[tuple[Any, ...]]:
    """Statistics computed from the lake as rows of ``answer_stat``."""
    rows = []
    for one in lake_statistics(catalog, present):
        found = engine.query(one.query, one.views, {"day": day} if ":day" in one.query else None)
        for position, row in enumerate(found.to_pylist()):
            rows.append((one.name, row["dimension"], row["series"], row["value"], position))
    return rows


def replace_statistics(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Write these rows and the statistics counted in the answers themselves."""
    connection.execute("DELETE FROM answer_stat")
    connection.executemany(schema.STAT.insert_sql(), rows)
    for name, query in FILE_STATISTICS.items():
        counted = connection.execute(query).fetchall()
        connection.executemany(
            schema.STAT.insert_sql(),
            [(name, dimension, series, value, position) for position, (dimension, series, value) in enumerate(counted)],
        )
