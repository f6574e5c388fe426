"""Unified codes that were typed with a slip: which valid codes somebody may have meant.

A slip is one wrong character, two neighbours exchanged, or letters that the alphabet of GB 32100-2015 leaves out
because they look like digits (O for 0, I for 1, Z for 2, S for 5). Whether one of the codes found is meant is for
the registers to say; here is only what the check character allows.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from shutong.standards.code_rules import USCC_ALPHABET, USCC_WEIGHTS, check_citizen_id, check_uscc, normalise_code

LOOK_ALIKES = {"O": "0", "I": "1", "Z": "2", "S": "5"}
"""Letters outside the alphabet and the digits they are taken for; always a slip, so always replaced."""

_LENGTH = 18
_PERSONAL = re.compile(r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]")
_TABLE = str.maketrans(LOOK_ALIKES)
_WEIGHTS = (*USCC_WEIGHTS, 1)
_INVERSES = tuple(pow(weight, -1, 31) for weight in _WEIGHTS)

_LETTERS = np.frombuffer(USCC_ALPHABET.encode(), np.uint8)
_VALUES = np.full(256, -1, np.int64)
_VALUES[_LETTERS] = np.arange(len(_LETTERS))


def slipped_code(text: str) -> str | None:
    """A faulty unified code as it may be kept to be repaired: half-width, capitals, look-alikes replaced.

    None where it has not 18 characters, or where it reads as a citizen number that stands in the wrong column: that is
    never kept as plain text.
    """
    code = normalise_code(text)
    if len(code) != _LENGTH or not code.isascii() or not code.isalnum():
        return None
    if _PERSONAL.fullmatch(code) or check_citizen_id(code).valid:
        return None
    return code.translate(_TABLE)


@functools.lru_cache(1 << 14)
def meant_codes(slipped: str) -> tuple[str, ...]:
    """The valid unified codes that one slip turns into ``slipped``; at most 35, in alphabetical order.

    Args:
        slipped: as :func:`slipped_code` gives it. Where it is valid by itself (look-alikes only), it is the answer.
    """
    if check_uscc(slipped).valid:
        return (slipped,)
    return tuple(sorted({code for code in _neighbours(slipped) if code[2:8].isdigit()}))


def _neighbours(code: str) -> Iterator[str]:
    """The texts with a fitting check character that are one other character, or one exchange of neighbours, away."""
    values = [USCC_ALPHABET.find(character) for character in code]
    outside = [place for place, value in enumerate(values) if value < 0]
    if len(values) != _LENGTH or len(outside) > 1:
        return
    # Valid is a weighted sum of 0 modulo the prime 31: at each place just one character makes it so.
    total = sum(max(value, 0) * weight for value, weight in zip(values, _WEIGHTS, strict=True))
    for place in outside or range(_LENGTH):
        value = (max(values[place], 0) - total * _INVERSES[place]) % 31
        yield code[:place] + USCC_ALPHABET[value] + code[place + 1 :]
    if outside:
        return
    for place in range(_LENGTH - 1):
        moved = (values[place] - values[place + 1]) * (_WEIGHTS[place + 1] - _WEIGHTS[place])
        if (total + moved) % 31 == 0:
            yield code[:place] + code[place + 1] + code[place] + code[place + 2 :]


def meant_columns(slipped: Any) -> tuple[Any, pa.StringArray]:
    """:func:`meant_codes` of a whole column: the place of each answer's text in the column, and the answers.

    Args:
        slipped: as :func:`slipped_code` gives them, without NULL.
    """
    texts = slipped.to_pylist()
    whole = np.array([len(text) == _LENGTH and text.isascii() for text in texts], np.bool_)
    rows = np.flatnonzero(whole)
    joined = "".join(texts[row] for row in rows.tolist()).encode()
    characters = np.frombuffer(joined, np.uint8).reshape(-1, _LENGTH)
    values = _VALUES[characters]
    total = (np.maximum(values, 0) @ np.array(_WEIGHTS)) % 31
    # Of characters in the alphabet, and wrong by its check character: no two of its neighbours are the same text.
    plain = (values >= 0).all(axis=1) & (total != 0)
    parents, codes = _neighbour_columns(characters[plain], values[plain], total[plain])
    parents, answers = rows[plain][parents], [codes.tobytes().decode()]
    others = np.setdiff1d(np.arange(len(texts)), rows[plain])
    found = [(row, code) for row in others.tolist() for code in meant_codes(texts[row])]
    answers += [code for _row, code in found]
    parents = np.concatenate([parents, np.array([row for row, _code in found], parents.dtype)])
    offsets = np.arange(len(parents) + 1, dtype=np.int32) * _LENGTH
    data = "".join(answers).encode()
    return parents, pa.StringArray.from_buffers(len(parents), pa.py_buffer(offsets.tobytes()), pa.py_buffer(data))


def _neighbour_columns(characters: Any, values: Any, total: Any) -> tuple[Any, Any]:
    """Row and characters of every neighbour with digits for its area; see ``_neighbours``."""
    fitting = _LETTERS[(values - total[:, None] * np.array(_INVERSES)) % 31]
    changed = np.repeat(characters[:, None, :], _LENGTH, axis=1)
    place = np.arange(_LENGTH)
    changed[:, place, place] = fitting
    weights = np.array(_WEIGHTS)
    moved = (values[:, :-1] - values[:, 1:]) * (weights[1:] - weights[:-1])
    rows, at = np.nonzero((total[:, None] + moved) % 31 == 0)
    exchanged = characters[rows].copy()
    each = np.arange(len(rows))
    exchanged[each, at], exchanged[each, at + 1] = characters[rows, at + 1], characters[rows, at]
    parents = np.concatenate([np.repeat(np.arange(len(characters)), _LENGTH), rows])
    codes = np.concatenate([changed.reshape(-1, _LENGTH), exchanged])
    area = codes[:, 2:8]
    kept = ((area >= ord("0")) & (area <= ord("9"))).all(axis=1)
    return parents[kept], codes[kept]
