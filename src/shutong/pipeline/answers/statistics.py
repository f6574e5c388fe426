"""Pre-computed statistics: each a SELECT of dimension, series and value over the lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shutong.spec.catalog import Catalog


@dataclass(frozen=True)
class Statistic:
    """One statistic: ``query`` yields dimension, series, value over ``views`` (name to table of the lake)."""

    name: str
    query: str
    views: Mapping[str, str]


def lake_statistics(catalog: Catalog, present: set[str]) -> Iterator[Statistic]:
    """Statistics that are computed from the lake. ``:day`` is the business day."""
    if {"facts", "batches"} <= present:
        yield Statistic(
            "facts_by_month",
            "SELECT strftime(on_date, '%Y-%m') AS dimension, kind AS series, CAST(count(*) AS DOUBLE) AS value "
            "FROM facts WHERE public AND subject_id LIKE 'o%' AND on_date <= :day "
            "AND on_date >= date_trunc('month', CAST(:day AS DATE)) - INTERVAL 23 MONTH GROUP BY ALL ORDER BY 1, 2",
            {"facts": "facts"},
        )
        yield Statistic("publicity", _publicity(catalog), {"facts": "facts", "batches": "batches"})
    if "batches" in present:
        for name, column in (("records_by_resource", "accepted"), ("rejected_by_resource", "rejected")):
            yield Statistic(
                name,
                f"SELECT resource AS dimension, CAST(NULL AS VARCHAR) AS series, CAST(sum({column}) AS DOUBLE) AS value "
                "FROM batches WHERE state = 'in' GROUP BY resource ORDER BY value DESC, resource",
                {"batches": "batches"},
            )
        yield Statistic(
            "received_by_day",
            "SELECT CAST(received_on AS VARCHAR) AS dimension, CAST(NULL AS VARCHAR) AS series, "
            "CAST(sum(accepted) AS DOUBLE) AS value FROM batches WHERE state = 'in' GROUP BY received_on ORDER BY 1",
            {"batches": "batches"},
        )


def _publicity(catalog: Catalog) -> str:
    """Per department: decisions whose term ended since deliveries began, those late, and by how many days on average.

    Decisions of before are left out: their departments could not have delivered them in time.
    """
    cases = " ".join(f"WHEN '{name}' THEN '{one.department}'" for name, one in catalog.resources.items())
    return f"""
WITH began AS (SELECT resource, min(received_on) AS first_day FROM batches WHERE state = 'in' GROUP BY resource),
judged AS (
  SELECT CASE f.resource {cases} ELSE 'unknown' END AS department, f.received_on > f.publicity_due AS late,
         date_diff('day', f.publicity_due, f.received_on) AS days
  FROM facts f JOIN began b ON b.resource = f.resource
  WHERE f.publicity_due IS NOT NULL AND f.publicity_due >= b.first_day AND f.public)
SELECT department AS dimension, series, value FROM (
  SELECT department, CAST(count(*) AS DOUBLE) AS due, CAST(count(*) FILTER (late) AS DOUBLE) AS late,
         coalesce(avg(days) FILTER (late), 0.0) AS late_days
  FROM judged GROUP BY department)
UNPIVOT (value FOR series IN (due, late, late_days)) ORDER BY 1, 2"""


FILE_STATISTICS = {
    "subjects_by_category": "SELECT category, NULL, count(*) FROM answer_subject "
    "WHERE redirect_to IS NULL AND category IS NOT NULL GROUP BY category ORDER BY 3 DESC, 1",
    "subjects_by_area": "SELECT area, NULL, count(*) FROM answer_subject "
    "WHERE redirect_to IS NULL AND area IS NOT NULL GROUP BY area ORDER BY 1",
    "subjects_by_status": "SELECT status, NULL, count(*) FROM answer_subject "
    "WHERE redirect_to IS NULL AND status IS NOT NULL GROUP BY status ORDER BY 3 DESC, 1",
    "subjects_by_industry": "SELECT substr(industry, 1, 2), NULL, count(*) FROM answer_subject "
    "WHERE redirect_to IS NULL AND industry IS NOT NULL GROUP BY 1 ORDER BY 3 DESC, 1",
    "subjects_by_year": "SELECT substr(established_on, 1, 4), NULL, count(*) FROM answer_subject "
    "WHERE redirect_to IS NULL AND established_on IS NOT NULL GROUP BY 1 ORDER BY 1",
    "total": "SELECT * FROM (SELECT 'subjects', NULL, (SELECT count(*) FROM answer_subject WHERE redirect_to IS NULL) "
    "UNION ALL SELECT 'facts', NULL, (SELECT count(*) FROM answer_fact) "
    "UNION ALL SELECT 'records', NULL, (SELECT coalesce(sum(accepted), 0) FROM answer_batch WHERE state = 'in') "
    "UNION ALL SELECT 'batches', NULL, (SELECT count(*) FROM answer_batch WHERE state = 'in') "
    "UNION ALL SELECT 'departments', NULL, (SELECT count(*) FROM answer_catalog WHERE kind = 'department') "
    "UNION ALL SELECT 'resources', NULL, (SELECT count(*) FROM answer_catalog WHERE kind = 'resource') "
    "UNION ALL SELECT 'listings', NULL, (SELECT count(*) FROM answer_listing WHERE state = 'listed'))",
}
"""Statistics that are counted in the answers themselves, so that they agree with what the pages show."""
