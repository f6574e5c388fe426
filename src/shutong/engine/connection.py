"""DuckDB connections as every part of the engine uses them, and how their failures are told."""

from __future__ import annotations

import contextlib
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
from shutong.engine.storage import Storage
from shutong.engine.storedtypes import nullable, target_types

# zstd level 1 wrote faster than snappy and less than half the bytes (docs/developers/engine.md). A row group ends at 32 MB
# even when it has few rows, because each thread holds one in memory until it is written.
PARQUET_OPTIONS: Final = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE_BYTES 32000000"


@dataclass(frozen=True)
class Resources:
    """What one connection may use: bytes of memory, threads, a folder to spill to, and the storage it is to read."""

    memory_bytes: int
    threads: int
    temp: Path
    storage: Storage | None = None


def close_quietly(connection: duckdb.DuckDBPyConnection) -> None:
    """Close a connection that may have failed before."""
    with contextlib.suppress(duckdb.Error):
        connection.close()


def connect(resources: Resources) -> duckdb.DuckDBPyConnection:
    """A private in-memory database with the portable functions, UTC, no extensions to fetch."""
    # Arrow's own allocator keeps about 80 MB more and gives pages back piecemeal while several threads work, which
    # cost a tenth of the time of checking rows (shutong bench check).
    pa.set_memory_pool(pa.system_memory_pool())
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
    if resources.storage is not None:
        resources.storage.prepare(connection)
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


def storable_columns(connection: duckdb.DuckDBPyConnection, query: str, wanted: pa.Schema | None = None) -> str | None:
    """The select list that casts a query's columns to types that tables hold, or to ``wanted`` in its order.

    None when the columns are right as they are.

    Raises:
        StageError: columns are missing or too many, a type cannot be stored, or a fraction would become an integer.
    """
    described = connection.execute(f"DESCRIBE SELECT * FROM ({query}\n)").fetchall()
    found = {str(row[0]): str(row[1]) for row in described}
    target = target_types(found, wanted)
    if found == target and list(found) == list(target):
        return None
    quoted = {column: sqltext.name(column) for column in target}
    return ", ".join(
        quoted[column] if found[column] == kind else f"CAST({quoted[column]} AS {kind}) AS {quoted[column]}"
        for column, kind in target.items()
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
    """The columns of a Parquet file; engines mark some as never NULL, which a table does not promise."""
    return nullable(pq.read_schema(path))
