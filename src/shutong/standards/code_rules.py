"""Structure and check digits of the codes of organisations and persons, for one value at a time.

Sources: GB 32100-2015 (unified social credit code), GB 11714 (organisation code), GS 15-2006 (registration number,
ISO 7064 MOD 11,10), GB 11643 (citizen identity number). Area parts are never looked up: codes outlive areas.
"""

from __future__ import annotations

import calendar
import re

from shutong.standards.columns import ordered, reasons_of
from shutong.standards.text import is_empty, squeeze
from shutong.standards.verdict import EMPTY, Verdict, fault, passed

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015, table 1: no I, O, S, V, Z; the place of a character is its value."""
USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CITIZEN_CHECKS = "10X98765432"
FIRST_BIRTH_YEAR, LAST_BIRTH_YEAR = 1850, 2099

USCC_REASONS = reasons_of("uscc.length", "uscc.characters", "uscc.area", "uscc.check-digit", "code.scientific")
ORG_CODE_REASONS = reasons_of("org-code.length", "org-code.characters", "org-code.check-digit", "code.scientific")
REGISTRATION_REASONS = reasons_of(
    "registration-no.length",
    "registration-no.characters",
    "registration-no.check-digit",
    "registration-no.is-uscc",
    "code.scientific",
)
TAXPAYER_REASONS = ordered(
    reasons_of("taxpayer-no.length", "taxpayer-no.characters", "taxpayer-no.check-digit", *USCC_REASONS[2:])
)
CITIZEN_REASONS = reasons_of(
    "citizen-id.length",
    "citizen-id.characters",
    "citizen-id.birth-date",
    "citizen-id.check-digit",
    "citizen-id.15-digits",
    "code.scientific",
)

_USCC_VALUE = {character: value for value, character in enumerate(USCC_ALPHABET)}
_ORG_VALUE = {character: value for value, character in enumerate(ORG_ALPHABET)}
_DIGITS = frozenset("0123456789")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,3}")


def normalise_code(text: str) -> str:
    """A code in comparable form: half-width, upper case, no blanks. The characters are not judged."""
    return squeeze(text)


def normalise_org_code(text: str) -> str:
    """As :func:`normalise_code`, and without the hyphen that certificates print before the check character."""
    return squeeze(text).replace("-", "")


def check_uscc(text: str | None) -> Verdict:
    """Unified social credit code: 18 characters of the alphabet, digits in places 3-8, check character (GB 32100-2015).

    Places 1 and 2 (registration authority and category) may hold any character of the alphabet.
    """
    if text is None or is_empty(text):
        return EMPTY
    code = normalise_code(text)
    if _SCIENTIFIC.fullmatch(code):
        return fault("code.scientific")
    return _judge_uscc(code)


def _judge_uscc(code: str) -> Verdict:
    if len(code) != 18:
        return fault("uscc.length")
    if any(character not in _USCC_VALUE for character in code):
        return fault("uscc.characters")
    if any(character not in _DIGITS for character in code[2:8]):
        return fault("uscc.area")
    if _uscc_check(code[:17]) != code[17]:
        return fault("uscc.check-digit")
    return passed(code)


def check_org_code(text: str | None) -> Verdict:
    """Organisation code: 8 digits or capitals and a check character (GB 11714); a hyphen before it is dropped."""
    if text is None or is_empty(text):
        return EMPTY
    code = normalise_org_code(text)
    if _SCIENTIFIC.fullmatch(code):
        return fault("code.scientific")
    if len(code) != 9:
        return fault("org-code.length")
    if any(character not in _ORG_VALUE for character in code[:8]) or code[8] not in "0123456789X":
        return fault("org-code.characters")
    return passed(code) if _org_check(code[:8]) == code[8] else fault("org-code.check-digit")


def check_registration_no(text: str | None) -> Verdict:
    """Registration number of before 2015: 15 digits, the last by ISO 7064 MOD 11,10 (GS 15-2006)."""
    if text is None or is_empty(text):
        return EMPTY
    code = normalise_code(text)
    if _SCIENTIFIC.fullmatch(code):
        return fault("code.scientific")
    if len(code) == 18 and _judge_uscc(code).valid:
        return fault("registration-no.is-uscc")
    if len(code) != 15:
        return fault("registration-no.length")
    if any(character not in _DIGITS for character in code):
        return fault("registration-no.characters")
    return passed(code) if _registration_check(code[:14]) == code[14] else fault("registration-no.check-digit")


def check_taxpayer_no(text: str | None) -> Verdict:
    """Taxpayer number: 18 characters are a unified code; 15 are 6 digits of area and an organisation code."""
    if text is None or is_empty(text):
        return EMPTY
    code = normalise_code(text)
    if _SCIENTIFIC.fullmatch(code):
        return fault("code.scientific")
    if len(code) == 18:
        return _judge_uscc(code)
    if len(code) != 15:
        return fault("taxpayer-no.length")
    area, body, check = code[:6], code[6:14], code[14]
    digits = all(character in _DIGITS for character in area)
    if not digits or any(character not in _ORG_VALUE for character in body) or check not in "0123456789X":
        return fault("taxpayer-no.characters")
    return passed(code) if _org_check(body) == check else fault("taxpayer-no.check-digit")


def check_citizen_id(text: str | None) -> Verdict:
    """Citizen identity number: 18 characters with a birth date that exists and a check character (GB 11643).

    Numbers of 15 digits, out of use since 2013-01-01, are refused with their own reason.
    """
    if text is None or is_empty(text):
        return EMPTY
    code = normalise_code(text)
    if _SCIENTIFIC.fullmatch(code):
        return fault("code.scientific")
    if len(code) == 15 and all(character in _DIGITS for character in code):
        return fault("citizen-id.15-digits")
    if len(code) != 18:
        return fault("citizen-id.length")
    if any(character not in _DIGITS for character in code[:17]) or code[17] not in "0123456789X":
        return fault("citizen-id.characters")
    if not _birth_date_exists(int(code[6:10]), int(code[10:12]), int(code[12:14])):
        return fault("citizen-id.birth-date")
    return passed(code) if _citizen_check(code[:17]) == code[17] else fault("citizen-id.check-digit")


def _birth_date_exists(year: int, month: int, day: int) -> bool:
    if not FIRST_BIRTH_YEAR <= year <= LAST_BIRTH_YEAR or not 1 <= month <= 12:
        return False
    return 1 <= day <= calendar.monthrange(year, month)[1]


def _uscc_check(prefix: str) -> str:
    total = sum(_USCC_VALUE[character] * weight for character, weight in zip(prefix, USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def _org_check(prefix: str) -> str:
    total = sum(_ORG_VALUE[character] * weight for character, weight in zip(prefix, ORG_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def _registration_check(prefix: str) -> str:
    state = 10
    for character in prefix:
        state = ((state + int(character)) % 10 or 10) * 2 % 11
    return str((1 - state) % 10)


def _citizen_check(prefix: str) -> str:
    return CITIZEN_CHECKS[sum(int(c) * weight for c, weight in zip(prefix, CITIZEN_WEIGHTS, strict=True)) % 11]


def make_uscc(prefix: str) -> str:
    """A unified code from its first 17 characters (registration authority, category, 6 of area, 9 of organisation)."""
    _require(prefix, 17, USCC_ALPHABET)
    _require(prefix[2:8], 6, "0123456789")
    return prefix + _uscc_check(prefix)


def make_org_code(prefix: str) -> str:
    """An organisation code from its first 8 characters."""
    _require(prefix, 8, ORG_ALPHABET)
    return prefix + _org_check(prefix)


def make_registration_no(prefix: str) -> str:
    """A registration number from its first 14 digits."""
    _require(prefix, 14, "0123456789")
    return prefix + _registration_check(prefix)


def make_citizen_id(prefix: str) -> str:
    """A citizen identity number from its first 17 digits; the birth date is not judged."""
    _require(prefix, 17, "0123456789")
    return prefix + _citizen_check(prefix)


def _require(prefix: str, length: int, alphabet: str) -> None:
    if len(prefix) != length or any(character not in alphabet for character in prefix):
        raise ValueError(f"wanted {length} characters of {alphabet}, got {prefix!r}")
