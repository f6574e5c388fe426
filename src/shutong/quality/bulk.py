"""Checking a table that is there already, such as a year's file or a copy of a lake table: which rows fail, and why.

The same checks as for a delivery, without sealing and without the typed rows. The table comes in parts, which are read
and checked side by side; memory is bounded by the parts under way and eight bytes and a few bits a key.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shutong.collect.judging import REASONS
from shutong.quality.compute import Findings, Hashes, Mask, Sql, check_rows, lists_by_row
from shutong.quality.duplicates import SeenKeys
from shutong.quality.plan import CheckPlan
from shutong.standards.verdict import arrow

_BYTES_OF_A_NUMBER = 4
_BATCH_ROWS = 1 << 17

Part: TypeAlias = "Callable[[], Iterable[pa.RecordBatch]]"
"""A stretch of a table, read when it is called."""


def parts_of(path: Path) -> list[Part]:
    """The row groups of a Parquet file. Columns that repeat few values are read as dictionaries: each is checked once."""
    metadata = pq.read_metadata(path)
    coded = _coded_columns(metadata)
    return [functools.partial(_row_group, path, number, coded) for number in range(metadata.num_row_groups)]


def _row_group(path: Path, number: int, coded: list[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, read_dictionary=coded) as file:
        yield from file.iter_batches(batch_size=_BATCH_ROWS, row_groups=[number], use_threads=False)


def _coded_columns(metadata: Any) -> list[str]:
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
    parts: Iterable[Part],
    received_on: dt.date,
    sql: Sql,
    pool: ThreadPoolExecutor,
    ahead: int = 2,
) -> Iterator[pa.RecordBatch]:
    """The failing rows of a table of text columns named by item: ``row_no`` (from 1), ``reasons``, then the columns.

    Args:
        plan: the checks; see ``plan.check_plan``.
        parts: the table in its order, with text or dictionary columns; columns that are no item are passed along,
            missing items are empty. Read by the threads of ``pool``.
        sql: asks the engine; called from the threads of ``pool``.
        ahead: parts that may wait at most.
    """
    told = pa.array(
        [{"code": one.code, "item": one.item, "zh": one.zh, "en": one.en} for one in plan.reasons], REASONS.value_type
    )
    seen = SeenKeys()
    start = 1
    for batch, findings, keys, keyed, rejected in _in_order(plan, parts, received_on, sql, pool, ahead):
        repeated = seen.repeated(keys, keyed, rejected)
        if repeated.any():
            rows = np.flatnonzero(repeated)
            reasons = np.full(len(rows), plan.duplicate, np.int32)
            findings = Findings(np.concatenate([findings.rows, rows]), np.concatenate([findings.reasons, reasons]))
        if len(findings.rows):
            yield _failing(batch, findings, told, start)
        start += batch.num_rows


class _Found(NamedTuple):
    """What is kept of a batch until its turn comes."""

    batch: pa.RecordBatch
    findings: Findings
    keys: Hashes
    keyed: Mask
    rejected: Mask


def _in_order(
    plan: CheckPlan,
    parts: Iterable[Part],
    received_on: dt.date,
    sql: Sql,
    pool: ThreadPoolExecutor,
    ahead: int,
) -> Iterator[_Found]:
    def check(part: Part) -> list[_Found]:
        answers = []
        for batch in part():
            names = set(batch.schema.names)
            cells = [batch.column(item.name) if item.name in names else None for item in plan.items]
            checked = check_rows(plan, cells, batch.num_rows, received_on, sql)
            answers.append(_Found(batch, checked.findings, checked.keys, checked.keyed, checked.rejected))
        return answers

    waiting: deque[Future[list[_Found]]] = deque()
    for part in parts:
        waiting.append(pool.submit(check, part))
        if len(waiting) > ahead:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


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
