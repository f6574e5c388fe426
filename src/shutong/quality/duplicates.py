"""Which keys came before: memory of the keys of one delivery, eight bytes and a few bits each.

A map answers "surely not" for nearly every row; only the rest is looked up in sorted runs. Keys are remembered by a
64-bit hash, so what is found here is confirmed afterwards by comparing the keys themselves (``delivery``).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Hashes: TypeAlias = "npt.NDArray[np.uint64]"
Mask: TypeAlias = "npt.NDArray[np.bool_]"

_SMALLEST_MAP = 19
_LARGEST_MAP = 36
_BIT = np.left_shift(1, np.arange(8)).astype(np.uint8)
_WAYS = 8
_BITS_PER_KEY = 32
"""The map has at least so many bits for every key, so about one new key in thirty is looked up in vain."""


class SeenKeys:
    """The keys of the accepted rows so far. Rows are given in the order of the file."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []
        self._count = 0
        self._log = _SMALLEST_MAP
        self._map = np.zeros(1 << (self._log - 3), np.uint8)

    def repeated(self, keys: Hashes, keyed: Mask, rejected: Mask) -> Mask:
        """Which rows repeat the key of an earlier accepted row, of this call or an earlier one.

        Args:
            keys: n hashes.
            keyed: the row has a key.
            rejected: the row is rejected for another reason: it may be told that it is a repeat too, but is not the
                first with its key.
        """
        answer = self._met_before(keys) & keyed
        ordered = np.sort(keys)
        answer |= _met_here(keys, ordered, keyed & ~answer, rejected)
        new = keyed & ~rejected & ~answer
        self._remember(ordered if new.all() else np.sort(keys[new]))
        return answer

    def _bits(self, keys: Hashes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Byte and bit of the map for each key."""
        places = keys >> np.uint64(64 - self._log)
        return (places >> np.uint64(3)).astype(np.int64), _BIT[(places & np.uint64(7)).astype(np.int64)]

    def _met_before(self, keys: Hashes) -> Mask:
        answer = np.zeros(len(keys), np.bool_)
        if not self._runs:
            return answer
        byte, bit = self._bits(keys)
        rows = np.flatnonzero(self._map[byte] & bit)
        if len(rows):
            wanted = keys[rows]
            for run in self._runs:
                place = np.searchsorted(run, wanted)
                place[place == len(run)] = 0
                answer[rows[run[place] == wanted]] = True
        return answer

    def _remember(self, ordered: Hashes) -> None:
        if not len(ordered):
            return
        self._runs.append(ordered)
        self._count += len(ordered)
        # Eight runs of like size become one, so there are few of them and each key is moved a few times only.
        while len(self._runs) >= _WAYS and len(self._runs[-_WAYS]) < 4 * len(self._runs[-1]):
            self._runs[-_WAYS:] = [np.sort(np.concatenate(self._runs[-_WAYS:]))]
        if self._count * _BITS_PER_KEY > 1 << self._log and self._log < _LARGEST_MAP:
            # four times the room at once, so that the map is seldom made again
            self._log = min(_LARGEST_MAP, (2 * self._count * _BITS_PER_KEY - 1).bit_length() + 1)
            self._map = np.zeros(1 << (self._log - 3), np.uint8)
            for run in self._runs:
                self._mark(run)
        else:
            self._mark(ordered)

    def _mark(self, ordered: Hashes) -> None:
        # Keys in order fall into the map in order: those of one byte are neighbours and are joined before.
        byte, bit = self._bits(ordered)
        first = np.flatnonzero(np.concatenate([[True], byte[1:] != byte[:-1]]))
        self._map[byte[first]] |= np.bitwise_or.reduceat(bit, first)


def _met_here(keys: Hashes, ordered: Hashes, candidates: Mask, rejected: Mask) -> Mask:
    """Rows that repeat an earlier accepted row of the same call; ``ordered`` are the keys in order."""
    answer = np.zeros(len(keys), np.bool_)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return answer
    met: set[int] = set()
    for row in np.flatnonzero(np.isin(keys, twice) & candidates):
        key = int(keys[row])
        if key in met:
            answer[row] = True
        elif not rejected[row]:
            met.add(key)
    return answer
