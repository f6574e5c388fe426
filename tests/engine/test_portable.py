"""The portable SQL means the same on DuckDB and on Spark: edge cases of every function and construct on the list."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from shutong.engine.connection import Resources, connect
from shutong.engine.errors import StageError
from shutong.engine.functions import PORTABLE_FUNCTIONS
from shutong.engine.sparksql import FUNCTIONS, OWN, to_spark
from tests.engine.sparks import require_spark, spark_computing
from tests.engine.test_functions import CASES as OWN_CASES

pytestmark = pytest.mark.services

ROWS: dict[str, list[str]] = {
    "abs": ["abs(-3)", "abs(CAST(-1.50 AS DECIMAL(9,2)))", "abs(NULL)"],
    "and": ["NULL AND FALSE", "NULL AND TRUE"],
    "array_length": ["array_length([1, NULL])", "array_length(CAST(NULL AS VARCHAR[]))"],
    "case": ["CASE WHEN CAST(NULL AS BOOLEAN) THEN 1 ELSE 2 END", "CASE 'a' WHEN 'b' THEN 1 END", "CASE 2 WHEN 2 THEN 'x' ELSE 'y' END"],
    "cast": [
        "CAST('2026-01-05' AS DATE)", "CAST(' 12 ' AS BIGINT)", "CAST('1.555' AS DECIMAL(10,2))",
        "CAST('-1.555' AS DECIMAL(10,2))", "CAST(CAST(1.555 AS DECIMAL(10,3)) AS DECIMAL(10,2))",
        "CAST(DATE '0099-01-05' AS VARCHAR)", "CAST(TRUE AS VARCHAR)", "CAST(CAST(0 AS DECIMAL(5,2)) AS VARCHAR)",
        "CAST(CAST(5 AS DECIMAL(5,1)) AS VARCHAR)", "CAST(0.1 AS DOUBLE)", "CAST(CAST(0.1 AS DOUBLE) AS VARCHAR)",
        "CAST(CAST(1 AS DOUBLE) AS VARCHAR)", "CAST(CAST(12345678.25 AS DECIMAL(18,2)) AS DOUBLE)",
        "CAST(NULL AS VARCHAR[])", "CAST('true' AS BOOLEAN)", "CAST('t' AS BOOLEAN)", "CAST(-0.00 AS DECIMAL(5,2))",
        "CAST(TIMESTAMP '2026-01-01 00:00:00' AS VARCHAR)", "CAST(TIMESTAMP '2026-01-01 00:00:00.5' AS VARCHAR)",
        "CAST(TIMESTAMPTZ '2026-01-01 23:30:00Z' AS DATE)", "CAST(CAST(9223372036854775807 AS BIGINT) AS VARCHAR)",
    ],
    "ceil": ["ceil(1.2)", "ceil(CAST(-1.5 AS DOUBLE))", "ceil(CAST(1.01 AS DECIMAL(9,2)))"],
    "chr": ["chr(34)", "chr(12288)", "chr(10)", "chr(8203)"],
    "coalesce": ["coalesce(NULL, NULL, 3)", "coalesce(NULL, 'x')", "coalesce(CAST(NULL AS DATE), DATE '9999-12-31')"],
    "concat": ["concat('a', NULL, 1, DATE '2026-01-05', CAST(1.5 AS DECIMAL(9,2)), TRUE)", "concat(NULL, NULL)"],
    "contains": ["contains('abc', '')", "contains('数通', '通')", "contains(NULL, 'a')", "contains('a%b', '%')"],
    "day": ["day(DATE '2024-02-29')"],
    "ends_with": ["ends_with('数通', '通')", "ends_with('abc', '')", "ends_with(NULL, 'a')"],
    "exists": ["CASE WHEN EXISTS (SELECT 1 WHERE FALSE) THEN 1 ELSE 2 END"],
    "flatten": ["flatten([['a'], NULL, ['b', NULL]])", "flatten([CAST(NULL AS VARCHAR[])])"],
    "floor": ["floor(1.8)", "floor(CAST(-1.5 AS DOUBLE))", "floor(CAST(-1.01 AS DECIMAL(9,2)))"],
    "greatest": ["greatest(1, NULL, 3)", "greatest('a', 'B', '数')", "greatest(CAST(NULL AS INTEGER), NULL)"],
    "if": ["if(CAST(NULL AS BOOLEAN), 1, 2)", "if(TRUE, 'a', 'b')"],
    "least": ["least(1, NULL, 3)", "least(DATE '2026-01-05', NULL)", "least('é', 'z', 'Z')"],
    "left": ["left('数通a', 2)", "left('abc', 0)", "left('abc', 9)", "left(NULL, 1)", "left('𠮷野', 1)"],
    "length": ["length('数通a')", "length('𠮷')", "length('')", "length(NULL)"],
    "list_contains": ["list_contains(['a', 'b'], 'b')", "list_contains(['a'], 'x')"],
    "list_distinct": ["list_sort(list_distinct(['b', NULL, 'a', 'b']))", "list_distinct(CAST(NULL AS VARCHAR[]))"],
    "list_sort": ["list_sort(['b', NULL, 'a', 'B', '数'])", "list_sort(CAST(NULL AS VARCHAR[]))"],
    "list_value": ["[1, 2]", "['a', NULL]"],
    "lower": ["lower('ＡBÉ数')", "lower(NULL)"],
    "make_date": ["make_date(2024, 2, 29)"],
    "md5": ["md5('数通')", "md5('')", "md5(NULL)"],
    "month": ["month(DATE '2024-02-29')"],
    "nullif": ["nullif('a', 'a')", "nullif('a', 'b')", "nullif('', '')"],
    "or": ["NULL OR TRUE", "NULL OR FALSE"],
    "quarter": ["quarter(DATE '2024-05-29')"],
    "regexp_extract": ["regexp_extract('路12号', '^[^0-9０-９]*')", "regexp_extract('12', '[a-z]+')", "regexp_extract(NULL, 'x')"],
    "regexp_full_match": [
        "regexp_full_match('abc', '[a-z]+')", "regexp_full_match('abc' || chr(10), '[a-z]+')",
        "regexp_full_match('ab', 'a|ab')", "regexp_full_match(NULL, 'a')",
    ],
    "replace": ["replace('a.b.c', '.', '')", "replace('abc', '', 'x')", "replace('a', 'a', NULL)", "replace('x\\y', '\\', '/')"],
    "right": ["right('数通a', 2)", "right('abc', 0)", "right('abc', 9)", "right('', 2)"],
    "round": ["round(CAST(2.345 AS DECIMAL(10,3)), 2)", "round(CAST(-2.5 AS DECIMAL(9,1)))", "round(CAST(2.5 AS DOUBLE))"],
    "split_part": [
        "split_part('a|b||d', '|', 1)", "split_part('a|b||d', '|', 3)", "split_part('a|b', '|', 9)", "split_part('', '|', 1)",
        "split_part('a.b', '.', 2)", "split_part(NULL, '|', 1)",
    ],
    "starts_with": ["starts_with('数通', '数')", "starts_with('abc', '')", "starts_with(NULL, 'a')"],
    "struct_pack": ["struct_pack(a := 1, b := 'x')", "struct_pack(a := 1, b := 2) < struct_pack(a := 1, b := 3)"],
    "substring": ["substring('数据通道', 2, 2)", "substring('abc', 2)", "substring('abc', 4, 1)", "substring(NULL, 1, 1)"],
    "try_cast": ["TRY_CAST('x' AS BIGINT)", "TRY_CAST('2026-13-01' AS DATE)", "TRY_CAST('12' AS BIGINT)"],
    "upper": ["upper('ａbé数')"],
    "year": ["year(DATE '2024-02-29')"],
    "list_slice": [
        "list_slice(['a', 'b', 'c'], 1, 2)", "list_slice(['a'], 1, 20)", "list_slice(['a', 'b', 'c'], 3, 2)",
        "list_slice(CAST(NULL AS VARCHAR[]), 1, 2)",
    ],
    "(constructs)": [
        "'a' || NULL", "'a' || 'b'", "-7 % 3", "7 % -3", "DATE '2026-01-05' + 7", "DATE '2026-01-05' - 7",
        "1 IS DISTINCT FROM NULL", "NULL = NULL", "'a' < 'B'", "'é' < 'z'", "'数' BETWEEN 'a' AND '黑'",
        "'a%b' LIKE 'a\\%b'", "'a\\b' LIKE 'a\\b'", "'a_c' LIKE 'a_c'", "'数通' LIKE '%通'", "NULL LIKE 'a'",
        "1 IN (1, NULL)", "2 IN (1, NULL)", "'it''s \"x\" \\ ' || chr(10)", "3 * 1.5", "1.25 + 1",
        "CAST(3 AS BIGINT) * CAST(1.50 AS DECIMAL(18,2))", "seq.n * 68719476736 + 3", "-seq.n", "NOT NULL",
    ],
}  # fmt: skip
"""Expressions over one row (the column ``seq.n`` is 2^20)."""

TABLES = (
    "records AS (SELECT * FROM (VALUES ('a', 1, 'x', DATE '2026-01-05', TRUE), ('a', 2, NULL, NULL, NULL),"
    " ('b', NULL, 'y', DATE '2026-01-01', FALSE), ('b', 3, '数', DATE '2025-01-01', NULL), (NULL, 3, 'x', NULL, FALSE),"
    " ('c', NULL, NULL, NULL, NULL)) AS v(k, n, t, d, b))"
)
AGGREGATES: dict[str, list[str]] = {
    "bool_and": ["bool_and(b)"],
    "bool_or": ["bool_or(b)"],
    "count": ["count(*)", "count(t)", "count(DISTINCT t)", "count(*) FILTER (WHERE n > 1)"],
    "list": [
        "list(t ORDER BY n NULLS FIRST, t NULLS LAST)", "list(t ORDER BY n DESC NULLS LAST, t NULLS LAST)",
        "list(t ORDER BY t NULLS LAST) FILTER (WHERE n > 100)", "list_sort(list(DISTINCT t) FILTER (WHERE t IS NOT NULL))",
        "list_sort(list(t))", "list_sort(list_distinct(flatten(list([t]))))",
        "list(n ORDER BY d DESC NULLS FIRST, n NULLS FIRST)",
    ],
    "max": ["max(t)", "max(d)"],
    "max_by": ["max_by(t, n)", "max_by(n, d)"],
    "min": ["min(t)", "min(n)"],
    "min_by": ["min_by(t, n)", "min_by(n, struct_pack(a := coalesce(d, DATE '9999-12-31'), b := coalesce(n, 0)))"],
    "string_agg": ["string_agg(t, ',' ORDER BY t NULLS LAST)", "string_agg(t, '、' ORDER BY n DESC NULLS LAST, t NULLS LAST)"],
    "sum": ["sum(n)", "sum(CAST(n AS DECIMAL(18,2)))"],
}  # fmt: skip
WINDOWS: dict[str, list[str]] = {
    "row_number": ["row_number() OVER (PARTITION BY k ORDER BY n NULLS LAST, t NULLS LAST)"],
    "rank": ["rank() OVER (ORDER BY n NULLS FIRST)", "rank() OVER (ORDER BY n)", "rank() OVER (ORDER BY n DESC)"],
    "dense_rank": ["dense_rank() OVER (ORDER BY n DESC NULLS LAST)"],
    "lag": ["lag(t) OVER (PARTITION BY k ORDER BY n NULLS LAST, t NULLS LAST)"],
    "lead": ["lead(n, 1) OVER (ORDER BY k NULLS LAST, n NULLS LAST)"],
    "first_value": ["first_value(t) OVER (PARTITION BY k ORDER BY n NULLS FIRST, t NULLS LAST)"],
    "last_value": ["last_value(t) OVER (PARTITION BY k ORDER BY n NULLS FIRST, t NULLS LAST)"],
    "sum": ["sum(n) OVER (PARTITION BY k ORDER BY n NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"],
}
QUERIES: dict[str, str] = {
    "unnest": "SELECT k, unnest(x) AS e FROM (SELECT k, list(t ORDER BY t) AS x FROM records GROUP BY k)",
    "except": "SELECT k, n FROM records EXCEPT SELECT 'c', NULL",
    "except both ways": "(SELECT k FROM records EXCEPT SELECT 'a') UNION ALL (SELECT 'z' EXCEPT SELECT k FROM records)",
    "intersect": "SELECT t FROM records INTERSECT SELECT NULL",
    "union": "SELECT t FROM records UNION SELECT NULL UNION SELECT 'x'",
    "anti join": "SELECT k, t FROM records ANTI JOIN (SELECT 'a' AS k) AS s USING (k)",
    "semi join": "SELECT r.k, r.t FROM records AS r SEMI JOIN (SELECT 'a' AS k UNION ALL SELECT 'a') AS s ON r.k = s.k",
    "left join": "SELECT r.k, s.n FROM records AS r LEFT JOIN records AS s ON s.k = r.k AND s.n = 2",
    "full join": "SELECT k, r.n, s.m FROM records AS r FULL JOIN (SELECT 'a' AS k, 9 AS m UNION ALL SELECT 'q', 8) AS s USING (k)",
    "in a query": "SELECT t FROM records WHERE k IN (SELECT k FROM records WHERE n = 3)",
    "not in with NULL": "SELECT t FROM records WHERE n NOT IN (SELECT n FROM records WHERE k = 'c')",
    "not exists": "SELECT k FROM records AS r WHERE NOT EXISTS (SELECT 1 FROM records AS s WHERE s.k = r.k AND s.n = 3)",
    "one value": "SELECT k, coalesce((SELECT max(n) FROM records WHERE k = 'none'), 7) AS m FROM records",
    "group of nothing": "SELECT sum(n) AS s, count(*) AS c, list(t) AS l, string_agg(t, ',') AS j FROM records WHERE FALSE",
    "having": "SELECT k, min(n) AS n FROM records GROUP BY k HAVING min(n) = max(n)",
    "qualify": "SELECT k, t FROM records QUALIFY row_number() OVER (PARTITION BY k ORDER BY n NULLS LAST, t NULLS LAST) = 1",
    "distinct": "SELECT DISTINCT n, b FROM records",
    "limit": "SELECT k, n FROM records ORDER BY n DESC NULLS LAST, k NULLS LAST LIMIT 2",
    "limit in default order": "SELECT n FROM records ORDER BY n LIMIT 4",
    "star without": "SELECT * EXCLUDE (d, b) FROM records",
    "quoted names": 'SELECT "values"."select" AS "from", "values"."数" AS "rows" FROM (SELECT 1 AS "select", 2 AS "数") AS "values"',
    "struct in a list": "SELECT k, list(struct_pack(n := n, t := t) ORDER BY n NULLS LAST, t NULLS LAST) AS s FROM records GROUP BY k",
    "member of a struct": "SELECT s.a AS a, s.b AS b FROM (SELECT struct_pack(a := 1, b := 'x') AS s)",
}  # fmt: skip

DIFFERENT: dict[str, tuple[str, str]] = {
    "round(CAST(0.285 AS DOUBLE), 2)": ("never", "DuckDB rounds 100 times the double, Spark its shortest decimal: round decimals"),
    "CAST(CAST(1e16 AS DOUBLE) AS VARCHAR)": ("never", "1e+16 and 1.0E16: write doubles as decimals first"),
    "CAST(TIMESTAMPTZ '2026-01-01 00:00:00Z' AS VARCHAR)": ("never", "DuckDB adds the zone: cast to TIMESTAMP or DATE first"),
    "upper('ß')": ("never", "ẞ and SS: German is no language of the data"),
    "struct_pack(a := 1, b := CAST(NULL AS INTEGER)) < struct_pack(a := 1, b := 2)": (
        "never", "a NULL inside a struct is the largest value here and the smallest there: fill it with coalesce"),
}  # fmt: skip
"""Forms that stages must not use, with the reason; if the engines come to agree, the test says so."""


def plain(value: Any) -> Any:
    """A value in the form in which both engines are compared: numbers by their value, structs as their members."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(repr(value)).normalize()
    return value.normalize() if isinstance(value, Decimal) else value


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(plain(list(row.values()))) for row in rows)


