"""What the stages make of a case that a pack brings as data: its libraries, values, candidates, figures, conflicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from shutong.engine.engine import Engine
from shutong.libraries.tables import VALUES, library_table
from shutong.quality.casetests import CaseResult, run_case
from shutong.rules.plan import full_run
from shutong.rules.tables import CANDIDATES, DISAGREEMENTS, OBSERVATIONS
from shutong.spec.cases import Case
from shutong.spec.catalog import Catalog, library_view

_WAY = "case"

_TABLES = {
    "values": ("values", "library", VALUES),
    "candidates": ("candidates", "list", CANDIDATES),
    "observations": ("observations", "indicator", OBSERVATIONS),
    "disagreements": ("disagreements", "verification", DISAGREEMENTS),
}
"""Per kind of expectation the table of the way, the column that names the declaration, and the table's columns."""

# The name by which a reader of the case knows a subject: its code, else its name, else its address.
_SUBJECTS = """SELECT subject_id, min_by(value, struct_pack(a := CASE kind WHEN 'uscc' THEN 0 WHEN 'name' THEN 1 ELSE 2 END,
 b := value)) AS subject FROM (SELECT subject_id, kind, CASE kind WHEN 'place' THEN split_part(value, '|', 1) ELSE value
 END AS value FROM identifiers WHERE current AND kind IN ('uscc', 'name', 'place')) GROUP BY subject_id"""


def run_whole_case(case: Case, catalog: Catalog) -> CaseResult:
    """Deliver a case, run every stage where it expects something of them, and compare.

    Only what the case's pack declares and what it requires takes part: other packs must not change its outcome.
    """
    return run_case(case, _within_reach(catalog, case.pack), staged_rows)


def _within_reach(catalog: Catalog, pack: str) -> Catalog:
    """The declarations of a pack and of the packs that it requires."""
    reach, waiting = set(), [pack]
    while waiting:
        name = waiting.pop()
        if name not in reach and name in catalog.packs:
            reach.add(name)
            waiting += catalog.packs[name].requires
    kept: dict[str, Any] = {
        plural: {n: d for n, d in catalog.of_kind(kind).items() if catalog.pack_of.get((kind, n)) in reach}
        for kind, plural in _PLURALS.items()
    }
    return replace(catalog, **kept)


_PLURALS = {
    "resource": "resources",
    "library": "libraries",
    "list": "lists",
    "indicator": "indicators",
    "verification": "verifications",
    "codes": "codes",
}


def staged_rows(engine: Engine, catalog: Catalog, case: Case, table: str) -> pa.Table:
    """The rows of one of ``spec.cases.STAGED``, with the column ``subject`` in front.

    Raises:
        EngineError: a stage failed.
    """
    if "values" not in engine.lake.tables():
        _run_stages(engine, catalog, case)
    kind, _, name = table.partition("/")
    if kind == "library":
        columns, source, condition = library_view(catalog.libraries[name]).names, library_table(name), "TRUE"
    else:
        source, column, schema = _TABLES[kind]
        columns, condition = schema.names, f"t.{column} = '{name}'"
    if "subject_id" not in columns:
        return engine.query(f"SELECT t.* FROM t WHERE {condition}", {"t": source})
    return engine.query(
        f"SELECT s.subject, t.* FROM t LEFT JOIN ({_SUBJECTS}) s ON s.subject_id = t.subject_id WHERE {condition}",
        {"t": source, "identifiers": "identifiers"},
    )


def _run_stages(engine: Engine, catalog: Catalog, case: Case) -> None:
    with engine.run(f"{_WAY}-{case.name}", _WAY, case.business_day) as run:
        for planned in full_run(catalog):
            run.execute(planned.stage, {"as_of": case.business_day})
        run.commit()
