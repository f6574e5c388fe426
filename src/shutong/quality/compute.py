"""Checking rows: text columns in, typed columns out, with every reason of every row that fails.

Pure: no clock, no database, no connection; SQL is asked of the engine through the function that is passed in.
Each declared check is one pass over one column in NumPy or Arrow (which free the interpreter, so batches run on
several threads); reasons are made for the failing rows only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.quality.plan import Bound, CheckPlan, ItemCheck
from shutong.spec.columns import faulty_column
from shutong.standards.code_slips import slipped_code
from shutong.standards.text import squeeze
from shutong.standards.verdict import ColumnVerdict, arrow, compute

Rows: TypeAlias = "npt.NDArray[np.int64]"
Mask: TypeAlias = "npt.NDArray[np.bool_]"
Hashes: TypeAlias = "npt.NDArray[np.uint64]"

UPSERT, WITHDRAW = "upsert", "withdraw"

_OPERATIONS = dict.fromkeys(
    ["UPSERT", "INSERT", "UPDATE", "ADD", "U", "I", "A", "新增", "增加", "变更", "修改", "更新", "有效"], UPSERT
) | dict.fromkeys(["WITHDRAW", "DELETE", "REMOVE", "D", "W", "撤回", "撤销", "撤消", "删除", "作废"], WITHDRAW)
"""What departments write in the operation column."""

_LEGAL_OFFSET = dt.timedelta(hours=8)


class Sql(Protocol):
    """Runs one SELECT over the record batch that it sees as ``rows``; order is kept."""

    def __call__(self, query: str, rows: pa.RecordBatch) -> pa.Table: ...


@dataclass(frozen=True)
class Findings:
    """What was found: finding k says that row ``rows[k]`` has reason ``reasons[k]`` of the plan."""

    rows: Rows
    reasons: npt.NDArray[np.int32]

    def of(self, wanted: Mask) -> Findings:
        """The findings of the wanted rows, by row and within a row in the order of the checks."""
        keep = wanted[self.rows]
        rows, reasons = self.rows[keep], self.reasons[keep]
        order = np.lexsort((reasons, rows))
        return Findings(rows[order], reasons[order])

    def counts(self, reasons: int) -> npt.NDArray[np.int64]:
        """How often each of the plan's reasons occurs."""
        return np.bincount(self.reasons, minlength=reasons).astype(np.int64)


@dataclass(frozen=True)
class Checked:
    """A batch after its checks: n typed rows, what was found, and which rows are rejected.

    ``operation`` is None where the resource has none (all rows are upserts). ``keys`` are the hashes of the keys,
    ``keyed`` tells which rows have one. A flagged row is one with findings that is not rejected.
    """

    typed: pa.RecordBatch
    operation: pa.Array[Any] | None
    findings: Findings
    rejected: Mask
    keys: Hashes
    keyed: Mask
    filled: dict[str, int]


class _Notes:
    """Findings while they are gathered."""

    def __init__(self, rows: int) -> None:
        self.rejected = np.zeros(rows, np.bool_)
        self._rows: list[Rows] = []
        self._reasons: list[npt.NDArray[np.int32]] = []

    def add(self, rows: Rows, reason: int, rejects: bool) -> None:
        if len(rows):
            self._rows.append(rows)
            self._reasons.append(np.full(len(rows), reason, np.int32))
            if rejects:
                self.rejected[rows] = True

    def findings(self) -> Findings:
        if not self._rows:
            return Findings(np.zeros(0, np.int64), np.zeros(0, np.int32))
        return Findings(np.concatenate(self._rows), np.concatenate(self._reasons))


