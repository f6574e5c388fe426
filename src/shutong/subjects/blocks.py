"""Blocks: the values under which similar names, and other evidence of an organisation, meet.

Comparing every name with every other is out of reach, so only those are compared that share a block. A block is text
with a mark before it:

- ``b`` brand in an area: the trade is written another way, or left out;
- ``c`` brand and trade anywhere: the area is missing or another one;
- ``h`` the first three characters of brand and trade in an area: a later one is mistyped, so that the two are not told
  apart, or the end is left out;
- ``d`` brand without one of its characters, trade and area: one character of the brand is mistyped, missing or doubled;
- ``q`` legal representative in an area; ``p`` telephone; ``a`` address.

How large a block may be is said by the matching model; a larger one (a telephone of a book-keeping agency, a brand
that hundreds share) is not looked into, which bounds the memory and refuses evidence that says little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MARKS = ("b", "c", "h", "d", "q", "p", "a")
"""Every kind of block."""

_DELETED = 6
"""Characters of the brand that are left out in turn; brands are two to four characters, unsplit names longer."""

_BRAND, _TRADE = "split_part(parts, '|', 1)", "split_part(parts, '|', 2)"


def blocks_sql(source: str, keep: Sequence[str], *, once: bool = True) -> str:
    """SELECT of ``keep`` and ``block`` for every block of every row.

    Args:
        source: a view or a subquery with ``parts``, ``area``, ``address_key``, ``legal_rep`` and ``phone_key``.
        keep: columns of the source to take along.
        once: whether a block that a row has twice (a doubled character left out) comes once; who groups needs no care.
    """
    kept = ", ".join(keep)
    parted = (
        f"SELECT {kept}, {_BRAND} AS brand, {_TRADE} AS trade, area, address_key, legal_rep, phone_key FROM {source}"
    )
    selects = " UNION ALL ".join(
        f"SELECT {kept}, {block} AS block FROM parted WHERE {condition}" for block, condition in _blocks()
    )
    return f"WITH parted AS ({parted}) SELECT {'DISTINCT ' if once else ''}{kept}, block FROM ({selects})"


def _blocks() -> Iterator[tuple[str, str]]:
    """Each block as an expression, and when a row has it."""
    yield "concat('b:', brand, '|', area)", "brand <> '' AND area IS NOT NULL"
    yield "concat('c:', brand, trade)", "length(concat(brand, trade)) >= 3"
    yield (
        "concat('h:', substring(concat(brand, trade), 1, 3), '|', area)",
        "length(concat(brand, trade)) >= 3 AND area IS NOT NULL",
    )
    named = "brand <> '' AND trade <> '' AND area IS NOT NULL"
    yield "concat('d:', brand, '|', trade, '|', area)", named
    for place in range(1, _DELETED + 1):
        rest = f"concat(substring(brand, 1, {place - 1}), substring(brand, {place + 1}))"
        yield f"concat('d:', {rest}, '|', trade, '|', area)", f"{named} AND length(brand) >= {max(2, place)}"
    yield "concat('q:', legal_rep, '|', area)", "legal_rep IS NOT NULL AND area IS NOT NULL"
    yield "concat('p:', phone_key)", "phone_key IS NOT NULL"
    yield "concat('a:', address_key)", "address_key IS NOT NULL"
