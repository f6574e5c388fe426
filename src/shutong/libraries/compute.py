"""The stages of master data: the values with their sources, the libraries merged from them, conflicts of sources."""

from __future__ import annotations

from shutong.engine.stage import Stage
from shutong.libraries.conflicts import conflicts_stage
from shutong.libraries.merge import libraries_stage, time_bound
from shutong.libraries.values import values_stage
from shutong.spec.catalog import Catalog

__all__ = ["conflicts_stage", "libraries_stage", "master_stages", "time_bound", "values_stage"]


def master_stages(catalog: Catalog) -> tuple[Stage, ...]:
    """The stages, in order."""
    return values_stage(catalog), libraries_stage(catalog), conflicts_stage(catalog)
