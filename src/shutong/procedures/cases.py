"""How a case begins and moves, for actions that have checked who may do it: one area's verb is one entry in the log.

``procedures.actions`` wraps the same two functions for things that have no verbs of their own.
"""

from __future__ import annotations

from datetime import date

from shutong.accounts.actions import note, send
from shutong.accounts.actors import Actor
from shutong.accounts.permissions import ROLES
from shutong.procedures.clocks import due_after, due_on, rest_of
from shutong.procedures.models import Case, Step
from shutong.procedures.spec import Procedure, Transition


class StepError(ValueError):
    """A step that may not be taken. Carries the steps that may, by the actor's roles."""

    def __init__(self, zh: str, en: str, possible: tuple[str, ...] = ()) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
        self.possible = possible


def begin_case(
    procedure: Procedure, about: str, day: date, *, department: str = "", reason: str = "", acting: Actor
) -> Case:
    """Opens a case in the procedure's first state, inside the action that runs.

    Args:
        about: id of the thing it is about, such as ``listing/42``.
        day: the business day; the term of the first state begins on it.
        department: whose turn it is.
        reason: why, in words; kept with the first step.
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
    _record(case, 1, "open", "", day, reason, None, acting)
    note(str(case))
    return case


def move_case(
    case: Case,
    step: str,
    day: date,
    *,
    reason: str = "",
    hand_to: str | None = None,
    party: str | None = None,
    acting: Actor,
) -> Case:
    """Takes a step inside the action that runs, and returns the case as it is then.

    Args:
        hand_to: whose turn it is after the step; None leaves it where it is.
        party: the side for which the actor acts, as the action has checked.

    Raises:
        StepError: no such step, not in this state, not by these roles, a second time where it may be taken once, without
            a reason it needs, or before the day of the step before.
    """
    case = Case.objects.select_for_update().get(pk=case.pk)
    procedure = case.declared
    last = case.steps.order_by("-number")[0]
    transition = _allowed(case, procedure, step, day, reason, party, acting, last.on)
    before, was_due = case.state, case.due_on
    case.state = transition.to
    _move_clock(case, procedure, transition, before, day)
    case.department = case.department if hand_to is None else hand_to
    case.closed_on = day if procedure.states[transition.to].end else None
    if case.closed_on:
        case.due_on = case.days_left = None
    case.save()
    _record(case, last.number + 1, step, before, day, reason, was_due, acting)
    note(str(case), to=case.state, late=was_due is not None and day > was_due)
    send("procedures.step_taken", case=case.pk, about=case.about, step=step, state=case.state)
    return case


def _allowed(
    case: Case, procedure: Procedure, step: str, day: date, reason: str, party: str | None, acting: Actor, last: date
) -> Transition:
    taken = set(case.steps.values_list("step", flat=True))
    possible = tuple(
        name
        for name in procedure.steps_from(case.state, acting.roles)
        if not (procedure.steps[name].once and name in taken) and procedure.steps[name].party in (None, party)
    )
    transition = procedure.steps.get(step)
    title = f"“{transition.title.zh}”" if transition else step
    if transition is None or case.state not in transition.from_:
        here = procedure.states[case.state].title.zh
        zh = "、".join(procedure.steps[name].title.zh for name in possible) or "无"
        raise StepError(
            f"目前是“{here}”，不能办理{title}，可办理：{zh}",
            f"the case is {case.state}: {step} cannot be taken now, only: {', '.join(possible) or 'none'}",
            possible,
        )
    if not acting.roles.intersection(transition.roles):
        zh = "、".join(ROLES[role].title_zh if role in ROLES else role for role in transition.roles)
        raise StepError(
            f"{title}只能由{zh}办理", f"{step} can only be taken by: {', '.join(transition.roles)}", possible
        )
    if transition.party not in (None, party):
        raise StepError(f"{title}由另一方办理", f"{step} is for another side to take ({transition.party})", possible)
    if transition.once and step in taken:
        raise StepError(f"{title}只能办理一次，本件已办理过", f"{step} may be taken only once, and was", possible)
    if transition.needs_reason and not reason.strip():
        raise StepError(f"办理{title}必须说明理由", f"{step} needs a reason in words", possible)
    if day < last:
        raise StepError(f"办理日期 {day} 早于上一步 {last}", f"{day} is before the last step ({last})", possible)
    return transition


def _move_clock(case: Case, procedure: Procedure, transition: Transition, before: str, day: date) -> None:
    """A pause keeps what is left of the term, an extension counts from the term's last day, a restart from ``day``."""
    term = procedure.states[transition.to].within
    if transition.pauses_clock:
        case.days_left, case.due_on = rest_of(procedure.states[before].within, case.due_on, day), None
    elif transition.resumes_clock:
        case.due_on, case.days_left = due_after(term, case.days_left, day), None
    elif transition.extends is not None:
        case.due_on = due_on(transition.extends, case.due_on) if case.due_on else None
    elif transition.restarts_clock:
        case.state_since = day
        case.due_on = due_on(term, day)


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
