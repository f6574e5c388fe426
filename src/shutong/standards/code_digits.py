"""Check characters of whole matrices of codes: rows of ASCII bytes in, one byte per row out.

Used where codes are made by columns (a synthetic city) and, with their tables, where columns are checked.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shutong.standards.code_rules import (
    CITIZEN_CHECKS,
    CITIZEN_WEIGHTS,
    ORG_ALPHABET,
    ORG_WEIGHTS,
    USCC_ALPHABET,
    USCC_WEIGHTS,
)
from shutong.standards.columns import Bytes, pair_table

BAD = 255
"""Value of a byte that is not in the alphabet."""

Table = npt.NDArray[np.uint16]


@functools.cache
def values_of(alphabet: str) -> Bytes:
    """Table of 256: the value of a byte in ``alphabet``, :data:`BAD` when it is not there."""
    table = np.full(256, BAD, np.uint8)
    table[np.frombuffer(alphabet.encode("ascii"), np.uint8)] = np.arange(len(alphabet))
    return table


@functools.cache
def digit_pairs() -> Table:
    """Table over two bytes: the number 0..99 they write, 255 when one of them is no digit."""
    value = values_of("0123456789").astype(np.uint16)
    good = value != BAD
    table = pair_table(value * 10, value)
    both = pair_table(good.astype(np.uint8), good.astype(np.uint8)) == 2
    return np.where(both, table, 255).astype(np.uint16)


@functools.cache
def next_states() -> Table:
    """ISO 7064 MOD 11,10 by two digits: entry [state * 256 + pair] is the next state; state 0 means a bad byte."""
    table = np.zeros((11, 256), np.uint16)
    for state in range(1, 11):
        for number in range(100):
            after = state
            for digit in divmod(number, 10):
                after = ((after + digit) % 10 or 10) * 2 % 11
            table[state, number] = after
    return table.reshape(-1)


def check_digits_uscc(prefixes: Bytes) -> Bytes:
    """Check characters of n unified codes: (n, 17) ASCII in, n ASCII bytes out. ValueError on a foreign character."""
    total = _weighted(prefixes, USCC_ALPHABET, USCC_WEIGHTS)
    return _letters(USCC_ALPHABET)[-total % 31]


def check_digits_org_code(prefixes: Bytes) -> Bytes:
    """Check characters of n organisation codes: (n, 8) ASCII in, n ASCII bytes out."""
    return _letters("0123456789X")[-_weighted(prefixes, ORG_ALPHABET, ORG_WEIGHTS) % 11]


def check_digits_citizen_id(prefixes: Bytes) -> Bytes:
    """Check characters of n citizen identity numbers: (n, 17) ASCII digits in, n ASCII bytes out."""
    return _letters(CITIZEN_CHECKS)[_weighted(prefixes, "0123456789", CITIZEN_WEIGHTS) % 11]


def check_digits_registration_no(prefixes: Bytes) -> Bytes:
    """Check digits of n registration numbers: (n, 14) ASCII digits in, n ASCII bytes out."""
    digits = _values(prefixes, "0123456789", 14).astype(np.int64)
    state = np.full(len(digits), 10, np.int64)
    for place in range(0, 14, 2):
        state = next_states()[state * 256 + digits[:, place] * 10 + digits[:, place + 1]].astype(np.int64)
    return _letters("0123456789")[(1 - state) % 10]


def _letters(alphabet: str) -> Bytes:
    return np.frombuffer(alphabet.encode("ascii"), np.uint8)


def _values(prefixes: Bytes, alphabet: str, width: int) -> Bytes:
    if prefixes.ndim != 2 or prefixes.shape[1] != width or prefixes.dtype != np.uint8:
        raise ValueError(f"wanted a uint8 matrix of {width} columns, got {prefixes.dtype} {prefixes.shape}")
    values = values_of(alphabet)[prefixes]
    if (values == BAD).any():
        row = int(np.flatnonzero((values == BAD).any(axis=1))[0])
        raise ValueError(f"row {row} holds a character outside {alphabet}: {prefixes[row].tobytes()!r}")
    return values


def _weighted(prefixes: Bytes, alphabet: str, weights: Sequence[int]) -> npt.NDArray[np.int32]:
    total: npt.NDArray[np.int32] = _values(prefixes, alphabet, len(weights)).astype(np.int32) @ np.array(
        weights, np.int32
    )
    return total
