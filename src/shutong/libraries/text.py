"""Typed values as canonical text, text as JSON, and free text without personal numbers, in SQL."""

from __future__ import annotations

import pyarrow as pa

_LETTERS = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r"}
_ESCAPES = (
    ("chr(92)", "concat(chr(92), chr(92))"),
    ("chr(34)", "concat(chr(92), chr(34))"),
    *((f"chr({code})", f"concat(chr(92), '{letter}')") for code, letter in _LETTERS.items()),
)


def canonical_sql(column: str, kind: pa.DataType) -> str:
    """The canonical text of a column: dates as ISO, instants in legal time, decimals with all their places, true and false."""
    if pa.types.is_string(kind):
        return column
    if pa.types.is_boolean(kind):
        return f"CASE WHEN {column} THEN 'true' WHEN NOT {column} THEN 'false' END"
    if pa.types.is_timestamp(kind):
        return f"legal_time({column})"
    return f"CAST({column} AS VARCHAR)"


def json_text_sql(text: str) -> str:
    """A text value as a JSON string, NULL as ``null``. Other control characters are refused at check already."""
    escaped = text
    for character, replacement in _ESCAPES:
        escaped = f"replace({escaped}, {character}, {replacement})"
    # Few texts have any of them, and what is not there need not be replaced.
    rare = " OR ".join(f"contains({text}, {character})" for character, _ in _ESCAPES)
    return (
        f"CASE WHEN {text} IS NULL THEN 'null' WHEN {rare} THEN concat(chr(34), {escaped}, chr(34))"
        f" ELSE concat(chr(34), {text}, chr(34)) END"
    )


FREE_TEXT = frozenset({"text", "address", "org-name", "person-name"})
"""Elements whose values somebody wrote freely: a number of a person may stand in them."""

# A number of a person in free text: an identity number with a plausible birth date, or a mobile number.
_PERSONAL_NUMBER = (
    "(^|[^0-9A-Za-z])("
    "[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
    "|1[0-9]{10})($|[^0-9A-Za-z])"
)


def scrubbed_sql(column: str) -> str:
    """A text without personal numbers. For DuckDB, which makes everything that leaves for the public."""
    replaced = f"regexp_replace({column}, '{_PERSONAL_NUMBER}', '\\1******\\3', 'g')"
    # Few texts have so many digits in a row.
    return f"CASE WHEN regexp_matches({column}, '[0-9]{{11}}') THEN {replaced} ELSE {column} END"
