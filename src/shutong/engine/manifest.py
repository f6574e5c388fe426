"""The run manifest: one append makes a run visible over all its tables (decision 0001).

It is a Delta table in the lake's folder ``manifest``; a row says what one run did to one table. Nothing outside
this module reads or writes it.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import functools
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from shutong.engine.errors import ConflictError, LakeError, SpaceError
from shutong.engine.storage import Storage, Stored

Mode = Literal["append", "replace", "patch"]

_FILES: Final[pa.DataType] = pa.list_(pa.struct([("path", pa.string()), ("rows", pa.int64()), ("bytes", pa.int64())]))

_COLUMNS: Final[list[pa.Field[Any]]] = [
    pa.field("run_id", pa.string()),
    pa.field("seq", pa.int64()),
    pa.field("part", pa.int32()),
    pa.field("kind", pa.string()),
    pa.field("read_seq", pa.int64()),
    pa.field("table", pa.string()),
    pa.field("mode", pa.string()),
    pa.field("files", _FILES),
    pa.field("key", pa.string()),
    pa.field("key_files", _FILES),
    pa.field("schema", pa.string()),
    pa.field("stage", pa.string()),
    pa.field("business_day", pa.date32()),
    pa.field("committed_at", pa.timestamp("us", "UTC")),
    pa.field("txn", pa.string()),
]

SCHEMA: Final = pa.schema(_COLUMNS)

# Every commit carries the next number under this name, so of two commits at once delta-rs refuses one.
_TRANSACTION: Final = "shutong-manifest"

FOLDER: Final = "manifest"
_LOG_FOLDER: Final = f"{FOLDER}/_delta_log"

# From this many small manifest files on, opening the lake folds them into one.
FOLD_FROM: Final = 100
_GRACE: Final = dt.timedelta(hours=1)
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DataFile:
    """An immutable Parquet file of the lake: path relative to the lake's folder, rows, bytes."""

    path: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Change:
    """What one run does to one table.

    Args:
        mode: ``append`` adds ``files``; ``replace`` makes them the whole table; ``patch`` makes them stand for every
            row whose ``key`` is in ``key_files`` (Parquet files with one column ``key``).
        schema: serialised Arrow schema of the files (``encode_schema``).
        stage: identity of the stage that wrote it, or empty.
    """

    table: str
    mode: Mode
    files: tuple[DataFile, ...]
    schema: str
    key: str | None = None
    key_files: tuple[DataFile, ...] = ()
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the manifest: a change with its run, the run's number ``seq`` and the moment of its commit.

    ``read_seq`` is the number of the last run whose tables this run read.
    """

    run_id: str
    seq: int
    part: int
    kind: str
    read_seq: int
    change: Change
    business_day: dt.date | None
    committed_at: dt.datetime


@functools.lru_cache(maxsize=4096)
def encode_schema(schema: pa.Schema) -> str:
    """An Arrow schema as base64 text of its IPC form, without metadata."""
    return base64.b64encode(schema.remove_metadata().serialize().to_pybytes()).decode()


@functools.lru_cache(maxsize=4096)
def decode_schema(text: str) -> pa.Schema:
    """The Arrow schema of ``encode_schema``."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))


def _files(rows: Sequence[dict[str, Any]] | None) -> tuple[DataFile, ...]:
    return tuple(DataFile(row["path"], row["rows"], row["bytes"]) for row in rows or ())


def _entry(row: dict[str, Any]) -> Entry:
    change = Change(
        table=row["table"],
        mode=row["mode"],
        files=_files(row["files"]),
        schema=row["schema"],
        key=row["key"],
        key_files=_files(row["key_files"]),
        stage=row["stage"] or "",
    )
    return Entry(
        run_id=row["run_id"],
        seq=row["seq"],
        part=row["part"],
        kind=row["kind"],
        read_seq=row["read_seq"],
        change=change,
        business_day=row["business_day"],
        committed_at=row["committed_at"],
    )


def _row(entry: Entry) -> dict[str, Any]:
    change = entry.change

    def files(each: tuple[DataFile, ...]) -> list[dict[str, Any]]:
        return [{"path": file.path, "rows": file.rows, "bytes": file.bytes} for file in each]

    return {
        "run_id": entry.run_id,
        "seq": entry.seq,
        "part": entry.part,
        "kind": entry.kind,
        "read_seq": entry.read_seq,
        "table": change.table,
        "mode": change.mode,
        "files": files(change.files),
        "key": change.key,
        "key_files": files(change.key_files),
        "schema": change.schema,
        "stage": change.stage,
        "business_day": entry.business_day,
        "committed_at": entry.committed_at,
        "txn": f"{_TRANSACTION}:{entry.seq}",
    }


