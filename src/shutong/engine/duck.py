"""The engine of one machine: DuckDB over the lake's Parquet files."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from shutong.engine import journal, sqltext
from shutong.engine.connection import Resources, connect, explained
from shutong.engine.duckrun import DuckRun
from shutong.engine.home import Home
from shutong.engine.lake import Lake
from shutong.engine.settings import Settings
from shutong.engine.sqltext import Parameter
from shutong.engine.tablefiles import table_sql

# DuckDB counts its own buffers only; Arrow batches, the Parquet writer and Python share the rest of the limit.
_SHARE_OF_RUN = 0.75
_SHARE_OF_READERS = 0.25


class DuckEngine:
    """Runs stages and answers queries over one lake.

    Args:
        settings: memory limit, threads, temp folder.
        temp: folder for temporary files when the settings name none; default: ``tmp`` beside the lake.
        keep_steps: debug switch: every step's rows are kept as Parquet under this folder.

    Opening it removes what killed runs left and brings the tables' logs in line.
    """

    def __init__(
        self, settings: Settings, lake: Lake, temp: Path | None = None, keep_steps: Path | None = None
    ) -> None:
        self.settings = settings
        self.lake = lake
        self.temp = settings.temp_folder or temp or lake.root.parent / "tmp"
        self.keep_steps = keep_steps
        self._reader: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    @classmethod
    def of_home(cls, home: Home, keep_steps: Path | None = None) -> DuckEngine:
        """The engine of a home."""
        return cls(home.settings, Lake(home.lake), home.tmp, keep_steps)

    def recover(self) -> list[str]:
        """Remove the files of killed runs and bring the logs in line; returns the attempts that were cleaned up."""
        cleaned = journal.clean_dead(self.lake.root, self.temp, self.lake.named_paths)
        self.lake.reconcile()
        return cleaned

    def _resources(self, share: float) -> Resources:
        return Resources(int(self.settings.memory_bytes * share), self.settings.threads, self.temp / "spill")

    @contextlib.contextmanager
    def run(self, run_id: str, kind: str = "run", business_day: dt.date | None = None) -> Iterator[DuckRun]:
        """A run: execute stages in the block and ``commit``; leaving without a commit leaves nothing behind.

        What a killed run left is removed first. A run id that was committed before is computed again, and its
        commit is a no-op.
        """
        self.recover()
        resources = Resources(self._resources(_SHARE_OF_RUN).memory_bytes, self.settings.threads, self.temp)
        run = DuckRun(self.lake, resources, run_id, kind, business_day, self.keep_steps)
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
    ) -> Iterator[pa.RecordBatch]:
        """Answer a query batch by batch without holding it in memory; the first batch is empty when no row comes."""
        with self._cursor(views, at) as cursor, explained("查询", "query"):
            reader = cursor.execute(sqltext.bind(sql, params)).to_arrow_reader(batch_rows)
            empty = True
            for batch in reader:
                empty = False
                yield batch
            if empty:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)

    @contextlib.contextmanager
    def _cursor(self, views: Mapping[str, str] | None, at: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            if self._reader is None:
                self._reader = connect(self._resources(_SHARE_OF_READERS))
            cursor = self._reader.cursor()
        try:
            for view, table in (views or {}).items():
                query = table_sql(self.lake.table(table, at))
                with explained(f"表 {table}", f"table {table}"):
                    # Temporary views belong to this cursor alone.
                    cursor.execute(f"CREATE TEMP VIEW {sqltext.name(view)} AS {query}")
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        """Close the readers' database."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
