"""Figures of sharing: counted from plain rows, and the same from the requests themselves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from shutong.accounts.actors import NOBODY, NotAllowedError
from shutong.exchange.actions import agree, cancel_request, refuse
from shutong.exchange.figures import AsOwner, AsReceiver, RequestRow, figures
from shutong.exchange.requests import department_figures
from shutong.standards.sharing import STRICTEST, sharing_rules
from shutong.standards.targets import targets
from tests.exchange.people import CIVIL, MARKET, OFFICER, TAX, asked, asked_enterprise, day


def row(outcome: str = "", answered: int | None = None, **keys: Any) -> RequestRow:
    usual: dict[str, Any] = {
        "receiver": "civil-affairs",
        "owner": "tax",
        "asked_on": day(0),
        "outcome": outcome,
        "answered_on": None if answered is None else day(answered),
        "due_on": day(10),
        "ready_on": None,
        "ready_due_on": None,
    }
    return RequestRow(**(usual | keys))


ROWS = [
    row("granted", 2, ready_on=day(5), ready_due_on=day(22)),
    row("partly", 12, ready_due_on=day(14)),
    row("refused", 4),
    row("cancelled"),
    row(),
    row(due_on=day(30)),
    row(due_on=None),
]


def test_how_a_department_answers_and_what_became_of_anothers_demand() -> None:
    found = figures(ROWS, day(15), 80)
    assert list(found) == ["civil-affairs", "tax"]
    assert found["tax"].as_owner == AsOwner(
        asked=7, granted=2, refused=1, cancelled=1, open=3, overdue=1, late=1, supply_overdue=1, median_days=4
    )
    assert found["civil-affairs"].as_receiver == AsReceiver(
        asked=7, granted=2, refused=1, open=3, settled=4, met_percent=50.0, reached=False
    )
    assert found["tax"].as_receiver.met_percent is None
    assert found["civil-affairs"].as_owner.median_days is None


def test_the_last_day_of_a_term_is_not_overdue_and_four_of_five_reach_the_goal() -> None:
    assert figures([row()], day(10), 80)["tax"].as_owner.overdue == 0
    assert figures([row()], day(11), 80)["tax"].as_owner.overdue == 1
    four = [row("granted", 1) for _ in range(4)]
    assert figures([*four, row("refused", 1)], day(2), 80)["civil-affairs"].as_receiver.reached is True
    assert figures([*four[1:], row("refused", 1)], day(2), 80)["civil-affairs"].as_receiver.reached is False
    assert figures([], day(1), 80) == {}


@pytest.mark.usefixtures("catalog")
def test_the_figures_of_requests_are_those_of_their_steps() -> None:
    agree(asked(), day(4), acting=TAX)
    refuse(asked(purpose="核对住房保障对象"), "税收征收管理法第八条", day(12), acting=TAX)
    cancel_request(asked(purpose="核对高校资助对象"), "改用其他途径", day(1), acting=CIVIL)
    asked(purpose="核对医疗救助对象")
    asked_enterprise()
    found = department_figures(day(14), acting=OFFICER)
    assert found["tax"].as_owner == AsOwner(
        asked=4, granted=1, refused=1, cancelled=1, open=1, overdue=1, late=1, supply_overdue=0, median_days=8
    )
    assert found["market-supervision"].as_owner.median_days == 0
    assert found["market-supervision"].as_owner.supply_overdue == 1, "not confirmed within a day"
    demand = found["civil-affairs"].as_receiver
    assert (demand.asked, demand.settled, demand.met_percent, demand.reached) == (5, 4, 50.0, False)
    assert list(department_figures(day(14), acting=MARKET)) == ["market-supervision"]
    with pytest.raises(NotAllowedError):
        department_figures(day(14), acting=NOBODY)


def test_the_rules_of_sharing_and_the_goal_are_dated_and_have_a_source() -> None:
    rules = sharing_rules()
    for rule in rules:
        assert rule.source
        assert rule.zh
        assert rule.en
        assert rule.decides in STRICTEST
        same = [one for one in rules if (one.of, one.value, one.exposed) == (rule.of, rule.value, rule.exposed)]
        for on in (rule.in_force_from, rule.in_force_to or dt.date(2030, 1, 1)):
            assert [one for one in same if one.in_force(on)] == [rule], "one rule a day"
    on_a_day = {rule.value for rule in rules if rule.of == "share" and rule.in_force(dt.date(2026, 1, 1))}
    assert on_a_day == {"unconditional", "conditional", "none"}
    found = targets()["demand-met"]
    assert (found.share, found.due) == (80, dt.date(2020, 12, 31))
    assert found.source
