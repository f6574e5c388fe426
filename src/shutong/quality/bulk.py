"""Checking a table that is there already, such as a year's file or a copy of a lake table: which rows fail, and why.

The same checks as for a delivery, without sealing and without the typed rows; memory is bounded by the batches that
are under way and eight bytes a key.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa

from shutong.collect.judging import REASONS
from shutong.quality.compute import Checked, Findings, Sql, check_rows, lists_by_row
from shutong.quality.duplicates import SeenKeys
from shutong.quality.plan import CheckPlan
from shutong.standards.verdict import arrow

_BYTES_OF_A_NUMBER = 4


def coded_columns(metadata: Any) -> list[str]:
    """Columns of a Parquet file that repeat few values: read as dictionaries, each value is checked once.

    Args:
        metadata: the file's ``FileMetaData``; its first row group is looked at.
    """
    if not metadata.num_row_groups:
        return []
    group = metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    return [
        column.path_in_schema
        for column in columns
        if column.has_dictionary_page and column.total_uncompressed_size < _BYTES_OF_A_NUMBER * column.num_values
    ]


def failing_rows(
    plan: CheckPlan,
    batches: Iterable[pa.RecordBatch],
    received_on: dt.date,
    sql: Sql,
    pool: ThreadPoolExecutor,
    ahead: int = 2,
) -> Iterator[pa.RecordBatch]:
    """The failing rows of a table of text columns named by item: ``row_no`` (from 1), ``reasons``, then the columns.

    Args:
        plan: the checks; see ``plan.check_plan``.
        batches: text or dictionary columns; columns that are no item are passed along, missing items are empty.
        sql: asks the engine; called from the threads of ``pool``, as ``batches`` is.
        ahead: batches that may wait at most.
    """
    told = pa.array(
        [{"code": one.code, "item": one.item, "zh": one.zh, "en": one.en} for one in plan.reasons], REASONS.value_type
    )
    seen = SeenKeys()
    start = 1
    for batch, checked in _in_order(plan, batches, received_on, sql, pool, ahead):
        repeated = seen.repeated(checked.keys, checked.keyed, checked.rejected)
        findings = checked.findings
        if repeated.any():
            rows = np.flatnonzero(repeated)
            reasons = np.full(len(rows), plan.duplicate, np.int32)
            findings = Findings(np.concatenate([findings.rows, rows]), np.concatenate([findings.reasons, reasons]))
        if len(findings.rows):
            yield _failing(batch, findings, told, start)
        start += batch.num_rows


def _in_order(
    plan: CheckPlan,
    batches: Iterable[pa.RecordBatch],
    received_on: dt.date,
    sql: Sql,
    pool: ThreadPoolExecutor,
    ahead: int,
) -> Iterator[tuple[pa.RecordBatch, Checked]]:
    """Each task reads the next batch and checks it, so that reading too is the pool's work."""
    numbered, reading = enumerate(batches), threading.Lock()

    def check_next() -> tuple[int, pa.RecordBatch, Checked] | None:
        with reading:
            number, batch = next(numbered, (0, None))
        if batch is None:
            return None
        names = set(batch.schema.names)
        cells = [batch.column(item.name) if item.name in names else None for item in plan.items]
        return number, batch, check_rows(plan, cells, batch.num_rows, received_on, sql)

    tasks = deque(pool.submit(check_next) for _ in range(ahead + 1))
    ready: dict[int, tuple[pa.RecordBatch, Checked]] = {}
    wanted = 0
    while tasks:
        done = tasks.popleft().result()
        if done is None:
            continue
        tasks.append(pool.submit(check_next))
        # two tasks may have read in another order than they were given out
        ready[done[0]] = done[1:]
        while wanted in ready:
            yield ready.pop(wanted)
            wanted += 1


def _failing(batch: pa.RecordBatch, findings: Findings, told: Any, start: int) -> pa.RecordBatch:
    places = np.unique(findings.rows)
    wanted = np.zeros(batch.num_rows, np.bool_)
    wanted[places] = True
    rows = batch.take(arrow.array(places))
    columns: list[Any] = [
        pa.array(places + start),
        lists_by_row(findings.of(wanted), places, told),
        *(column.cast(pa.string()) for column in rows.columns),
    ]
    return pa.RecordBatch.from_arrays(columns, names=["row_no", "reasons", *batch.schema.names])
