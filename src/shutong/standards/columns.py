"""Running checks over Arrow columns: cut into blocks, rows of one width as a matrix, the rest by distinct value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.standards.verdict import Column, ColumnVerdict, Faults, Values, Verdict, arrow, compute

BLOCK_ROWS = 1 << 16
"""Rows handled at a time: the working arrays of a block stay in the processor's cache."""

Bytes: TypeAlias = "npt.NDArray[np.uint8]"
Pairs: TypeAlias = "npt.NDArray[np.uint16]"
Index: TypeAlias = "npt.NDArray[np.int64]"
Block: TypeAlias = "tuple[Values, Faults]"
BlockCheck: TypeAlias = "Callable[[Values], Block]"
Scalar: TypeAlias = "Callable[[str], Verdict]"

RETRY = -2
"""Fault number inside a block check: not decided on the fast way, look at this row again."""


def as_strings(column: Column) -> list[Values]:
    """The chunks of a column as string arrays; other types are cast (a null column is n empty cells)."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return [chunk if pa.types.is_string(chunk.type) else chunk.cast(pa.string()) for chunk in chunks]


def over_blocks(column: Column, check: BlockCheck, kind: pa.DataType, reasons: tuple[str, ...]) -> ColumnVerdict:
    """Run ``check`` over the column in blocks of :data:`BLOCK_ROWS` rows and put the answers together.

    A dictionary column is checked once per entry of its dictionary. ``canonical`` is one array of ``kind``.
    """
    if isinstance(column, pa.Array) and pa.types.is_dictionary(column.type):
        return _over_dictionary(column, check, kind, reasons)
    values: list[Values] = []
    faults: list[Faults] = []
    for chunk in as_strings(column):
        for start in range(0, len(chunk), BLOCK_ROWS):
            canonical, fault = check(chunk.slice(start, BLOCK_ROWS))
            values.append(canonical)
            faults.append(fault)
    if not values:
        return ColumnVerdict(pa.array([], kind), pa.array([], pa.int8()), reasons)
    joined = values[0] if len(values) == 1 else pa.concat_arrays(values)
    return ColumnVerdict(joined, pa.array(np.concatenate(faults)), reasons)


def _over_dictionary(column: Any, check: BlockCheck, kind: pa.DataType, reasons: tuple[str, ...]) -> ColumnVerdict:
    entries = over_blocks(column.dictionary, check, kind, reasons)
    return ColumnVerdict(
        entries.canonical.take(column.indices),
        compute.fill_null(entries.fault.take(column.indices), pa.scalar(-1, pa.int8())),
        reasons,
    )


def layout(block: Values) -> tuple[Bytes, npt.NDArray[np.int32]]:
    """The bytes of a string block and its n + 1 offsets into them; a null row has length 0 or unspecified bytes."""
    buffers: list[Any] = block.buffers()
    _, offsets, data = buffers
    if offsets is None or len(block) == 0:
        return np.zeros(0, np.uint8), np.zeros(len(block) + 1, np.int32)
    starts = np.frombuffer(offsets, np.int32)[block.offset : block.offset + len(block) + 1]
    return np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8), starts


def present(block: Values) -> npt.NDArray[np.bool_]:
    """n booleans: the row is not null."""
    if block.null_count == 0:
        return np.ones(len(block), np.bool_)
    return np.asarray(block.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)


def rows_of_width(
    data: Bytes, starts: npt.NDArray[np.int32], wanted: npt.NDArray[np.bool_], width: int
) -> tuple[Index, Bytes]:
    """The rows among ``wanted`` (all of ``width`` bytes) and their bytes as a contiguous (k, width) matrix."""
    rows = np.flatnonzero(wanted)
    if len(rows) == len(wanted) and len(rows):
        return rows, data[starts[0] : starts[-1]].reshape(-1, width)
    if len(rows) == 0:
        return rows, np.zeros((0, width), np.uint8)
    windows: npt.NDArray[np.void] = np.ndarray((len(data) - width + 1,), dtype=f"V{width}", buffer=data, strides=(1,))
    return rows, windows[starts[:-1][rows]].view(np.uint8).reshape(-1, width)


def pair(matrix: Bytes, start: int) -> Pairs:
    """Two neighbouring bytes of every row as one number (first byte low): the index of a table of 65,536 entries.

    Looking up two characters at once halves the work of a check digit.
    """
    view: Pairs = np.ndarray((len(matrix),), dtype="<u2", buffer=matrix, offset=start, strides=(matrix.shape[1],))
    return view


def pair_table(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Table over :func:`pair`: entry = first[byte 1] + second[byte 2]; both tables have 256 entries."""
    return np.ascontiguousarray((second[:, None] + first[None, :]).reshape(65536))


