"""The figures of every department against the targets of the policy documents, from the platform's own ledger."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Final

from django.db.models import Max

from shutong.catalog.actions import current_catalog
from shutong.catalog.figures import DepartmentFigures, Shared, department_figures
from shutong.catalog.published import publication_number
from shutong.collect.models import Batch
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.libraries.sources import shared_sql, supplied_sql

_LOOKED_AT: Final = 2_000_000
"""Values that are compared at most; of a larger library every so manieth subject."""


def figures(home: Home) -> list[DepartmentFigures]:
    """Every department that provides resources, as of the home's business day."""
    catalog = current_catalog()
    rows = Batch.objects.filter(state=Batch.State.IN).values("resource").annotate(latest=Max("received_on")).order_by()
    latest: dict[str, dt.date] = {row["resource"]: row["latest"] for row in rows}
    engine = engine_of(home)
    try:
        number = engine.lake.last
    finally:
        engine.close()
    base = tuple(name for name, one in catalog.libraries.items() if one.class_ == "base")
    filled, shared = _held(home, base, (number, publication_number()))
    return department_figures(catalog, latest, filled, shared, home.today())


@functools.lru_cache(maxsize=2)
def _held(
    home: Home, libraries: Sequence[str], state: tuple[int, int]
) -> tuple[list[tuple[str, str, str]], list[Shared]]:
    """What the base libraries hold of whom, kept until the next run or publication (``state``)."""
    del state
    engine = engine_of(home)
    try:
        if "values" not in engine.lake.tables():
            return [], []
        rows = sum(one.rows for one in engine.lake.table("values").files)
        one_in = max(1, -(-rows // _LOOKED_AT))
        filled = engine.query(supplied_sql(libraries), {"v": "values"}).to_pylist()
        shared = engine.query(shared_sql(libraries, one_in), {"v": "values"}).to_pylist()
    finally:
        engine.close()
    return [(one["library"], one["attribute"], one["resource"]) for one in filled], [Shared(**one) for one in shared]
