"""Unified codes that were typed with a slip: which valid codes somebody may have meant.

A slip is one wrong character, two neighbours exchanged, or letters that the alphabet of GB 32100-2015 leaves out
because they look like digits (O for 0, I for 1, Z for 2, S for 5). Whether one of the codes found is meant is for
the registers to say; here is only what the check character allows.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from shutong.standards.code_rules import USCC_ALPHABET, check_citizen_id, check_uscc, normalise_code

LOOK_ALIKES = {"O": "0", "I": "1", "Z": "2", "S": "5"}
"""Letters outside the alphabet and the digits they are taken for; always a slip, so always replaced."""

_LENGTH = 18
_PERSONAL = re.compile(r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]")
_TABLE = str.maketrans(LOOK_ALIKES)


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
    """The valid unified codes that one slip turns into ``slipped``; at most about forty, in alphabetical order.

    Args:
        slipped: as :func:`slipped_code` gives it. Where it is valid by itself (look-alikes only), it is the answer.
    """
    if check_uscc(slipped).valid:
        return (slipped,)
    return tuple(sorted({code for code in _neighbours(slipped) if check_uscc(code).valid}))


def _neighbours(code: str) -> Iterator[str]:
    """Every text one exchange of neighbours or one other character away."""
    outside = [place for place, character in enumerate(code) if character not in USCC_ALPHABET]
    if len(outside) > 1:
        return
    for place in outside or range(len(code)):
        for character in USCC_ALPHABET:
            yield code[:place] + character + code[place + 1 :]
    if not outside:
        for place in range(len(code) - 1):
            yield code[:place] + code[place + 1] + code[place] + code[place + 2 :]
