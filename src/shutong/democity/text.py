"""Columns of text made without a loop over rows: joins, picks, fixed-width numbers, dates, seeded streams."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Text = pa.StringArray
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


def rows_at(index: npt.NDArray[Any], empty: Flags | None = None) -> pa.Int64Array:
    """Row numbers for ``take``; ``empty`` marks those that give an empty cell."""
    return pa.array(index.astype(np.int64), pa.int64(), mask=empty)


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A random stream of its own for each purpose, so that one more draw here moves nothing elsewhere."""
    words = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def permute(numbers: Ints, bits: int, seed: int, name: str) -> Ints:
    """A permutation of 0..2**bits-1 that looks random (four Feistel rounds): distinct numbers stay distinct.

    Args:
        numbers: values below ``2**bits``.
        bits: even or odd, at most 40; with an odd count the halves differ by one bit.
    """
    low = bits // 2
    high = bits - low
    keys = stream(seed, "permute", name).integers(1, 1 << 31, size=(4, 2), dtype=np.int64)
    left, right = numbers >> low, numbers & ((1 << low) - 1)
    for turn, (multiplier, addend) in enumerate(keys):
        # Alternating rounds keep unequal halves in their own widths, which keeps the whole a permutation.
        source, width = (right, high) if turn % 2 == 0 else (left, low)
        mixed = (source + addend) * (multiplier | 1)
        mixed = (mixed ^ (mixed >> 17)) & ((1 << 40) - 1)
        mixed = ((mixed * 0x2545F49) >> 13) & ((1 << width) - 1)
        if turn % 2 == 0:
            left = left ^ mixed
        else:
            right = right ^ mixed
    return (left << low) | right


def digits(numbers: Ints, width: int) -> Bytes:
    """(n, width) matrix of ASCII digits, zero-padded."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return ((numbers[:, None] // powers) % 10 + 48).astype(np.uint8)


def fixed(matrix: Bytes) -> Text:
    """An (n, width) matrix of ASCII bytes as a text column."""
    rows, width = matrix.shape
    offsets = np.arange(0, rows * width + 1, width, dtype=np.int32) if width else np.zeros(rows + 1, np.int32)
    data = np.ascontiguousarray(matrix)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data.tobytes()))


def matrix_of(column: Text, width: int) -> Bytes:
    """The (n, width) byte matrix of an ASCII column whose values are all ``width`` long and present."""
    joined = np.frombuffer("".join(cast("list[str]", column.to_pylist())).encode("ascii"), np.uint8)
    return joined.reshape(len(column), width).copy()


def padded(numbers: Ints, width: int) -> Text:
    """Whole numbers with leading zeros."""
    return fixed(digits(numbers, width))


def plain(numbers: npt.NDArray[Any]) -> Text:
    """Whole numbers as text."""
    return cast(Text, pa.array(numbers.astype(np.int64)).cast(pa.string()))


def amounts(cents: Ints) -> Text:
    """Hundredths as text with two decimals."""
    return join(plain(cents // 100), ".", padded(cents % 100, 2))


def iso_dates(days: npt.NDArray[Any]) -> Text:
    """Days since 1970-01-01 as ``2026-06-15``."""
    return cast(Text, pa.array(days.astype(np.int32), pa.date32()).cast(pa.string()))


def parts_of_date(days: npt.NDArray[Any]) -> tuple[Ints, Ints, Ints]:
    """Year, month and day of days since 1970-01-01."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(np.int64)
    first = dates.astype("datetime64[M]").astype("datetime64[D]")
    return months // 12 + 1970, months % 12 + 1, (dates - first).astype(np.int64) + 1


def join(*parts: Text | str) -> Text:
    """Texts and constants side by side; a missing part counts as empty."""
    pieces: list[Any] = [pa.scalar(part) if isinstance(part, str) else part for part in parts]
    joined = cast(Any, pc.binary_join_element_wise)(*pieces, "", null_handling="replace", null_replacement="")
    return _one(joined)


def joined(columns: Iterable[Text]) -> Text:
    """Columns one below the other."""
    return _one(pa.chunked_array(list(columns), pa.string()))


def pick(words: Sequence[str], index: npt.NDArray[Any]) -> Text:
    """``words[index]`` as a column."""
    return _one(pa.array(list(words), pa.string()).take(rows_at(index)))


def take(column: Text, index: Ints) -> Text:
    """Rows of a column; a negative index gives an empty cell."""
    return _one(column.take(rows_at(index, index < 0)))


def where(mask: Flags, yes: Text | str | None, no: Text | str | None) -> Text:
    """Row by row one or the other."""
    values = [pa.scalar(v, pa.string()) if v is None or isinstance(v, str) else v for v in (yes, no)]
    return _one(pc.if_else(pa.array(mask), *values))


def constant(value: str | None, rows: int) -> Text:
    """The same value in every row; None gives empty cells."""
    return pa.nulls(rows, pa.string()) if value is None else pa.repeat(pa.scalar(value), rows)


def filled(column: Text) -> Flags:
    """Which cells hold something."""
    return np.asarray(pc.is_valid(column))


def matches(column: Text, pattern: str) -> Flags:
    """Which cells match a regular expression (RE2); empty ones do not."""
    return np.asarray(pc.fill_null(pc.match_substring_regex(column, pattern), pa.scalar(False)))


def equal(column: Text, other: Text | str) -> Flags:
    """Which cells are the other one's, or that value; empty ones are not."""
    value: Any = pa.scalar(other) if isinstance(other, str) else other
    return np.asarray(pc.fill_null(pc.equal(column, value), pa.scalar(False)))


def replace_rows(column: Text, rows: Ints, values: Text) -> Text:
    """The column with ``values`` in the given rows."""
    if not len(rows):
        return column
    mask = np.zeros(len(column), np.bool_)
    mask[rows] = True
    order = np.argsort(rows, kind="stable")
    return _one(cast(Any, pc.replace_with_mask)(column, pa.array(mask), values.take(rows_at(order))))


def _one(column: Any) -> Text:
    """Kernels may answer in chunks; rows are wanted as one array."""
    return cast(Text, column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
