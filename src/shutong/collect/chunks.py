"""What every reader yields: text columns in Arrow, the number of each row, and the rows that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from shutong.collect.problems import Problem, problem
from shutong.collect.source import Limits

pc: Any = pyarrow.compute
"""Untyped here: the stubs know no call of a function with a plain value."""

Numbers: TypeAlias = "npt.NDArray[np.int64]"

KEPT_CHARS = 1_000
"""Of a cell that is too long, so much is kept with the rejected row."""

CONTROL_PATTERN = "[\x00-\x08\x0b\x0c\x0e-\x1f]"


@dataclass(frozen=True)
class BadRow:
    """A row that could not be read into columns: its number, its line in the file, why, and its cells if known."""

    row_no: int
    line: int
    problem: Problem
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Chunk:
    """A run of delivered rows.

    ``cells``: one text column per entry of ``header``, in its order. ``row_no``: number of each row among the data
    rows of the file, from 1, blank rows not counted. ``line``: its line in the file (row of the sheet), for messages.
    ``bad``: rows of the same stretch of the file that are not in ``cells``; their numbers are not in ``row_no``.
    """

    header: tuple[str, ...]
    cells: pa.RecordBatch
    row_no: Numbers
    line: Numbers
    bad: tuple[BadRow, ...] = ()

    @property
    def received(self) -> int:
        """Rows delivered in this stretch, readable or not."""
        return self.cells.num_rows + len(self.bad)


class Reading(Protocol):
    """An opened delivery: what it is, its header, and its rows in chunks (to be run through once)."""

    format: str
    header: tuple[str, ...]

    @property
    def encoding(self) -> str | None:
        """The encoding of a text; None for a workbook."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """The rows, in order.

        Raises:
            Refusal: the rest of the file cannot be read.
        """
        ...


def columns_of(rows: Sequence[Sequence[str]], width: int) -> pa.RecordBatch:
    """Rows of equal width as a record batch of text columns named 0, 1, 2, ..."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    return batch_of([pa.array(column, pa.string()) for column in columns])


def batch_of(columns: Sequence[Any]) -> pa.RecordBatch:
    """Text columns as a record batch with the names 0, 1, 2, ..."""
    return pa.RecordBatch.from_arrays(list(columns), names=[str(index) for index in range(len(columns))])


def set_aside(chunk: Chunk, limits: Limits, controls: bool, broken: str | None) -> Chunk:
    """Move rows with a cell that no column can hold out of ``cells`` into ``bad``.

    Args:
        controls: the file holds control characters somewhere, so the cells are searched for them.
        broken: the encoding, when some characters could not be decoded, so that the cells are searched for U+FFFD.
    """
    failed: dict[int, Problem] = {}
    for column in chunk.cells.columns:
        if column.nbytes > limits.cell_chars and _longest(column) > limits.cell_chars:
            long = pc.greater(pc.utf8_length(column), limits.cell_chars)
            failed |= dict.fromkeys(_rows(long), problem("cell.too-long", limit=limits.cell_chars))
        if controls:
            found = pc.match_substring_regex(column, CONTROL_PATTERN)
            failed |= dict.fromkeys(_rows(found), problem("cell.control"))
        if broken:
            found = pc.match_substring(column, "\ufffd")
            failed |= dict.fromkeys(_rows(found), problem("cell.encoding", encoding=broken.upper()))
    return without(chunk, failed) if failed else chunk


def without(chunk: Chunk, failed: dict[int, Problem]) -> Chunk:
    """The chunk with the rows at these positions moved to ``bad`` for these problems."""
    places = sorted(failed)
    rows = chunk.cells.take(pa.array(places, pa.int64())).to_pylist()
    bad = [
        BadRow(int(chunk.row_no[place]), int(chunk.line[place]), failed[place], tuple(map(shorten, row.values())))
        for place, row in zip(places, rows, strict=True)
    ]
    keep = np.ones(chunk.cells.num_rows, np.bool_)
    keep[places] = False
    return Chunk(
        chunk.header,
        chunk.cells.filter(pa.array(keep)),
        chunk.row_no[keep],
        chunk.line[keep],
        tuple(sorted([*chunk.bad, *bad], key=lambda row: row.row_no)),
    )


def shorten(cell: str | None) -> str:
    """A cell as it is kept with a rejected row: at most ``KEPT_CHARS`` characters, and how many there were."""
    if cell is None:
        return ""
    return cell if len(cell) <= KEPT_CHARS else f"{cell[:KEPT_CHARS]}…（共 {len(cell)} 字）"


def blank_rows(cells: pa.RecordBatch) -> npt.NDArray[np.bool_] | None:
    """Which rows have no text at all; None when there are none (the usual case, found from the first column alone)."""
    blank = np.asarray(pc.equal(cells.column(0), ""))
    for column in cells.columns[1:]:
        if not blank.any():
            return None
        blank &= np.asarray(pc.equal(column, ""))
    return blank if blank.any() else None


def _longest(column: Any) -> int:
    return pc.max(pc.binary_length(column)).as_py() or 0


def _rows(mask: Any) -> list[int]:
    places: list[int] = np.flatnonzero(np.asarray(mask)).tolist()
    return places
