"""Stages on Spark: inputs as temporary views of a session of their own, steps in order, results as Parquet files."""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from shutong.engine import journal, sqltext
from shutong.engine.connection import explained, parquet_schema
from shutong.engine.errors import SpaceError, StageError
from shutong.engine.ports import NewFile, Result, Task
from shutong.engine.settings import Settings
from shutong.engine.sparksession import FOLDER, shared_session
from shutong.engine.sparksql import spark_type, to_spark
from shutong.engine.sparktable import ddl, quoted, table_frame
from shutong.engine.sparktypes import arrow_types, columns_of
from shutong.engine.stage import ArrowStep, Read, SqlStep
from shutong.engine.steps import apply, check_names, readable, uses_of, where
from shutong.engine.storedtypes import target_types
from shutong.engine.tablefiles import TableFiles

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PARTITION_BYTES: Final = 64_000_000
TINY_BYTES: Final = 8_000_000
_LITTLE: Final = {"spark.sql.adaptive.enabled": "false", "spark.sql.autoBroadcastJoinThreshold": "-1"}
# Compiling a query takes longer than interpreting it over so few rows.
_TINY: Final = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
_NUMBERS: Final = itertools.count()
_OWN_ERROR: Final = re.compile(r"^shutong\.engine\.errors\.(\w+): (.*) / (.*)$", re.MULTILINE)
_CONDITION: Final = re.compile(r"\[([A-Z_0-9.]+)\][^\n]*")


class SparkComputing:
    """Stages carried out by Spark: on this machine's threads, or where the setting ``spark_master`` says."""

    # The Java machine takes most of the memory; the run's own DuckDB only writes rows that come from this process.
    share_of_run = 0.15

    def __init__(self, settings: Settings, temp: Path) -> None:
        self._settings = settings
        self._temp = temp

    def session(self) -> SparkSession:
        """A new session, with views of its own."""
        return shared_session(self._settings, self._temp).newSession()

    def execution(self, task: Task) -> SparkExecution:
        """See ``Computing``. A session of its own keeps the views of stages apart."""
        return SparkExecution(task, self.session())

    def recover(self) -> None:
        """Remove the temporary folders of killed processes."""
        journal.clean_locked(self._temp, FOLDER)

    def close(self) -> None:
        """The session serves the whole process and ends with it."""


