"""The functions that rules and stages may use on every engine: one meaning each, defined here for DuckDB.

Engines differ silently in division, casts to integer, trimming, joining with NULL and month arithmetic, so the
portable SQL refuses those forms and uses these names (architecture, section 4). Every function returns NULL when
an argument it needs is NULL, except ``cat``, which reads NULL as empty text.
"""

from __future__ import annotations

from typing import Final

import duckdb

PORTABLE_FUNCTIONS: Final[dict[str, str]] = {
    "ratio": "ratio(a, b): a divided by b as a double; NULL when b is zero or either is NULL.",
    "text_trim": "text_trim(s): s without blanks at both ends; full-width (U+3000) and no-break spaces are blanks.",
    "to_int": "to_int(s): the whole number that text or number s denotes (at most 18 digits), else NULL; never rounds.",
    "cat": "cat(a, b, ...): two to eight values joined as text; NULL counts as empty text.",
    "days_between": "days_between(a, b): days from date a to date b, negative when b is earlier.",
    "months_later": "months_later(d, n): the date n months after d; the last day of a shorter month when needed.",
    "text_length": "text_length(s): the number of characters (code points) of s.",
    "text_part": "text_part(s, start, n): n characters of s from position start (1 is the first); '' beyond the end.",
    "year_of": "year_of(d): the year of a date as an integer.",
    "month_of": "month_of(d): the month of a date, 1 to 12.",
    "first_of_month": "first_of_month(d): the first day of the date's month.",
    "legal_day": "legal_day(t): the legal day (Asia/Shanghai, UTC+8 without summer time) on which an instant falls.",
    "legal_time": "legal_time(t): an instant as text in legal time: 2026-07-01T08:30:00+08:00.",
}

# Blanks that clerks' systems leave at the ends of text: space, tab, line ends, no-break, ideographic, zero width, BOM.
BLANKS: Final = "".join(map(chr, (32, 9, 10, 11, 12, 13, 160, 12288, 8203, 65279)))

_CAT_ARGUMENTS: Final = range(2, 9)


def _cat() -> str:
    overloads = []
    for count in _CAT_ARGUMENTS:
        letters = "abcdefgh"[:count]
        joined = " || ".join(f"coalesce(CAST({letter} AS VARCHAR), '')" for letter in letters)
        overloads.append(f"({', '.join(letters)}) AS {joined}")
    return "CREATE MACRO cat" + ", ".join(overloads)


MACROS: Final[tuple[str, ...]] = (
    "CREATE MACRO ratio(a, b) AS CASE WHEN b = 0 THEN NULL ELSE CAST(a AS DOUBLE) / CAST(b AS DOUBLE) END",
    f"CREATE MACRO text_trim(s) AS trim(CAST(s AS VARCHAR), '{BLANKS}')",
    # 18 digits always fit a BIGINT; a fraction of zeros is how engines print whole decimals and doubles.
    "CREATE MACRO to_int(s) AS CASE WHEN regexp_full_match(text_trim(s), '[+-]?[0-9]{1,18}([.]0*)?') "
    "THEN TRY_CAST(regexp_extract(text_trim(s), '[+-]?[0-9]+') AS BIGINT) END",
    _cat(),
    "CREATE MACRO days_between(a, b) AS date_diff('day', CAST(a AS DATE), CAST(b AS DATE))",
    "CREATE MACRO months_later(d, n) AS CAST(CAST(d AS DATE) + to_months(CAST(n AS INTEGER)) AS DATE)",
    "CREATE MACRO text_length(s) AS length(CAST(s AS VARCHAR))",
    "CREATE MACRO text_part(s, start, n) AS CASE WHEN start IS NOT NULL AND n IS NOT NULL AND s IS NOT NULL "
    "THEN CASE WHEN start < 1 OR n < 1 THEN '' ELSE substring(CAST(s AS VARCHAR), start, n) END END",
    "CREATE MACRO year_of(d) AS CAST(year(CAST(d AS DATE)) AS INTEGER)",
    "CREATE MACRO month_of(d) AS CAST(month(CAST(d AS DATE)) AS INTEGER)",
    "CREATE MACRO first_of_month(d) AS CAST(date_trunc('month', CAST(d AS DATE)) AS DATE)",
    # Sessions are in UTC; a named zone would need an extension.
    "CREATE MACRO legal_day(t) AS CAST(CAST(t AS TIMESTAMP) + INTERVAL 8 HOUR AS DATE)",
    "CREATE MACRO legal_time(t) AS strftime(CAST(t AS TIMESTAMP) + INTERVAL 8 HOUR, '%Y-%m-%dT%H:%M:%S+08:00')",
)


def define_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Define every portable function as a macro of the connection's database (cursors see them)."""
    for macro in MACROS:
        connection.execute(macro)
