"""Spark's column types by the DuckDB names that the engine speaks, and as the Arrow types that Spark's workers take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from shutong.engine import sqltext
from shutong.engine.storedtypes import nullable

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

_NAMES = {
    "bigint": "BIGINT",
    "binary": "BLOB",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "double": "DOUBLE",
    "float": "FLOAT",
    "int": "INTEGER",
    "smallint": "SMALLINT",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
    "tinyint": "TINYINT",
    # A column of nothing but NULL, which DuckDB takes for an integer.
    "void": "NULL",
}


def columns_of(schema: StructType) -> dict[str, str]:
    """The columns of a frame with the DuckDB names of their types; one that tables cannot hold by Spark's own name."""
    return {field.name: _name(field.dataType) for field in schema.fields}


def _name(kind: DataType) -> str:
    described: dict[str, Any] | str = kind.jsonValue()
    text: str = kind.simpleString()
    if isinstance(described, dict) and described.get("type") == "array":
        return f"{_name(kind.elementType)}[]"
    if isinstance(described, dict) and described.get("type") == "struct":
        fields = kind.fields
        return f"STRUCT({', '.join(f'{sqltext.name(one.name)} {_name(one.dataType)}' for one in fields)})"
    return _NAMES.get(text, text.upper())


def arrow_types(schema: pa.Schema) -> pa.Schema:
    """The Arrow types in which Spark takes batches of these columns back from a worker."""
    return pa.schema([pa.field(field.name, _taken(field.type)) for field in nullable(schema)])


def _taken(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.TimestampType):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if isinstance(kind, pa.DictionaryType):
        return _taken(kind.value_type)
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if isinstance(kind, pa.ListType):
        return pa.list_(_taken(kind.value_type))
    if isinstance(kind, pa.StructType):
        return pa.struct([pa.field(each.name, _taken(each.type)) for each in kind])
    return kind
