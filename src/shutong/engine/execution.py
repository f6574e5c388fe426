"""The execution of one stage on DuckDB: its inputs as views, its steps in order, its results as Parquet files."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from shutong.engine import sqltext
from shutong.engine.connection import explained, open_cursor, storable, write_parquet
from shutong.engine.errors import EngineError, StageError
from shutong.engine.sqltext import Parameter
from shutong.engine.stage import ArrowStep, Read, SqlStep, Stage
from shutong.engine.tablefiles import Scope, TableFiles, empty_sql, table_sql

# Rows of a batch handed to an Arrow step; also DuckDB's own row group, so a batch becomes one row group.
BATCH_ROWS: Final = 122_880

_NUMBERS: Final = itertools.count()


@dataclass
class Execution:
    """One stage on one connection. Views it makes are dropped by ``close``; its files lie in ``folder``.

    Args:
        tables: gives the files of a table as the run sees it.
        scope: the relation of changed keys, or None for a full run.
        keep: folder in which every step's rows are kept for looking at, or None.
    """

    connection: duckdb.DuckDBPyConnection
    stage: Stage
    folder: Path
    tables: Callable[[str], TableFiles]
    params: Mapping[str, Parameter]
    scope: str | None = None
    keep: Path | None = None
    threads: int = 1
    rows_in: int = 0
    _views: list[str] = field(default_factory=list)
    _stored: dict[str, Path] = field(default_factory=dict)

    def run(self) -> None:
        """Make the inputs' views and execute every step. Raises StageError naming the stage and the step."""
        self._check_names()
        for read in self.stage.reads:
            with explained(*self._at(read.view)):
                self._open_read(read)
        for step in self.stage.steps:
            with explained(*self._at(step.name)):
                if isinstance(step, SqlStep):
                    self._run_sql(step)
                else:
                    self._run_arrow(step)
                if self.keep is not None:
                    self._keep_step(step.name)

    def result(self, step: str, schema: pa.Schema | None, target: Path) -> int:
        """Store the rows of ``step`` in ``target``; returns how many."""
        with explained(*self._at(step)):
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
        for path in self._stored.values():
            path.unlink(missing_ok=True)

    def _at(self, step: str) -> tuple[str, str]:
        return f"阶段 {self.stage.name} 的 {step}", f"stage {self.stage.name}, {step}"

    def _check_names(self) -> None:
        names = [read.view for read in self.stage.reads] + [step.name for step in self.stage.steps]
        twice = sorted(name for name, count in collections.Counter(name.lower() for name in names).items() if count > 1)
        unknown = sorted({write.step for write in self.stage.writes} - set(names))
        if twice or unknown:
            raise StageError(
                f"阶段 {self.stage.name}：名称重复 {twice}，写出了不存在的步骤 {unknown}",
                f"stage {self.stage.name}: names used twice {twice}, writes of unknown steps {unknown}",
                stage=self.stage.name,
            )

    def _view(self, name: str, query: str) -> None:
        self.connection.execute(f"CREATE VIEW {sqltext.name(name)} AS {query}")
        self._views.append(name)

    def _store(self, name: str) -> Path:
        # The name of a step may hold anything; a number is safe. No stage may take the number of another: DuckDB keeps
        # what it knows of a file by its name, size and second, so a new file under an old name is read as the old one.
        path = self.folder / f"step-{next(_NUMBERS)}.parquet"
        self._stored[name] = path
        return path

    def _show_stored(self, name: str) -> None:
        self._view(name, f"SELECT * FROM read_parquet({sqltext.file_list([self._stored[name]])})")

    def _open_read(self, read: Read) -> None:
        table = self.tables(read.table)
        self.rows_in += table.stored_rows
        if not table.segments and not read.schema.names:
            raise StageError(
                f"表 {read.table} 不存在，也没有声明它的列",
                f"table {read.table} does not exist and its columns are not declared",
                table=read.table,
            )
        if not table.segments:
            self._view(read.view, empty_sql(read.schema))
            return
        scope = Scope(read.scope, self.scope) if self.scope is not None and read.scope is not None else None
        query = table_sql(table, read.schema, scope)
        if scope is None or self._uses(read.view) < 2:
            self._view(read.view, query)
        else:
            # The few rows of the changed keys are looked up once, not once for each step.
            write_parquet(self.connection, query, self._store(read.view))
            self._show_stored(read.view)

    def _uses(self, view: str) -> int:
        word = re.compile(rf"\b{re.escape(view)}\b", re.IGNORECASE)
        return sum(
            len(word.findall(step.query)) if isinstance(step, SqlStep) else int(step.source == view)
            for step in self.stage.steps
        )

    def _run_sql(self, step: SqlStep) -> None:
        query = sqltext.bind(step.query, self.params).strip().rstrip(";")
        if not step.materialise:
            self._view(step.name, query)
            return
        write_parquet(self.connection, storable(self.connection, query), self._store(step.name))
        self._show_stored(step.name)

    def _run_arrow(self, step: ArrowStep) -> None:
        cursor = open_cursor(self.connection)
        try:
            reader = cursor.execute(f"SELECT * FROM {sqltext.name(step.source)}").to_arrow_reader(BATCH_ROWS)
            path = self._store(step.name)
            with pq.ParquetWriter(path, step.schema, compression="zstd", compression_level=1) as writer:
                for batch in _mapped(reader, step, self.threads):
                    writer.write_batch(batch)
        finally:
            cursor.close()
        self._show_stored(step.name)

    def _keep_step(self, name: str) -> None:
        assert self.keep is not None  # noqa: S101
        folder = self.keep / self.stage.name.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        query = storable(self.connection, f"SELECT * FROM {sqltext.name(name)}")
        write_parquet(self.connection, query, folder / f"{name.replace('/', '-')}.parquet")


def _apply(step: ArrowStep, batch: pa.RecordBatch) -> pa.RecordBatch:
    try:
        result = step.function(batch)
    except EngineError:
        raise
    except Exception as error:
        raise StageError(
            f"Arrow 步骤 {step.name} 的函数出错：{type(error).__name__}: {error}",
            f"the function of the Arrow step {step.name} failed: {type(error).__name__}: {error}",
            step=step.name,
        ) from error
    if result.schema.equals(step.schema):
        return result
    if result.schema.names != step.schema.names:
        raise StageError(
            f"Arrow 步骤 {step.name} 返回的列 {result.schema.names} 与声明 {step.schema.names} 不符",
            f"the Arrow step {step.name} returned columns {result.schema.names}, declared are {step.schema.names}",
            step=step.name,
        )
    return result.cast(step.schema)


def _mapped(reader: pa.RecordBatchReader, step: ArrowStep, threads: int) -> Iterator[pa.RecordBatch]:
    """The batches through the step's function in their order; with two threads and more, a few ahead."""
    if threads < 2:
        for batch in reader:
            yield _apply(step, batch)
        return
    waiting: collections.deque[concurrent.futures.Future[pa.RecordBatch]] = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for batch in reader:
            waiting.append(pool.submit(_apply, step, batch))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
