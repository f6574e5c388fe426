"""Masking of values, once for a single value and once as SQL; a property test holds both equal.

The forms follow common Chinese practice (GB/T 37964 suppression): a person's surname, the ends of a number, the road
of an address. Lengths are never shown.
"""

from __future__ import annotations

import re

from shutong.spec.models import Mask

STARS = "***"
_DIGIT = re.compile("[0-9０-９]")
_ADDRESS_LENGTH = 12


def masked(value: str | None, mask: Mask) -> str | None:
    """A value as somebody without a grant sees it; None stays None.

    ``none`` shows all; ``hide`` nothing; ``surname`` the first character; ``middle`` the first three and last four of
    eleven or more characters, of four to ten the first and last; ``last4`` the last four of eight or more;
    ``address`` what stands before the first digit, at most 12 characters.
    """
    if value is None or mask == "none":
        return value
    length = len(value)
    if mask == "surname":
        return value[0] + "**" if length > 1 else "**"
    if mask == "middle":
        if length >= 11:
            return value[:3] + "****" + value[-4:]
        return value[0] + STARS + value[-1] if length >= 4 else STARS
    if mask == "last4":
        return "****" + value[-4:] if length >= 8 else "****"
    if mask == "address":
        head = _DIGIT.split(value, maxsplit=1)[0]
        return head[: min(_ADDRESS_LENGTH, length - 1)] + STARS if length > 1 else STARS
    return STARS


def mask_sql(column_sql: str, mask: Mask) -> str:
    """The same masking as a DuckDB expression.

    Args:
        column_sql: SQL of a text value, quoted by the caller where it is a column name.
    """
    column = f"({column_sql})"
    if mask == "none":
        return column_sql
    if mask == "surname":
        shown = f"CASE WHEN length({column}) > 1 THEN concat(left({column}, 1), '**') ELSE '**' END"
    elif mask == "middle":
        shown = (
            f"CASE WHEN length({column}) >= 11 THEN concat(left({column}, 3), '****', right({column}, 4))"
            f" WHEN length({column}) >= 4 THEN concat(left({column}, 1), '{STARS}', right({column}, 1))"
            f" ELSE '{STARS}' END"
        )
    elif mask == "last4":
        shown = f"CASE WHEN length({column}) >= 8 THEN concat('****', right({column}, 4)) ELSE '****' END"
    elif mask == "address":
        head = f"regexp_extract({column}, '^[^0-9０-９]*')"
        keep = f"least({_ADDRESS_LENGTH}, length({column}) - 1)"
        shown = f"CASE WHEN length({column}) > 1 THEN concat(left({head}, {keep}), '{STARS}') ELSE '{STARS}' END"
    else:
        shown = f"'{STARS}'"
    return f"CASE WHEN {column} IS NULL THEN NULL ELSE {shown} END"
