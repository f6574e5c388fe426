"""The life of a grant: versions that stay, suspension and withdrawal at once, renewal on the way of every request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from shutong.accounts.actions import action_info
from shutong.accounts.actors import Actor, NotAllowedError
from shutong.audit.models import Entry
from shutong.exchange import grant_actions
from shutong.exchange.actions import agree, dispute, overturn, refuse
from shutong.exchange.extent import Answer
from shutong.exchange.grant_actions import give_up_grant, renew_grant, resume_grant, suspend_grant, withdraw_grant
from shutong.exchange.grants import find_grant, grant_of, grants_in_force, read_grant
from shutong.exchange.models import Decision, GrantVersion, ItemDecision, SharingGrant
from shutong.exchange.refusals import ExchangeError
from shutong.jobs.models import Event
from shutong.procedures.cases import StepError
from tests.exchange.people import (
    CIVIL,
    CIVIL_2,
    LAST,
    MARKET,
    OFFICER,
    OFFICER_2,
    TAX,
    asked,
    asked_enterprise,
    day,
    grant_from,
)

pytestmark = pytest.mark.usefixtures("catalog")

LATER = LAST + dt.timedelta(days=90)


@pytest.fixture
def grant(catalog: None) -> SharingGrant:
    """Agreed on working day 2."""
    return grant_from(agree(asked(), day(2), acting=TAX))


def state_on(grant: SharingGrant, on: dt.date) -> str | None:
    found = grant_of(str(grant), on)
    return found.state if found else None


def test_suspension_resumption_and_withdrawal_count_at_once_and_the_past_stays(grant: SharingGrant) -> None:
    suspend_grant(grant, "查到超范围使用", day(5), acting=TAX)
    assert grants_in_force("civil-affairs", day(5)) == []
    resume_grant(grant, "已整改", day(7), acting=TAX)
    assert [one.grant for one in grants_in_force("civil-affairs", day(7))] == [str(grant)]
    withdraw_grant(grant, "用途已完成", day(9), acting=TAX)
    assert grants_in_force("civil-affairs", day(9)) == []
    states = [state_on(grant, day(number)) for number in (1, 2, 4, 5, 6, 7, 8, 9, 200)]
    assert states == [None, "active", "active", "suspended", "suspended", "active", "active", "withdrawn", "withdrawn"]
    assert [one.grant for one in grants_in_force("civil-affairs", day(4))] == [str(grant)], "asked years later"
    versions = list(grant.versions.values_list("number", "change", "reason", "by"))
    assert versions == [
        (1, "granted", "", TAX.id),
        (2, "suspended", "查到超范围使用", TAX.id),
        (3, "resumed", "已整改", TAX.id),
        (4, "withdrawn", "用途已完成", TAX.id),
    ]
    heard = [event.payload["state"] for event in Event.objects.filter(name="exchange.grant_changed")]
    assert heard == ["active", "suspended", "active", "withdrawn"]


def test_what_is_withdrawn_on_the_day_it_was_granted_is_gone_that_day(grant: SharingGrant) -> None:
    withdraw_grant(grant, "误批", day(2), acting=TAX)
    assert state_on(grant, day(2)) == "withdrawn"


@pytest.mark.parametrize("verb", [suspend_grant, withdraw_grant])
def test_a_reason_is_needed(grant: SharingGrant, verb: Callable[..., GrantVersion]) -> None:
    with pytest.raises(StepError, match="必须说明理由") as caught:
        verb(grant, "  ", day(3), acting=TAX)
    assert "reason in words" in caught.value.en
    assert grant.versions.count() == 1


def test_wrong_steps_of_a_grant(grant: SharingGrant) -> None:
    with pytest.raises(StepError, match="目前是“有效”，不能办理“恢复”"):
        resume_grant(grant, "误操作", day(3), acting=TAX)
    withdraw_grant(grant, "用途已完成", day(3), acting=TAX)
    for verb in (suspend_grant, resume_grant, withdraw_grant):
        with pytest.raises(StepError, match="已撤销") as caught:
            verb(grant, "再来一次", day(4), acting=TAX)
        assert "withdrawn" in caught.value.en
    with pytest.raises(ExchangeError, match="没有授权"):
        find_grant("grant/99")
    with pytest.raises(ExchangeError, match="no grant"):
        grant_of("request/1", day(3))


def test_what_the_bureau_suspended_only_the_bureau_resumes(grant: SharingGrant) -> None:
    suspend_grant(grant, "安全事件处置", day(3), acting=OFFICER)
    with pytest.raises(ExchangeError, match="只能由数据局恢复") as caught:
        resume_grant(grant, "已处置", day(4), acting=TAX)
    assert "only the bureau" in caught.value.en
    assert resume_grant(grant, "已处置", day(4), acting=OFFICER_2).state == "active"


def test_only_the_owner_and_the_bureau_stop_a_grant_and_only_the_receiver_gives_it_up(grant: SharingGrant) -> None:
    operator = Actor("u-op", "", "", frozenset({"operator"}))
    for who in (CIVIL, MARKET, operator):
        for verb in (suspend_grant, resume_grant, withdraw_grant):
            with pytest.raises(NotAllowedError):
                verb(grant, "不该可以", day(3), acting=who)
    for who in (TAX, MARKET, OFFICER):
        with pytest.raises(NotAllowedError):
            give_up_grant(grant, "不再需要", day(3), acting=who)
        with pytest.raises(NotAllowedError):
            renew_grant(grant, LATER, "办法第五十八条", day(3), acting=who)
    with pytest.raises(NotAllowedError):
        read_grant(str(grant), acting=MARKET)
    assert read_grant(str(grant), acting=CIVIL_2) == grant
    assert give_up_grant(grant, "不再需要", day(3), acting=CIVIL).state == "withdrawn"
    assert Entry.objects.filter(action="exchange.give_up_grant").exists()


def test_a_renewal_is_answered_like_a_request_and_adds_a_version(grant: SharingGrant) -> None:
    request = renew_grant(grant, LATER, "社会救助暂行办法第五十八条", day(20), acting=CIVIL)
    assert (request.route, request.course.state, request.renews) == ("owner", "answering", grant)
    with pytest.raises(ExchangeError, match="正在办理"):
        renew_grant(grant, LATER, "社会救助暂行办法第五十八条", day(20), acting=CIVIL_2)
    answer = Answer(without={"amount": "税收征收管理法第八条"}, ends_on=LAST + dt.timedelta(days=30))
    agree(request, day(22), answer=answer, acting=TAX)
    versions = [(one.number, one.change, one.ends_on, len(one.masks)) for one in grant.versions.all()]
    assert versions == [(1, "granted", LAST, 3), (2, "renewed", LAST + dt.timedelta(days=30), 2)]
    assert SharingGrant.objects.count() == 1
    old, new = grant_of(str(grant), day(21)), grant_of(str(grant), day(22))
    assert old is not None
    assert new is not None
    assert ("amount" in old.items, "amount" in new.items) == (True, False)


def test_a_renewal_of_unconditional_data_is_granted_by_itself(catalog: None) -> None:
    grant = grant_from(asked_enterprise())
    request = renew_grant(grant, LATER, "社会救助暂行办法第五十八条", day(20), acting=CIVIL)
    assert (request.outcome, grant.latest.change, grant.latest.ends_on) == ("granted", "renewed", LATER)


def test_renewals_that_make_no_sense(grant: SharingGrant) -> None:
    with pytest.raises(ExchangeError, match="续期须晚于"):
        renew_grant(grant, LAST, "办法第五十八条", day(3), acting=CIVIL)
    with pytest.raises(ExchangeError, match="续期依据"):
        renew_grant(grant, LATER, "58", day(3), acting=CIVIL)
    with pytest.raises(ExchangeError, match="ask anew"):
        renew_grant(grant, LATER, "办法第五十八条", LAST + dt.timedelta(days=1), acting=CIVIL)
    request = renew_grant(grant, LATER, "办法第五十八条", day(3), acting=CIVIL)
    suspend_grant(grant, "查到超范围使用", day(4), acting=TAX)
    with pytest.raises(StepError, match="已暂停"):
        agree(request, day(5), acting=TAX)
    assert grant.latest.state == "suspended", "a renewal does not lift a suspension"
    with pytest.raises(ExchangeError, match="已失效或暂停"):
        renew_grant(grant, LATER, "办法第五十八条", day(5), acting=CIVIL)


def test_a_refused_renewal_may_be_disputed_and_a_withdrawn_grant_is_not_given_back_by_it(grant: SharingGrant) -> None:
    request = refuse(
        renew_grant(grant, LATER, "办法第五十八条", day(3), acting=CIVIL), "税收征收管理法", day(4), acting=TAX
    )
    assert grant.latest.number == 1
    request = dispute(request, "仍需核对收入", day(5), acting=CIVIL)
    withdraw_grant(grant, "发生泄露", day(6), acting=TAX)
    with pytest.raises(StepError, match="已撤销"):
        overturn(request, "社会救助暂行办法", day(7), acting=OFFICER)
    assert state_on(grant, day(7)) == "withdrawn"


def test_in_force_is_between_the_first_and_the_last_day(catalog: None) -> None:
    request = asked(starts_on=day(5), ends_on=day(9))
    agree(request, day(2), acting=TAX)
    found = [number for number in range(12) if grants_in_force("civil-affairs", day(number))]
    assert found == [5, 6, 7, 8, 9]
    assert grants_in_force("tax", day(6)) == []


def test_versions_and_decisions_are_written_once(grant: SharingGrant) -> None:
    rows = (grant.latest, Decision.objects.get(), ItemDecision.objects.all()[0])
    for row in rows:
        with pytest.raises(TypeError, match="written once"):
            row.save()
        with pytest.raises(TypeError, match="never deleted"):
            row.delete()


def test_every_verb_of_grants_is_an_action() -> None:
    own = {
        name: one
        for name, one in vars(grant_actions).items()
        if getattr(one, "__module__", "") == grant_actions.__name__
    }
    public = {name for name in own if not name.startswith("_")}
    assert public == {"give_up_grant", "renew_grant", "resume_grant", "suspend_grant", "withdraw_grant"}
    assert all(action_info(own[name]) for name in public)
