"""What passes the checker is written anew from its tree, binds on DuckDB, and reads nothing but declared views."""

from datetime import date

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, strategies
from sqlglot import exp

from shutong.engine.functions import PORTABLE_FUNCTIONS, define_functions
from shutong.spec.binding import Binder
from shutong.spec.functions import ANONYMOUS, FUNCTIONS
from shutong.spec.sql import (
    SqlRefused,
    check_expression,
    check_statement,
    columns_used,
    render,
    views_used,
)
from tests.spec.conftest import PROFILE
from tests.spec.test_sql_refusals import COLUMNS, STATEMENTS, VIEWS

DAY = date(2024, 2, 29)


@pytest.fixture(scope="module")
def binder() -> Binder:
    return Binder(VIEWS)


PASSING = [
    "SELECT subject_id, decided_on AS since, record_set(record_id) AS record_ids FROM penalty GROUP BY 1, 2",
    "WITH x AS (SELECT *, row_number() OVER (PARTITION BY subject_id ORDER BY decided_on DESC NULLS LAST) AS n"
    " FROM penalty) SELECT x.subject_id, e.name FROM x JOIN enterprise e USING (subject_id) WHERE n = 1",
    "SELECT subject_id FROM penalty p WHERE EXISTS (SELECT 1 FROM enterprise e WHERE e.subject_id = p.subject_id)",
    "SELECT subject_id FROM penalty WHERE subject_id NOT IN (SELECT subject_id FROM enterprise)",
    "SELECT subject_id, (SELECT max(name) FROM enterprise e WHERE e.subject_id = p.subject_id) AS n FROM penalty p",
    "SELECT subject_id FROM penalty WHERE fine > (SELECT ratio(sum(q.fine), count(*)) FROM penalty q)",
    "SELECT subject_id, (SELECT name FROM enterprise e WHERE e.subject_id = p.subject_id ORDER BY name NULLS LAST LIMIT 1)"
    " AS n FROM penalty p",
    "SELECT subject_id, count(*) AS n FROM penalty GROUP BY subject_id HAVING n > 1 ORDER BY n DESC NULLS LAST",
    "SELECT subject_id FROM penalty UNION ALL SELECT subject_id FROM enterprise ORDER BY subject_id NULLS FIRST LIMIT 3",
    "SELECT sum(fine) FILTER (WHERE fine > 1) AS s, count(DISTINCT subject_id) AS n FROM penalty",
    "SELECT q.subject_id FROM (SELECT subject_id FROM penalty) q LEFT JOIN enterprise e ON q.subject_id = e.subject_id",
    "SELECT string_agg(subject_id, ',' ORDER BY subject_id NULLS LAST) AS s, list(fine ORDER BY fine NULLS LAST) AS l"
    " FROM penalty",
    "SELECT lag(fine) OVER (PARTITION BY subject_id ORDER BY decided_on NULLS LAST) AS x, fine FROM penalty"
    " QUALIFY row_number() OVER (PARTITION BY subject_id ORDER BY decided_on NULLS LAST) = 1",
    "SELECT sum(fine) OVER (ORDER BY fine NULLS LAST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM penalty",
    "SELECT subject_id FROM penalty WHERE decided_on >= months_later(business_day(), -12) AND decided_on + 7 < received_on",
    "SELECT first_of_month(decided_on) AS m, ratio(sum(fine), count(fine)) AS mean, record_sample(record_id) AS ids"
    " FROM penalty GROUP BY first_of_month(decided_on)",
    "SELECT subject_id FROM penalty INTERSECT SELECT subject_id FROM enterprise",
    "SELECT Subject_ID FROM Penalty AS P WHERE p.FINE > 0",
    "SELECT CAST(fine AS DOUBLE) AS a, fine::decimal(20, 4) AS b, TRY_CAST(record_id AS DATE) AS c FROM penalty",
    "SELECT CASE WHEN fine > 10 THEN '大' WHEN fine IS NULL THEN NULL ELSE '小' END AS size FROM penalty",
]


@pytest.mark.parametrize("text", PASSING)
def test_useful_statements_pass_bind_and_stay_the_same(text: str, binder: Binder) -> None:
    statement = check_statement(text, VIEWS)
    assert binder.statement_schema(statement).names == list(statement.outputs)
    rendered = render(statement, business_day=DAY)
    assert "business_day" not in rendered
    assert render(statement, dialect="spark", business_day=DAY)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_listed_function_passes_and_binds(name: str, binder: Binder) -> None:
    views = {
        "t": pa.schema([pa.field("a", pa.string()), pa.field("b", pa.string()), pa.field("c", pa.string())]),
        "n": pa.schema([pa.field("a", pa.int64()), pa.field("b", pa.int64()), pa.field("c", pa.int64())]),
        "d": pa.schema([pa.field("a", pa.date32()), pa.field("b", pa.date32()), pa.field("c", pa.date32())]),
        "w": pa.schema([pa.field("a", pa.bool_()), pa.field("b", pa.int64()), pa.field("c", pa.int64())]),
    }
    for example in FUNCTIONS[name].examples:
        call = example.replace("order by b", "order by b nulls last")
        call += " OVER (ORDER BY b NULLS LAST)" if FUNCTIONS[name].use == "window" else ""
        bound = []
        for view in views:
            with Binder(views) as inner:
                try:
                    bound.append(inner.statement_schema(check_statement(f"SELECT {call} AS x FROM {view}", views)))
                except SqlRefused as error:
                    assert {item.code for item in error.refusals} == {"sql.type"}, error
        assert bound, f"{call} binds with no type"


