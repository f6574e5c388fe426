"""The verbs of review: decide a case, undo a decision, bring the queue in line with what the last run found."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from shutong.accounts.actions import action, note, send
from shutong.accounts.actors import Actor
from shutong.subjects.models import Case, Decision

DECIDED = "subject.decided"
"""Event: a decision was made or undone."""

_CHUNK = 500
_SHOWN = ("reason", "candidate", "runner_up", "weight", "evidence", "said", "record_id", "resources", "records")


class ReviewError(ValueError):
    """A decision that can't be made. Carries a text in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


@action(permission="subjects.review", audited=("case_key", "verb", "subject_id"))
def decide(case_key: str, verb: str, subject_id: str, day: dt.date, *, acting: Actor) -> Decision:
    """Decide that a case is, or is not, about a subject. It holds from the next run on, for later rows too.

    Args:
        verb: ``same`` or ``different``.
        day: business day.

    Raises:
        ReviewError: the case does not wait for a decision, or the subject is not one it was compared with.
    """
    case = Case.objects.select_for_update().filter(case_key=case_key).first()
    if case is None or case.state == Case.State.GONE:
        raise ReviewError("这一对已无须核对", "This pair needs no decision any more")
    if case.state == Case.State.DECIDED:
        raise ReviewError(
            "这一对已有人核对过；要改，请先撤销", "This pair was decided before: undo that first to change it"
        )
    if verb not in (Decision.Verb.SAME, Decision.Verb.DIFFERENT):
        raise ReviewError(f"没有这种结论：{verb}", f"No such verdict: {verb}")
    if subject_id not in {case.candidate, case.runner_up}:
        raise ReviewError("该主体不在对比之列", "The subject is not one of those compared")
    Case.objects.filter(pk=case.pk).update(state=Case.State.DECIDED)
    made = Decision.objects.create(
        decision_id=f"d{secrets.token_hex(12)}",
        verb=verb,
        case_key=case_key,
        subject_id=subject_id,
        actor=acting.id[:64],
        made_on=day,
    )
    note(made.decision_id)
    send(DECIDED, decision=made.decision_id)
    return made


@action(permission="subjects.review", audited=("decision_id",))
def undo(decision_id: str, day: dt.date, *, acting: Actor) -> Decision:
    """Undo a decision: the case waits again, and the next run knows nothing of it. Both stay on record.

    Raises:
        ReviewError: there is no such decision, or it was undone before.
    """
    made = Decision.objects.filter(decision_id=decision_id).exclude(verb=Decision.Verb.UNDO).first()
    if made is None:
        raise ReviewError("没有这一核对结论", "There is no such decision")
    if Decision.objects.filter(undoes=decision_id).exists():
        raise ReviewError("这一结论已撤销", "The decision was undone before")
    Case.objects.filter(case_key=made.case_key).update(state=Case.State.OPEN)
    undoing = Decision.objects.create(
        decision_id=f"d{secrets.token_hex(12)}",
        verb=Decision.Verb.UNDO,
        case_key=made.case_key,
        subject_id=made.subject_id,
        undoes=decision_id,
        actor=acting.id[:64],
        made_on=day,
    )
    note(undoing.decision_id)
    send(DECIDED, decision=undoing.decision_id)
    return undoing


@action(permission="pipeline.run", audited=())
def reconcile_cases(found: Iterable[Mapping[str, Any]], day: dt.date, *, acting: Actor) -> int:
    """Bring the queue in line with what the last run left undecided; returns how many wait.

    Args:
        found: the cases of the run: ``case_key`` and the columns of ``Case`` that are shown.
        day: its business day, which is the opening day of new cases.
    """
    decided = set(Case.objects.filter(state=Case.State.DECIDED).values_list("case_key", flat=True))
    rows = [Case(opened_on=day, **row) for row in found if row["case_key"] not in decided]
    Case.objects.bulk_create(
        rows, batch_size=_CHUNK, update_conflicts=True, unique_fields=["case_key"], update_fields=[*_SHOWN, "state"]
    )
    here = {row.case_key for row in rows}
    gone = [
        key for key in Case.objects.filter(state=Case.State.OPEN).values_list("case_key", flat=True) if key not in here
    ]
    for start in range(0, len(gone), _CHUNK):
        Case.objects.filter(case_key__in=gone[start : start + _CHUNK]).update(state=Case.State.GONE)
    note(waiting=len(rows), gone=len(gone))
    return len(rows)
