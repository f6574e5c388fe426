"""Grounds and memberships are computed for changed subjects only: that must equal computing them for everybody."""

from datetime import date

import duckdb
import pytest

from shutong.spec.bysubject import by_subject_refusals
from shutong.spec.sql import check_statement, render
from tests.spec.test_sql_refusals import VIEWS as BASE

VIEWS = BASE | {"rates": BASE["enterprise"].remove(0)}

LOCAL = [
    "SELECT subject_id FROM penalty WHERE fine > 1",
    "SELECT subject_id, max(fine) AS m FROM penalty GROUP BY subject_id HAVING count(*) > 1",
    "SELECT p.subject_id, e.name FROM penalty p JOIN enterprise e ON e.subject_id = p.subject_id AND p.fine > 1",
    "SELECT subject_id FROM penalty LEFT JOIN enterprise USING (subject_id) WHERE name IS NULL",
    "SELECT e.subject_id FROM enterprise e WHERE NOT EXISTS (SELECT 1 FROM penalty p WHERE p.subject_id = e.subject_id)",
    "SELECT subject_id FROM enterprise WHERE subject_id NOT IN (SELECT subject_id FROM penalty)",
    "SELECT subject_id, (SELECT sum(fine) FROM penalty p WHERE p.subject_id = e.subject_id) AS s FROM enterprise e",
    "WITH last AS (SELECT subject_id, max(decided_on) AS d FROM penalty GROUP BY subject_id)"
    " SELECT last.subject_id, name FROM last JOIN enterprise e ON e.subject_id = last.subject_id",
    "SELECT subject_id, row_number() OVER (PARTITION BY subject_id ORDER BY fine NULLS LAST) AS n FROM penalty",
    "SELECT subject_id FROM penalty UNION ALL SELECT subject_id FROM enterprise",
    "SELECT coalesce(p.subject_id, e.subject_id) AS subject_id FROM penalty p FULL JOIN enterprise e"
    " ON p.subject_id = e.subject_id",
    "SELECT e.subject_id FROM enterprise e JOIN rates r ON r.name = e.name",
    "SELECT subject_id FROM enterprise WHERE name IN (SELECT name FROM rates)",
    "WITH a AS (SELECT subject_id AS who, fine FROM penalty) SELECT who AS subject_id, sum(fine) AS s FROM a GROUP BY who",
]
NOT_LOCAL = [
    "SELECT min(subject_id) AS subject_id FROM penalty",
    "SELECT min(subject_id) AS subject_id, fine FROM penalty GROUP BY fine",
    "SELECT subject_id FROM penalty WHERE fine > (SELECT ratio(sum(fine), count(*)) FROM penalty)",
    "SELECT subject_id, rank() OVER (ORDER BY fine NULLS LAST) AS n FROM penalty",
    "SELECT subject_id, row_number() OVER (PARTITION BY fine ORDER BY fine NULLS LAST) AS n FROM penalty",
    "SELECT p.subject_id FROM penalty p JOIN penalty q ON p.fine = q.fine",
    "SELECT subject_id FROM penalty ORDER BY fine NULLS LAST LIMIT 3",
    "SELECT e.subject_id FROM enterprise e WHERE EXISTS (SELECT 1 FROM penalty p WHERE p.record_id = e.name)",
    "SELECT subject_id FROM enterprise WHERE name IN (SELECT record_id FROM penalty)",
    "SELECT subject_id FROM penalty WHERE fine IN (SELECT max(fine) FROM penalty GROUP BY subject_id)",
    "SELECT record_id AS subject_id FROM penalty",
    "SELECT subject_id FROM penalty UNION ALL SELECT record_id FROM penalty",
    "WITH t AS (SELECT max(fine) AS m FROM penalty) SELECT p.subject_id FROM penalty p JOIN t ON p.fine = t.m",
]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    """Three subjects whose rows differ, so that a dependence between them shows."""
    made = duckdb.connect(":memory:")
    made.execute(
        "CREATE TABLE all_penalty (record_id VARCHAR, subject_id VARCHAR, decided_on DATE, received_on DATE, fine INT)"
    )
    made.execute("CREATE TABLE all_enterprise (subject_id VARCHAR, name VARCHAR)")
    made.execute("CREATE TABLE rates AS SELECT * FROM (VALUES ('A'), ('r2')) t(name)")
    for n, (subject, fine) in enumerate([("a", 1), ("a", 5), ("b", 5), ("b", 2), ("c", 9)]):
        made.execute(
            "INSERT INTO all_penalty VALUES (?, ?, ?, ?, ?)", [f"r{n}", subject, date(2024, 1, n + 1), None, fine]
        )
    made.execute("INSERT INTO all_enterprise VALUES ('a', 'A'), ('b', 'r2'), ('d', 'D')")
    return made


def answers(connection: duckdb.DuckDBPyConnection, sql: str, subjects: str) -> list[tuple[object, ...]]:
    for view in ("penalty", "enterprise"):
        connection.execute(
            f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM all_{view} WHERE subject_id IN ({subjects})"
        )
    return connection.execute(sql).fetchall()


@pytest.mark.parametrize("text", LOCAL)
def test_what_passes_gives_the_same_for_each_subject_alone(text: str, connection: duckdb.DuckDBPyConnection) -> None:
    statement = check_statement(text, VIEWS, ["subject_id"])
    assert by_subject_refusals(statement, VIEWS) == []
    sql = render(statement)
    whole = answers(connection, sql, "'a', 'b', 'c', 'd'")
    alone = [row for subject in "abcd" for row in answers(connection, sql, f"'{subject}'")]
    assert sorted(whole, key=str) == sorted(alone, key=str) and whole


@pytest.mark.parametrize("text", NOT_LOCAL)
def test_what_depends_on_other_subjects_is_refused(text: str) -> None:
    statement = check_statement(text, VIEWS, ["subject_id"])
    assert {item.code for item in by_subject_refusals(statement, VIEWS)} == {"sql.not-by-subject"}
