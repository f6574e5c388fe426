"""What was known of a subject at the end of a past day: the same stages over the inputs of that day.

Nothing is stored for it. The records that could have been linked to the subject are found by the same stage that finds
them for an increment, then those of the other subjects with which a similar name was compared, since who is linked
depends on who else came near. All versions of their keys known on the day go through the full run, in a run that is
never committed.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping

import pyarrow as pa

from shutong.engine.engine import Engine
from shutong.engine.run import LakeRun
from shutong.pipeline.runs import execute_plan
from shutong.rules.plan import full_run
from shutong.spec.catalog import Catalog
from shutong.subjects import scopes
from shutong.subjects.blocks import blocks_sql
from shutong.subjects.compute import affected_records_stage

WANTED = ("links", "identifiers", "values", "facts", "candidates")
"""The tables of the way that an answer about a subject is made of."""


def known_on(engine: Engine, catalog: Catalog, subject_id: str, day: dt.date) -> Mapping[str, pa.Table]:
    """The rows about ``subject_id`` in each of ``WANTED`` as a run on ``day`` would have computed them.

    Inputs are the deliveries received up to ``day`` and today's declarations. Empty tables mean that nothing was known.

    Raises:
        EngineError: a stage failed.
    """
    with engine.run(f"asof-{secrets.token_hex(6)}", "as-of", day) as run:
        _stage_neighbourhood(run, catalog, subject_id)
        _narrow_inputs(run, catalog)
        execute_plan(run, full_run(catalog), {"as_of": day})
        found = {}
        for table in WANTED:
            if run.table(table).segments:
                sql = "SELECT * FROM t WHERE subject_id = :subject"
                found[table] = run.peek(sql, {"t": table}, {"subject": subject_id})
        return found


def _stage_neighbourhood(run: LakeRun, catalog: Catalog, subject_id: str) -> None:
    """Work out ``scope/records``: what is linked to the subject, what shares a value with it, and its rivals' records."""
    subject = {"subject": subject_id}
    linked = run.peek("SELECT DISTINCT record_id FROM links WHERE subject_id = :subject", {"links": "links"}, subject)
    own = "SELECT DISTINCT kind, value FROM identifiers WHERE subject_id = :subject"
    values = run.peek(own, {"identifiers": "identifiers"}, subject)
    _find_records(run, catalog, linked, values)
    near = run.peek(
        f"SELECT record_id FROM near UNION SELECT b.record_id FROM ({_CASES}) b JOIN v ON v.value = b.block"
        " WHERE v.kind = 'block'",
        {"near": scopes.RECORDS, "mentions": "mentions", "v": scopes.VALUES_CHANGED},
    )
    run.stage_table(scopes.CHANGED, near, "replace")
    rivals = run.peek(
        f"SELECT DISTINCT kind, value FROM identifiers WHERE subject_id IN ({_RIVALS}) UNION SELECT kind, value FROM v",
        {"identifiers": "identifiers", "mentions": "mentions", "near": scopes.CHANGED, "v": scopes.VALUES_CHANGED},
    )
    _find_records(run, catalog, near, rivals)


_CASES = blocks_sql("mentions WHERE case_key IS NOT NULL", ("record_id",))
"""The blocks that each record without a unified code would look into."""

_RIVALS = (
    f"SELECT i.subject_id FROM identifiers i JOIN ({_CASES}) b ON b.block = i.value JOIN near n ON n.record_id = b.record_id"
    " WHERE i.kind = 'block'"
)
"""The subjects with which the records of ``near`` would be compared."""


def _find_records(run: LakeRun, catalog: Catalog, records: pa.Table, values: pa.Table) -> None:
    """Stage ``scope/records``: the records given, and those that look one of the values up."""
    run.stage_table(scopes.CHANGED, records, "replace")
    run.stage_table(scopes.VALUES_CHANGED, values, "replace")
    run.execute(affected_records_stage(catalog), {"since_day": dt.date.max})


def _narrow_inputs(run: LakeRun, catalog: Catalog) -> None:
    """Replace every table of accepted rows, for this run only, by all versions of the neighbourhood's keys."""
    near = "SELECT record_id FROM near"
    for name in catalog.resources:
        table = f"accepted/{name}"
        if run.table(table).segments:
            keys = f"SELECT key_id FROM accepted WHERE record_id IN ({near})"
            rows = run.peek(
                f"SELECT * FROM accepted WHERE key_id IN ({keys})", {"accepted": table, "near": scopes.RECORDS}
            )
            run.stage_table(table, rows, "replace")
