"""Stages on DuckDB: its inputs as views, its steps in order, its results as Parquet files."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from shutong.engine import sqltext
from shutong.engine.connection import explained, open_cursor, parquet_schema, storable, write_parquet
from shutong.engine.ports import NewFile, Result, Task
from shutong.engine.stage import ArrowStep, Read, SqlStep
from shutong.engine.steps import apply, check_names, readable, uses_of, where
from shutong.engine.tablefiles import Scope, empty_sql, table_sql

# Rows of a batch handed to an Arrow step; also DuckDB's own row group, so a batch becomes one row group.
BATCH_ROWS: Final = 122_880

_NUMBERS: Final = itertools.count()


class DuckComputing:
    """Stages carried out by the run's own DuckDB, in this process."""

    # DuckDB counts its own buffers only; Arrow batches, the Parquet writer and Python share the rest of the limit.
    share_of_run = 0.75

    def execution(self, task: Task) -> DuckExecution:
        """See ``Computing``."""
        return DuckExecution(task, task.database())

    def recover(self) -> None:
        """Nothing is left of a killed process beside its run's folder."""

    def close(self) -> None:
        """Nothing is held between runs."""


@dataclass
class DuckExecution:
    """One stage on one connection. Views it makes are dropped by ``close``; its files lie in the task's folder."""

    task: Task
    connection: duckdb.DuckDBPyConnection
    rows_in: int = 0
    _views: list[str] = field(default_factory=list)
    _tables: list[str] = field(default_factory=list)
    _stored: dict[str, Path] = field(default_factory=dict)

    def run(self) -> None:
        """Make the inputs' views and execute every step. Raises StageError naming the stage and the step."""
        stage = self.task.stage
        check_names(stage)
        for read in stage.reads:
            with explained(*where(stage, read.view)):
                self._open_read(read)
        for step in stage.steps:
            with explained(*where(stage, step.name)):
                if isinstance(step, SqlStep):
                    self._run_sql(step)
                else:
                    self._run_arrow(step)
                if self.task.keep is not None:
                    self._keep_step(step.name, self.task.keep)

    def result(self, step: str, schema: pa.Schema | None, new_file: NewFile) -> Result:
        """Store the rows of ``step`` in one new file."""
        target = new_file()
        with explained(*where(self.task.stage, step)):
            rows = self._write_result(step, schema, target)
            columns = parquet_schema(target)
        if not rows:
            # An empty file is not kept; its columns are remembered.
            target.unlink()
        return Result(columns, ((target, rows),) if rows else ())

    def _write_result(self, step: str, schema: pa.Schema | None, target: Path) -> int:
        query = f"SELECT * FROM {sqltext.name(step)}"
        stored = self._stored.get(step)
        fitting = storable(self.connection, query, schema)
        if stored is not None and fitting == query:
            try:
                target.hardlink_to(stored)
                return pq.read_metadata(target).num_rows
            except OSError:
                # The temp folder is on another disk: write it again.
                target.unlink(missing_ok=True)
        return write_parquet(self.connection, fitting, target)

    def close(self) -> None:
        """Drop the views and remove the temporary files."""
        for view in reversed(self._views):
            # After a fatal error the database takes no statement; the run ends with it anyway.
            with contextlib.suppress(duckdb.Error):
                self.connection.execute(f"DROP VIEW IF EXISTS {sqltext.name(view)}")
        for table in self._tables:
            with contextlib.suppress(duckdb.Error):
                self.connection.execute(f"DROP TABLE IF EXISTS {table}")
        for path in self._stored.values():
            path.unlink(missing_ok=True)

    def _view(self, name: str, query: str) -> None:
        self.connection.execute(f"CREATE VIEW {sqltext.name(name)} AS {query}")
        self._views.append(name)

    def _store(self, name: str) -> Path:
        # The name of a step may hold anything; a number is safe. No stage may take the number of another: DuckDB keeps
        # what it knows of a file by its name, size and second, so a new file under an old name is read as the old one.
        path = self.task.folder / f"step-{next(_NUMBERS)}.parquet"
        self._stored[name] = path
        return path

    def _show_stored(self, name: str) -> None:
        self._view(name, f"SELECT * FROM read_parquet({sqltext.file_list([self._stored[name]])})")

    def _open_read(self, read: Read) -> None:
        table = readable(self.task.tables(read.table), read)
        self.rows_in += table.stored_rows
        if not table.segments:
            self._view(read.view, empty_sql(read.schema))
            return
        scope = None
        if self.task.scope is not None and read.scope is not None:
            scope = Scope(read.scope, f"read_parquet({sqltext.file_list([self.task.scope])})")
        query = table_sql(table, read.schema, scope)
        if scope is None or uses_of(self.task.stage, read.view) < 2:
            self._view(read.view, query)
        else:
            # The few rows of the changed keys are looked up once, not once for each step.
            write_parquet(self.connection, query, self._store(read.view))
            self._show_stored(read.view)

    def _run_sql(self, step: SqlStep) -> None:
        query = sqltext.bind(step.query, self.task.params).strip().rstrip(";")
        if not step.materialise:
            self._view(step.name, query)
            return
        if any(write.step == step.name for write in self.task.stage.writes):
            write_parquet(self.connection, storable(self.connection, query), self._store(step.name))
            self._show_stored(step.name)
            return
        # What only this stage reads goes into the run's own database, which spills it where memory is short: encoding
        # it as Parquet took 1.6 times as long (3 M rows of 31 columns: 15 s instead of 9).
        table = f"step_{next(_NUMBERS)}"
        self.connection.execute(f"CREATE TABLE {table} AS {query}")
        self._tables.append(table)
        # Asked of the table: to say the types of a long query takes DuckDB as long as to plan it.
        self._view(step.name, storable(self.connection, f"SELECT * FROM {table}"))

    def _run_arrow(self, step: ArrowStep) -> None:
        cursor = open_cursor(self.connection)
        try:
            reader = cursor.execute(f"SELECT * FROM {sqltext.name(step.source)}").to_arrow_reader(BATCH_ROWS)
            path = self._store(step.name)
            with pq.ParquetWriter(path, step.schema, compression="zstd", compression_level=1) as writer:
                for batch in _mapped(reader, step, self.task.threads):
                    writer.write_batch(batch)
        finally:
            cursor.close()
        self._show_stored(step.name)

    def _keep_step(self, name: str, keep: Path) -> None:
        folder = keep / self.task.stage.name.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        query = storable(self.connection, f"SELECT * FROM {sqltext.name(name)}")
        write_parquet(self.connection, query, folder / f"{name.replace('/', '-')}.parquet")


def _mapped(reader: pa.RecordBatchReader, step: ArrowStep, threads: int) -> Iterator[pa.RecordBatch]:
    """The batches through the step's function in their order; with two threads and more, a few ahead."""
    if threads < 2:
        for batch in reader:
            yield apply(step, batch)
        return
    waiting: collections.deque[concurrent.futures.Future[pa.RecordBatch]] = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for batch in reader:
            waiting.append(pool.submit(apply, step, batch))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
