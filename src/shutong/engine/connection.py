"""DuckDB connections as every part of the engine uses them, and how their failures are told."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from shutong.engine import sqltext
from shutong.engine.errors import EngineError, SpaceError, StageError
from shutong.engine.functions import define_functions

# zstd level 1 wrote faster than snappy and less than half the bytes (docs/developers/engine.md). A row group ends at 32 MB
# even when it has few rows, because each thread holds one in memory until it is written.
PARQUET_OPTIONS: Final = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE_BYTES 32000000"

# Column types that Delta and Spark do not share are stored as their nearest common one.
_STORED_AS: Final = {
    "HUGEINT": "BIGINT",
    "UHUGEINT": "BIGINT",
    "UBIGINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "USMALLINT": "INTEGER",
    "UTINYINT": "SMALLINT",
    "UUID": "VARCHAR",
    "JSON": "VARCHAR",
    "TIMESTAMP_S": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_MS": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_NS": "TIMESTAMP WITH TIME ZONE",
}
_STORED_WORDS: Final = re.compile(r'"(?:[^"]|"")*"|\b(' + "|".join(_STORED_AS) + r")\b")
_NAIVE: Final = re.compile(r'"(?:[^"]|"")*"|\b(TIMESTAMP)\b(?! WITH TIME ZONE)')
_REFUSED: Final = re.compile(r"(?<!WITH )\bTIME\b|\b(INTERVAL|BIT|MAP|UNION|VARIANT)\b")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_INTEGERS: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
_FRACTIONS: Final = re.compile(r"(DOUBLE|FLOAT|DECIMAL.*|VARCHAR)")


@dataclass(frozen=True)
class Resources:
    """What one connection may use: bytes of memory, threads, and a folder to spill to."""

    memory_bytes: int
    threads: int
    temp: Path


def close_quietly(connection: duckdb.DuckDBPyConnection) -> None:
    """Close a connection that may have failed before."""
    with contextlib.suppress(duckdb.Error):
        connection.close()


def connect(resources: Resources) -> duckdb.DuckDBPyConnection:
    """A private in-memory database with the portable functions, UTC, no extensions to fetch."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{resources.memory_bytes}B",
            "threads": resources.threads,
            "temp_directory": str(resources.temp),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            # Order inside a table means nothing, and keeping it costs memory and a third of the writing speed.
            "preserve_insertion_order": False,
        },
    )
    # Global: a cursor would otherwise take the machine's own zone.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    define_functions(connection)
    return connection


def open_cursor(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A second session on the same database; what only a session can be told is told again."""
    cursor = connection.cursor()
    # Otherwise a slow query draws a bar into standard output, where programs read JSON.
    cursor.execute("SET enable_progress_bar = false")
    return cursor


@contextlib.contextmanager
def explained(where_zh: str, where_en: str) -> Iterator[None]:
    """Turn DuckDB's, Arrow's and the system's failures into errors that say where and what to do."""
    try:
        yield
    except EngineError:
        raise
    except duckdb.OutOfMemoryException as error:
        raise StageError(
            f"{where_zh}：内存不足，请调大 memory_limit 或检查临时文件夹的空间（{error}）",
            f"{where_en}: out of memory: raise memory_limit or make room in the temp folder ({error})",
            where=where_en,
        ) from error
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        if _is_space(error):
            raise SpaceError(
                f"{where_zh}：磁盘空间不足，本次运行未留下任何可见数据。请腾出空间后重试",
                f"{where_en}: no space left; nothing of this run is visible. Make room and run again",
                where=where_en,
            ) from error
        raise StageError(f"{where_zh}：{error}", f"{where_en}: {error}", where=where_en) from error


def _is_space(error: Exception) -> bool:
    text = str(error).lower()
    return any(each in text for each in ("no space left", "file too large", "disk quota", "max_temp_directory_size"))


def stored_type(kind: str) -> str:
    """The type under which a DuckDB column type is stored. Raises StageError when tables cannot hold it."""
    if kind.startswith("ENUM"):
        return "VARCHAR"
    if _REFUSED.search(_QUOTED.sub("", kind)):
        raise StageError(f"表中不能存放类型 {kind}", f"a table cannot hold the type {kind}", type=kind)

    def swap(match: re.Match[str]) -> str:
        word = match.group(1)
        return match.group(0) if word is None else _STORED_AS.get(word, "TIMESTAMP WITH TIME ZONE")

    return _NAIVE.sub(swap, _STORED_WORDS.sub(swap, kind))


def storable_columns(connection: duckdb.DuckDBPyConnection, query: str, wanted: pa.Schema | None = None) -> str | None:
    """The select list that casts a query's columns to types that tables hold, or to ``wanted`` in its order.

    None when the columns are right as they are.

    Raises:
        StageError: columns are missing or too many, a type cannot be stored, or a fraction would become an integer.
    """
    described = connection.execute(f"DESCRIBE SELECT * FROM ({query}\n)").fetchall()
    found = {str(row[0]): str(row[1]) for row in described}
    if wanted is None:
        target = {column: stored_type(kind) for column, kind in found.items()}
    else:
        target = {field.name: sqltext.type_name(field.type) for field in wanted}
        _refuse_columns(found, target)
    if found == target and list(found) == list(target):
        return None
    quoted = {column: sqltext.name(column) for column in target}
    return ", ".join(
        quoted[column] if found[column] == kind else f"CAST({quoted[column]} AS {kind}) AS {quoted[column]}"
        for column, kind in target.items()
    )


def _refuse_columns(found: dict[str, str], target: dict[str, str]) -> None:
    missing, extra = sorted(target.keys() - found.keys()), sorted(found.keys() - target.keys())
    if missing or extra:
        raise StageError(
            f"结果的列与声明不符：缺少 {missing}，多出 {extra}",
            f"the result's columns are not the declared ones: missing {missing}, too many {extra}",
            missing=missing,
            extra=extra,
        )
    for column, kind in target.items():
        if kind in _INTEGERS and _FRACTIONS.fullmatch(found[column]):
            raise StageError(
                f"列 {column} 是 {found[column]}，不能悄悄变成整数；请在查询中用 to_int",
                f"column {column} is {found[column]} and may not silently become an integer: use to_int in the query",
                column=column,
            )


def storable(connection: duckdb.DuckDBPyConnection, query: str, wanted: pa.Schema | None = None) -> str:
    """The query with its columns as ``storable_columns`` says."""
    columns = storable_columns(connection, query, wanted)
    return query if columns is None else f"SELECT {columns} FROM ({query}\n)"


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    """Write a query's rows to one Parquet file; returns the rows."""
    row = connection.execute(f"COPY ({query}\n) TO {sqltext.literal(str(target))} ({PARQUET_OPTIONS})").fetchone()
    return int(row[0]) if row else 0


def parquet_schema(path: Path) -> pa.Schema:
    """The columns of a Parquet file, without metadata."""
    return pq.read_schema(path).remove_metadata()
