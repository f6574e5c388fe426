"""A declaration is third-party content: what is not plainly a listed expression or SELECT never reaches an engine."""

import pyarrow as pa
import pytest

from shutong.spec.refusals import TEXTS
from shutong.spec.sql import SqlRefused, check_expression, check_statement

COLUMNS = {
    "fine": pa.decimal128(18, 2),
    "decided_on": pa.date32(),
    "received_on": pa.date32(),
    "seen_at": pa.timestamp("us", "UTC"),
    "name": pa.string(),
}
VIEWS = {
    "penalty": pa.schema(
        [
            pa.field("record_id", pa.string()),
            pa.field("subject_id", pa.string()),
            pa.field("decided_on", pa.date32()),
            pa.field("received_on", pa.date32()),
            pa.field("fine", pa.decimal128(18, 2)),
        ]
    ),
    "enterprise": pa.schema([pa.field("subject_id", pa.string()), pa.field("name", pa.string())]),
}

EXPRESSIONS = [
    ("", "sql.empty"),
    ("   ", "sql.empty"),
    ("fine >= 0 AND " * 700 + "fine >= 0", "sql.too-long"),
    ("(" * 70 + "fine" + ")" * 70 + " > 1", "sql.too-deep"),
    ("NOT " * 1900 + "fine > 0", "sql.too-deep"),
    ("fine >", "sql.syntax"),
    ("name = 'open", "sql.syntax"),
    ("fine ＞ 0", "sql.character"),
    ("fine > 0，name = '甲'", "sql.character"),
    ("name = 'a\x00b'", "sql.character"),
    ("fine > 0 -- and so on", "sql.comment"),
    ("fine > /* hidden */ 0", "sql.comment"),
    ("fine > 0 /* left open", "sql.comment"),
    ("fine--\n> 0", "sql.comment"),
    ("fine > 0; DROP TABLE penalty", "sql.second-statement"),
    ("fine > 0;", "sql.second-statement"),
    ("DROP TABLE penalty", "sql.not-expression"),
    ("SELECT 1", "sql.not-expression"),
    ("fine AS x", "sql.not-expression"),
    ("(fine, name)", "sql.not-expression"),
    ("fine > ?", "sql.parameter"),
    ("fine > $1", "sql.parameter"),
    ("fine > :limit", "sql.parameter"),
    ("name = $$x$$", "sql.string-form"),
    ("name = E'\\x41'", "sql.string-form"),
    ("name = x'41'", "sql.syntax"),
    ("missing > 0", "sql.unknown-column"),
    ("penalty.fine > 0", "sql.unknown-column"),
    ("rowid > 0", "sql.unknown-column"),
    ("read_text('/etc/passwd') = ''", "sql.unknown-function"),
    ("getenv('HOME') = ''", "sql.unknown-function"),
    ("current_setting('secret') = ''", "sql.unknown-function"),
    ("columns('f.*') > 0", "sql.unknown-function"),
    ("regexp_matches(name, '(a+)+$')", "sql.pattern"),
    ("name ~ 'x'", "sql.pattern"),
    ("cat(name)(1) = 'x'", "sql.syntax"),
    ("cat() = 'x'", "sql.function-arguments"),
    ("ratio(fine) > 1", "sql.function-arguments"),
    ("left(name, -1) = 'x'", "sql.function-arguments"),
    ("sum(fine) > 0", "sql.aggregate-here"),
    ("row_number() OVER (ORDER BY fine NULLS LAST) = 1", "sql.aggregate-here"),
    ("EXISTS (SELECT 1 FROM penalty)", "sql.subquery-here"),
    ("fine IN (SELECT fine FROM penalty)", "sql.subquery-here"),
    ("(SELECT 1) = 1", "sql.subquery-here"),
    ("fine / 2 > 1", "sql.division"),
    ("fine // 2 > 1", "sql.integer-division"),
    ("fine % 0 = 1", "sql.modulo"),
    ("name || 'x' = 'ax'", "sql.concatenation"),
    ("concat(name, 'x') = 'ax'", "sql.unknown-function"),
    ("CAST(fine AS INTEGER) = 1", "sql.cast"),
    ("fine::bigint = 1", "sql.cast"),
    ("name::json IS NULL", "sql.cast"),
    ("decided_on + INTERVAL 3 MONTH > received_on", "sql.interval"),
    ("received_on - decided_on > 3", "sql.date-minus-date"),
    ("(received_on) - DATE '2024-01-01' > 3", "sql.date-minus-date"),
    ("decided_on < current_date", "sql.clock"),
    ("decided_on < now()", "sql.unknown-function"),
    ("random() < 0.5", "sql.unknown-function"),
    ("trim(name) = 'x'", "sql.unknown-function"),
    ("substring(name, 0, 2) = 'x'", "sql.substring"),
    ("fine IS fine", "sql.construct"),
    ("fine IN ()", "sql.construct"),
    ("name[1] = 'x'", "sql.construct"),
    ("name.lower() = 'x'", "sql.construct"),
    ("name LIKE 'a!%' ESCAPE '!'", "sql.construct"),
    ("name LIKE name", "sql.like"),
    ("CAST(name AS DATE) < received_on", "sql.cast-text"),
    ("name::decimal(18, 2) > fine", "sql.cast-text"),
    ("'a' LIKE cat('%', name)", "sql.like"),
    ("name LIKE 'a\\_%'", "sql.like"),
    ("name LIKE '%_a%_a%_a%'", "sql.like"),
    ("replace(name, 'a', 'bb') = 'x'", "sql.replace"),
    ("replace(name, 'a', name) = 'x'", "sql.replace"),
    ("replace(name, '', '') = 'x'", "sql.replace"),
    ("CAST(seen_at AS DATE) <= received_on", "sql.instant"),
    ("seen_at <= received_on", "sql.instant"),
    ("(seen_at) BETWEEN decided_on AND received_on", "sql.instant"),
    ("days_between(seen_at, received_on) < 3", "sql.instant"),
    ("year(seen_at) > 2020", "sql.instant"),
    ("fine > 0 COLLATE nocase", "sql.unknown-function"),
    ("list_filter([1], x -> x > 0) IS NULL", "sql.unknown-function"),
]


