"""The legal deadlines of publicity as a table, so that facts find theirs by a join and the law is counted in one place."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pyarrow as pa

from shutong.spec.catalog import Catalog
from shutong.standards.terms import NATION, deadline, term
from shutong.subjects.tables import columns

DEADLINES = columns(rule=pa.string(), start=pa.date32(), due=pa.date32())

FIRST_START, LAST_START = dt.date(2000, 1, 1), dt.date(2049, 12, 31)
"""Days on which a term of the table may begin; a fact outside them has no deadline."""


def publicity_rules(catalog: Catalog) -> tuple[str, ...]:
    """The legal terms within which rows of some resource must be published."""
    return tuple(sorted({r.publicity.rule for r in catalog.resources.values() if r.publicity}))


def deadline_table(catalog: Catalog, area: str = NATION) -> pa.Table:
    """Rows of the input table ``deadlines``: for each rule and each day, the last day of a term that begins then.

    Args:
        area: whose law applies (six digits); a city's own rule goes before the province's and the nation's.

    Raises:
        KeyError: a declaration names a term that the standards do not have.
    """
    tables = [_of_rule(rule, area) for rule in publicity_rules(catalog)]
    return pa.concat_tables(tables) if tables else DEADLINES.empty_table()


@cache
def _of_rule(rule: str, area: str) -> pa.Table:
    starts, dues = [], []
    for ordinal in range(FIRST_START.toordinal(), LAST_START.toordinal() + 1):
        start = dt.date.fromordinal(ordinal)
        try:
            dues.append(deadline(term(rule, start, area), start))
        except LookupError as error:
            if isinstance(error, KeyError):
                raise
            continue
        starts.append(start)
    return pa.table(
        {"rule": pa.array([rule] * len(starts), pa.string()), "start": starts, "due": dues}, schema=DEADLINES
    )
