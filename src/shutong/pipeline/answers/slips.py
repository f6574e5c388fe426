"""Typing slips in codes: what somebody may have meant who typed a code that no subject has.

Every candidate is one slip away: look-alike characters read wrongly, one wrong character, two neighbours swapped, one
character too few or too many. The index of codes says which of them exist, and only valid codes are in it.
"""

from __future__ import annotations

import unicodedata

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Characters of a unified social credit code (GB 32100-2015); older codes use a part of them."""

LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "Z": "2", "S": "5", "V": "U"})
"""Letters that the standard leaves out because they are taken for others."""

CODE_LENGTHS = range(8, 21)


def code_key(text: str) -> str:
    """A code as it is compared: width folded, upper case, without spaces and hyphens.

    >>> code_key("９１１１－ ma5abc")
    '9111MA5ABC'
    """
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(character for character in folded if character.isalnum())


def looks_like_code(key: str) -> bool:
    """Whether a normalised text may be a code: ASCII letters and digits, with digits among them, of a code's length."""
    return key.isascii() and key.isalnum() and len(key) in CODE_LENGTHS and any(c.isdigit() for c in key)


def candidates(code: str) -> list[str]:
    """Codes one slip away from ``code`` (at most about 1,200 for 18 characters), most likely first, without itself.

    Args:
        code: a normalised code (``code_key``).
    """
    read = code.translate(LOOK_ALIKES)
    found: dict[str, None] = {}
    if read != code:
        found[read] = None
    for i in range(len(read) - 1):
        if read[i] != read[i + 1]:
            found[read[:i] + read[i + 1] + read[i] + read[i + 2 :]] = None
    for i in range(len(read)):
        for character in ALPHABET:
            if character != read[i]:
                found[read[:i] + character + read[i + 1 :]] = None
    for i in range(len(read)):
        found[read[:i] + read[i + 1 :]] = None
    for i in range(len(read) + 1):
        for character in ALPHABET:
            found[read[:i] + character + read[i:]] = None
    found.pop(code, None)
    return list(found)


def is_personal_number(key: str) -> bool:
    """Whether a normalised text has the shape of a citizen identity number (GB 11643) or a mainland mobile number.

    Such a text is never searched, shown or logged: persons have no public page. The check digit is not asked for: a
    number with a slip is somebody's number too. A unified code of the same shape is looked up before this is asked.
    """
    if len(key) == 11 and key.isdigit() and key[0] == "1":
        return True
    if len(key) != 18 or not key[:17].isdigit() or key[17] not in "0123456789X":
        return False
    year, month, day = int(key[6:10]), int(key[10:12]), int(key[12:14])
    return 1850 <= year <= 2150 and 1 <= month <= 12 and 1 <= day <= 31
