"""Typed values as canonical text, and text as JSON, in SQL that every engine reads alike."""

from __future__ import annotations

import pyarrow as pa

_LETTERS = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r"}
_ESCAPES = (
    ("chr(92)", "concat(chr(92), chr(92))"),
    ("chr(34)", "concat(chr(92), chr(34))"),
    *((f"chr({code})", f"concat(chr(92), '{letter}')") for code, letter in _LETTERS.items()),
)


def canonical_sql(column: str, kind: pa.DataType) -> str:
    """The canonical text of a column: dates as ISO, decimals with all their places, true and false."""
    if pa.types.is_string(kind):
        return column
    if pa.types.is_boolean(kind):
        return f"CASE WHEN {column} THEN 'true' WHEN NOT {column} THEN 'false' END"
    return f"CAST({column} AS VARCHAR)"


def json_text_sql(text: str) -> str:
    """A text value as a JSON string, NULL as ``null``. Other control characters are refused at check already."""
    escaped = text
    for character, replacement in _ESCAPES:
        escaped = f"replace({escaped}, {character}, {replacement})"
    return f"CASE WHEN {text} IS NULL THEN 'null' ELSE concat(chr(34), {escaped}, chr(34)) END"
