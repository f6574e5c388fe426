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

_SMALLEST_MAP = 16
_LARGEST_MAP = 30
_ROOM = 3
"""The map has at least 2^3 bytes for every key, so at most one new key in eight is looked up in vain."""


class SeenKeys:
    """The keys of the accepted rows so far. Rows are given in the order of the file."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []
        self._count = 0
        self._bits = _SMALLEST_MAP
        self._map = np.zeros(1 << self._bits, np.bool_)

    def repeated(self, keys: Hashes, keyed: Mask, rejected: Mask) -> Mask:
        """Which rows repeat the key of an earlier accepted row, of this call or an earlier one.

        Args:
            keys: n hashes.
            keyed: the row has a key.
            rejected: the row is rejected for another reason: it may be told that it is a repeat too, but is not the
                first with its key.
        """
        answer = self._met_before(keys) & keyed
        answer |= _met_here(keys, keyed & ~answer, rejected)
        new = keyed & ~rejected & ~answer
        self._remember(keys if new.all() else keys[new])
        return answer

    def _slots(self, keys: Hashes) -> npt.NDArray[np.int64]:
        return (keys >> np.uint64(64 - self._bits)).astype(np.int64)

    def _met_before(self, keys: Hashes) -> Mask:
        answer = np.zeros(len(keys), np.bool_)
        rows = np.flatnonzero(self._map[self._slots(keys)])
        if len(rows):
            wanted = keys[rows]
            for run in self._runs:
                place = np.searchsorted(run, wanted)
                place[place == len(run)] = 0
                answer[rows[run[place] == wanted]] = True
        return answer

    def _remember(self, keys: Hashes) -> None:
        if not len(keys):
            return
        self._runs.append(np.sort(keys))
        self._count += len(keys)
        # Runs of like size are merged, so there are few of them and each key is moved a few times only.
        while len(self._runs) > 1 and len(self._runs[-2]) < 4 * len(self._runs[-1]):
            self._runs[-2:] = [np.sort(np.concatenate(self._runs[-2:]))]
        if self._count > self._map.size >> _ROOM and self._bits < _LARGEST_MAP:
            while self._count > 1 << (self._bits - _ROOM - 1) and self._bits < _LARGEST_MAP:
                self._bits += 1
            self._map = np.zeros(1 << self._bits, np.bool_)
            for run in self._runs:
                self._map[self._slots(run)] = True
        else:
            self._map[self._slots(keys)] = True


def _met_here(keys: Hashes, candidates: Mask, rejected: Mask) -> Mask:
    """Rows that repeat an earlier accepted row of the same call."""
    answer = np.zeros(len(keys), np.bool_)
    ordered = np.sort(keys)
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