def check_rows(
    plan: CheckPlan, cells: Sequence[Any | None], rows: int, received_on: dt.date, sql: Sql, salt: int = 0
) -> Checked:
    """Check one batch of rows, all but whether a key came before (``duplicates.SeenKeys`` knows that).

    Args:
        cells: per item of the plan its n cells as text (a plain or dictionary array), or None where the file lacks it.
        received_on: the day of delivery, which checks may name.
        sql: asks the engine.
        salt: another number gives other hashes of the same keys.
    """
    notes = _Notes(rows)
    verdicts = [
        item.check(column if column is not None else arrow.nulls(rows, pa.string()))
        for item, column in zip(plan.items, cells, strict=True)
    ]
    operation, withdrawn = _operations(plan, cells, notes)
    columns, filled = [], {}
    for item, verdict in zip(plan.items, verdicts, strict=True):
        faults = np.asarray(verdict.fault)
        values = _fitting(item, verdict, notes)
        filled[item.name] = rows - int(np.count_nonzero(faults == -1))
        _note_faults(item, faults, plan, verdicts, notes)
        _note_required(item, faults, plan, withdrawn, notes)
        if withdrawn is not None and item.name == plan.resource.reason:
            notes.add(np.flatnonzero((faults == -1) & withdrawn), plan.withdrawal_unexplained, True)
        _beyond(values, item.bounds, notes)
        if item.pattern:
            misfits = compute.invert(compute.match_substring_regex(values, item.pattern[0]))
            notes.add(_rows(misfits), item.pattern[1], item.rejects)
            if not item.rejects:
                values = compute.if_else(misfits, pa.scalar(None, values.type), values)
        columns.append(values)
    columns += [
        _faulty(verdict, column, rows)
        for item, verdict, column in zip(plan.items, verdicts, cells, strict=True)
        if faulty_column(item.name) in plan.schema.names
    ]
    typed = pa.RecordBatch.from_arrays(columns, schema=plan.schema)
    keys, keyed = _run_sql(plan, typed, received_on, sql, withdrawn, notes, salt)
    return Checked(typed, operation, notes.findings(), notes.rejected, keys, keyed, filled)


def _note_faults(
    item: ItemCheck, faults: npt.NDArray[np.int8], plan: CheckPlan, verdicts: Sequence[ColumnVerdict], notes: _Notes
) -> None:
    if not len(faults) or faults.max() <= 0:
        return
    wrong = np.flatnonzero(faults > 0)
    rejects = item.rejects
    numbers = faults[wrong]
    for number in np.unique(numbers):
        notes.add(wrong[numbers == number], item.faults[number], rejects)
    if not rejects and item.beside:
        name = next(k for k, other in enumerate(plan.items) if other.name == item.beside)
        nameless = np.asarray(verdicts[name].fault)[wrong] != 0
        notes.rejected[wrong[nameless]] = True


def _faulty(verdict: ColumnVerdict, cells: Any | None, rows: int) -> Any:
    """The unified codes with a slip, as they may be kept; null in every other row."""
    faults = np.asarray(verdict.fault)
    wrong = np.flatnonzero(faults > 0)
    if cells is None or not len(wrong):
        return arrow.nulls(rows, pa.string())
    places = pa.array(wrong)
    kept = [text and slipped_code(text) for text in cells.take(places).to_pylist()]
    index = np.full(rows, -1, np.int64)
    index[wrong] = np.arange(len(wrong))
    found: Any = arrow.array(kept, pa.string())
    return found.take(arrow.array(index, mask=index < 0))


def _note_required(
    item: ItemCheck, faults: npt.NDArray[np.int8], plan: CheckPlan, withdrawn: Mask | None, notes: _Notes
) -> None:
    if item.required is None or not len(faults) or faults.min() >= 0:
        return
    empty = faults == -1
    if withdrawn is not None and item.name not in plan.resource.key:
        empty &= ~withdrawn  # to withdraw a row its key is enough
    notes.add(np.flatnonzero(empty), item.required, True)


def _fitting(item: ItemCheck, verdict: ColumnVerdict, notes: _Notes) -> Any:
    """The element's values in the type in which the item is stored."""
    values: Any = verdict.canonical
    kind: Any = item.kind
    if values.type == kind:
        return values
    if pa.types.is_timestamp(values.type):
        legal = values.cast(pa.timestamp("us"))
        return compute.subtract(legal, pa.scalar(_LEGAL_OFFSET)).cast(kind)
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        # more decimals than are kept are rounded, more digits than fit are a fault
        rounded = compute.round(values, kind.scale) if pa.types.is_decimal(kind) else values
        largest = 10 ** (kind.precision - kind.scale)
        large = compute.greater_equal(compute.abs(rounded).cast(pa.float64()), float(largest))
        notes.add(_rows(large), item.out_of_range, True)
        return compute.if_else(large, pa.scalar(None, rounded.type), rounded).cast(kind)


