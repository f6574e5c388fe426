"""The day by which a fact must be published: the standards count the legal term, once per distinct day it begins on."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pyarrow as pa

from shutong.standards.terms import NATION, deadline, term, terms
from shutong.standards.workdays import published_years
from shutong.subjects.tables import columns

STARTS = columns(rule=pa.string(), start=pa.date32())
DEADLINES = columns(rule=pa.string(), start=pa.date32(), due=pa.date32())


def law_hash() -> str:
    """Hash of the dated terms and of the years whose working days are published: the law that the deadlines follow."""
    return hashlib.sha256(repr((terms(), published_years())).encode()).hexdigest()[:20]


def deadline_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Columns ``rule``, ``start`` to ``rule``, ``start``, ``due``; a day on which no such term was in force has no due."""
    rules, starts = batch.column("rule"), batch.column("start")
    dues = [_due(str(rule), start) for rule, start in zip(rules.to_pylist(), starts.to_pylist(), strict=True)]
    made = [rules, starts.cast(pa.date32()), pa.array(dues, pa.date32())]
    return pa.RecordBatch.from_arrays(made, schema=DEADLINES)


def _due(rule: str, start: Any) -> dt.date | None:
    """The last day of the term, or None where it was not yet law or lies beyond the calendar."""
    try:
        return deadline(term(rule, start, NATION), start)
    except (LookupError, ValueError):
        return None
