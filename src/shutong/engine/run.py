"""One run: stages executed in order, their results staged, one commit at the end."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from shutong.engine import sqltext
from shutong.engine.connection import (
    Resources,
    close_quietly,
    connect,
    explained,
    open_cursor,
    parquet_schema,
    storable_columns,
    write_parquet,
)
from shutong.engine.errors import StageError
from shutong.engine.journal import Journal
from shutong.engine.lake import Lake, StagedRun, check_run_id, check_table_name
from shutong.engine.manifest import Change, DataFile, Mode, encode_schema
from shutong.engine.ports import Computing, Execution, Result, Task
from shutong.engine.sampling import watch_memory
from shutong.engine.sqltext import Parameter
from shutong.engine.stage import Read, Stage, Write
from shutong.engine.tablefiles import TableFiles, build, table_sql

Rows = pa.Table | pa.RecordBatch | pa.RecordBatchReader | Path


@dataclass(frozen=True)
class StageReport:
    """What one stage took: wall seconds, largest resident bytes of the process tree, rows read and written.

    ``rows_in`` counts the rows of the input tables (before a scope narrows them), ``rows_out`` those per table.
    """

    name: str
    seconds: float
    peak_bytes: int
    rows_in: int
    rows_out: Mapping[str, int]


@dataclass(frozen=True)
class _Scope:
    """A scope in use: what the caller gave (kept so that its identity stays valid), its file and its rows."""

    given: object
    column: str | None
    path: Path
    rows: int


@dataclass(frozen=True)
class _Written:
    """What was written for a table: its files, their columns, and the identity of the stage that wrote them."""

    table: str
    files: tuple[DataFile, ...]
    schema: str
    stage: str

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


class LakeRun:
    """A run in progress, made by ``Engine.run``: it sees the lake as it was when it began, and its own results.

    Stages are carried out by ``computing``; rows that no stage computes are written by the run's own DuckDB.
    """

    def __init__(
        self,
        lake: Lake,
        computing: Computing,
        resources: Resources,
        run_id: str,
        kind: str,
        business_day: dt.date | None,
        keep_steps: Path | None = None,
    ) -> None:
        self.run_id = check_run_id(run_id)
        self.kind = kind
        self.business_day = business_day
        self.read_seq = lake.last
        self.reports: list[StageReport] = []
        self.committed: int | None = None
        self._lake = lake
        self._computing = computing
        self._keep_steps = keep_steps
        self._journal = Journal(lake.root, run_id, lake.storage, resources.temp)
        self._folder = resources.temp / self._journal.attempt
        self._folder.mkdir(parents=True)
        self._resources = dataclasses.replace(resources, temp=self._folder / "spill")
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._changes: list[Change] = []
        self._scopes: list[_Scope] = []
        self._scope_files: dict[Path, DataFile] = {}
        self._files = 0
        self._drafts: dict[Path, str] = {}

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The run's own database, opened when first needed."""
        if self._connection is None:
            self._connection = connect(self._resources)
        return self._connection

    def table(self, name: str) -> TableFiles:
        """A table as this run sees it: committed before it began, and what it staged itself."""
        committed = [entry.change for entry in self._lake.history(name, self.read_seq)]
        return build(name, self._lake.storage, [*committed, *(each for each in self._changes if each.table == name)])

    def before(self, name: str) -> TableFiles:
        """A table as it was committed before this run began."""
        return build(name, self._lake.storage, [one.change for one in self._lake.history(name, self.read_seq)])

    def execute(
        self,
        stage: Stage,
        params: Mapping[str, Parameter] | None = None,
        scope: pa.Table | Path | str | None = None,
        scope_key: str | None = None,
    ) -> dict[str, int]:
        """Run a stage and stage its results; later stages of the run see them, nobody else does before ``commit``.

        Args:
            params: values for ``:name`` in the steps' SQL; ``:business_day`` is always there when the run has one.
            scope: the changed keys, as an Arrow table, a Parquet file, or the name of a table. Inputs whose Read names
                a ``scope`` column are narrowed to them, and ``replace`` results replace only the rows of these keys.
            scope_key: the column of ``scope`` that holds the keys; default: its first.

        Returns:
            Rows written per table.

        Raises:
            StageError: a step fails, a promise is broken, or rows outside the scope came out.
        """
        began = time.perf_counter()
        keys = self._open_scope(scope, scope_key) if scope is not None else None
        execution = self._execution(stage, self.table, params or {}, keys, self._keep_steps)
        rows: dict[str, int] = {}
        before = list(self._changes)
        with watch_memory() as peak:
            try:
                execution.run()
                for write in stage.writes:
                    with explained(f"阶段 {stage.name} 的表 {write.table}", f"stage {stage.name}, table {write.table}"):
                        rows[write.table] = rows.get(write.table, 0) + self._write(execution, stage, write, keys)
            except BaseException:
                # All tables of a stage or none, whatever the caller does with the run afterwards.
                self._changes = before
                raise
            finally:
                execution.close()
        seconds = time.perf_counter() - began
        self.reports.append(StageReport(stage.name, seconds, peak.bytes, execution.rows_in, rows))
        return rows

    def _execution(
        self,
        stage: Stage,
        tables: Callable[[str], TableFiles],
        params: Mapping[str, Parameter],
        keys: _Scope | None,
        keep: Path | None = None,
    ) -> Execution:
        given: dict[str, Parameter] = {"business_day": self.business_day} if self.business_day else {}
        return self._computing.execution(
            Task(
                stage=stage,
                folder=self._folder,
                tables=tables,
                params={**given, **params},
                database=lambda: self.connection,
                threads=self._resources.threads,
                scope=keys.path if keys else None,
                keep=keep,
            )
        )

    def stage_table(
        self,
        table: str,
        rows: Rows,
        mode: Mode = "append",
        key: str | None = None,
        keys: pa.Table | None = None,
        stage: str = "",
    ) -> int:
        """Stage rows that no stage computes: batches, decisions, the registry of ids.

        Args:
            rows: an Arrow table, batch or reader, or a Parquet file (which is linked or copied, and stays).
            mode: ``append``, ``replace``, or ``patch`` with ``key`` and ``keys`` (its first column is the keys).
            stage: identity of what wrote it.

        Returns the rows staged.
        """
        check_table_name(table)
        if (mode == "patch") != (key is not None and keys is not None):
            raise StageError(
                f"表 {table}：补丁需要 key 和 keys，其他写法不能有",
                f"table {table}: a patch needs key and keys, other modes take neither",
                table=table,
            )
        with explained(f"写入表 {table}", f"writing table {table}"):
            target = self._new_file(table)
            count = self._write_rows(table, rows, target)
            columns = parquet_schema(target)
            if not count:
                target.unlink()
            written = self._written(table, Result(columns, ((target, count),) if count else ()), stage)
            if keys is not None and key is not None:
                self._stage_patch(written, key, self._open_scope(keys, None))
            else:
                self._stage(written, mode)
        return count

    def peek(
        self,
        sql: str,
        views: Mapping[str, str] | None = None,
        params: Mapping[str, Parameter] | None = None,
        before: Mapping[str, str] | None = None,
    ) -> pa.Table:
        """Query tables as this run sees them.

        Args:
            sql: SELECT over the names in ``views`` and ``before``; ``:name`` stands for a parameter.
            views: name in the query to table.
            before: the same for tables as they were before the run began.
        """
        shown = {view: self.table(table) for view, table in (views or {}).items()}
        shown |= {view: self.before(table) for view, table in (before or {}).items()}
        cursor = open_cursor(self.connection)
        try:
            with explained("查询", "query"):
                for view, files in shown.items():
                    cursor.execute(f"CREATE TEMP VIEW {sqltext.name(view)} AS {table_sql(files)}")
                return cursor.execute(sqltext.bind(sql, params)).to_arrow_table()
        finally:
            cursor.close()

    def compact(self, table: str, kept: Sequence[DataFile] = ()) -> None:
        """Stage a table's own rows as its replacement; ``kept`` are files of it that stay as they are.

        The kept files must have the table's columns, and no patch may touch their rows.
        """
        files = self.table(table)
        spared = set(kept)
        rest = TableFiles(
            table,
            files.storage,
            tuple(
                dataclasses.replace(each, files=tuple(file for file in each.files if file not in spared))
                for each in files.segments
            ),
        )
        # Folding changes no row, so the table still counts as what its last stage made of it.
        made_by = next((entry.change.stage for entry in reversed(self._lake.history(table, self.read_seq))), "")
        fold = Stage("compact", (Read(table, "rows", files.schema),), (), (Write(table, "rows"),))
        execution = self._execution(fold, lambda _: rest, {}, None)
        with explained(f"合并表 {table}", f"compacting table {table}"):
            try:
                execution.run()
                result = execution.result("rows", None, lambda: self._new_file(table))
            finally:
                execution.close()
            written = self._written(table, result, made_by)
            schema = encode_schema(files.schema)
            self._changes.append(Change(table, "replace", (*kept, *written.files), schema, stage=made_by))

    def commit(self) -> int:
        """Make everything staged visible at once; returns the run's number. The run is over."""
        if self.committed is None:
            staged = StagedRun(self.run_id, self.kind, tuple(self._changes), self.read_seq, self.business_day)
            self.committed = self._lake.commit(staged)
        return self.committed

    def close(self) -> None:
        """Free everything; without a commit the files of the run are removed."""
        if self._connection is not None:
            close_quietly(self._connection)
            self._connection = None
        shutil.rmtree(self._folder, ignore_errors=True)
        # The manifest decides which files count, not this object: the commit may have happened although it raised.
        self._journal.close(self._lake.named_paths())

    def _new_file(self, table: str) -> Path:
        relative = f"{table}/{self._journal.attempt}-{self._files}.parquet"
        self._files += 1
        draft = self._journal.announce(relative)
        self._drafts[draft] = relative
        return draft

    def _keep(self, draft: Path, rows: int) -> DataFile:
        path = self._drafts.pop(draft)
        return DataFile(path, rows, self._lake.storage.keep(path, draft))

    def _written(self, table: str, result: Result, stage: str) -> _Written:
        files = tuple(self._keep(draft, rows) for draft, rows in result.files)
        return _Written(table, files, encode_schema(result.schema), stage)

    def _write_rows(self, table: str, rows: Rows, target: Path) -> int:
        if isinstance(rows, Path):
            try:
                target.hardlink_to(rows)
            except OSError:
                shutil.copyfile(rows, target)
            if storable_columns(self.connection, f"SELECT * FROM read_parquet({sqltext.file_list([target])})"):
                raise StageError(
                    f"文件 {rows} 的列类型不能直接入表，请先转换",
                    f"the file {rows} has column types that a table does not hold: convert it first",
                    table=table,
                )
            return pq.read_metadata(target).num_rows
        if isinstance(rows, pa.RecordBatch):
            rows = pa.Table.from_batches([rows])
        cursor = open_cursor(self.connection)
        try:
            cursor.register("__rows", rows)
            # Its types are asked of an empty look-alike: a reader gives its rows only once.
            columns = storable_columns(cursor, f"SELECT {_named(rows.schema)} WHERE FALSE")
            return write_parquet(cursor, f"SELECT {columns or '*'} FROM __rows", target)
        finally:
            cursor.close()

    def _open_scope(self, scope: pa.Table | Path | str, column: str | None) -> _Scope:
        # A table's name may stand for other rows later in the run; an Arrow table or a file does not change.
        for known in self._scopes:
            if known.given is scope and known.column == column and not isinstance(scope, str):
                return known
        cursor = open_cursor(self.connection)
        path = self._folder / f"scope-{len(self._scopes)}.parquet"
        try:
            with explained("变更范围", "scope"):
                if isinstance(scope, pa.Table):
                    cursor.register("__scope", scope)
                    source, names = "__scope", scope.schema.names
                elif isinstance(scope, Path):
                    source, names = f"read_parquet({sqltext.file_list([scope])})", parquet_schema(scope).names
                else:
                    table = self.table(scope)
                    source, names = f"({table_sql(table)})", table.schema.names
                key = sqltext.name(column or names[0])
                query = f"SELECT DISTINCT {key} AS key FROM {source} WHERE {key} IS NOT NULL"
                rows = write_parquet(cursor, query, path)
        finally:
            cursor.close()
        opened = _Scope(scope, column, path, rows)
        self._scopes.append(opened)
        return opened

    def _write(self, execution: Execution, stage: Stage, write: Write, scope: _Scope | None) -> int:
        check_table_name(write.table)
        result = execution.result(write.step, write.schema, lambda: self._new_file(write.table))
        written = self._written(write.table, result, stage.identity)
        if write.mode == "append" or scope is None:
            self._stage(written, write.mode)
            return written.rows
        if write.key is None:
            raise StageError(
                f"阶段 {stage.name} 的表 {write.table} 没有声明 key，不能增量计算",
                f"stage {stage.name}: table {write.table} declares no key, so it cannot be computed in part",
                table=write.table,
            )
        self._stage_patch(written, write.key, scope)
        return written.rows

    def _stage(self, written: _Written, mode: Mode) -> None:
        change = Change(written.table, mode, written.files, written.schema, stage=written.stage)
        last = self._changes[-1] if self._changes else None
        same = last is not None and (last.table, last.schema) == (change.table, change.schema)
        if last is not None and same and mode == "append" and last.mode != "patch":
            change = dataclasses.replace(last, files=last.files + change.files)
            self._changes.pop()
        self._changes.append(change)

    def _stage_patch(self, written: _Written, key: str, scope: _Scope) -> None:
        self._refuse_strangers(written, key, scope)
        if scope.rows:
            keys = (self._scope_file(scope),)
            self._changes.append(
                Change(written.table, "patch", written.files, written.schema, key, keys, written.stage)
            )

    def _refuse_strangers(self, written: _Written, key: str, scope: _Scope) -> None:
        """Rows outside the scope would stand beside the old rows of their key instead of replacing them."""
        if not written.files:
            return
        paths = [self._lake.storage.address(file.path) for file in written.files]
        row = self.connection.execute(
            f"SELECT count(*) FROM read_parquet({sqltext.file_list(paths)}) AS r "
            f"ANTI JOIN read_parquet({sqltext.file_list([scope.path])}) AS s ON r.{sqltext.name(key)} = s.key"
        ).fetchone()
        if row and row[0]:
            raise StageError(
                f"表 {written.table} 的增量结果中有 {row[0]} 行的 {key} 不在变更范围内，请检查输入的 scope",
                f"table {written.table}: {row[0]} rows of the increment have a {key} outside the scope: "
                "check the scope of the reads",
                table=written.table,
                rows=row[0],
            )

    def _scope_file(self, scope: _Scope) -> DataFile:
        known = self._scope_files.get(scope.path)
        if known is None:
            relative = f"scopes/{self._journal.attempt}-{len(self._scope_files)}.parquet"
            draft = self._journal.announce(relative)
            self._drafts[draft] = relative
            shutil.copyfile(scope.path, draft)
            known = self._scope_files[scope.path] = self._keep(draft, scope.rows)
        return known


def _named(schema: pa.Schema) -> str:
    return ", ".join(f"CAST(NULL AS {sqltext.type_name(each.type)}) AS {sqltext.name(each.name)}" for each in schema)
