"""Every portable function on its edge cases."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from shutong.engine.connection import Resources, connect
from shutong.engine.functions import PORTABLE_FUNCTIONS

CASES: list[tuple[str, object]] = [
    ("ratio(1, 2)", 0.5),
    ("ratio(1, 0)", None),
    ("ratio(1, 0.0)", None),
    ("ratio(NULL, 2)", None),
    ("ratio(1, NULL)", None),
    ("ratio(CAST(1 AS DECIMAL(18,2)), CAST(3 AS DECIMAL(18,2)))", 1 / 3),
    ("ratio(-7, 2)", -3.5),
    ("text_trim('　 a　b \t\r\n')", "a　b"),
    ("text_trim(chr(160) || chr(65279) || 'x' || chr(8203))", "x"),
    ("text_trim('　')", ""),
    ("text_trim('')", ""),
    ("text_trim(NULL)", None),
    ("text_trim(12)", "12"),
    ("to_int('12')", 12),
    ("to_int(' +12　')", 12),
    ("to_int('-0012')", -12),
    ("to_int('12.0')", 12),
    ("to_int('12.')", 12),
    ("to_int('12.5')", None),
    ("to_int('1e3')", None),
    ("to_int('')", None),
    ("to_int('-')", None),
    ("to_int('１２')", None),
    ("to_int('1 2')", None),
    ("to_int('999999999999999999')", 999999999999999999),
    ("to_int('9999999999999999999')", None),
    ("to_int(3)", 3),
    ("to_int(3.0)", 3),
    ("to_int(2.5)", None),
    ("to_int(CAST(7 AS DOUBLE))", 7),
    ("to_int(CAST('nan' AS DOUBLE))", None),
    ("to_int(NULL)", None),
    ("cat('a', 1)", "a1"),
    ("cat('a', NULL, 'b')", "ab"),
    ("cat(NULL, NULL)", ""),
    ("cat('a', 'b', 'c', 'd', 'e', 'f', 'g', 8)", "abcdefg8"),
    ("cat(DATE '2026-01-05', '起')", "2026-01-05起"),
    ("days_between(DATE '2026-01-05', DATE '2026-01-12')", 7),
    ("days_between(DATE '2026-01-12', DATE '2026-01-05')", -7),
    ("days_between(DATE '2024-02-28', DATE '2024-03-01')", 2),
    ("days_between(TIMESTAMP '2026-01-05 23:59:59', TIMESTAMP '2026-01-06 00:00:01')", 1),
    ("days_between(NULL, DATE '2026-01-05')", None),
    ("months_later(DATE '2026-01-31', 1)", dt.date(2026, 2, 28)),
    ("months_later(DATE '2024-01-31', 1)", dt.date(2024, 2, 29)),
    ("months_later(DATE '2024-02-29', 12)", dt.date(2025, 2, 28)),
    ("months_later(DATE '2026-03-31', -1)", dt.date(2026, 2, 28)),
    ("months_later(DATE '2026-01-05', 0)", dt.date(2026, 1, 5)),
    ("months_later(NULL, 1)", None),
    ("months_later(DATE '2026-01-05', NULL)", None),
    ("text_length('数通a')", 3),
    ("text_length('𠮷')", 1),
    ("text_length(NULL)", None),
    ("text_part('数据通道', 2, 2)", "据通"),
    ("text_part('abc', 1, 99)", "abc"),
    ("text_part('abc', 4, 1)", ""),
    ("text_part('abc', 0, 2)", ""),
    ("text_part('abc', -1, 2)", ""),
    ("text_part('abc', 2, 0)", ""),
    ("text_part(NULL, 1, 1)", None),
    ("text_part('abc', NULL, 1)", None),
    ("year_of(DATE '2026-01-05')", 2026),
    ("month_of(DATE '2026-12-05')", 12),
    ("year_of(NULL)", None),
    ("first_of_month(DATE '2024-02-29')", dt.date(2024, 2, 1)),
    ("first_of_month(NULL)", None),
    ("legal_day(TIMESTAMPTZ '2026-06-30 15:59:59+00')", dt.date(2026, 6, 30)),
    ("legal_day(TIMESTAMPTZ '2026-06-30 16:00:00+00')", dt.date(2026, 7, 1)),
    ("legal_day(DATE '2026-07-01')", dt.date(2026, 7, 1)),
    ("legal_day(NULL)", None),
    ("legal_time(TIMESTAMPTZ '2026-06-30 16:05:06.789+00')", "2026-07-01T00:05:06+08:00"),
    ("legal_time(NULL)", None),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    opened = connect(Resources(200_000_000, 1, tmp_path_factory.mktemp("spill")))
    yield opened
    opened.close()


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_edge_cases(connection: duckdb.DuckDBPyConnection, expression: str, expected: object) -> None:
    row = connection.cursor().execute(f"SELECT {expression}").fetchone()
    assert row is not None
    assert row[0] == expected
    assert type(row[0]) is type(expected)


def test_every_function_has_cases_and_a_description() -> None:
    tested = {re.match(r"\w+", expression).group(0) for expression, _ in CASES}  # type: ignore[union-attr]
    assert tested == set(PORTABLE_FUNCTIONS)
    assert all(text.startswith(f"{name}(") for name, text in PORTABLE_FUNCTIONS.items())


def test_no_extension_is_fetched(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error):
        connection.execute(f"ATTACH '{tmp_path}/x.db' (TYPE sqlite)")
