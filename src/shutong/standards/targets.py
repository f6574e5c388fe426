"""What policy documents want of a city's data by a day, as shares of a hundred. Numbers live in ``targets.csv``."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass

from shutong.standards.tables import read_table


@dataclass(frozen=True)
class Target:
    """One row of the table of targets; ``verify``: the document is a draft, or was not read in full."""

    name: str
    share: int
    due: dt.date
    jurisdiction: str
    zh: str
    en: str
    source: str
    verify: bool


@functools.cache
def targets() -> dict[str, Target]:
    """Every target by its name, in the order of the table."""
    return {
        row["name"]: Target(
            name=row["name"],
            share=int(row["share"]),
            due=dt.date.fromisoformat(row["due"]),
            jurisdiction=row["jurisdiction"],
            zh=row["zh"],
            en=row["en"],
            source=row["source"],
            verify=row["verify"] == "yes",
        )
        for row in read_table("targets.csv")
    }