def distinct(values: Values) -> tuple[list[str], Values]:
    """Distinct values of a string block without nulls, and for every row the index of its value."""
    encoded: Any = values.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices


def judge(values: Values, scalar: Scalar, kind: pa.DataType, reasons: Sequence[str], typed: Typed | None) -> Block:
    """Check a string block without nulls by its distinct values; the general way, for what has no faster one."""
    number = {reason: k for k, reason in enumerate(reasons)} | {"empty": -1}
    entries, index = distinct(values)
    verdicts = [scalar(entry) for entry in entries]
    texts = [verdict.canonical for verdict in verdicts]
    answers = pa.array(texts, pa.string()) if typed is None else typed(texts)
    fault = np.fromiter((number[v.reason] if v.reason else 0 for v in verdicts), np.int8, len(verdicts))
    return answers.cast(kind).take(index), fault[np.asarray(index)]


Typed: TypeAlias = "Callable[[list[str | None]], Values]"
"""Turns canonical texts into values of the element's Arrow type."""


def settle(
    block: Values,
    fast: Values | None,
    fault: Faults,
    scalar: Scalar,
    kind: pa.DataType,
    reasons: Sequence[str],
    typed: Typed | None = None,
) -> Block:
    """Finish a block: rows whose fault is :data:`RETRY` go through ``scalar``; wrong and empty rows become null.

    ``fast`` holds the values of the rows already decided; None means that a right row is its own canonical form.
    """
    values = block if fast is None else fast
    retry = fault == RETRY
    if retry.any():
        mask = pa.array(retry)
        cells = block.filter(mask)
        answers, faults = judge(cells, scalar, kind, reasons, typed)
        fault[retry] = faults
        if fast is not None or not compute.all(compute.equal(answers, cells), min_count=0).as_py():
            values = compute.replace_with_mask(values, mask, answers)
    if fault.any():
        values = without(values, fault != 0)
    return values, fault


def without(values: Values, wrong: npt.NDArray[np.bool_]) -> Values:
    """The values with null in the wrong rows, whose bytes (a personal number, perhaps) do not stay behind the null."""
    if pa.types.is_string(values.type) and values.null_count == 0:
        _, starts = layout(values)
        if not np.diff(starts)[wrong].any():
            # nothing but empty cells: there are no bytes to leave behind, so the others need not be copied
            _, _, data = values.buffers()
            here = arrow.py_buffer(starts)
            valid = arrow.py_buffer(np.packbits(~wrong, bitorder="little"))
            emptied: Values = arrow.Array.from_buffers(values.type, len(wrong), [valid, here, data])
            return emptied
    return values.take(arrow.array(np.arange(len(wrong)), mask=wrong))


def remember(scalar: Scalar) -> Scalar:
    """The scalar with a memory of recent cells, for the run over one column: blocks repeat each other's values."""
    return functools.lru_cache(maxsize=1 << 16)(scalar)


def by_distinct(
    column: Column,
    scalar: Scalar,
    reasons: tuple[str, ...],
    kind: pa.DataType | None = None,
    typed: Typed | None = None,
) -> ColumnVerdict:
    """The column twin of ``scalar`` for elements of few distinct values."""
    wanted = kind or pa.string()
    remembered = remember(scalar)

    def check(block: Values) -> Block:
        fault = np.where(present(block), np.int8(RETRY), np.int8(-1))
        return settle(block, arrow.nulls(len(block), wanted), fault, remembered, wanted, reasons, typed)

    return over_blocks(column, check, wanted, reasons)


def map_blocks(column: Column, work: Callable[[Values], Values]) -> Values:
    """Apply ``work`` (strings to strings, row for row) to a column in blocks of :data:`BLOCK_ROWS` rows."""
    if isinstance(column, pa.Array) and pa.types.is_dictionary(column.type):
        entries: Any = column
        return map_blocks(entries.dictionary, work).take(entries.indices)
    blocks = [
        work(chunk.slice(start, BLOCK_ROWS))
        for chunk in as_strings(column)
        for start in range(0, len(chunk), BLOCK_ROWS)
    ]
    if not blocks:
        return pa.array([], pa.string())
    return blocks[0] if len(blocks) == 1 else pa.concat_arrays(blocks)


def reasons_of(*names: str) -> tuple[str, ...]:
    """A check's tuple of reasons, ``ok`` first, so that fault number k is ``reasons[k]``."""
    return ("ok", *names)


def ordered(items: Iterable[str]) -> tuple[str, ...]:
    """Reasons of several checks joined, each once, order kept."""
    return tuple(dict.fromkeys(items))
