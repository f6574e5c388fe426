"""Candidates of lists: whom a declared ground finds, since when and by which records.

A ground judges each subject by that subject's own rows, so that an increment may judge the changed subjects alone. A
row whose ``since`` lies ahead, or that names a ``next_change_on``, is remembered in ``pending``: the subject is judged
again when that day comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from shutong.engine.stage import SqlStep, Stage, Write
from shutong.libraries.views import (
    declared_statement,
    declared_views,
    reads_beyond_subjects,
    statement_sql,
    views_hash,
)
from shutong.rules.tables import CANDIDATES
from shutong.spec.catalog import Catalog
from shutong.spec.sql import Statement
from shutong.subjects.scopes import PENDING
from shutong.subjects.tables import columns, no_rows_sql

VERSION = 1


@dataclass(frozen=True)
class DeclaredGround:
    """One ground of one list, with its checked statement and the version that its candidates carry."""

    of_list: str
    name: str
    statement: Statement
    version: str


def grounds(catalog: Catalog) -> Iterator[DeclaredGround]:
    """All grounds of all lists. Raises ``SqlRefused`` for one whose SQL is not allowed."""
    for name, declared in catalog.lists.items():
        version = rule_version(catalog, "list", name, declared.version)
        for ground, rule in declared.grounds.items():
            statement = declared_statement(
                rule.sql, catalog, ("subject_id", "since", "record_ids"), ("next_change_on",)
            )
            yield DeclaredGround(name, ground, statement, version)


def rule_version(catalog: Catalog, kind: str, name: str, version: int) -> str:
    """Declared version and hash of a rule, as its results carry it: ``2-1f0c8a7be1c2``."""
    return f"{version}-{catalog.hash_of(kind, name)[:12]}"


def time_bound(catalog: Catalog) -> bool:
    """Whether the day alone, or rows about nobody, can make a candidate, so that all subjects are judged daily.

    A ground that asks for ``business_day()`` is, even if it gives ``next_change_on``: a subject that it does not find
    today has no row that could say when to ask again.
    """
    return any(g.statement.uses_business_day or reads_beyond_subjects(catalog, g.statement) for g in grounds(catalog))


def lists_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``candidates`` and ``pending``. Parameters: ``:as_of``. Scope: subject ids."""
    found = list(grounds(catalog))
    views = declared_views(catalog, [ground.statement for ground in found], by_subject=True)
    hits = " UNION ALL ".join(_hits_sql(ground) for ground in found)
    return Stage(
        name="lists",
        reads=views.reads,
        steps=(
            *views.steps,
            SqlStep("_hits", hits or no_rows_sql(_HIT), materialise=True),
            SqlStep("_candidates", _CANDIDATES),
            SqlStep("_pending", _PENDING),
        ),
        writes=(
            Write("candidates", "_candidates", key="subject_id", schema=CANDIDATES),
            Write("pending", "_pending", key="subject_id", schema=PENDING),
        ),
        version=VERSION,
        declarations=_hash(catalog, found),
    )


def _hash(catalog: Catalog, found: list[DeclaredGround]) -> str:
    hashes = " ".join(catalog.hash_of("list", name) for name in sorted(catalog.lists))
    hashes += " " + views_hash(catalog, [ground.statement for ground in found])
    return hashlib.sha256(hashes.encode()).hexdigest()[:20]


def _hits_sql(ground: DeclaredGround) -> str:
    again = "next_change_on" if "next_change_on" in ground.statement.outputs else "CAST(NULL AS DATE)"
    return (
        f"SELECT '{ground.of_list}' AS list, '{ground.name}' AS ground, '{ground.version}' AS rule_version, subject_id,"
        f" CAST(since AS DATE) AS since, CAST(record_ids AS VARCHAR[]) AS record_ids,"
        f" CAST({again} AS DATE) AS next_change_on FROM ({statement_sql(ground.statement)})"
    )


_HIT = columns(
    list=pa.string(),
    ground=pa.string(),
    rule_version=pa.string(),
    subject_id=pa.string(),
    since=pa.date32(),
    record_ids=pa.list_(pa.string()),
    next_change_on=pa.date32(),
)

# The same subject found twice on one ground since the same day is one candidate, with the records of both.
_CANDIDATES = """SELECT concat('c', substring(md5(concat(list, '|', ground, '|', subject_id, '|', CAST(since AS VARCHAR))),
  1, 24)) AS candidate_id, list, ground, subject_id, since, list_sort(list_distinct(flatten(list(record_ids))))
  AS record_ids, rule_version, min(next_change_on) AS next_change_on
FROM _hits WHERE subject_id IS NOT NULL AND since <= :as_of
GROUP BY list, ground, subject_id, since, rule_version"""

_PENDING = """SELECT subject_id, list, ground, since, min(next_on) AS next_change_on FROM (
 SELECT *, CASE WHEN since > :as_of THEN CASE WHEN next_change_on > :as_of THEN least(since, next_change_on)
  ELSE since END WHEN next_change_on > :as_of THEN next_change_on END AS next_on FROM _hits)
WHERE subject_id IS NOT NULL AND next_on IS NOT NULL GROUP BY subject_id, list, ground, since"""
