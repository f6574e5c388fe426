"""Runs stages in memory with DuckDB: what the engine does, in sixty lines, so that property tests stay fast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from shutong.engine.functions import define_functions
from shutong.engine.sqltext import bind
from shutong.engine.stage import ArrowStep, Read, Stage, Write

Value = str | int | dt.date


class Tables:
    """The tables of a small lake, in memory."""

    def __init__(self) -> None:
        self.tables: dict[str, pa.Table] = {}

    def __getitem__(self, name: str) -> pa.Table:
        return self.tables[name]

    def append(self, name: str, rows: pa.Table) -> None:
        old = self.tables.get(name)
        self.tables[name] = rows if old is None else pa.concat_tables([old, rows.cast(old.schema)])

    def run(
        self, stage: Stage, params: Mapping[str, Value] | None = None, scope: str | None = None
    ) -> dict[str, pa.Table]:
        """Run a stage and keep what it writes; with ``scope`` (a table) it recomputes only those keys."""
        connection = _connection()
        connection.execute("CREATE SCHEMA run; USE run")
        try:
            if scope is not None:
                connection.register("__scope", self.tables[scope])
            for read in stage.reads:
                self._open(connection, read, scope)
            for step in stage.steps:
                if isinstance(step, ArrowStep):
                    reader = connection.execute(f'SELECT * FROM "{step.source}"').to_arrow_reader(1000)
                    batches = [step.function(batch) for batch in reader]
                    connection.register(f"__{step.name}", pa.Table.from_batches(batches, schema=step.schema))
                    connection.execute(f'CREATE TABLE "{step.name}" AS SELECT * FROM "__{step.name}"')
                else:
                    connection.execute(f'CREATE TABLE "{step.name}" AS {bind(step.query, params)}')
            made = {write.table: _written(connection, write) for write in stage.writes}
        finally:
            connection.execute("USE memory.main; DROP SCHEMA run CASCADE")
        for write in stage.writes:
            rows = made[write.table]
            if write.mode == "append":
                self.append(write.table, rows)
            elif scope is not None:
                self.tables[write.table] = self._patched(write.table, write.key or "", rows, scope)
            else:
                self.tables[write.table] = rows
        return made

    def _open(self, connection: duckdb.DuckDBPyConnection, read: Read, scope: str | None) -> None:
        rows = self.tables.get(read.table, read.schema.empty_table())
        connection.register(f"__{read.view}", rows)
        narrow = f' WHERE "{read.scope}" IN (SELECT "{read.scope}" FROM __scope)' if scope and read.scope else ""
        columns = ", ".join(f'"{name}"' for name in read.schema.names)
        connection.execute(f'CREATE VIEW "{read.view}" AS SELECT {columns} FROM "__{read.view}"{narrow}')

    def _patched(self, table: str, key: str, rows: pa.Table, scope: str) -> pa.Table:
        keys = self.tables[scope].column(key)
        strays = pc.invert(pc.is_in(rows.column(key), value_set=keys.combine_chunks()))
        assert not pc.any(strays).as_py(), f"{table}: rows outside the scope"
        old = self.tables.get(table)
        if old is None:
            return rows
        kept = old.filter(pc.invert(pc.is_in(old.column(key), value_set=keys.combine_chunks())))
        return pa.concat_tables([kept, rows.cast(kept.schema)])


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One connection for all runs; opening one costs more than a small stage."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'; SET threads=1")
    define_functions(connection)
    return connection


def _written(connection: duckdb.DuckDBPyConnection, write: Write) -> pa.Table:
    rows = connection.execute(f'SELECT * FROM "{write.step}"').to_arrow_table()
    if write.schema is None:
        return rows
    assert rows.column_names == write.schema.names, write.table
    return rows.cast(write.schema)


def rows_of(table: pa.Table) -> list[tuple[object, ...]]:
    """The rows of a table as sorted tuples, for comparison."""
    return sorted(map(tuple, (row.values() for row in table.to_pylist())), key=repr)
