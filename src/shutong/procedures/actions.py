"""Opens cases and takes their steps, as the declaration of the procedure allows."""

from __future__ import annotations

from datetime import date

from shutong.accounts.actions import action
from shutong.accounts.actors import Actor
from shutong.procedures.cases import StepError, begin_case, move_case
from shutong.procedures.models import Case
from shutong.procedures.spec import Procedure

__all__ = ["StepError", "open_case", "take_step"]


@action(permission="procedures.open", department="department", audited=("procedure.procedure", "about", "department"))
def open_case(procedure: Procedure, about: str, day: date, *, department: str = "", acting: Actor) -> Case:
    """Opens a case in the procedure's first state; see ``cases.begin_case``."""
    return begin_case(procedure, about, day, department=department, acting=acting)


@action(permission="procedures.step", department="case.department", audited=("case.pk", "step"))
def take_step(case: Case, step: str, day: date, *, reason: str = "", acting: Actor) -> Case:
    """Takes a step and returns the case as it is then; see ``cases.move_case``.

    Raises:
        StepError: no such step, not in this state, not by these roles, a second time where it may be taken once, without
            a reason it needs, or before the day of the step before.
    """
    return move_case(case, step, day, reason=reason, acting=acting)
