"""What follows from a committed run: listings, tickets of disagreements, ready answers. All of it is repeatable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from shutong.engine.duck import DuckEngine
from shutong.engine.home import Home
from shutong.rules.actions import Candidate, reconcile_listings
from shutong.spec.catalog import Catalog


def after_commit(
    home: Home,
    engine: DuckEngine,
    catalog: Catalog,
    subjects: int | None,
    day: dt.date,
    progress: Callable[[str, int, int], None],
) -> None:
    """Write the decisions that follow from what the rules found, and renew the ready answers.

    Args:
        subjects: how many subjects an increment computed again; None after a full run.
    """
    progress("listings", 1, 2)
    reconcile_listings(catalog, candidates(engine), day)


def candidates(engine: DuckEngine) -> list[Candidate]:
    """What the rules found in the last committed run."""
    if "candidates" not in engine.lake.tables():
        return []
    rows = engine.query(
        "SELECT candidate_id, list, ground, subject_id, since, record_ids, rule_version FROM candidates",
        {"candidates": "candidates"},
    )
    return [Candidate(**{**row, "record_ids": tuple(row["record_ids"] or ())}) for row in rows.to_pylist()]
