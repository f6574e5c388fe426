"""Opens cases and takes their steps, as the declaration of the procedure allows."""

from __future__ import annotations

from datetime import date

from shutong.accounts.actions import action, note, send
from shutong.accounts.actors import Actor
from shutong.procedures.clocks import due_on
from shutong.procedures.models import Case, Step
from shutong.procedures.spec import Procedure


class StepError(ValueError):
    """A step that may not be taken. Carries the steps that may, by the actor's roles."""

    def __init__(self, zh: str, en: str, possible: tuple[str, ...] = ()) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
        self.possible = possible


@action(permission="procedures.open", department="department", audited=("procedure.procedure", "about", "department"))
def open_case(procedure: Procedure, about: str, day: date, *, department: str = "", acting: Actor) -> Case:
    """Opens a case in the procedure's first state.

    Args:
        about: id of the thing it is about, such as ``listing/42``.
        day: the business day; the term of the first state begins on it.
        department: who works on it.
    """
    state = procedure.states[procedure.start]
    case = Case.objects.create(
        procedure=procedure.procedure,
        version=procedure.version,
        declaration=procedure.model_dump_json(by_alias=True, exclude_defaults=True),
        about=about,
        department=department,
        state=procedure.start,
        opened_on=day,
        state_since=day,
        due_on=due_on(state.within, day),
        closed_on=day if state.end else None,
    )
    _record(case, 1, "open", "", day, "", None, acting)
    note(str(case))
    return case


@action(permission="procedures.step", department="case.department", audited=("case.pk", "step"))
def take_step(case: Case, step: str, day: date, *, reason: str = "", acting: Actor) -> Case:
    """Takes a step and returns the case as it is then.

    Raises:
        StepError: no such step, not in this state, not by these roles, without a reason it needs, or before the day
            of the step before.
    """
    case = Case.objects.select_for_update().get(pk=case.pk)
    procedure = case.declared
    transition = procedure.steps.get(step)
    possible = procedure.steps_from(case.state, acting.roles)
    here = procedure.states[case.state].title.zh
    if transition is None or case.state not in transition.from_:
        choices = ", ".join(possible) or "无 / none"
        raise StepError(
            f"目前是“{here}”，不能办理 {step}，可办理：{choices}",
            f"the case is {case.state}: {step} cannot be taken now, only: {choices}",
            possible,
        )
    if not acting.roles.intersection(transition.roles):
        roles = ", ".join(transition.roles)
        raise StepError(f"{step} 只能由 {roles} 办理", f"{step} can only be taken by: {roles}", possible)
    if transition.needs_reason and not reason.strip():
        raise StepError(f"办理 {step} 必须说明理由", f"{step} needs a reason in words", possible)
    last = case.steps.order_by("-number")[0]
    if day < last.on:
        raise StepError(f"办理日期 {day} 早于上一步 {last.on}", f"{day} is before the last step ({last.on})", possible)
    before, was_due = case.state, case.due_on
    case.state = transition.to
    if transition.restarts_clock:
        case.state_since = day
        case.due_on = due_on(procedure.states[transition.to].within, day)
    case.closed_on = day if procedure.states[transition.to].end else None
    if case.closed_on:
        case.due_on = None
    case.save()
    _record(case, last.number + 1, step, before, day, reason, was_due, acting)
    note(str(case), to=case.state, late=was_due is not None and day > was_due)
    send("procedures.step_taken", case=case.pk, about=case.about, step=step, state=case.state)
    return case


def _record(
    case: Case, number: int, step: str, before: str, day: date, reason: str, was_due: date | None, acting: Actor
) -> None:
    Step.objects.create(
        case=case,
        number=number,
        step=step,
        from_state=before,
        to_state=case.state,
        on=day,
        by=acting.id,
        by_name=acting.name,
        department=acting.department,
        reason=reason,
        was_due_on=was_due,
    )
