"""What the review screen compares: what the rows of a case say, and what the registers hold of each subject."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.subjects.models import Case, Decision

FIELDS = (
    "name",
    "area",
    "uscc",
    "org_code",
    "registration_no",
    "taxpayer_no",
    "certificate_no",
    "legal_rep",
    "address",
)
"""What both sides may have, in the order in which it is compared."""

_HELD = """SELECT subject_id, kind, value FROM i WHERE subject_id IN ({ids}) AND current
 AND kind IN ('name', 'area', 'uscc', 'org_code', 'registration_no', 'taxpayer_no', 'certificate_no', 'legal_rep', 'address')
ORDER BY subject_id, kind, value"""


@dataclass(frozen=True)
class Piece:
    """A stretch of a text, and whether the other side has it too."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Queue:
    """Where a case stands in the queue: how many wait, and the neighbours of the one shown."""

    waiting: int
    place: int
    previous: str
    following: str


def queue(shown: Case | None) -> Queue:
    """The place of a case among those that wait; the likeliest come first."""
    keys = list(Case.objects.filter(state=Case.State.OPEN).values_list("case_key", flat=True))
    if shown is None or shown.case_key not in keys:
        return Queue(len(keys), 0, "", keys[0] if keys else "")
    place = keys.index(shown.case_key)
    return Queue(
        len(keys),
        place + 1,
        keys[place - 1] if place else "",
        keys[place + 1] if place + 1 < len(keys) else "",
    )


def case_shown(key: str) -> Case | None:
    """The case asked for, or the first that waits."""
    if key:
        return Case.objects.filter(case_key=key).first()
    return Case.objects.filter(state=Case.State.OPEN).first()


def held(home: Home, subject_ids: Sequence[str]) -> Mapping[str, Mapping[str, list[str]]]:
    """What the registers hold of each subject, by kind; ids that are no ids of subjects are left out."""
    ids = [one for one in subject_ids if one.isascii() and one.isalnum()]
    if not ids:
        return {}
    engine = engine_of(home)
    try:
        sql = _HELD.format(ids=", ".join(f"'{one}'" for one in ids))
        rows = engine.query(sql, {"i": "identifiers"}).to_pylist()
    finally:
        engine.close()
    found: dict[str, dict[str, list[str]]] = {one: {} for one in ids}
    for row in rows:
        found[row["subject_id"]].setdefault(row["kind"], []).append(row["value"])
    return found


def pieces(text: str, other: str) -> list[Piece]:
    """A text in stretches, those that the other has not marked; all of it where the two have nothing in common."""
    if not other:
        return [Piece(text, False)]
    blocks = difflib.SequenceMatcher(None, text, other, autojunk=False).get_opcodes()
    return [Piece(text[i:j], tag != "equal") for tag, i, j, _, _ in blocks if j > i]


def nearest(text: str, among: Sequence[str]) -> str:
    """Of several values of a subject the one most like the text."""
    return max(among, key=lambda one: difflib.SequenceMatcher(None, text, one, autojunk=False).ratio(), default="")


def decisions(limit: int) -> list[Decision]:
    """The latest decisions that still hold, newest first."""
    undone = Decision.objects.filter(verb=Decision.Verb.UNDO).values("undoes")
    return list(Decision.objects.exclude(verb=Decision.Verb.UNDO).exclude(decision_id__in=undone)[:limit])
