"""Quoting of names and values for SQL that the engine itself composes, and the Arrow to DuckDB type names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from shutong.engine.errors import StageError

Parameter = str | int | float | bool | Decimal | dt.date | dt.datetime | None

# Strings, quoted names and comments are taken as wholes so that a colon inside them is never a parameter;
# ``::`` is a cast.
_TOKENS = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|::|:(?P<name>[a-z_][a-z0-9_]*)",
    re.DOTALL,
)

_SIMPLE: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.string_view(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.large_binary(): "BLOB",
    pa.date32(): "DATE",
}


def name(identifier: str) -> str:
    """Quote an identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: Parameter) -> str:
    """Render a value as a typed SQL literal. Raises StageError for a type that has none."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"CAST('{value!r}' AS DOUBLE)"
    if isinstance(value, Decimal):
        return f"CAST('{value}' AS DECIMAL(38, {max(0, -int(value.as_tuple().exponent))}))"
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise StageError("时间参数没有时区，请给出 UTC 时间", "a time parameter has no zone: give UTC", value=value)
        return f"CAST('{value.astimezone(dt.UTC).isoformat()}' AS TIMESTAMPTZ)"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise StageError(
        f"参数类型不支持：{type(value).__name__}", f"parameter type not supported: {type(value).__name__}", value=value
    )


def bind(sql: str, params: Mapping[str, Parameter] | None) -> str:
    """Replace every ``:name`` whose name is in ``params`` by its literal; strings, quoted names and casts stay.

    A view cannot hold prepared parameters, so stages get theirs as literals.
    """
    if not params:
        return sql
    given = params

    def swap(match: re.Match[str]) -> str:
        key = match.group("name")
        return literal(given[key]) if key is not None and key in given else match.group(0)

    return _TOKENS.sub(swap, sql)


def file_list(paths: Iterable[Path | str]) -> str:
    """Render paths as a list literal for ``read_parquet``."""
    return "[" + ", ".join(literal(str(path)) for path in paths) + "]"


def type_name(kind: pa.DataType) -> str:
    """The DuckDB name of an Arrow type. Raises StageError for a type that tables of the lake do not hold."""
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple
    if isinstance(kind, pa.Decimal128Type):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if isinstance(kind, pa.TimestampType):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    if isinstance(kind, pa.DictionaryType):
        return type_name(kind.value_type)
    if isinstance(kind, pa.ListType | pa.LargeListType):
        return f"{type_name(kind.value_type)}[]"
    if isinstance(kind, pa.StructType):
        fields = ", ".join(f"{name(field.name)} {type_name(field.type)}" for field in kind)
        return f"STRUCT({fields})"
    raise StageError(
        f"表中不能存放类型 {kind}，请换成整数、定点数、文本、日期、UTC 时间、二进制、列表或结构",
        f"a table cannot hold the type {kind}: use integers, decimals, text, dates, instants, binary, lists, structs",
        type=str(kind),
    )