class Pair:
    """Both engines, asked the same."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, spark: Any) -> None:
        self.duck = duck
        self.spark = spark
        self._values: dict[str, tuple[Any, Any]] = {}

    def rows(self, query: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        here = self.duck.cursor().execute(query).to_arrow_table().to_pylist()
        there = [row.asDict(recursive=True) for row in self.spark.sql(to_spark(query)).collect()]
        return here, there

    def value(self, expression: str) -> tuple[Any, Any]:
        here, there = self.rows(f"SELECT {expression} AS x FROM (SELECT CAST(1048576 AS BIGINT) AS n) AS seq")
        return here[0]["x"], there[0]["x"]

    def together(self, expressions: list[str]) -> dict[str, tuple[Any, Any]]:
        """Many expressions in one query: starting a job costs more than they do."""
        columns = ", ".join(f"{text} AS c{number}" for number, text in enumerate(expressions))
        here, there = self.rows(f"SELECT {columns} FROM (SELECT CAST(1048576 AS BIGINT) AS n) AS seq")
        return {text: (here[0][f"c{n}"], there[0][f"c{n}"]) for n, text in enumerate(expressions)}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    require_spark()
    duck = connect(Resources(200_000_000, 1, tmp_path_factory.mktemp("spill")))
    yield Pair(duck, spark_computing().session())
    duck.close()


@pytest.fixture(scope="module")
def values(pair: Pair) -> dict[str, tuple[Any, Any]]:
    return pair.together([*ALL_ROWS, *(expression for expression, _ in OWN_CASES if portable(expression))])


def portable(expression: str) -> bool:
    """The tests of functions use forms that stages may not: a number that is not one, characters in a row."""
    return "nan" not in expression


ALL_ROWS = [text for cases in ROWS.values() for text in cases]


@pytest.mark.parametrize("expression", ALL_ROWS)
def test_functions_of_a_row(values: dict[str, tuple[Any, Any]], expression: str) -> None:
    here, there = values[expression]
    assert plain(here) == plain(there)
    assert isinstance(here, bool) == isinstance(there, bool)


@pytest.mark.parametrize(("expression", "expected"), [case for case in OWN_CASES if portable(case[0])])
def test_own_functions(values: dict[str, tuple[Any, Any]], expression: str, expected: object) -> None:
    here, there = values[expression]
    assert there == expected == here
    assert type(there) is type(here)


@pytest.mark.parametrize(
    ("expression", "kind", "reason"), [(text, *why) for text, why in DIFFERENT.items()], ids=list(DIFFERENT)
)
def test_forms_to_avoid(pair: Pair, expression: str, kind: str, reason: str) -> None:
    here, there = pair.value(expression)
    assert plain(here) != plain(there), f"both engines agree now: {kind} ({reason}) can go from the list"


def test_aggregates(pair: Pair) -> None:
    texts = [text for cases in AGGREGATES.values() for text in cases]
    columns = ", ".join(f"{text} AS c{number}" for number, text in enumerate(texts))
    here, there = pair.rows(f"WITH {TABLES} SELECT k, {columns} FROM records GROUP BY k")
    for number, text in enumerate(texts):
        name = f"c{number}"
        found = [{row["k"]: plain(row[name]) for row in rows} for rows in (here, there)]
        assert found[0] == found[1], text


def test_windows(pair: Pair) -> None:
    texts = [text for cases in WINDOWS.values() for text in cases]
    columns = ", ".join(f"{text} AS c{number}" for number, text in enumerate(texts))
    here, there = pair.rows(f"WITH {TABLES} SELECT k, n, t, {columns} FROM records")
    assert in_order(here) == in_order(there)


@pytest.mark.parametrize("name", list(QUERIES))
def test_queries(pair: Pair, name: str) -> None:
    here, there = pair.rows(f"WITH {TABLES} {QUERIES[name]}")
    assert in_order(here) == in_order(there)
    assert here or name == "not in with NULL"


@pytest.mark.parametrize("expression", ["CAST('x' AS BIGINT)", "make_date(2026, 2, 29)", "CAST(2147483648 AS INTEGER)"])
def test_what_cannot_be_computed_fails_on_both(pair: Pair, expression: str) -> None:
    with pytest.raises(duckdb.Error):
        pair.duck.cursor().execute(f"SELECT {expression}").fetchall()
    with pytest.raises(Exception, match=r"\[[A-Z_.]+\]"):
        pair.spark.sql(to_spark(f"SELECT {expression} AS x")).collect()


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("SELECT a / b FROM t", "a / b"),
        ("SELECT avg(a) FROM t", "AVG"),
        ("SELECT INTERVAL 1 DAY", "INTERVAL"),
        ("SELECT levenshtein(a, b) FROM t", "LEVENSHTEIN"),
        ("SELECT hash(a) FROM t", "hash"),
        ("SELECT a[1] FROM t", "a"),
        ("SELECT * FROM read_parquet('x')", "PARQUET"),
        ("SELECT * FROM a UNION ALL BY NAME SELECT * FROM b", "BY NAME"),
        ("SELECT * FROM a ASOF JOIN b USING (x)", "ASOF"),
        ("SELECT chr(a) FROM t", "CHR"),
        ("SELECT current_date", "CURRENT_DATE"),
        ("SELECT :day", "day"),
        ("SELECT trim(a) FROM t", "TRIM"),
        ("DROP TABLE t", "DROP"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("SELECT FROM WHERE", "not SQL"),
    ],
)
def test_what_is_not_on_the_list_is_refused(query: str, word: str) -> None:
    with pytest.raises(StageError, match=r"(?i)" + word.replace("/", ".")):
        to_spark(query)


def test_every_function_has_cases() -> None:
    tested = {*ROWS, *AGGREGATES, *WINDOWS, *QUERIES}
    assert set(FUNCTIONS) - tested == set()
    assert {*OWN, "cat"} - set(PORTABLE_FUNCTIONS) == {"list_slice"}
    assert set(PORTABLE_FUNCTIONS) - {"cat"} == set(OWN) - {"list_slice"}
