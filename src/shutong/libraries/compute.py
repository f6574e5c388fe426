"""The stages of master data: first the values with their sources, then the libraries merged from them."""

from __future__ import annotations

from shutong.engine.stage import Stage
from shutong.libraries.merge import libraries_stage, time_bound
from shutong.libraries.values import values_stage
from shutong.spec.catalog import Catalog

__all__ = ["libraries_stage", "master_stages", "time_bound", "values_stage"]


def master_stages(catalog: Catalog) -> tuple[Stage, ...]:
    """Both stages, in order."""
    return values_stage(catalog), libraries_stage(catalog)
