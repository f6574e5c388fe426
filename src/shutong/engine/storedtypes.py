"""The types that tables hold, by their DuckDB names, whichever engine computed the rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from shutong.engine import sqltext
from shutong.engine.errors import StageError

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
    "NULL": "INTEGER",
}
_STORED_WORDS: Final = re.compile(r'"(?:[^"]|"")*"|\b(' + "|".join(_STORED_AS) + r")\b")
_NAIVE: Final = re.compile(r'"(?:[^"]|"")*"|\b(TIMESTAMP)\b(?! WITH TIME ZONE)')
_REFUSED: Final = re.compile(r"(?<!WITH )\bTIME\b|\b(INTERVAL|BIT|MAP|UNION|VARIANT)\b")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_INTEGERS: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
_FRACTIONS: Final = re.compile(r"(DOUBLE|FLOAT|DECIMAL.*|VARCHAR)")


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


def target_types(found: Mapping[str, str], wanted: pa.Schema | None = None) -> dict[str, str]:
    """The types under which a step's columns are stored, in order: those of ``wanted``, or the nearest a table holds.

    Raises:
        StageError: columns are missing or too many, a type cannot be stored, or a fraction would become an integer.
    """
    if wanted is None:
        return {column: stored_type(kind) for column, kind in found.items()}
    target = {field.name: sqltext.type_name(field.type) for field in wanted}
    _refuse_columns(found, target)
    return target


def _refuse_columns(found: Mapping[str, str], target: Mapping[str, str]) -> None:
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


def nullable(schema: pa.Schema) -> pa.Schema:
    """The same columns without metadata, each of which may be NULL, to the innermost."""
    return pa.schema([_field(field) for field in schema])


def _field(field: pa.Field[Any]) -> pa.Field[Any]:
    return pa.field(field.name, _type(field.type))


def _type(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.ListType):
        return pa.list_(_field(kind.value_field))
    if isinstance(kind, pa.StructType):
        return pa.struct([_field(each) for each in kind])
    return kind