def test_the_engines_own_functions_are_all_listed() -> None:
    assert set(PORTABLE_FUNCTIONS) <= set(FUNCTIONS)
    assert set(PORTABLE_FUNCTIONS) <= ANONYMOUS


def test_expressions_are_rendered_from_the_tree() -> None:
    checked = check_expression("Decided_On <= received_on and not (name like '甲%' or fine in (1,2))", COLUMNS)
    assert checked.columns == {"decided_on", "received_on", "name", "fine"}
    assert render(checked, qualifier="r").startswith('"r"."decided_on" <= "r"."received_on" AND NOT (')
    assert columns_used(checked) == checked.columns


def test_the_business_day_is_a_literal_or_a_parameter_of_the_run() -> None:
    checked = check_expression("decided_on <= business_day()", COLUMNS)
    assert checked.uses_business_day
    assert render(checked, business_day=DAY) == "\"decided_on\" <= CAST('2024-02-29' AS DATE)"
    assert render(checked, business_day="day") == '"decided_on" <= :day'
    with pytest.raises(ValueError, match="business day"):
        render(checked)


def test_what_a_statement_reads_is_known_by_view_and_column() -> None:
    text = "WITH a AS (SELECT * FROM enterprise) SELECT p.fine FROM penalty p JOIN a ON a.subject_id = p.subject_id"
    checked = check_statement(text, VIEWS)
    assert views_used(checked) == {"penalty", "enterprise"}
    assert columns_used(checked) == {"penalty.fine", "penalty.subject_id", "enterprise.subject_id", "enterprise.name"}


def test_types_that_do_not_fit_are_told(binder: Binder) -> None:
    with pytest.raises(SqlRefused) as caught:
        binder.expression_type(check_expression("fine > decided_on", COLUMNS), COLUMNS)
    assert caught.value.refusals[0].code == "sql.type"
    assert binder.expression_type(check_expression("fine > 0", COLUMNS), COLUMNS) == pa.bool_()


_WORDS = sorted(
    {
        str(token.text)
        for text in [*(text for text, code in STATEMENTS if code != "sql.comment"), *PASSING]
        for token in sqlglot.tokenize(text, read="duckdb")
    }
)
_PIECES = strategies.sampled_from(
    [
        *_WORDS,
        "'x.parquet'",
        '"x.parquet"',
        "read_csv('x')",
        "(SELECT fine FROM penalty)",
        "WITH q AS (SELECT fine FROM penalty)",
        "UNION ALL SELECT fine FROM",
        "JOIN enterprise e ON e.subject_id = penalty.subject_id",
        "NULLS LAST",
    ]
)


_WITNESS = duckdb.connect(":memory:")
define_functions(_WITNESS)


@strategies.composite
def _mutated(draw: strategies.DrawFn) -> str:
    text = draw(strategies.sampled_from([*PASSING, *(text for text, _ in STATEMENTS)]))
    words = text.split(" ")
    for _ in range(draw(strategies.integers(0, 4))):
        at = draw(strategies.integers(0, len(words) - 1))
        how = draw(strategies.sampled_from(["insert", "replace", "remove", "swap"]))
        if how == "insert":
            words.insert(at, draw(_PIECES))
        elif how == "replace":
            words[at] = draw(_PIECES)
        elif how == "remove" and len(words) > 1:
            del words[at]
        else:
            other = draw(strategies.integers(0, len(words) - 1))
            words[at], words[other] = words[other], words[at]
    return " ".join(words)


@PROFILE
@given(_mutated())
def test_nothing_that_passes_reads_anything_but_declared_views(text: str) -> None:
    try:
        statement = check_statement(text, VIEWS)
    except SqlRefused:
        return
    rendered = render(statement, business_day=DAY)
    (tree,) = sqlglot.parse(rendered, read="duckdb")
    assert isinstance(tree, exp.Query)
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    assert {table.name for table in tree.find_all(exp.Table)} <= {*VIEWS, *named}
    assert not any(table.db or table.catalog for table in tree.find_all(exp.Table))
    # DuckDB's own parser is the second witness: it must see the same tables and one statement
    assert len(_WITNESS.extract_statements(rendered)) == 1
    try:
        assert _WITNESS.get_table_names(rendered) <= set(VIEWS)
    except (duckdb.BinderException, duckdb.ConversionException):
        return  # types and groups that don't fit are told by the binder, after the checker


@PROFILE
@given(strategies.text(max_size=60) | strategies.lists(_PIECES, max_size=8).map(" ".join))
def test_nothing_makes_the_checker_fall_over(text: str) -> None:
    for check in (lambda: check_expression(text, COLUMNS), lambda: check_statement(text, VIEWS)):
        try:
            check()
        except SqlRefused as error:
            assert error.refusals
