"""Figures: observations of indicators, and disagreements between two sources of the same figure."""

from __future__ import annotations

import hashlib

from shutong.engine.stage import SqlStep, Stage, Write
from shutong.libraries.views import declared_statement, declared_views, statement_sql
from shutong.rules.lists import rule_version
from shutong.rules.tables import DISAGREEMENTS, OBSERVATIONS
from shutong.spec.catalog import Catalog, view_name
from shutong.spec.sql import Statement
from shutong.subjects.tables import no_rows_sql

VERSION = 1

RECORDS_SHOWN = 20
"""Record ids that an observation keeps; how many there were is in ``records``."""


def indicators_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``observations``. Parameters: ``:as_of``. Always computed whole."""
    found = {
        name: declared_statement(
            declared.sql, catalog, ("period", "value", "record_ids"), ("area", "series", "records")
        )
        for name, declared in catalog.indicators.items()
    }
    versions = {name: rule_version(catalog, "indicator", name, d.version) for name, d in catalog.indicators.items()}
    return _stage(catalog, "indicator", found, {n: _observed_sql(n, s, versions[n]) for n, s in found.items()})


def verifications_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``disagreements``. Parameters: ``:as_of``. Always computed whole."""
    columns = ("key", "item", "left_value", "right_value", "record_ids")
    found = {name: declared_statement(d.sql, catalog, columns) for name, d in catalog.verifications.items()}
    versions = {n: rule_version(catalog, "verification", n, d.version) for n, d in catalog.verifications.items()}
    return _stage(catalog, "verification", found, {n: _disagreeing_sql(n, s, versions[n]) for n, s in found.items()})


def _stage(catalog: Catalog, kind: str, found: dict[str, Statement], selects: dict[str, str]) -> Stage:
    table, schema = ("observations", OBSERVATIONS) if kind == "indicator" else ("disagreements", DISAGREEMENTS)
    views = declared_views(catalog, found.values())
    steps = [SqlStep(f"_{kind}_{view_name(name)}", sql) for name, sql in selects.items()]
    union = " UNION ALL ".join(f"SELECT * FROM {step.name}" for step in steps) or no_rows_sql(schema)
    hashes = " ".join(catalog.hash_of(kind, name) for name in sorted(found))
    return Stage(
        name=table,
        reads=views.reads,
        steps=(*views.steps, *steps, SqlStep("_all", union)),
        writes=(Write(table, "_all", schema=schema),),
        version=VERSION,
        declarations=hashlib.sha256(hashes.encode()).hexdigest()[:20],
    )


def _observed_sql(name: str, statement: Statement, version: str) -> str:
    area, series = (
        f"CAST({column} AS VARCHAR)" if column in statement.outputs else "CAST(NULL AS VARCHAR)"
        for column in ("area", "series")
    )
    ids = "list_sort(list_distinct(CAST(record_ids AS VARCHAR[])))"
    records = "records" if "records" in statement.outputs else "len(record_ids)"
    return (
        f"SELECT '{name}' AS indicator, {area} AS area, {series} AS series, CAST(period AS DATE) AS period,"
        f" CAST(value AS DOUBLE) AS value, list_slice({ids}, 1, {RECORDS_SHOWN}) AS record_ids,"
        f" CAST({records} AS BIGINT) AS records, '{version}' AS rule_version FROM ({statement_sql(statement)})"
    )


def _disagreeing_sql(name: str, statement: Statement, version: str) -> str:
    return (
        f"SELECT '{name}' AS verification, CAST(key AS VARCHAR) AS key, CAST(item AS VARCHAR) AS item,"
        " CAST(left_value AS VARCHAR) AS left_value, CAST(right_value AS VARCHAR) AS right_value,"
        f" list_sort(list_distinct(CAST(record_ids AS VARCHAR[]))) AS record_ids, '{version}' AS rule_version"
        f" FROM ({statement_sql(statement)})"
    )
