"""The order of the stages after check: a full run, and an increment with the scope of each stage."""

from __future__ import annotations

from dataclasses import dataclass

from shutong.engine.stage import Stage
from shutong.facts.compute import facts_stage
from shutong.libraries import compute as libraries
from shutong.rules.compute import indicators_stage, lists_stage, time_bound, verifications_stage
from shutong.spec.catalog import Catalog
from shutong.subjects import compute as subjects
from shutong.subjects import scopes


@dataclass(frozen=True)
class Planned:
    """One stage of a run, and the table whose keys are its scope; None computes it whole."""

    stage: Stage
    scope: str | None = None


def full_run(catalog: Catalog) -> tuple[Planned, ...]:
    """Every stage over everything that is known at ``:as_of``."""
    stages = (
        subjects.mentions_stage(catalog),
        subjects.identifiers_stage(catalog),
        subjects.identify_stage(catalog),
        libraries.values_stage(catalog),
        libraries.libraries_stage(catalog),
        libraries.conflicts_stage(catalog),
        facts_stage(catalog),
        lists_stage(catalog),
        indicators_stage(catalog),
        verifications_stage(catalog),
    )
    return tuple(Planned(stage) for stage in stages)


def increment(catalog: Catalog) -> tuple[Planned, ...]:
    """The stages that bring the tables of an earlier run to ``:as_of``.

    Parameters besides ``:as_of``: ``:since_seq`` and ``:since_day``, the highest delivery and the as-of day of the
    earlier run.
    """
    return (
        Planned(subjects.changed_records_stage(catalog)),
        Planned(subjects.mentions_stage(catalog), scopes.CHANGED),
        Planned(subjects.identifier_changes_stage(catalog)),
        Planned(subjects.identifiers_patch_stage(catalog), scopes.IDENTIFIERS_CHANGED),
        Planned(subjects.affected_records_stage(catalog)),
        Planned(subjects.identify_stage(catalog), scopes.RECORDS),
        Planned(subjects.affected_subjects_stage(catalog)),
        Planned(libraries.values_stage(catalog), scopes.SUBJECTS_OF_RUN),
        Planned(libraries.libraries_stage(catalog), None if libraries.time_bound(catalog) else scopes.SUBJECTS_OF_RUN),
        Planned(libraries.conflicts_stage(catalog), scopes.SUBJECTS_OF_RUN),
        Planned(facts_stage(catalog), scopes.SUBJECTS_OF_RUN),
        Planned(lists_stage(catalog), None if time_bound(catalog) else scopes.SUBJECTS_OF_RUN),
        Planned(indicators_stage(catalog)),
        Planned(verifications_stage(catalog)),
    )