@pytest.mark.parametrize(("text", "code"), EXPRESSIONS)
def test_row_expressions_that_are_refused(text: str, code: str) -> None:
    with pytest.raises(SqlRefused) as caught:
        check_expression(text, COLUMNS)
    assert code in {item.code for item in caught.value.refusals}
    for item in caught.value.refusals:
        assert item.zh and item.en and "{}" not in item.zh + item.en


STATEMENTS = [
    ("INSERT INTO penalty SELECT * FROM penalty", "sql.not-select"),
    ("UPDATE penalty SET fine = 0", "sql.not-select"),
    ("DELETE FROM penalty", "sql.not-select"),
    ("CREATE TABLE t AS SELECT fine FROM penalty", "sql.not-select"),
    ("COPY penalty TO 'x.csv'", "sql.not-select"),
    ("COPY (SELECT fine FROM penalty) TO 'x.csv'", "sql.not-select"),
    ("ATTACH 'x.db'", "sql.not-select"),
    ("PRAGMA database_list", "sql.not-select"),
    ("SET enable_external_access = true", "sql.not-select"),
    ("INSTALL httpfs", "sql.not-select"),
    ("LOAD httpfs", "sql.not-select"),
    ("CALL pragma_version()", "sql.not-select"),
    ("DESCRIBE penalty", "sql.not-select"),
    ("VALUES (1)", "sql.not-select"),
    ("PIVOT penalty ON fine USING sum(fine)", "sql.not-select"),
    ("SELECT fine FROM penalty; SELECT name FROM enterprise", "sql.second-statement"),
    ("SELECT fine INTO t FROM penalty", "sql.construct"),
    ("SELECT 1 AS a", "sql.no-view"),
    ("SELECT name FROM enterprises", "sql.unknown-view"),
    ("SELECT fine FROM main.penalty", "sql.qualified-view"),
    ("SELECT table_name FROM information_schema.tables", "sql.qualified-view"),
    ("SELECT name FROM sqlite_master", "sql.unknown-view"),
    ("SELECT name FROM duckdb_settings()", "sql.table-function"),
    ("SELECT a.content FROM read_text('/etc/passwd') a", "sql.table-function"),
    ("SELECT a FROM 'x.parquet' q", "sql.file"),
    ("SELECT count(*) AS n FROM '/etc/passwd'", "sql.file"),
    ("SELECT count(*) AS n FROM penalty JOIN 'x.csv' c USING (fine)", "sql.file"),
    ("SELECT fine FROM penalty WHERE fine IN (SELECT a FROM 'x.csv')", "sql.file"),
    ("SELECT a FROM range(10) t(a)", "sql.table-function"),
    (
        'SELECT count(*) AS n FROM "x.parquet" WHERE 1 IN '
        '(WITH "x.parquet" AS (SELECT fine FROM penalty) SELECT fine FROM "x.parquet")',
        "sql.name",
    ),
    (
        "SELECT count(*) AS n FROM hidden WHERE 1 IN (WITH hidden AS (SELECT fine FROM penalty) SELECT fine FROM hidden)",
        "sql.unknown-view",
    ),
    ("WITH a AS (SELECT fine FROM b), b AS (SELECT fine FROM penalty) SELECT fine FROM a", "sql.unknown-view"),
    ("WITH penalty AS (SELECT name FROM enterprise) SELECT name FROM penalty", "sql.cte-shadows"),
    ("WITH Penalty AS (SELECT name FROM enterprise) SELECT name FROM Penalty", "sql.cte-shadows"),
    ("WITH a AS (SELECT fine FROM penalty), a AS (SELECT name FROM enterprise) SELECT fine FROM a", "sql.cte-twice"),
    (
        "WITH RECURSIVE r AS (SELECT fine FROM penalty UNION ALL SELECT fine FROM r) SELECT fine FROM r",
        "sql.recursive",
    ),
    ("SELECT missing FROM penalty", "sql.unknown-column"),
    ("SELECT p.name FROM penalty p", "sql.unknown-column"),
    ("SELECT fine FROM penalty WHERE EXISTS (SELECT 1 FROM enterprise e WHERE e.secret = 1)", "sql.unknown-column"),
    ("WITH a AS (SELECT fine FROM penalty) SELECT secret FROM a", "sql.unknown-column"),
    ("SELECT p FROM penalty p", "sql.unknown-column"),
    ("SELECT penalty FROM penalty", "sql.unknown-column"),
    ("SELECT subject_id FROM penalty p JOIN enterprise e ON p.subject_id = e.subject_id", "sql.ambiguous-column"),
    ("SELECT * FROM penalty", "sql.star"),
    ("FROM penalty", "sql.star"),
    ("SELECT penalty.* FROM penalty", "sql.star"),
    ("SELECT fine, coalesce(*) AS x FROM penalty", "sql.star"),
    ("SELECT * EXCLUDE (fine) FROM penalty", "sql.construct"),
    ("SELECT COLUMNS('f.*') FROM penalty", "sql.unknown-function"),
    ("SELECT unnest([1, 2]) AS x FROM penalty", "sql.unknown-function"),
    ("SELECT fine FROM penalty, UNNEST([1]) t(x)", "sql.join-condition"),
    ("SELECT count(*) AS n FROM penalty, enterprise", "sql.join-condition"),
    ("SELECT count(*) AS n FROM penalty CROSS JOIN enterprise", "sql.join-condition"),
    ("SELECT count(*) AS n FROM penalty p JOIN enterprise e ON 1 = 1", "sql.join-condition"),
    ("SELECT count(*) AS n FROM penalty p JOIN enterprise e ON p.subject_id <> e.subject_id", "sql.join-condition"),
    ("SELECT count(*) AS n FROM penalty p JOIN enterprise e ON p.fine = p.fine OR e.name = 'x'", "sql.join-condition"),
    ("SELECT fine FROM penalty WHERE fine > (SELECT p.fine FROM penalty p)", "sql.one-value"),
    ("SELECT (SELECT name FROM enterprise e WHERE e.subject_id = p.subject_id) AS n FROM penalty p", "sql.one-value"),
    ("SELECT (SELECT max(p.fine) FROM penalty p GROUP BY p.subject_id) AS n FROM penalty", "sql.one-value"),
    ("SELECT (SELECT sum(p.fine) OVER (ORDER BY p.fine NULLS LAST) FROM penalty p) AS n FROM penalty", "sql.one-value"),
    ("SELECT count(*) AS n FROM penalty p JOIN penalty q ON p.fine * 0 = q.fine * 0", "sql.join-condition"),
    (
        "SELECT count(*) AS n FROM penalty p JOIN penalty q ON if(TRUE, 1, p.fine) = if(TRUE, 1, q.fine)",
        "sql.join-condition",
    ),
    ("SELECT count(*) AS n FROM penalty NATURAL JOIN enterprise", "sql.join-kind"),
    ("SELECT p.fine FROM penalty p ASOF JOIN enterprise e ON p.subject_id >= e.subject_id", "sql.join-kind"),
    ("SELECT p.fine FROM penalty p POSITIONAL JOIN enterprise e", "sql.join-kind"),
    ("SELECT fine FROM penalty p, LATERAL (SELECT 1) z", "sql.construct"),
    ("SELECT fine FROM penalty USING SAMPLE 3", "sql.construct"),
    ("SELECT fine FROM penalty TABLESAMPLE 10%", "sql.construct"),
    ("SELECT fine FROM penalty FOR UPDATE", "sql.construct"),
    ("SELECT DISTINCT ON (subject_id) fine FROM penalty", "sql.construct"),
    ("SELECT sum(fine) AS s FROM penalty GROUP BY ROLLUP (subject_id)", "sql.construct"),
    ("SELECT subject_id, sum(fine) AS s FROM penalty GROUP BY ALL", "sql.construct"),
    ("SELECT fine FROM penalty ORDER BY fine", "sql.nulls-order"),
    ("SELECT fine FROM penalty ORDER BY fine NULLS LAST, subject_id", "sql.nulls-order"),
    ("SELECT sum(fine) OVER (ORDER BY fine) AS s FROM penalty ORDER BY s NULLS LAST", "sql.nulls-order"),
    ("SELECT FROM penalty", "sql.construct"),
    ("SELECT fine FROM penalty GROUP BY WHERE fine > 1", "sql.construct"),
    ("SELECT fine FROM penalty LIMIT 3", "sql.limit-order"),
    ("SELECT list(record_id) AS r FROM penalty", "sql.order-needed"),
    ("SELECT row_number() OVER (PARTITION BY fine) AS n FROM penalty", "sql.order-needed"),
    ("SELECT row_number() AS n FROM penalty", "sql.window-needed"),
    ("SELECT any_value(fine) AS f FROM penalty", "sql.unknown-function"),
    ("SELECT avg(fine) AS f FROM penalty", "sql.average"),
    ("SELECT nextval('s') AS f FROM penalty", "sql.unknown-function"),
    ("SELECT subject_id, received_on - decided_on AS days FROM penalty", "sql.date-minus-date"),
    ("SELECT fine + 1 FROM penalty", "sql.output-unnamed"),
    ("SELECT fine, fine FROM penalty", "sql.output-twice"),
    ("SELECT fine FROM penalty UNION BY NAME SELECT fine FROM penalty", "sql.construct"),
    ("SELECT {'a': 1} AS x FROM penalty", "sql.parameter"),
    ("SELECT [1, 2] AS x FROM penalty", "sql.unknown-function"),
    ("SELECT fine FROM penalty -- all of them", "sql.comment"),
    ("SELECT fine FROM penalty WHERE fine > (SELECT max(a) FROM q)", "sql.unknown-view"),
]


