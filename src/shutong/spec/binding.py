"""The last gate: DuckDB binds checked SQL against empty tables, so that types which don't fit are told at check time.

Only SQL that passed the checker comes here, written from its tree. The connection is in memory, has no access to
files or the network and holds no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from shutong.engine.functions import define_functions
from shutong.spec.columns import sql_type
from shutong.spec.refusals import SqlRefused, refusal
from shutong.spec.sql import Expression, Statement, render

SOME_DAY = date(2024, 1, 31)
"""Stands in for the business day while binding."""


class Binder:
    """Holds the empty views of one catalog; a context manager."""

    def __init__(self, views: Mapping[str, pa.Schema]) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "256MB"})
        self._connection.execute("SET TimeZone = 'UTC'")
        define_functions(self._connection)
        for name, schema in views.items():
            self._create(name, dict(zip(schema.names, schema.types, strict=True)))
        self._connection.execute("SET enable_external_access = false")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def _create(self, name: str, columns: Mapping[str, pa.DataType]) -> None:
        listed = ", ".join(f'"{column}" {sql_type(kind)}' for column, kind in columns.items())
        self._connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" ({listed})')

    def expression_type(self, expression: Expression, columns: Mapping[str, pa.DataType]) -> pa.DataType:
        """Arrow type of a row expression.

        Raises:
            SqlRefused: ``sql.type``, the types don't fit together.
        """
        self._create("row of the expression", columns)
        text = render(expression, business_day=SOME_DAY)
        kind: pa.DataType = self._bind(f'SELECT {text} AS value FROM "row of the expression"').field(0).type
        return kind

    def statement_schema(self, statement: Statement) -> pa.Schema:
        """Names and Arrow types of a statement's result.

        Raises:
            SqlRefused: ``sql.type``, the types don't fit together.
        """
        return self._bind(render(statement, business_day=SOME_DAY))

    def _bind(self, text: str) -> pa.Schema:
        try:
            return self._connection.execute(text).to_arrow_table().schema
        except duckdb.Error as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise SqlRefused([refusal("sql.type", lines[0][:300] if lines else type(error).__name__)]) from error
