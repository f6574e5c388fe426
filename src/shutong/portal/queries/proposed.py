"""Candidates of a list before anybody entered them, for those who decide: on which ground, by when, what they wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from shutong.pipeline.answers.store import AnswerStore
from shutong.rules.models import Listing
from shutong.subjects.models import Case

from .public import subjects_named

LIMIT = 100


@dataclass(frozen=True)
class Proposed:
    """A candidate as it is shown.

    Args:
        listing: the proposal; its ``waits_for`` are records that may be the subject's own.
        name: of the subject; empty where it has no public page.
        case: the first case of the review queue about the subject and a resource that it waits for; empty where none is.
    """

    listing: Listing
    name: str
    case: str


def proposed(answers: AnswerStore, name: str, absence: Sequence[str]) -> tuple[list[Proposed], int]:
    """The candidates of a list that are proposed, those that wait first, and how many there are.

    Args:
        name: the list.
        absence: the resources on whose absence its grounds rest.
    """
    found = Listing.objects.filter(list=name, state=Listing.State.PROPOSED)
    count = found.count()
    waiting = list(found.exclude(waits_for=[])[:LIMIT])
    rows = [*waiting, *found.filter(waits_for=[])[: LIMIT - len(waiting)]]
    named = {one["subject_id"]: one["name"] or "" for one in subjects_named(answers, [row.subject_id for row in rows])}
    cases = _cases([row.subject_id for row in waiting], absence)
    return [
        Proposed(row, named.get(row.subject_id, ""), cases.get(row.subject_id, "") if row.waits_for else "")
        for row in rows
    ], count


def _cases(subjects: Sequence[str], absence: Sequence[str]) -> dict[str, str]:
    """Subject to the first open case that compares a row of the resources with it."""
    compared = Q(candidate__in=subjects) | Q(runner_up__in=subjects)
    found: dict[str, str] = {}
    for case in Case.objects.filter(compared, state=Case.State.OPEN):
        if set(case.resources) & set(absence):
            for subject in (case.candidate, case.runner_up):
                found.setdefault(subject, case.case_key)
    return found
