"""A declared procedure is interpreted: only declared steps, by declared roles, within declared terms; history is kept."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from shutong.accounts.actors import Actor, NotAllowedError
from shutong.procedures.actions import StepError, open_case, take_step
from shutong.procedures.clocks import days_left, due_after, due_on, overdue, rest_of
from shutong.procedures.models import Case
from shutong.procedures.spec import Procedure, Term
from shutong.standards import workdays

pytestmark = pytest.mark.django_db

OBJECTION: dict[str, Any] = {
    "procedure": "objection",
    "title": "信用信息异议",
    "start": "received",
    "states": {
        "received": {"title": "已提出", "within": {"count": 5, "basis": "企业信息公示暂行条例"}},
        "checking": {"title": "核查中", "within": {"count": 20}},
        "waiting": {"title": "待补正"},
        "upheld": {"title": "成立", "end": True},
        "refused": {"title": "不成立", "end": True},
    },
    "steps": {
        "accept": {"title": "受理", "from": ["received"], "to": "checking", "roles": ["regulator"]},
        "ask": {
            "title": "要求补正",
            "from": ["checking"],
            "to": "waiting",
            "roles": ["regulator"],
            "restarts_clock": False,
        },
        "answer": {
            "title": "补正",
            "from": ["waiting"],
            "to": "checking",
            "roles": ["regulator"],
            "restarts_clock": False,
        },
        "uphold": {"title": "认定成立", "from": ["checking"], "to": "upheld", "roles": ["regulator"]},
        "refuse": {
            "title": "认定不成立",
            "from": ["received", "checking"],
            "to": "refused",
            "roles": ["regulator"],
            "needs_reason": True,
        },
    },
}
PROCEDURE = Procedure.model_validate(OBJECTION)
# 2026: Monday 2 March to Friday 6 March is a plain week.
MONDAY = date(2026, 3, 2)


@pytest.fixture
def regulator() -> Actor:
    return Actor("u7", "监管人员", "market-supervision", frozenset({"regulator"}))


@pytest.fixture
def case(regulator: Actor) -> Case:
    return open_case(PROCEDURE, "listing/42", MONDAY, department="market-supervision", acting=regulator)


def test_a_case_goes_through_its_states_and_keeps_its_history(case: Case, regulator: Actor) -> None:
    assert (case.state, case.due_on) == ("received", date(2026, 3, 9))
    case = take_step(case, "accept", date(2026, 3, 4), acting=regulator)
    assert (case.state, case.due_on) == ("checking", date(2026, 4, 1))
    case = take_step(case, "refuse", date(2026, 3, 20), reason="登记无误", acting=regulator)
    assert (case.closed_on, case.due_on) == (date(2026, 3, 20), None)
    steps = [(one.step, one.from_state, one.to_state, one.by, one.was_due_on) for one in case.steps.all()]
    assert steps == [
        ("open", "", "received", "u7", None),
        ("accept", "received", "checking", "u7", date(2026, 3, 9)),
        ("refuse", "checking", "refused", "u7", date(2026, 4, 1)),
    ]
    assert case.steps.get(number=3).reason == "登记无误"


def test_a_step_that_is_not_declared_here_is_refused_and_says_what_is_possible(case: Case, regulator: Actor) -> None:
    for step in ("uphold", "nothing"):
        with pytest.raises(StepError) as caught:
            take_step(case, step, MONDAY, acting=regulator)
        assert caught.value.possible == ("accept", "refuse")
    case.refresh_from_db()
    assert case.state == "received"
    assert case.steps.count() == 1


def test_a_closed_case_takes_no_step(case: Case, regulator: Actor) -> None:
    case = take_step(case, "refuse", MONDAY, reason="x", acting=regulator)
    with pytest.raises(StepError):
        take_step(case, "accept", MONDAY, acting=regulator)


def test_roles_reasons_and_the_order_of_days(case: Case, regulator: Actor, operator: Actor, steward: Actor) -> None:
    with pytest.raises(StepError, match="regulator"):
        take_step(case, "accept", MONDAY, acting=operator)
    with pytest.raises(StepError, match="理由"):
        take_step(case, "refuse", MONDAY, reason="  ", acting=regulator)
    with pytest.raises(StepError, match="早于"):
        take_step(case, "accept", date(2026, 3, 1), acting=regulator)
    stranger = Actor("u8", "", "tax", frozenset({"regulator"}))
    with pytest.raises(NotAllowedError):
        take_step(case, "accept", MONDAY, acting=stranger)


def test_a_clock_that_is_not_restarted_runs_on(case: Case, regulator: Actor) -> None:
    case = take_step(case, "accept", MONDAY, acting=regulator)
    due = case.due_on
    case = take_step(case, "ask", date(2026, 3, 10), acting=regulator)
    case = take_step(case, "answer", date(2026, 3, 12), acting=regulator)
    assert case.due_on == due
    with pytest.raises(StepError, match="早于"):
        take_step(case, "uphold", date(2026, 3, 11), acting=regulator)


CLOCKS = Procedure.model_validate({
    **OBJECTION,
    "steps": {
        **OBJECTION["steps"],
        "ask": {**OBJECTION["steps"]["ask"], "pauses_clock": True, "once": True},
        "answer": {**OBJECTION["steps"]["answer"], "resumes_clock": True},
        "extend": {
            "title": "延期",
            "from": ["checking"],
            "to": "checking",
            "roles": ["regulator"],
            "once": True,
            "extends": {"count": 10},
        },
    },
})  # fmt: skip


def test_a_paused_clock_keeps_what_was_left_and_a_step_may_be_for_once_only(regulator: Actor) -> None:
    case = open_case(CLOCKS, "listing/43", MONDAY, department="market-supervision", acting=regulator)
    case = take_step(case, "accept", MONDAY, acting=regulator)
    assert case.due_on == date(2026, 3, 30)
    case = take_step(case, "ask", date(2026, 3, 5), acting=regulator)
    assert (case.due_on, case.days_left) == (None, 17)
    assert not overdue(case, date(2026, 12, 31))
    case = take_step(case, "answer", date(2026, 5, 11), acting=regulator)
    assert (case.due_on, case.days_left) == (workdays.add_workdays(date(2026, 5, 11), 17), None)
    with pytest.raises(StepError, match="只能办理一次") as caught:
        take_step(case, "ask", date(2026, 5, 12), acting=regulator)
    assert caught.value.possible == ("uphold", "refuse", "extend")


def test_an_extension_counts_from_the_last_day_of_the_term(regulator: Actor) -> None:
    case = open_case(CLOCKS, "listing/44", MONDAY, department="market-supervision", acting=regulator)
    case = take_step(case, "accept", MONDAY, acting=regulator)
    case = take_step(case, "extend", date(2026, 3, 4), acting=regulator)
    assert case.due_on == workdays.add_workdays(date(2026, 3, 30), 10)
    with pytest.raises(StepError, match="only once"):
        take_step(case, "extend", date(2026, 3, 5), acting=regulator)


@pytest.mark.parametrize(("unit", "left"), [("working-days", -2), ("days", -3)])
def test_a_term_that_had_passed_when_it_was_paused_stays_passed(unit: Any, left: int) -> None:
    term = Term(count=5, unit=unit)
    assert rest_of(term, date(2026, 3, 6), date(2026, 3, 10 if unit == "working-days" else 9)) == left
    resumed = due_after(term, left, date(2026, 4, 1))
    assert resumed is not None
    assert resumed < date(2026, 4, 1)
    assert due_after(term, None, MONDAY) is None
    assert rest_of(None, MONDAY, MONDAY) is None


def test_working_days_skip_holidays_and_count_make_up_days() -> None:
    # The day before the 2025 National Day holiday (1 to 8 October); Saturday 11 October is a make-up working day.
    assert due_on(Term(count=3), date(2025, 9, 30)) == date(2025, 10, 11)
    assert due_on(Term(count=3, unit="days"), date(2025, 9, 30)) == date(2025, 10, 9)
    assert due_on(Term(count=10, unit="days"), date(2025, 9, 30)) == date(2025, 10, 10)
    assert due_on(None, MONDAY) is None


def test_what_is_left_of_a_term(case: Case) -> None:
    assert days_left(case, MONDAY) == 5
    assert days_left(case, date(2026, 3, 10)) == -1
    assert not overdue(case, date(2026, 3, 9))
    assert overdue(case, date(2026, 3, 10))


def test_the_terms_of_an_open_case_do_not_move_with_a_new_version(case: Case, regulator: Actor) -> None:
    stored = Case.objects.get(pk=case.pk).declared
    assert stored == PROCEDURE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "nowhere"}, "no state"),
        ({"states": {**OBJECTION["states"], "lost": {"title": "x"}}}, "no step leads to lost"),
        ({"steps": {**OBJECTION["steps"], "back": {**OBJECTION["steps"]["accept"], "from": ["refused"]}}}, "closed"),
        ({"steps": {**OBJECTION["steps"], "odd": {**OBJECTION["steps"]["accept"], "from": ["x"]}}}, "no state"),
        ({"stats": {}}, "Extra inputs"),
        (
            {
                "steps": {
                    **OBJECTION["steps"],
                    "ask": {**OBJECTION["steps"]["ask"], "pauses_clock": True, "extends": {"count": 1}},
                }
            },
            "either pauses",
        ),
    ],
)
def test_a_declaration_that_does_not_fit_together_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Procedure.model_validate({**OBJECTION, **change})
