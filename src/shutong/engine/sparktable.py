"""A lake table as a Spark data frame: its files by list, its patches applied, its columns as the reader declared them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from shutong.engine import sqltext
from shutong.engine.manifest import DataFile
from shutong.engine.sparksql import spark_type
from shutong.engine.tablefiles import Segment, TableFiles

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_NUMBER, _KEY = "__n", "__k"


def quoted(name: str) -> str:
    """A name as Spark reads it."""
    return "`" + name.replace("`", "``") + "`"


def ddl(schema: pa.Schema) -> str:
    """Columns as Spark's text of a schema."""
    return ", ".join(f"{quoted(field.name)} {spark_type(sqltext.type_name(field.type))}" for field in schema)


def read_files(session: SparkSession, paths: Sequence[str], schema: pa.Schema) -> DataFrame:
    """Parquet files whose columns are known; none give no rows."""
    if not paths:
        return session.createDataFrame([], ddl(schema))
    return session.read.schema(ddl(schema)).parquet(*paths)


def table_frame(
    session: SparkSession, table: TableFiles, wanted: pa.Schema, scope: tuple[str, DataFrame] | None = None
) -> DataFrame:
    """The rows of a table; see ``tablefiles.table_sql``, which says the same for DuckDB.

    Args:
        wanted: the columns to read, with the types they are to have; a column that older files lack is NULL.
        scope: a column, and a frame with the column ``key``: only rows whose column is among the keys.
    """
    segments = [(number, each) for number, each in enumerate(table.segments) if each.files]
    if not segments:
        return read_files(session, [], wanted)
    later = [(number, each) for number, each in enumerate(table.segments) if each.key_files]
    branches = [_branch(session, table, segment, wanted, scope, number, later) for number, segment in segments]
    union = reduce(lambda left, right: left.unionAll(right), branches)
    if not later:
        return union
    keys = reduce(
        lambda left, right: left.unionAll(right),
        (_keys(session, table, segment.key_files).selectExpr("key", f"{n} AS n") for n, segment in later),
    )
    newest = keys.groupBy("key").max("n").toDF("__key", "__newest")
    joined = union.join(newest, union[_KEY].eqNullSafe(newest["__key"]) & newest["__key"].isNotNull(), "left")
    kept = joined.where(f"__newest IS NULL OR {_NUMBER} >= __newest")
    return kept.select(*(kept[quoted(name)] for name in wanted.names))


def _branch(
    session: SparkSession,
    table: TableFiles,
    segment: Segment,
    wanted: pa.Schema,
    scope: tuple[str, DataFrame] | None,
    number: int,
    later: list[tuple[int, Segment]],
) -> DataFrame:
    frame = read_files(session, [table.storage.address(file.path) for file in segment.files], segment.schema)
    if scope is not None:
        column, keys = scope
        frame = frame.join(keys, frame[quoted(column)] == keys["key"], "left_semi")
    chosen = [_column(segment.schema, field) for field in wanted]
    if later:
        patched = number < later[-1][0]
        chosen += [f"{number} AS {_NUMBER}", f"{quoted(later[0][1].key or '') if patched else 'NULL'} AS {_KEY}"]
    return frame.selectExpr(*chosen)


def _column(schema: pa.Schema, field: pa.Field[Any]) -> str:
    column, kind = quoted(field.name), sqltext.type_name(field.type)
    index = schema.get_field_index(field.name)
    if index < 0:
        return f"CAST(NULL AS {spark_type(kind)}) AS {column}"
    if sqltext.type_name(schema.field(index).type) == kind:
        return column
    return f"CAST({column} AS {spark_type(kind)}) AS {column}"


def _keys(session: SparkSession, table: TableFiles, files: Sequence[DataFile]) -> DataFrame:
    return session.read.parquet(*(table.storage.address(file.path) for file in files))