def _beyond(values: Any, bounds: Sequence[Bound], notes: _Notes) -> None:
    """Note the rows outside the bounds. One pass finds the extremes; only when they are outside are the rows sought."""
    if not bounds or len(values) == values.null_count:
        return
    if bounds[0].kind == "length":
        if compute.max(compute.binary_length(values)).as_py() > int(bounds[0].limit):
            long = compute.greater(compute.utf8_length(values), int(bounds[0].limit))
            notes.add(_rows(long), bounds[0].reason, True)
        return
    extremes = compute.min_max(values).as_py()
    for bound in bounds:
        if bound.kind == "min" and extremes["min"] < bound.limit:
            notes.add(_rows(compute.less(values, _limit(bound, values.type))), bound.reason, True)
        if bound.kind == "max" and extremes["max"] > bound.limit:
            notes.add(_rows(compute.greater(values, _limit(bound, values.type))), bound.reason, True)


def _limit(bound: Bound, kind: Any) -> Any:
    """The limit in a type that compares exactly with ``kind``."""
    if pa.types.is_decimal(kind):
        return pa.scalar(bound.limit, pa.decimal128(38, max(kind.scale, -int(bound.limit.as_tuple().exponent))))
    return pa.scalar(bound.limit)


def _operations(
    plan: CheckPlan, cells: Sequence[Any | None], notes: _Notes
) -> tuple[pa.Array[Any] | None, Mask | None]:
    name = plan.resource.operation
    place = next((k for k, item in enumerate(plan.items) if item.name == name), None)
    column = cells[place] if place is not None else None
    if column is None:
        return None, None
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    spellings = [None if text is None else squeeze(text) for text in encoded.dictionary.to_pylist()]
    meant = pa.array([_OPERATIONS.get(text) if text else UPSERT for text in spellings], pa.string())
    operation: Any = meant.take(encoded.indices)
    known = compute.or_(operation.is_valid(), compute.invert(encoded.is_valid()))
    notes.add(_rows(compute.invert(known)), plan.operation_unknown, True)
    operation = operation.fill_null(UPSERT)
    return operation, np.asarray(compute.equal(operation, WITHDRAW))


def _run_sql(
    plan: CheckPlan,
    typed: pa.RecordBatch,
    received_on: dt.date,
    sql: Sql,
    withdrawn: Mask | None,
    notes: _Notes,
    salt: int,
) -> tuple[Hashes, Mask]:
    """The row expressions and the hashes of the keys, in one query."""
    keyed = np.ones(typed.num_rows, np.bool_)
    if not typed.num_rows:
        return np.zeros(0, np.uint64), keyed
    day = f"DATE '{received_on.isoformat()}'"
    # an expression that cannot be computed for a row (overflow) is NULL there, and NULL passes
    wanted = [f"coalesce(NOT TRY({check.sql}), false) AS f{k}" for k, check in enumerate(plan.rows)]
    parts = [f'"{name}"' for name in plan.resource.key] + ([f"'{salt}'"] if salt else [])
    hashed = f"hash({', '.join(parts)}) AS key_hash"
    items = ", ".join(f'"{item.name}"' for item in plan.items if item.name != "received_on")
    table = sql(f"SELECT {', '.join([*wanted, hashed])} FROM (SELECT {items}, {day} AS received_on FROM rows)", typed)
    for k, check in enumerate(plan.rows):
        failed = np.asarray(table.column(f"f{k}"))
        if withdrawn is not None:
            failed = failed & ~withdrawn
        notes.add(np.flatnonzero(failed), check.reason, check.rejects)
    for name in plan.resource.key:
        column = typed.column(name)
        if column.null_count and name not in plan.resource.key_empty:
            keyed &= np.asarray(column.is_valid())
    return np.asarray(table.column("key_hash")), keyed


def _rows(mask: Any) -> Rows:
    return np.flatnonzero(np.asarray(mask.fill_null(False)))


def lists_by_row(findings: Findings, places: Rows, told: Any) -> pa.Array[Any]:
    """Per wanted row the list of what it is told, as an Arrow list array; built without a Python object per row.

    Args:
        findings: sorted by row (``Findings.of``); each of their rows is one of ``places``.
        places: the rows wanted, ascending.
        told: what is told for each reason of the plan.
    """
    counts = np.bincount(np.searchsorted(places, findings.rows), minlength=len(places))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    lists: pa.Array[Any] = arrow.ListArray.from_arrays(pa.array(offsets), told.take(pa.array(findings.reasons)))
    return lists
