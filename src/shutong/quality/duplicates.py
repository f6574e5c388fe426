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

_SMALLEST_MAP = 13
_LARGEST_MAP = 30
_WAYS = 16
_BITS_PER_KEY = 16
"""The map has at least so many bits for every key, of which two are set in one word: at most about one new key in
sixty is looked up in vain."""

_LOW = np.uint64(4095)
_TWO_BITS = (np.uint64(1) << (np.arange(4096, dtype=np.uint64) & np.uint64(63))) | (
    np.uint64(1) << (np.arange(4096, dtype=np.uint64) >> np.uint64(6))
)
"""The two bits of a word that stand for a key, by the key's last twelve bits."""


class SeenKeys:
    """The keys of the accepted rows so far. Rows are given in the order of the file."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []
        self._count = 0
        self._log = _SMALLEST_MAP
        self._map = np.zeros(1 << self._log, np.uint64)

    def repeated(self, keys: Hashes, keyed: Mask, rejected: Mask) -> Mask:
        """Which rows repeat the key of an earlier accepted row, of this call or an earlier one.

        Args:
            keys: n hashes.
            keyed: the row has a key.
            rejected: the row is rejected for another reason: it may be told that it is a repeat too, but is not the
                first with its key.
        """
        # looked up in order, the map and the runs are run through from one end to the other
        ordered, others = np.sort(keys[keyed & ~rejected]), np.sort(keys[keyed & rejected])
        old = self._met_before(ordered)
        told = np.concatenate([ordered[old], others[self._met_before(others)]])
        answer = _rows_with(keys, np.sort(told)) & keyed
        first = np.ones(len(ordered), np.bool_)
        np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
        new = ordered[first & ~old]
        doubtful = np.unique(np.concatenate([ordered[~first & ~old], others[_among(new, others)]]))
        _mark_later(answer, keys, _rows_with(keys, doubtful) & keyed, rejected)
        self._remember(new)
        return answer

    def _bits(self, keys: Hashes) -> tuple[npt.NDArray[np.int64], Hashes]:
        """For each key its word of the map, and the two bits that stand for it there."""
        # numbers so small are the same when their bytes are read as signed ones, which index without a copy
        words = (keys >> np.uint64(64 - self._log)).view(np.int64)
        return words, _TWO_BITS.take(_last_bits(keys))

    def _met_before(self, ordered: Hashes) -> Mask:
        words, bits = self._bits(ordered)
        answer: Mask = self._map.take(words) & bits == bits
        places = np.flatnonzero(answer)
        wanted = ordered[places]
        sure = np.zeros(len(places), np.bool_)
        for run in self._runs:
            sure |= _among(run, wanted)
        answer[places] = sure
        return answer

    def _remember(self, ordered: Hashes) -> None:
        if not len(ordered):
            return
        self._runs.append(ordered)
        self._count += len(ordered)
        # Sixteen runs of like size become one, so there are few of them and each key is moved a few times only.
        while len(self._runs) >= _WAYS and len(self._runs[-_WAYS]) < 4 * len(self._runs[-1]):
            self._runs[-_WAYS:] = [np.sort(np.concatenate(self._runs[-_WAYS:]))]
        if self._count * _BITS_PER_KEY > 64 << self._log and self._log < _LARGEST_MAP:
            # four times the room at once, so that the map is seldom made again
            self._log = min(_LARGEST_MAP, (2 * self._count * _BITS_PER_KEY // 64 - 1).bit_length() + 1)
            self._map = np.zeros(1 << self._log, np.uint64)
            for run in self._runs:
                self._mark(run)
        else:
            self._mark(ordered)

    def _mark(self, ordered: Hashes) -> None:
        words, bits = self._bits(ordered)
        self._map[words] = self._map.take(words) | bits
        # of several keys of one word, neighbours here, only the last was written
        lost = np.flatnonzero(words[1:] == words[:-1])
        np.bitwise_or.at(self._map, words[lost], bits[lost])


def _last_bits(keys: Hashes) -> npt.NDArray[np.int64]:
    return (keys & _LOW).view(np.int64)


def _among(ordered: Hashes, wanted: Hashes) -> Mask:
    """Which of the wanted are in the ordered ones."""
    if not len(ordered) or not len(wanted):
        return np.zeros(len(wanted), np.bool_)
    found: Mask = ordered.take(np.searchsorted(ordered, wanted), mode="clip") == wanted
    return found


def _rows_with(keys: Hashes, few: Hashes) -> Mask:
    """Which rows have one of a few keys, which are in order; nearly all rows are ruled out by their last bits."""
    answer = np.zeros(len(keys), np.bool_)
    if len(few):
        near = np.zeros(len(_TWO_BITS), np.bool_)
        near[_last_bits(few)] = True
        rows = np.flatnonzero(near.take(_last_bits(keys)))
        answer[rows] = _among(few, keys[rows])
    return answer


def _mark_later(answer: Mask, keys: Hashes, doubtful: Mask, rejected: Mask) -> None:
    """Mark those of the doubtful rows that come behind the first accepted row with their key."""
    met: set[int] = set()
    for row in np.flatnonzero(doubtful):
        key = int(keys[row])
        if key in met:
            answer[row] = True
        elif not rejected[row]:
            met.add(key)
