"""The peer of the check benchmark: the same 20 checks as one plain DuckDB query, failing rows kept with reasons."""

from __future__ import annotations

from pathlib import Path

import duckdb

from bench.check_data import CODES, RECEIVED_ON

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def _value(place: int) -> str:
    return f"(strpos('{_ALPHABET}', substr(uscc, {place}, 1)) - 1)"


def _check_digit() -> str:
    """Form by one regular expression, check digit by 17 weighted values; unrolled, as list functions are slower."""
    total = " + ".join(f"{weight} * {_value(place)}" for place, weight in enumerate(_WEIGHTS, 1))
    form = f"regexp_full_match(uscc, '[{_ALPHABET}]{{2}}[0-9]{{6}}[{_ALPHABET}]{{10}}')"
    return f"coalesce(NOT CASE WHEN {form} THEN (31 - ({total}) % 31) % 31 = {_value(18)} ELSE false END, false)"


CHECKS: tuple[tuple[str, str], ...] = (
    ("uscc.required", "uscc IS NULL OR uscc = ''"),
    ("uscc.check-digit", f"uscc <> '' AND {_check_digit()}"),
    ("name.required", "name IS NULL OR name = ''"),
    ("name.length", "length(name) > 60"),
    ("doc_no.required", "doc_no IS NULL OR doc_no = ''"),
    ("doc_no.pattern", "doc_no <> '' AND NOT regexp_full_match(doc_no, '[A-Z]{2}[0-9]{4}-[0-9]{8}')"),
    ("doc_no.duplicate", "row_no > first_row"),
    ("category.required", "category IS NULL OR category = ''"),
    ("category.code", "category <> '' AND code IS NULL"),
    ("status.code", "status NOT IN ('', '0', '1', '2', '3', '4')"),
    ("decided_on.required", "decided_on IS NULL OR decided_on = ''"),
    ("decided_on.date", "decided_on <> '' AND decided IS NULL"),
    ("valid_to.date", "valid_to <> '' AND valid IS NULL"),
    ("amount.money", "amount <> '' AND money IS NULL"),
    ("amount.min", "money < 0"),
    ("amount.max", "money > 1000000000"),
    ("staff.integer", "staff <> '' AND people IS NULL"),
    ("staff.range", "people < 0 OR people > 1000000"),
    ("decided-before-received", f"decided > DATE '{RECEIVED_ON}'"),
    ("valid-after-decided", "valid < decided"),
    ("closed-has-no-amount", "status = '4' AND money >= 500000"),
)


def query(path: Path) -> str:
    """One SELECT: scan, parse, join the codes and the repeated keys, mark each check, keep the failing rows."""
    bits = " + ".join(
        f"CASE WHEN coalesce({condition}, false) THEN {1 << number} ELSE 0 END"
        for number, (_, condition) in enumerate(CHECKS)
    )
    names = ", ".join(
        f"CASE WHEN failed & {1 << number} > 0 THEN '{name}' END" for number, (name, _) in enumerate(CHECKS)
    )
    return f"""
        WITH delivered AS (
            SELECT file_row_number + 1 AS row_no, * EXCLUDE (file_row_number)
            FROM read_parquet('{path}', file_row_number = true)
        ), repeated AS (
            SELECT doc_no AS key, min(row_no) AS first_row FROM delivered GROUP BY doc_no HAVING count(*) > 1
        ), parsed AS (
            SELECT *, TRY_CAST(decided_on AS DATE) AS decided, TRY_CAST(valid_to AS DATE) AS valid,
                   TRY_CAST(amount AS DECIMAL(18, 2)) AS money, TRY_CAST(staff AS BIGINT) AS people
            FROM delivered
        ), marked AS (
            SELECT parsed.*, {bits} AS failed
            FROM parsed LEFT JOIN codes ON code = category LEFT JOIN repeated ON key = doc_no
        )
        SELECT row_no, list_filter([{names}], x -> x IS NOT NULL) AS reasons,
               * EXCLUDE (row_no, failed, decided, valid, money, people)
        FROM marked WHERE failed > 0
    """


def connect(threads: int) -> duckdb.DuckDBPyConnection:
    """A database with the table of codes."""
    connection = duckdb.connect(config={"threads": threads})
    connection.execute(
        f"CREATE TABLE codes AS SELECT 'C' || lpad(CAST(n AS VARCHAR), 5, '0') AS code FROM range({CODES}) t(n)"
    )
    return connection


def run(path: Path, out: Path, threads: int) -> int:
    """Write the failing rows to ``out``; returns how many there are."""
    connection = connect(threads)
    connection.execute(f"COPY ({query(path)}) TO '{out}' (FORMAT parquet)")
    row = connection.execute(f"SELECT count(*) FROM '{out}'").fetchone()
    connection.close()
    return int(row[0]) if row else 0
