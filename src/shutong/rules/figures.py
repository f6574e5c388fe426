"""Figures: observations of indicators, and disagreements between two sources of the same figure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from shutong.engine.stage import Read, SqlStep, Stage, Write
from shutong.libraries.conflicts import verified
from shutong.libraries.tables import CONFLICTS
from shutong.libraries.views import declared_statement, declared_views, statement_sql, views_hash
from shutong.rules.lists import rule_version
from shutong.rules.tables import DISAGREEMENTS, OBSERVATIONS
from shutong.spec.catalog import Catalog, view_name
from shutong.spec.sql import Statement
from shutong.subjects.tables import no_rows_sql

VERSION = 2

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
    selects = {name: _observed_sql(name, statement, versions[name]) for name, statement in found.items()}
    hashes = [catalog.hash_of("indicator", name) for name in sorted(found)]
    return _stage(catalog, found, selects, Write("observations", "_all", schema=OBSERVATIONS), hashes)


def verifications_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``disagreements``: what declared verifications find, and the conflicts of libraries.

    Parameters: ``:as_of``. Always computed whole; conflicts are found subject by subject before.
    """
    columns = ("key", "item", "left_value", "right_value", "record_ids")
    found = {name: declared_statement(d.sql, catalog, columns) for name, d in catalog.verifications.items()}
    versions = {n: rule_version(catalog, "verification", n, d.version) for n, d in catalog.verifications.items()}
    selects = {
        name: _disagreeing_sql(name, statement, versions[name], catalog.verifications[name].departments)
        for name, statement in found.items()
    }
    hashes = [catalog.hash_of("verification", name) for name in sorted(found)]
    libraries = sorted({library for (library, _), _ in verified(catalog)})
    reads: tuple[Read, ...] = ()
    if libraries:
        reads = (Read("conflicts", "_conflicts", CONFLICTS),)
        selects["_libraries"] = _conflicting_sql(catalog, libraries)
        hashes += [catalog.hash_of("library", name) for name in libraries]
        hashes += [f"{name} {resource.department}" for name, resource in sorted(catalog.resources.items())]
    return _stage(catalog, found, selects, Write("disagreements", "_all", schema=DISAGREEMENTS), hashes, reads)


def _stage(
    catalog: Catalog,
    found: dict[str, Statement],
    selects: dict[str, str],
    write: Write,
    hashes: list[str],
    reads: tuple[Read, ...] = (),
) -> Stage:
    views = declared_views(catalog, found.values())
    steps = [SqlStep(f"_found_{view_name(name)}", sql) for name, sql in selects.items()]
    schema = write.schema or OBSERVATIONS
    union = " UNION ALL ".join(f"SELECT * FROM {step.name}" for step in steps) or no_rows_sql(schema)
    return Stage(
        name=write.table,
        reads=(*views.reads, *reads),
        steps=(*views.steps, *steps, SqlStep("_all", union)),
        writes=(write,),
        version=VERSION,
        declarations=hashlib.sha256(" ".join([*hashes, views_hash(catalog, found.values())]).encode()).hexdigest()[:20],
    )


def _observed_sql(name: str, statement: Statement, version: str) -> str:
    area, series = (
        f"CAST({column} AS VARCHAR)" if column in statement.outputs else "CAST(NULL AS VARCHAR)"
        for column in ("area", "series")
    )
    ids = "list_sort(list_distinct(CAST(record_ids AS VARCHAR[])))"
    records = "records" if "records" in statement.outputs else "array_length(record_ids)"
    return (
        f"SELECT '{name}' AS indicator, {area} AS area, {series} AS series, CAST(period AS DATE) AS period,"
        f" CAST(value AS DOUBLE) AS value, list_slice({ids}, 1, {RECORDS_SHOWN}) AS record_ids,"
        f" CAST({records} AS BIGINT) AS records, '{version}' AS rule_version FROM ({statement_sql(statement)})"
    )


def _disagreeing_sql(name: str, statement: Statement, version: str, departments: Sequence[str]) -> str:
    return (
        f"SELECT '{name}' AS verification, CAST(key AS VARCHAR) AS key, CAST(item AS VARCHAR) AS item,"
        " CAST(left_value AS VARCHAR) AS left_value, CAST(right_value AS VARCHAR) AS right_value,"
        f" list_sort(list_distinct(CAST(record_ids AS VARCHAR[]))) AS record_ids, '{version}' AS rule_version,"
        f" CAST(NULL AS VARCHAR) AS subject_id, {_list_sql(departments)} AS departments"
        f" FROM ({statement_sql(statement)})"
    )


def _conflicting_sql(catalog: Catalog, libraries: Sequence[str]) -> str:
    """The conflicts of libraries; each goes to the departments of both sources."""
    versions = " ".join(f"WHEN '{name}' THEN '{rule_version(catalog, 'library', name, 1)}'" for name in libraries)
    owners = " ".join(f"WHEN '{name}' THEN '{one.department}'" for name, one in catalog.resources.items())
    both = "list_sort(list_distinct([left_department, right_department]))"
    return (
        "SELECT concat(library, '.', attribute) AS verification,"
        " concat(subject_id, CASE WHEN instance IS NOT NULL THEN concat('/', instance) ELSE '' END) AS key,"
        " concat(left_resource, '/', right_resource) AS item, left_value, right_value,"
        f" [left_record, right_record] AS record_ids, CASE library {versions} END AS rule_version, subject_id,"
        f" {both} AS departments FROM (SELECT *, CASE left_resource {owners} END AS left_department,"
        f" CASE right_resource {owners} END AS right_department FROM _conflicts)"
    )


def _list_sql(texts: Sequence[str]) -> str:
    quoted = ", ".join(f"'{text}'" for text in texts)
    return f"CAST([{quoted}] AS VARCHAR[])"
