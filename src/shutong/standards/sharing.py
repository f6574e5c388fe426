"""Dated rules of sharing between departments: who decides a request. Rows live in ``sharing.csv``."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import Literal, cast

from shutong.standards.tables import read_table

Decides = Literal["platform", "owner", "bureau", "nobody"]
"""Who decides: the platform by itself, the owner, the owner and then the data bureau, or nobody (it is refused)."""

STRICTEST: tuple[Decides, ...] = ("platform", "owner", "bureau", "nobody")
"""From the freest to the strictest; where several rules apply, the strictest counts."""


@dataclass(frozen=True)
class SharingRule:
    """One row: applies to a resource by its share type, or to an item by its grade or personal mark.

    ``exposed``: only where the item is asked less masked than it is declared. ``verify``: not read in the source's text.
    """

    name: str
    of: Literal["share", "grade", "personal"]
    value: str
    exposed: bool
    decides: Decides
    in_force_from: dt.date
    in_force_to: dt.date | None
    verify: bool
    zh: str
    en: str
    source: str

    def in_force(self, on: dt.date) -> bool:
        """True when the row is the rule on that day."""
        return self.in_force_from <= on <= (self.in_force_to or dt.date.max)


@functools.cache
def sharing_rules() -> tuple[SharingRule, ...]:
    """All rows, in the order of the table."""
    return tuple(
        SharingRule(
            name=row["name"],
            of=cast('Literal["share", "grade", "personal"]', row["of"]),
            value=row["value"],
            exposed=row["exposed"] == "yes",
            decides=cast(Decides, row["decides"]),
            in_force_from=dt.date.fromisoformat(row["from"]),
            in_force_to=dt.date.fromisoformat(row["to"]) if row["to"] else None,
            verify=row["verify"] == "yes",
            zh=row["zh"],
            en=row["en"],
            source=row["source"],
        )
        for row in read_table("sharing.csv")
    )
