"""Hashes of text columns, and of what is left of a text when one character is taken out.

64 bits: among ten million values a false agreement is expected once in a hundred thousand cities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shutong.democity.text import Ints, Text
from shutong.standards.characters import Characters, characters

Hashes = npt.NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_LONGEST = 512


def _mixed(values: Hashes) -> Hashes:
    """The finishing steps of splitmix64: near values become far ones."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _powers() -> Hashes:
    powers = np.full(_LONGEST, _BASE, np.uint64)
    powers[0] = 1
    return np.cumprod(powers)


_POWERS = _powers()


def _sums(letters: Characters) -> tuple[Hashes, Ints]:
    """Running sums of the hashed characters, each times the power of its place; and the place of each character."""
    place = np.arange(len(letters.points)) - np.repeat(letters.bounds[:-1], letters.lengths())
    terms = _mixed(letters.points.astype(np.uint64) + np.uint64(1)) * _POWERS[np.minimum(place, _LONGEST - 1)]
    return np.concatenate((np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64))), place


def hash_texts(column: Text) -> Hashes:
    """A hash per row; of an empty cell that of an empty text."""
    letters = characters(column)
    sums, _ = _sums(letters)
    return _mixed(sums[letters.bounds[1:]] - sums[letters.bounds[:-1]])


def combine(*parts: Hashes | int) -> Hashes:
    """One hash of several, in their order."""
    result = np.zeros(1, np.uint64)
    for part in parts:
        value = np.asarray(part, np.uint64)
        result = _mixed(result * np.uint64(31) + value + np.uint64(1))
    return result


@dataclass(frozen=True)
class Shortened:
    """Every text whole (``place`` -1) and with each of its characters taken out (``place`` is which, up to 127)."""

    row: npt.NDArray[np.int32]
    place: npt.NDArray[np.int8]
    hash: Hashes


def shorten(column: Text) -> Shortened:
    """The hashes under which texts that differ in one character meet.

    Two texts differ in one character at most when the whole of one is the other with a character taken out, or when
    both agree with the character at the same place taken out.
    """
    letters = characters(column)
    sums, place = _sums(letters)
    numbers = np.arange(len(column), dtype=np.int32)
    row = np.repeat(numbers, letters.lengths())
    whole = sums[letters.bounds[1:]] - sums[letters.bounds[:-1]]
    left = (sums[letters.bounds[1:]][row] - sums[1:]) * np.uint64(_INVERSE)
    left += sums[:-1]
    left -= sums[letters.bounds[:-1]][row]
    return Shortened(
        np.concatenate((numbers, row)),
        np.concatenate((np.full(len(column), -1, np.int8), np.minimum(place, 127).astype(np.int8))),
        _mixed(np.concatenate((whole, left))),
    )
