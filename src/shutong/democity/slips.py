"""Codes with a slip: unified codes and citizen numbers as they come out of a hurried hand, and the reason each is refused for.

Ways, all equally frequent: ``code-last`` (the check character is another one), ``code-slipped`` (another character is),
``code-swapped`` (two neighbours), ``code-look-alike`` (O for 0, I for 1, Z for 2, S for 5; in unified codes also B for
8), ``code-full-width`` (a slip in the last character, and everything in full-width characters). A code that allows no
slip of a way gets one in the last character. No slip gives a valid code: GB 32100-2015 and GB 11643 detect each of them.
"""

from __future__ import annotations

from shutong.democity.variants import full_width
from shutong.standards.code_rules import USCC_ALPHABET

WAYS = ("code-last", "code-slipped", "code-swapped", "code-look-alike", "code-full-width")
_LOOK_ALIKE = {"0": "O", "1": "I", "2": "Z", "5": "S"}
_DIGITS = "0123456789"
_AREA = range(2, 8)
_SEQUENCE = [14, 15, 16]
"""Places of a citizen number where slips fall: elsewhere it would show another area, or a day of birth that is refused
for another reason."""


def slip(code: str, way: int, draw: int) -> tuple[str, str]:
    """A valid unified code with a slip, and the way it was slipped.

    Args:
        code: 18 characters.
        way: place in :data:`WAYS`.
        draw: a random number that chooses the place and the character.
    """
    name, places = WAYS[way % len(WAYS)], list(range(17))
    alike = _LOOK_ALIKE | {"8": "B"}
    if name == "code-slipped":
        place = draw % 17
        alphabet = _DIGITS if place in _AREA else USCC_ALPHABET
        return _put(code, place, _other(code[place], alphabet, draw >> 5)), name
    return _common(code, name, draw, places, alike, USCC_ALPHABET)


def slip_citizen_id(number: str, way: int, draw: int) -> tuple[str, str]:
    """A citizen number with a slip in its last characters; arguments as for :func:`slip`."""
    name = WAYS[way % len(WAYS)]
    if name == "code-slipped":
        place = _SEQUENCE[draw % len(_SEQUENCE)]
        return _put(number, place, _other(number[place], _DIGITS, draw >> 5)), name
    return _common(number, name, draw, _SEQUENCE, _LOOK_ALIKE, _DIGITS)


def _common(
    code: str, name: str, draw: int, places: list[int], alike: dict[str, str], alphabet: str
) -> tuple[str, str]:
    if name == "code-swapped":
        able = [n for n in places if (n + 1 in places or n == 16) and code[n] != code[n + 1]]
        if able:
            place = able[draw % len(able)]
            return code[:place] + code[place + 1] + code[place] + code[place + 2 :], name
    if name == "code-look-alike":
        able = [place for place in places if code[place] in alike]
        if able:
            place = able[draw % len(able)]
            return _put(code, place, alike[code[place]]), name
    wrong = _put(code, 17, _other(code[17], alphabet, draw >> 5))
    return (full_width(wrong, 1), name) if name == "code-full-width" else (wrong, "code-last")


def reason_of_uscc(code: str) -> str:
    """Why a unified code with a slip is refused: the first rule of GB 32100-2015 that it breaks."""
    plain = code.translate(_NARROW)
    if any(character not in USCC_ALPHABET for character in plain):
        return "uscc.characters"
    if any(plain[place] not in _DIGITS for place in _AREA):
        return "uscc.area"
    return "uscc.check-digit"


def reason_of_citizen_id(number: str) -> str:
    """Why a citizen number with a slip is refused."""
    plain = number.translate(_NARROW)
    wrong = any(character not in _DIGITS for character in plain[:17]) or plain[17] not in _DIGITS + "X"
    return "citizen-id.characters" if wrong else "citizen-id.check-digit"


_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


def _put(code: str, place: int, character: str) -> str:
    return code[:place] + character + code[place + 1 :]


def _other(character: str, alphabet: str, draw: int) -> str:
    """Another character of the alphabet."""
    others = alphabet.replace(character, "")
    return others[draw % len(others)]
