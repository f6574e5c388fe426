"""The engine: runs of stages over one lake, and answers from it.

Stages are carried out by DuckDB in this process or by Spark, as the home's setting ``engine`` says. Committed tables
are read by DuckDB in either case: screens, ready answers and exports ask for little at a time (decision 0004).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from shutong.engine import journal, sqltext
from shutong.engine.connection import Resources, close_quietly, connect, explained, open_cursor
from shutong.engine.duck import DuckComputing
from shutong.engine.home import Home
from shutong.engine.lake import Lake, lake_of
from shutong.engine.ports import Computing
from shutong.engine.run import LakeRun
from shutong.engine.settings import Settings
from shutong.engine.spark import SparkComputing
from shutong.engine.sqltext import Parameter
from shutong.engine.tablefiles import table_sql

_SHARE_OF_READERS = 0.25

# Compaction leaves files of this size alone, and begins when this many are smaller.
SMALL_FILE = 64_000_000
FOLD_FILES = 8

# Prefix of the temporary folders of readers.
_READERS = "read"


class Engine:
    """Runs stages and answers queries over one lake.

    Args:
        settings: memory limit, threads, temp folder.
        temp: folder for temporary files when the settings name none; default: ``tmp`` beside the lake.
        keep_steps: debug switch: every step's rows are kept as Parquet under this folder.
        computing: who carries out stages; DuckDB where nothing is given.
    """

    def __init__(
        self,
        settings: Settings,
        lake: Lake,
        temp: Path | None = None,
        keep_steps: Path | None = None,
        computing: Computing | None = None,
    ) -> None:
        self.settings = settings
        self.lake = lake
        self.temp = settings.temp_folder or temp or lake.root.parent / "tmp"
        self.keep_steps = keep_steps
        self.computing = computing or DuckComputing()
        self._share = _SHARE_OF_READERS
        self._reader: duckdb.DuckDBPyConnection | None = None
        self._spill: journal.LockedFolder | None = None
        self._lock = threading.Lock()

    def recover(self) -> list[str]:
        """Remove what killed runs left, fold the manifest, bring the logs in line; returns the attempts cleaned up."""
        cleaned = journal.clean_dead(self.lake.root, self.lake.storage, self.temp, self.lake.named_paths)
        journal.clean_locked(self.temp, _READERS)
        self.computing.recover()
        self.lake.fold_manifest()
        self.lake.reconcile_quietly()
        return cleaned

    def _resources(self, share: float, temp: Path) -> Resources:
        memory = int(self.settings.memory_bytes * share)
        return Resources(memory, self.settings.threads, temp, self.lake.storage)

    @contextlib.contextmanager
    def run(self, run_id: str, kind: str = "run", business_day: dt.date | None = None) -> Iterator[LakeRun]:
        """A run: execute stages in the block and ``commit``; leaving without a commit leaves nothing behind.

        What a killed run left is removed first. A run id that was committed before is computed again, and its
        commit is a no-op.
        """
        self.recover()
        resources = self._resources(self.computing.share_of_run, self.temp)
        run = LakeRun(self.lake, self.computing, resources, run_id, kind, business_day, self.keep_steps)
        try:
            yield run
        finally:
            run.close()

    def query(
        self,
        sql: str,
        views: Mapping[str, str] | None = None,
        params: Mapping[str, Parameter] | None = None,
        at: int | None = None,
    ) -> pa.Table:
        """Answer a query over committed tables.

        Args:
            sql: SELECT over the names in ``views``; ``:name`` stands for a parameter.
            views: name in the query to table of the lake.
            at: read the tables as of this run's number.

        Raises:
            StageError: the query fails; LakeError: a table does not exist.
        """
        with self._cursor(views, at) as cursor, explained("查询", "query"):
            return cursor.execute(sqltext.bind(sql, params)).to_arrow_table()

    def stream(
        self,
        sql: str,
        views: Mapping[str, str] | None = None,
        params: Mapping[str, Parameter] | None = None,
        at: int | None = None,
        batch_rows: int = 65_536,
    ) -> pa.RecordBatchReader:
        """Answer a query batch by batch without holding it in memory.

        Close the reader, or read it to its end, to free what it holds. A failure half-way raises StageError.
        """
        stack = contextlib.ExitStack()
        with stack, explained("查询", "query"):
            cursor = stack.enter_context(self._cursor(views, at))
            reader = cursor.execute(sqltext.bind(sql, params)).to_arrow_reader(batch_rows)
            held = stack.pop_all()

        def batches() -> Iterator[pa.RecordBatch]:
            with held, explained("查询", "query"):
                yield from reader

        return pa.RecordBatchReader.from_batches(reader.schema, batches())

    def compact(self, table: str, run_id: str = "fold") -> int | None:
        """Fold a table's patches and its many small files into few large ones; its rows stay what they are.

        Args:
            run_id: beginning of the run's id; the table and the moment are added, so one id serves for many tables.

        Returns the run's number, or None when there is nothing to fold.

        Raises:
            ConflictError: another run changed the table meanwhile; try again.
        """
        files = self.lake.table(table)
        patched = files.key is not None
        same = all(segment.schema.equals(files.schema) for segment in files.segments)
        small = [file for file in files.files if file.bytes < SMALL_FILE]
        if not patched and same and len(small) < FOLD_FILES:
            return None
        unique = hashlib.sha256(f"{table}:{self.lake.last}".encode()).hexdigest()[:12]
        with self.run(f"{run_id[:50]}-{unique}", "compact") as run:
            run.compact(
                table, [] if patched or not same else [file for file in files.files if file.bytes >= SMALL_FILE]
            )
            return run.commit()

    @contextlib.contextmanager
    def _cursor(self, views: Mapping[str, str] | None, at: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            if self._reader is None:
                # Two processes must not spill into one folder: DuckDB's temporary files have fixed names.
                self._spill = journal.LockedFolder(self.temp, _READERS)
                self._reader = connect(self._resources(self._share, self._spill.path / "spill"))
            cursor = open_cursor(self._reader)
        try:
            for view, table in (views or {}).items():
                query = table_sql(self.lake.table(table, at))
                with explained(f"表 {table}", f"table {table}"):
                    # Temporary views belong to this cursor alone.
                    cursor.execute(f"CREATE TEMP VIEW {sqltext.name(view)} AS {query}")
            yield cursor
        finally:
            cursor.close()

    @contextlib.contextmanager
    def undivided(self) -> Iterator[None]:
        """In the block the queries of this engine may take the memory of a run: for its owner, between runs."""
        self._close_reader()
        self._share = self.computing.share_of_run
        try:
            yield
        finally:
            self._close_reader()
            self._share = _SHARE_OF_READERS

    def close(self) -> None:
        """Close the readers' database and what carries out stages."""
        self.computing.close()
        self._close_reader()

    def _close_reader(self) -> None:
        with self._lock:
            if self._reader is not None:
                close_quietly(self._reader)
                self._reader = None
            if self._spill is not None:
                self._spill.close()
                self._spill = None


def engine_of(home: Home, keep_steps: Path | None = None) -> Engine:
    """The engine of a home, as its setting ``engine`` says. A server calls ``recover`` once when it starts.

    Raises:
        SettingsError: the setting asks for Spark and its packages or Java are not installed; said when a stage is run.
    """
    computing = SparkComputing(home.settings, home.tmp) if home.settings.engine == "spark" else DuckComputing()
    return Engine(home.settings, lake_of(home), home.tmp, keep_steps, computing)
