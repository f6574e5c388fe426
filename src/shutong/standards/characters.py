"""Whole columns as one run of code points: classify, translate and delete characters without a loop over rows.

A block is decoded once (UTF-8 to UTF-32), handled by table look-up, and encoded once. The tables come from the same
dictionaries that the scalar functions give to ``str.translate``, so the two agree by construction.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.standards.columns import layout, present
from shutong.standards.verdict import Values

TABLE = 1 << 16
DELETE = 0xFFFF
"""Entry of a translation table that removes the character (U+FFFF is no character)."""

Points = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Characters:
    """Code points of all rows in one array, with n + 1 boundaries; a null row has no characters."""

    points: Points
    bounds: npt.NDArray[np.int64]
    nulls: Flags

    def lengths(self) -> npt.NDArray[np.int64]:
        """Characters per row."""
        return np.diff(self.bounds)

    def rows_with(self, table: Flags) -> Flags:
        """n booleans: the row holds a character whose entry in ``table`` (65,536 entries) is true.

        Characters above U+FFFF take the table's last entry.
        """
        answer = np.zeros(len(self.bounds) - 1, np.bool_)
        hits = np.flatnonzero(self._look_up(table))
        if len(hits):
            answer[np.searchsorted(self.bounds, hits, side="right") - 1] = True
        return answer

    def at(self, place: int, table: Flags) -> Flags:
        """n booleans: the character at ``place`` (0 first, -1 last) has a true entry; False where it is missing."""
        index = self.bounds[:-1] + place if place >= 0 else self.bounds[1:] + place
        there = (index >= self.bounds[:-1]) & (index < self.bounds[1:])
        answer = np.zeros(len(there), np.bool_)
        answer[there] = table[np.minimum(self.points[index[there]], TABLE - 1)]
        return answer

    def translate(self, table: npt.NDArray[np.uint16]) -> Characters:
        """Every character replaced by its entry in ``table``; :data:`DELETE` removes; above U+FFFF nothing changes."""
        points: Points = table[self.within_table()].astype(np.uint32)
        if self.highest >= TABLE:
            points = np.where(self.points < TABLE, points, self.points)
        gone = points == DELETE
        if not gone.any():
            return Characters(points, self.bounds, self.nulls)
        removed = np.concatenate(([0], np.cumsum(gone, dtype=np.int32)))
        return Characters(points[~gone], self.bounds - removed[self.bounds], self.nulls)

    def to_arrow(self) -> Values:
        """The rows as a string array."""
        text = self.points.astype("<u4").tobytes().decode("utf-32-le")
        data = text.encode("utf-8")
        if len(data) == len(self.points):
            offsets = self.bounds
        else:
            width = (self.points > 0x7F).view(np.int8) + (self.points > 0x7FF).view(np.int8)
            if self.highest >= TABLE:
                width += self.points > 0xFFFF
            offsets = np.concatenate(([0], np.cumsum(width, dtype=np.int32)))[self.bounds] + self.bounds
        valid = None if not self.nulls.any() else pa.py_buffer(np.packbits(~self.nulls, bitorder="little").tobytes())
        buffers = [valid, pa.py_buffer(offsets.astype(np.int32).tobytes()), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.string(), len(self.bounds) - 1, buffers)

    def _look_up(self, table: Flags) -> Flags:
        return table[self.within_table()]

    def within_table(self) -> Points:
        """The code points, those above the table's end as its last entry."""
        return self.points if self.highest < TABLE else np.minimum(self.points, TABLE - 1)

    @functools.cached_property
    def highest(self) -> int:
        """The highest code point of all rows."""
        return int(self.points.max(initial=0))


def characters(block: Values) -> Characters:
    """Decode a string block."""
    there = present(block)
    if not there.all():
        # Null rows may keep bytes; an empty text in their place leaves nothing to decode.
        block = block.fill_null("")
    data, starts = layout(block)
    body = data[starts[0] : starts[-1]]
    text = body.tobytes().decode("utf-8")
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    bounds = (starts - starts[0]).astype(np.int64)
    if len(points) != len(body):
        inside = np.concatenate(([0], np.cumsum((body & 0xC0) == 0x80, dtype=np.int32)))
        bounds = bounds - inside[bounds]
    return Characters(points, bounds, ~there)


def class_table(members: Iterable[str]) -> Flags:
    """Table of 65,536 booleans for :meth:`Characters.rows_with`: true for the characters of ``members``."""
    table = np.zeros(TABLE, np.bool_)
    table[[ord(character) for character in members]] = True
    return table


def translation_table(changes: Mapping[str, str | None]) -> npt.NDArray[np.uint16]:
    """Table for :meth:`Characters.translate` from one-character changes; None deletes."""
    table = np.arange(TABLE, dtype=np.uint16)
    for old, new in changes.items():
        table[ord(old)] = DELETE if new is None else ord(new)
    return table
