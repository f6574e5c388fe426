"""The answer to a delivery: what was received, accepted and rejected, and why; signed by the home."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shutong.collect.judging import Told
from shutong.collect.problems import Problem
from shutong.engine.keys import Keys

MOST_ROWS = 1_000
"""Of each reason, the first so many row numbers are named."""


@dataclass
class _Tally:
    problem: Problem
    rejected: int = 0
    flagged: int = 0
    rows: list[int] = field(default_factory=list)


class Reasons:
    """Counts the reasons of a delivery while its rows stream by."""

    def __init__(self) -> None:
        self._by_problem: dict[tuple[str, str | None, str], _Tally] = {}

    def add(self, told: Iterable[Told]) -> None:
        """Count a chunk's reasons."""
        for one in told:
            key = (one.problem.code, one.problem.item, one.problem.zh)
            tally = self._by_problem.setdefault(key, _Tally(one.problem))
            if one.rejects:
                tally.rejected += len(one.rows)
            else:
                tally.flagged += len(one.rows)
            room = MOST_ROWS - len(tally.rows)
            if room > 0:
                tally.rows = sorted([*tally.rows, *one.rows[:room].tolist()])

    def listed(self) -> list[dict[str, Any]]:
        """The reasons, the most frequent first; ``rows`` has the first 1,000 row numbers."""
        tallies = sorted(
            self._by_problem.values(),
            key=lambda tally: (-tally.rejected, -tally.flagged, tally.problem.code, tally.problem.item or ""),
        )
        return [
            {
                **as_dict(tally.problem),
                "rejected": tally.rejected,
                "flagged": tally.flagged,
                "rows": tally.rows,
            }
            for tally in tallies
        ]


def as_dict(problem: Problem) -> dict[str, Any]:
    """A problem as JSON data."""
    return {"code": problem.code, "item": problem.item, "zh": problem.zh, "en": problem.en}


@dataclass(frozen=True)
class Receipt:
    """The signed answer to one delivery.

    ``state``: ``in`` or ``refused`` (then ``refusal`` says why and nothing of the file is in). ``reasons``: per code
    and item its texts, how many rows were rejected and flagged for it, and the first 1,000 row numbers.
    ``corrected``: row ids of rejected rows of batch ``corrects`` that this delivery brought right. ``repeated``: the
    same file was delivered before; this is the receipt of then, and nothing was added. ``text``: the signed JSON.
    """

    batch: str
    resource: str
    state: str
    file_name: str
    sha256: str
    bytes: int
    received_on: dt.date
    received: int
    accepted: int
    rejected: int
    flagged: int
    reasons: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    refusal: dict[str, Any] | None
    corrects: str | None
    corrected: list[str]
    text: str
    repeated: bool = False

    @property
    def accepted_state(self) -> bool:
        """Whether the batch is in."""
        return self.state == "in"

    def as_dict(self) -> dict[str, Any]:
        """The receipt as JSON data, as ``shutong collect --json`` prints it."""
        return {**from_text(self.text), "repeated": self.repeated}


def sign(keys: Keys, content: dict[str, Any]) -> Receipt:
    """Sign the content of a receipt with the home's key."""
    return read(keys.sign({"kind": "receipt", **content}))


def from_text(text: str) -> dict[str, Any]:
    """The JSON data of a receipt's text."""
    data: dict[str, Any] = json.loads(text)
    return data


def read(text: str, repeated: bool = False) -> Receipt:
    """A receipt from its signed text (not verified here: ``Keys.verify`` does that)."""
    data = from_text(text)
    return Receipt(
        batch=data["batch"],
        resource=data["resource"],
        state=data["state"],
        file_name=data["file_name"],
        sha256=data["sha256"],
        bytes=data["bytes"],
        received_on=dt.date.fromisoformat(data["received_on"]),
        received=data["received"],
        accepted=data["accepted"],
        rejected=data["rejected"],
        flagged=data["flagged"],
        reasons=data["reasons"],
        warnings=data["warnings"],
        refusal=data["refusal"],
        corrects=data["corrects"],
        corrected=data["corrected"],
        text=text,
        repeated=repeated,
    )