@pytest.mark.parametrize(("text", "code"), STATEMENTS)
def test_statements_that_are_refused(text: str, code: str) -> None:
    with pytest.raises(SqlRefused) as caught:
        check_statement(text, VIEWS)
    assert code in {item.code for item in caught.value.refusals}


def test_every_refusal_has_both_languages() -> None:
    for zh, en, _ in TEXTS.values():
        assert zh and en and zh.count("{}") == en.count("{}")


def test_a_refusal_names_its_line_and_what_to_write() -> None:
    with pytest.raises(SqlRefused) as caught:
        check_statement("SELECT subject_id,\n  avg(fine) AS mean\nFROM penalty", VIEWS)
    (found,) = caught.value.refusals
    assert (found.line, found.hint) == (2, "ratio(sum(x), count(x))")


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(SqlRefused) as caught:
        check_expression("decided_no <= received_on", COLUMNS)
    assert "decided_on" in caught.value.refusals[0].hint


def test_outputs_are_held_to_what_is_asked_for() -> None:
    with pytest.raises(SqlRefused) as caught:
        check_statement("SELECT subject_id, fine FROM penalty", VIEWS, ["subject_id", "since"], ["area"])
    assert {(item.code, item.word) for item in caught.value.refusals} == {
        ("sql.output-missing", "since"),
        ("sql.output-unknown", "fine"),
    }
