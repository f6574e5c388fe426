"""What was known of a subject at the end of a past day: the same stages over the inputs of that day.

Nothing is stored for it. The records that could have been linked to the subject, and those that tell whom else they
could have been about, are found first (``subjects.neighbourhood``); all versions of their keys known on the day go
through the full run, in a run that is never committed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from collections.abc import Iterator, Mapping

import pyarrow as pa

from shutong.engine.engine import Engine
from shutong.engine.run import LakeRun
from shutong.pipeline.runs import execute_plan
from shutong.rules.plan import full_run
from shutong.spec.catalog import Catalog
from shutong.spec.columns import REPLACED
from shutong.subjects import neighbourhood, scopes
from shutong.subjects.compute import identify_stage, mentions_stage

WANTED = ("links", "identifiers", "values", "facts", "candidates")
"""The tables of the way that an answer about a subject is made of."""

_OF_NO_SUBJECT = {"observations", "disagreements"}
"""Stages whose results are of no subject."""

_MOST_TIES = 100
"""Register rows tied by codes make short chains; a longer one than this is a fault of the data, not an identity."""


def known_on(engine: Engine, catalog: Catalog, subject_id: str, day: dt.date) -> Mapping[str, pa.Table]:
    """The rows about ``subject_id`` in each of ``WANTED`` as a run on ``day`` would have computed them.

    Inputs are the deliveries received up to ``day`` and today's declarations. Empty tables mean that nothing was known.

    Raises:
        EngineError: a stage failed.
    """
    with engine.run(f"asof-{secrets.token_hex(6)}", "as-of", day) as run:
        _show_hidden(run, catalog, day)
        _stage_neighbourhood(run, catalog, subject_id)
        _narrow_inputs(run, catalog)
        plan = [one for one in full_run(catalog) if one.stage.name not in _OF_NO_SUBJECT]
        execute_plan(run, plan, {"as_of": day})
        found = {}
        for table in WANTED:
            if run.table(table).segments:
                sql = "SELECT * FROM t WHERE subject_id = :subject"
                found[table] = run.peek(sql, {"t": table}, {"subject": subject_id})
        return found


@contextlib.contextmanager
def whole_on(engine: Engine, catalog: Catalog, day: dt.date) -> Iterator[LakeRun]:
    """Every table of the way as a run on ``day`` would have computed it; read it with ``peek`` while the block lasts.

    Inputs are the deliveries received up to ``day`` and today's declarations. The run is never committed. It takes as
    long as a full run does: for one subject ask ``known_on``.

    Raises:
        EngineError: a stage failed.
    """
    with engine.run(f"asof-{secrets.token_hex(6)}", "as-of", day) as run:
        execute_plan(run, full_run(catalog), {"as_of": day})
        yield run


def _show_hidden(run: LakeRun, catalog: Catalog, day: dt.date) -> None:
    """Make mentions, for this run only, of what was known on the day and shows in no mention today."""
    run.execute(neighbourhood.hidden_records_stage(catalog), {"as_of": day})
    if run.table(scopes.CHANGED).stored_rows:
        for stage in (mentions_stage(catalog), identify_stage(catalog)):
            run.execute(stage, {"as_of": day}, scopes.CHANGED)


def _stage_neighbourhood(run: LakeRun, catalog: Catalog, subject_id: str) -> None:
    """Work out ``scope/records``: the records that must go through a run for its answer about the subject to be right."""
    subject = {"subject": subject_id}
    run.execute(neighbourhood.own_rows_stage(catalog), subject)
    _tie(run, catalog)
    run.execute(neighbourhood.showing_records_stage(catalog), subject)
    run.execute(neighbourhood.rival_rows_stage(catalog), subject)
    _tie(run, catalog)


def _tie(run: LakeRun, catalog: Catalog) -> None:
    """Add register rows tied to those there until none is added."""
    for _ in range(_MOST_TIES):
        before = run.table(scopes.RECORDS).stored_rows
        run.execute(neighbourhood.tied_rows_stage(catalog))
        if run.table(scopes.RECORDS).stored_rows == before:
            return


def _narrow_inputs(run: LakeRun, catalog: Catalog) -> None:
    """Replace the accepted rows about somebody, for this run only, by all versions of the neighbourhood's keys."""
    near = "SELECT record_id FROM near"
    for name, resource in catalog.resources.items():
        table = f"accepted/{name}"
        if resource.about and run.table(table).segments:
            keys = f"SELECT key_id FROM accepted WHERE record_id IN ({near})"
            # What replaces a row of the neighbourhood ends it, whomever it is about itself.
            ending = f" OR {REPLACED} IN ({keys})" if resource.replaces else ""
            rows = run.peek(
                f"SELECT * FROM accepted WHERE key_id IN ({keys}){ending}", {"accepted": table, "near": scopes.RECORDS}
            )
            run.stage_table(table, rows, "replace")