@dataclass
class SparkExecution:
    """One stage in one session; its files lie in the task's folder."""

    task: Task
    session: SparkSession
    rows_in: int = 0
    _few: int | None = None
    _folders: list[Path] = field(default_factory=list)

    def run(self) -> None:
        """Make the inputs' views and execute every step. Raises StageError naming the stage and the step."""
        stage = self.task.stage
        check_names(stage)
        tables = [self.task.tables(read.table) for read in stage.reads]
        self.rows_in = sum(table.stored_rows for table in tables)
        self._plan_by_size(sum(table.bytes for table in tables))
        for read, table in zip(stage.reads, tables, strict=True):
            with self._explained(read.view):
                self._open_read(read, table)
        for step in stage.steps:
            with self._explained(step.name):
                if isinstance(step, SqlStep):
                    self._run_sql(step)
                else:
                    self._run_arrow(step)
                if self.task.keep is not None:
                    self._keep_step(step.name, self.task.keep)

    def result(self, step: str, schema: pa.Schema | None, new_file: NewFile) -> Result:
        """Store the rows of ``step`` in new files."""
        with self._explained(step):
            parts = self._written(_fitting(self.session.table(quoted(step)), schema))
            columns = parquet_schema(parts[0])
            files = []
            for part in parts:
                rows = pq.read_metadata(part).num_rows
                if rows:
                    target = new_file()
                    shutil.move(part, target)
                    files.append((target, rows))
            return Result(columns, tuple(files))

    def _plan_by_size(self, size: int) -> None:
        """Little input is planned once and in few partitions: jobs that find out about it cost more than they save.

        From a few hundred megabytes on Spark knows best.
        """
        wanted = 1 + size // PARTITION_BYTES
        if wanted < self.task.threads * 2:
            self._few = wanted
            options = {**_LITTLE, "spark.sql.shuffle.partitions": str(wanted), **(_TINY if size < TINY_BYTES else {})}
            for name, value in options.items():
                self.session.conf.set(name, value)

    def close(self) -> None:
        """Forget the views and remove the temporary files."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _explained(self, step: str) -> Iterator[None]:
        zh, en = where(self.task.stage, step)
        with explained(zh, en), _spark_explained(zh, en):
            yield

    @cached_property
    def _scope(self) -> DataFrame:
        return self.session.read.parquet(str(self.task.scope))

    def _open_read(self, read: Read, table: TableFiles) -> None:
        readable(table, read)
        wanted = read.schema if read.schema.names else table.schema
        scope = (read.scope, self._scope) if self.task.scope is not None and read.scope is not None else None
        frame = table_frame(self.session, table, wanted, scope)
        if scope is not None and table.segments and uses_of(self.task.stage, read.view) > 1:
            # The few rows of the changed keys are looked up once, not once for each step.
            frame = self._stored(frame)
        self._view(read.view, frame)

    def _view(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(quoted(name))

    def _run_sql(self, step: SqlStep) -> None:
        query = to_spark(sqltext.bind(step.query, self.task.params).strip().rstrip(";"))
        frame = self.session.sql(query)
        self._view(step.name, self._stored(_fitting(frame, None)) if step.materialise else frame)

    def _run_arrow(self, step: ArrowStep) -> None:
        frame = self.session.table(quoted(step.source)).mapInArrow(_mapping(step), ddl(step.schema))
        self._view(step.name, self._stored(frame))

    def _stored(self, frame: DataFrame) -> DataFrame:
        """The frame's rows kept, so that several readers do not compute them again: in memory where they are few."""
        if self._few is not None:
            return frame.coalesce(self._few).localCheckpoint(eager=False)
        parts = self._written(frame)
        return self.session.read.schema(frame.schema).parquet(str(parts[0].parent))

    def _written(self, frame: DataFrame) -> list[Path]:
        # No stage of a run may take the folder of another.
        folder = self.task.folder / f"rows-{next(_NUMBERS)}"
        self._folders.append(folder)
        if self._few is not None:
            frame = frame.coalesce(self._few)
        frame.write.parquet(str(folder))
        return sorted(folder.glob("*.parquet"))

    def _keep_step(self, name: str, keep: Path) -> None:
        folder = keep / self.task.stage.name.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        parts = self._written(_fitting(self.session.table(quoted(name)), None))
        pq.write_table(pq.read_table(parts[0].parent), folder / f"{name.replace('/', '-')}.parquet")


def _fitting(frame: DataFrame, wanted: pa.Schema | None) -> DataFrame:
    """The frame with the columns of ``wanted`` in order, or with types that tables hold. Raises StageError."""
    found = columns_of(frame.schema)
    target = target_types(found, wanted)
    if found == target and list(found) == list(target):
        return frame
    return frame.selectExpr(
        *(
            quoted(name) if found[name] == kind else f"CAST({quoted(name)} AS {spark_type(kind)}) AS {quoted(name)}"
            for name, kind in target.items()
        )
    )


def _mapping(step: ArrowStep) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a worker does with the batches of a partition; pickled with the step's function."""
    schema = arrow_types(step.schema)

    def mapped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield apply(step, batch).cast(schema)

    return mapped


@contextlib.contextmanager
def _spark_explained(where_zh: str, where_en: str) -> Iterator[None]:
    """Turn Spark's failures into errors that say where and what to do, without a Java stack."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        text = str(error)
        own = _OWN_ERROR.search(text)
        if own is not None:
            raise StageError(f"{where_zh}：{own.group(2)}", f"{where_en}: {own.group(3)}", where=where_en) from error
        if "No space left on device" in text:
            raise SpaceError(
                f"{where_zh}：磁盘空间不足，本次运行未留下任何可见数据。请腾出空间后重试",
                f"{where_en}: no space left; nothing of this run is visible. Make room and run again",
                where=where_en,
            ) from error
        if "OutOfMemoryError" in text:
            raise StageError(
                f"{where_zh}：内存不足，请调大 memory_limit",
                f"{where_en}: out of memory: raise memory_limit",
                where=where_en,
            ) from error
        condition = _CONDITION.search(text)
        said = condition.group(0) if condition else text.split("\n", 1)[0]
        raise StageError(f"{where_zh}：{said}", f"{where_en}: {said}", where=where_en) from error