class Manifest:
    """The manifest of one lake, cached in memory and read again only when a newer version exists.

    Raises LakeError from every method when the manifest on disk is damaged.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._table: DeltaTable | None = None
        self._by_file: dict[str, tuple[Entry, ...]] = {}
        self._entries: tuple[Entry, ...] = ()

    def entries(self) -> tuple[Entry, ...]:
        """Every committed entry in order of commit."""
        with self._lock:
            if self._is_stale():
                self._read()
            return self._entries

    @property
    def last(self) -> int:
        """The number of the last committed run; 0 in an empty lake."""
        entries = self.entries()
        return entries[-1].seq if entries else 0

    def append(self, entries: Sequence[Entry]) -> None:
        """Commit the entries of one run (they share one ``seq``): this is the moment the run becomes visible.

        Raises:
            ConflictError: another run took the number first; nothing was written.
        """
        with self._lock:
            self._refuse_fork()
            self._append(entries)

    def _append(self, entries: Sequence[Entry]) -> None:
        seq = entries[0].seq
        path = f"{FOLDER}/{seq:08}-{secrets.token_hex(4)}.parquet"
        try:
            self._refuse_taken(seq)
            added = self._write(entries, path)
            # The table stands at the version the run numbered itself after: a later commit is a conflict for delta-rs.
            self._commit([added], Transaction(_TRANSACTION, seq))
        except CommitFailedError as error:
            self._table = None
            self._storage.remove([path])
            raise _conflict(seq) from error
        except (DeltaError, OSError) as error:
            self._storage.remove([path])
            if _is_full(error):
                raise SpaceError(
                    "磁盘已满，运行没有提交。请腾出空间后重新运行",
                    "the disk is full: the run was not committed. Make room and run again",
                    path=self._place,
                ) from error
            raise self._damaged(error) from error
        self._read()
        self._storage.sync([self._log_file(self._version())])

    def _refuse_taken(self, seq: int) -> None:
        """Raises ConflictError where another run took the number since it was chosen.

        delta-rs compares a commit with what came after the version it has open. Where the table was opened, or read
        by another thread, after the number was chosen, the other run is part of that version and no conflict for it.
        """
        if self._table is None:
            self._made()
            self._read()
        if self._entries and self._entries[-1].seq >= seq:
            raise _conflict(seq)

    def _write(self, entries: Sequence[Entry], path: str) -> AddAction:
        table = pa.Table.from_pylist([_row(entry) for entry in entries], schema=SCHEMA)
        written = pa.BufferOutputStream()
        pq.write_table(table, written, compression="zstd")
        data = written.getvalue().to_pybytes()
        self._storage.write(path, data)
        self._storage.sync([path])
        now = int(time.time() * 1000)
        return AddAction(_name(path), len(data), {}, now, True, json.dumps({"numRecords": len(entries)}))

    def _made(self) -> DeltaTable:
        """The Delta table, made when this is the lake's first run."""
        if self._table is None:
            schema = Schema.from_arrow(SCHEMA)
            self._table = DeltaTable.create(
                self._place, schema=schema, mode="ignore", name="manifest", storage_options=self._options
            )
        return self._table

    def _commit(self, actions: list[AddAction | RemoveAction], transaction: Transaction | None) -> None:
        properties = CommitProperties(app_transactions=[transaction] if transaction else None)
        self._made().create_write_transaction(
            actions, "append", Schema.from_arrow(SCHEMA), commit_properties=properties
        )

    def fold(self) -> None:
        """Merge the manifest's small files into one when there are many (the rows stay what they are)."""
        with self._lock:
            entries = self.entries()
            if self._table is None or len(self._by_file) < FOLD_FROM:
                return
            old = list(self._by_file)
            path = f"{FOLDER}/{entries[-1].seq:08}-{secrets.token_hex(4)}.parquet"
            now = int(time.time() * 1000)
            try:
                added = self._write(entries, path)
                removed = [RemoveAction(name, False, now, None, {}) for name in old]
                self._commit([dataclasses.replace(added, data_change=False), *removed], None)
                self._read()
            except (DeltaError, OSError) as error:
                # Folding is a convenience; as long as it fails, the small files are read.
                self._table = None
                _LOG.warning("the manifest could not be folded: %s", error)
                return
            self._remove_folded()

    def _remove_folded(self) -> None:
        """Remove files that no version lists and that no other process can still be about to read."""
        before = dt.datetime.now(dt.UTC) - _GRACE
        old = [stored.path for stored in self._rows() if stored.changed < before]
        self._storage.remove(path for path in old if _name(path) not in self._by_file)

    def _rows(self) -> Iterator[Stored]:
        """The manifest's Parquet files, listed by its log or not."""
        for stored in self._storage.listed(FOLDER):
            if stored.path.endswith(".parquet") and stored.path.count("/") == 1:
                yield stored

    @property
    def _place(self) -> str:
        return self._storage.address(FOLDER)

    @property
    def _options(self) -> dict[str, str] | None:
        options = self._storage.options
        return None if options is None else dict(options)

    def _version(self) -> int:
        return int(self._table.version()) if self._table is not None else -1

    def _log_file(self, version: int) -> str:
        return f"{_LOG_FOLDER}/{version:020}.json"

    def _is_stale(self) -> bool:
        # One look-up instead of a listing: the log's versions have no gaps.
        return self._table is None or self._storage.exists(self._log_file(self._version() + 1))

    def _refuse_fork(self) -> None:
        if os.getpid() != self._process:
            raise LakeError(
                "湖在分叉进程之前已打开；请在子进程中重新打开（gunicorn 不要用 --preload）",
                "the lake was opened before this process was forked: open it in the child (gunicorn without --preload)",
                path=self._place,
            )

    def _open(self) -> DeltaTable | None:
        self._refuse_fork()
        if self._table is None and not self._has_log():
            # The log is made before the first file, so files without a log are a loss and not a beginning.
            if next(self._rows(), None) is not None:
                raise self._damaged(FileNotFoundError(self._storage.address(_LOG_FOLDER)))
            return None
        try:
            if self._table is None:
                self._table = DeltaTable(self._place, storage_options=self._options)
            else:
                self._table.update_incremental()
        except (DeltaError, OSError, ValueError) as error:
            self._table = None
            raise self._damaged(error) from error
        return self._table

    def _has_log(self) -> bool:
        return any(stored.path.endswith(".json") for stored in self._storage.listed(_LOG_FOLDER))

    def _read(self) -> None:
        table = self._open()
        if table is None:
            self._entries, self._by_file = (), {}
            return
        try:
            by_file = {}
            # The address is escaped where the home's path has other letters than English ones; the name never is.
            for name in map(_name, table.file_uris()):
                known = self._by_file.get(name)
                by_file[name] = known if known is not None else self._read_entries(name)
        except (OSError, pa.ArrowException, DeltaError, KeyError, TypeError) as error:
            self._table = None
            raise self._damaged(error) from error
        self._by_file = by_file
        entries = [entry for each in by_file.values() for entry in each]
        self._entries = tuple(sorted(entries, key=lambda entry: (entry.seq, entry.part)))

    def _read_entries(self, name: str) -> tuple[Entry, ...]:
        # Read by this thread alone: another of Arrow's that lets go of Python's bytes as the process ends aborts it.
        file = pq.ParquetFile(pa.BufferReader(self._storage.read(f"{FOLDER}/{name}")))
        table = file.read(columns=SCHEMA.names, use_threads=False)
        return tuple(_entry(row) for row in table.to_pylist())

    def _damaged(self, error: Exception) -> LakeError:
        return LakeError(
            f"湖的清单 {self._place} 已损坏（{error}）。请从备份恢复该文件夹；数据文件未被改动",
            f"the lake's manifest {self._place} is damaged ({error}). Restore this folder from a backup; "
            "no data file was touched",
            path=self._place,
        )


def _conflict(seq: int) -> ConflictError:
    return ConflictError(
        "同时有另一次运行提交，请重新运行", "another run committed at the same moment: run again", seq=seq
    )


def _name(path: str) -> str:
    """The last part of a path or address."""
    return path.rpartition("/")[2]


def _is_full(error: Exception) -> bool:
    text = str(error).lower()
    return any(each in text for each in ("no space left", "file too large", "disk quota", "os error 28", "os error 27"))


def numbered(
    changes: Sequence[Change], *, run_id: str, seq: int, kind: str, read_seq: int, day: dt.date | None
) -> list[Entry]:
    """The entries of a run about to be committed now."""
    now = dt.datetime.now(dt.UTC)
    return [Entry(run_id, seq, part, kind, read_seq, change, day, now) for part, change in enumerate(changes)]
