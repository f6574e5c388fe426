"""The life of a request: who answers, within which term, and what comes of it; every wrong step is told in two languages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from shutong.accounts.actors import NOBODY, SYSTEM, Actor, NotAllowedError
from shutong.audit.models import Entry
from shutong.catalog.actions import publish_declaration
from shutong.catalog.published import current_catalog
from shutong.exchange import actions
from shutong.exchange.actions import (
    agree,
    ask_for_data,
    ask_for_extension,
    ask_for_material,
    cancel_request,
    confirm_ready,
    confirm_review,
    decide_extension,
    dispute,
    give_material,
    overturn,
    refuse,
    reject_review,
    uphold,
)
from shutong.exchange.extent import Answer
from shutong.exchange.grants import grant_of, grants_in_force
from shutong.exchange.models import Decision, GrantVersion, ShareRequest, SharingGrant
from shutong.exchange.refusals import ExchangeError
from shutong.exchange.requests import read_request, requests_for, timeline, waiting_for
from shutong.jobs.models import Event
from shutong.procedures.actions import take_step
from shutong.procedures.cases import StepError
from shutong.spec.catalog import dump
from shutong.standards.workdays import add_workdays
from tests.exchange.people import (
    CIVIL,
    CIVIL_2,
    GAOPING,
    LAST,
    MARKET,
    MONDAY,
    OFFICER,
    OFFICER_2,
    TAX,
    asked,
    asked_enterprise,
    day,
    grant_from,
    wanted,
)

pytestmark = pytest.mark.usefixtures("catalog")

BASIS = "税收征收管理法第八条第二款"


def test_conditional_data_is_asked_answered_by_the_owner_and_supplied() -> None:
    request = asked(rows="period >= '2026'", quota=1000)
    assert (request.route, request.owner, request.resource_version) == ("owner", "tax", 1)
    assert (request.course.state, request.course.due_on, request.course.department) == ("answering", day(10), "tax")
    request = agree(request, day(8), acting=TAX)
    assert (request.outcome, request.answered_on, request.answer_due_on) == ("granted", day(8), day(10))
    assert (request.course.state, request.ready_due_on) == ("supplying", add_workdays(day(8), 20))
    grant = grant_of(str(grant_from(request)), day(8))
    assert grant is not None
    assert (grant.receiver, grant.resource, grant.items) == ("civil-affairs", "income", ("code", "period", "amount"))
    assert (grant.rows, grant.methods, grant.quota) == ("period >= '2026'", frozenset({"api", "batch"}), 1000)
    assert (grant.starts_on, grant.ends_on, grant.state) == (day(8), LAST, "active")
    assert grant.masks == {"code": "none", "period": "none", "amount": "none"}
    assert grant.purpose == "核对低保家庭收入"
    request = confirm_ready(request, day(12), acting=TAX)
    assert (request.course.state, request.ready_on) == ("ready", day(12))
    assert [(one.step, one.by) for one in timeline(request)] == [
        ("open", CIVIL.id), ("to-owner", SYSTEM.id), ("approve", TAX.id), ("open", TAX.id), ("confirm-ready", TAX.id),
    ]  # fmt: skip


def test_unconditional_data_is_granted_by_itself_at_once_and_confirmed_within_a_day() -> None:
    request = asked_enterprise()
    assert (request.route, request.outcome, request.answered_on) == ("platform", "granted", MONDAY)
    assert (request.course.state, request.course.due_on, request.course.department) == (
        "confirming", day(1), "market-supervision",
    )  # fmt: skip
    assert [one.resource for one in grants_in_force("civil-affairs", MONDAY)] == ["enterprise"]
    decision = request.decisions.get()
    assert (decision.side, decision.by) == ("platform", SYSTEM.id)
    assert "809" in decision.reason
    assert confirm_ready(request, day(1), acting=MARKET).ready_on == day(1)


def test_what_is_not_shared_is_refused_with_its_basis_and_can_be_disputed() -> None:
    request = asked("informant", items=("number",), methods=frozenset({"api"}))
    assert (request.route, request.outcome, request.course.state) == ("nobody", "refused", "refused")
    basis = request.decisions.get().basis
    assert "809" in basis
    assert "为检举人保密" in basis
    assert not SharingGrant.objects.exists()
    request = dispute(request, "需要核对举报奖励", day(1), acting=CIVIL)
    with pytest.raises(ExchangeError, match="修改目录") as caught:
        overturn(request, "税收征收管理法第十三条", day(2), acting=OFFICER)
    assert "share type" in caught.value.en
    request = uphold(request, "税收征收管理法第十三条", day(2), acting=OFFICER)
    assert request.dispute is not None
    assert (request.dispute.state, request.dispute.closed_on) == ("upheld", day(2))


def test_the_owner_may_give_less_in_every_respect() -> None:
    request = asked(items=("code", "amount", "contact"), masks={"contact": "middle"}, rows="period >= '2026'")
    answer = Answer(
        without={"amount": "税收征收管理法第八条"}, masks={"contact": "hide"}, rows="amount > 0", methods=frozenset({"api"}),
        ends_on=day(30), quota=50,
    )  # fmt: skip
    request = agree(request, day(3), answer=answer, reason="够用", acting=TAX)
    assert request.outcome == "partly"
    grant = grants_in_force("civil-affairs", day(3))[0]
    assert grant.masks == {"code": "none", "contact": "hide"}
    assert grant.rows == "(period >= '2026') AND (amount > 0)"
    assert (grant.methods, grant.ends_on, grant.quota) == (frozenset({"api"}), day(30), 50)
    items = {one.item: (one.given, one.mask, one.basis) for one in request.decisions.get().items.all()}
    assert items == {
        "code": (True, "none", ""), "amount": (False, "", "税收征收管理法第八条"), "contact": (True, "hide", ""),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "zh", "en"),
    [
        (Answer(masks={"contact": "none"}), "只能比申请的更严", "may only be stronger"),
        (Answer(masks={"contact": "last4"}), "只能比申请的更严", "may only be stronger"),
        (Answer(masks={"estimate": "hide"}), "没有申请信息项：estimate", "were not asked: estimate"),
        (Answer(without={"period": "某法第一条"}), "没有申请信息项：period", "were not asked: period"),
        (Answer(without={"code": " 12 "}), "须写明法律依据", "without a legal basis"),
        (
            Answer(without={"code": "某法第一条", "contact": "某法第一条"}),
            "请改用“不予共享”",
            "refuse the request instead",
        ),
        (Answer(methods=frozenset({"verify"})), "只能在申请的范围内", "only be some of those asked"),
        (Answer(methods=frozenset()), "只能在申请的范围内", "only be some of those asked"),
        (Answer(ends_on=LAST + dt.timedelta(days=1)), "只能在申请的", "within the days asked"),
        (Answer(starts_on=MONDAY - dt.timedelta(days=1)), "只能在申请的", "within the days asked"),
        (Answer(ends_on=day(1)), "已经结束", "ended on"),
        (Answer(starts_on=day(9), ends_on=day(8)), "早于开始日期", "before the first day"),
        (Answer(quota=101), "不能高于申请的 100", "may not exceed the 100"),
        (Answer(quota=0), "限额至少为 1", "at least 1"),
        (Answer(rows="nothing > 1"), "没有列", "no column"),
        (Answer(rows="amount"), "必须是真或假", "true or false"),
        (Answer(rows="true) OR (true"), "数据范围条件不能用", "row condition is refused"),
    ],
)
def test_the_owner_may_not_give_more(answer: Answer, zh: str, en: str) -> None:
    request = asked(items=("code", "contact"), quota=100)
    with pytest.raises(ExchangeError) as caught:
        agree(request, day(3), answer=answer, acting=TAX)
    assert zh in caught.value.zh
    assert en in caught.value.en
    assert not Decision.objects.exists()
    assert not SharingGrant.objects.exists()
    request.course.refresh_from_db()
    assert request.course.state == "answering"


@pytest.mark.parametrize(
    ("keys", "zh", "en"),
    [
        ({"resource": "nothing"}, "目录里没有资源", "has no resource"),
        ({"purpose": "12 。"}, "写明用途", "purpose in words"),
        ({"basis": ""}, "写明依据", "legal basis in words"),
        ({"items": ()}, "至少要有一个信息项", "at least one item"),
        ({"items": ("code", "salary")}, "没有信息项：salary", "no items salary"),
        ({"methods": frozenset({"stream"})}, "共享方式 stream 不可用", "methods stream"),
        ({"methods": frozenset()}, "未填写", "(none)"),
        ({"frequency": "often"}, "使用频率", "frequency"),
        ({"masks": {"contact": "hide"}}, "没有申请的信息项：contact", "not asked: contact"),
        ({"rows": "amount / 2 > 1"}, "不允许 /", "/ is refused"),
        ({"rows": "amount + 1"}, "必须是真或假", "true or false"),
        ({"rows": "code > amount + DATE '2026-01-01'"}, "数据范围条件不能用", "row condition is refused"),
        ({"starts_on": MONDAY - dt.timedelta(days=1)}, "已过", "is over"),
        ({"ends_on": MONDAY - dt.timedelta(days=1)}, "早于开始日期", "before the first day"),
        ({"quota": 0}, "限额至少为 1", "at least 1"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_at_the_desk(keys: dict[str, Any], zh: str, en: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        ask_for_data("civil-affairs", wanted(**keys), MONDAY, acting=CIVIL)
    assert zh in caught.value.zh
    assert en in caught.value.en
    assert not ShareRequest.objects.exists()


def test_nobody_asks_their_own_department_or_twice_or_for_a_department_that_is_none() -> None:
    with pytest.raises(ExchangeError, match="本部门自己的资源"):
        ask_for_data("tax", wanted(), MONDAY, acting=TAX)
    lost = Actor("u-lost", "", "lost", frozenset({"steward"}))
    with pytest.raises(ExchangeError, match="no department lost"):
        ask_for_data("lost", wanted(), MONDAY, acting=lost)
    asked()
    with pytest.raises(ExchangeError, match="正在办理"):
        asked(by=CIVIL_2)
    assert asked(purpose="核对高校资助对象").route == "owner"


def test_missing_material_is_told_once_and_the_clock_stands_still_until_it_is_given() -> None:
    request = asked()
    request = ask_for_material(request, "请附经办处室的说明", day(4), acting=TAX)
    assert (request.course.due_on, request.course.department) == (None, "civil-affairs")
    with pytest.raises(StepError, match="待补正材料"):
        agree(request, day(5), acting=TAX)
    with pytest.raises(StepError, match="必须说明理由"):
        give_material(request, " ", day(14), acting=CIVIL)
    request = give_material(request, "说明已附", day(14), acting=CIVIL)
    assert (request.course.due_on, request.course.department) == (day(20), "tax"), "six of ten days were left"
    with pytest.raises(StepError, match="只能办理一次") as caught:
        ask_for_material(request, "还缺一份", day(15), acting=TAX)
    assert "only once" in caught.value.en


def test_an_extension_is_asked_once_with_a_reason_and_the_bureau_allows_it() -> None:
    request = asked()
    with pytest.raises(StepError, match="必须说明理由"):
        ask_for_extension(request, "", day(5), acting=TAX)
    request = ask_for_extension(request, "历史数据须先清理", day(5), acting=TAX)
    assert (request.course.due_on, request.course.department) == (day(10), "")
    request = decide_extension(request, True, day(6), acting=OFFICER)
    assert (request.course.due_on, request.course.department) == (day(20), "tax")
    with pytest.raises(StepError, match="只能办理一次"):
        ask_for_extension(request, "还要十天", day(18), acting=TAX)
    assert agree(request, day(20), acting=TAX).answer_due_on == day(20)


def test_an_extension_that_is_not_allowed_leaves_the_term() -> None:
    request = ask_for_extension(asked(), "人手不足", day(9), acting=TAX)
    with pytest.raises(StepError, match="必须说明理由"):
        decide_extension(request, False, day(9), acting=OFFICER)
    request = decide_extension(request, False, day(9), reason="数据已在平台", acting=OFFICER)
    assert (request.course.state, request.course.due_on) == ("answering", day(10))


def test_a_term_that_is_over_is_not_extended() -> None:
    with pytest.raises(ExchangeError, match="已过") as caught:
        ask_for_extension(asked(), "历史数据须先清理", day(11), acting=TAX)
    assert "extended any more" in caught.value.en


def test_terms_are_those_of_the_day_of_the_request_and_of_the_owners_place() -> None:
    march = dt.date(2025, 3, 3)
    before = asked(day=march, starts_on=march)
    assert before.course.due_on == add_workdays(march, 10)
    assert before.course.declared.states["answering"].within is not None
    assert before.course.declared.states["answering"].within.basis == "国发〔2016〕51号"
    with pytest.raises(ExchangeError, match="no extension"):
        ask_for_extension(before, "历史数据须先清理", march, acting=TAX)
    before = agree(before, march, acting=TAX)
    assert before.ready_due_on is None, "the law of 2016 set no term for supplying"
    free = asked_enterprise(day=march, starts_on=march)
    assert (free.outcome, free.course.due_on) == ("granted", None)
    local = asked("county-income", items=("code",), methods=frozenset({"api"}))
    basis = local.course.declared.states["answering"].within
    assert basis is not None
    assert basis.basis == "高平市地方规定"
    assert local.course.due_on == day(10)
    assert agree(local, day(1), acting=GAOPING).outcome == "granted"
    again = asked("county-income", by=TAX, items=("code",), methods=frozenset({"api"}))
    assert again.course.due_on == day(5), "there, five working days for what is shared already"
    with pytest.raises(ExchangeError, match="no rule was in force"):
        asked(day=dt.date(2015, 1, 5), starts_on=dt.date(2015, 1, 5))


def test_a_refusal_needs_a_legal_basis_and_closes_the_case() -> None:
    request = asked()
    for basis in ("", " ", "8 (2)", "不行"):
        with pytest.raises(ExchangeError, match="法律依据") as caught:
            refuse(request, basis, day(2), acting=TAX)
        assert "legal basis" in caught.value.en
    request = refuse(request, BASIS, day(2), reason="与用途无关", acting=TAX)
    assert (request.outcome, request.course.state, request.course.closed_on) == ("refused", "refused", day(2))
    decision = request.decisions.get()
    assert (decision.gives, decision.basis, decision.reason) == (False, BASIS, "与用途无关")
    assert not decision.items.filter(given=True).exists()
    with pytest.raises(StepError, match="不予共享"):
        agree(request, day(3), acting=TAX)


def test_core_items_and_bare_sensitive_ones_need_the_bureau_after_the_owner() -> None:
    for keys in ({"items": ("code", "estimate")}, {"items": ("code", "contact"), "masks": {"contact": "none"}}):
        request = asked(purpose=f"核对收入 {keys}", **keys)
        assert request.route == "bureau"
        request = agree(request, day(2), acting=TAX)
        assert (request.course.state, request.course.due_on) == ("reviewing", day(10)), "one term for the whole answer"
        assert not request.outcome
        assert not request.versions.exists()
        request = confirm_review(request, day(4), acting=OFFICER)
        assert (request.outcome, request.course.department) == ("granted", "tax")
        assert request.versions.get().by_bureau


def test_masked_sensitive_items_are_the_owners_to_give_and_less_needs_no_bureau() -> None:
    assert asked(items=("code", "contact")).route == "owner"
    request = asked(items=("code", "contact"), masks={"contact": "none"})
    request = agree(request, day(2), answer=Answer(masks={"contact": "middle"}), acting=TAX)
    assert (request.course.state, request.outcome) == ("supplying", "partly")


def test_unconditional_data_with_bare_telephones_is_not_granted_by_itself() -> None:
    request = asked_enterprise(items=("uscc", "phone"), masks={"phone": "none"})
    assert (request.route, request.outcome) == ("bureau", "")
    assert asked_enterprise(items=("uscc", "phone")).outcome == "granted", "hidden as it is declared"


def test_the_bureau_may_narrow_what_the_owner_gave_but_not_widen_it() -> None:
    request = asked(items=("code", "period", "estimate"))
    request = agree(request, day(1), answer=Answer(without={"period": BASIS}), acting=TAX)
    with pytest.raises(ExchangeError, match="没有申请信息项：period"):
        confirm_review(request, day(2), answer=Answer(masks={"period": "none"}), acting=OFFICER)
    request = confirm_review(
        request, day(2), answer=Answer(without={"estimate": "数据安全法第二十一条"}), acting=OFFICER
    )
    assert grants_in_force("civil-affairs", day(2))[0].items == ("code",)
    bases = {one.item: one.basis for one in request.decisions.get(side="bureau").items.filter(given=False)}
    assert bases == {"period": BASIS, "estimate": "数据安全法第二十一条"}


def test_the_bureau_refuses_with_a_basis_and_another_officer_hears_the_dispute() -> None:
    request = agree(asked(items=("estimate",)), day(1), acting=TAX)
    with pytest.raises(ExchangeError, match="法律依据"):
        reject_review(request, "", day(2), acting=OFFICER)
    request = reject_review(request, "数据安全法第二十一条", day(2), acting=OFFICER)
    assert (request.outcome, request.course.state) == ("refused", "refused")
    request = dispute(request, "测算依法可以使用", day(3), acting=CIVIL)
    with pytest.raises(ExchangeError, match="由他人办理"):
        overturn(request, "社会救助暂行办法", day(4), acting=OFFICER)
    request = overturn(request, "社会救助暂行办法", day(4), acting=OFFICER_2)
    assert (request.outcome, request.answered_on) == ("granted", day(2))


def test_a_disputed_refusal_is_overturned_and_then_supplied() -> None:
    request = refuse(asked(), BASIS, day(2), acting=TAX)
    request = dispute(request, "办法第五十八条允许核对", day(3), acting=CIVIL)
    assert list(waiting_for(OFFICER)) == [request]
    assert timeline(request)[-1].reason == "办法第五十八条允许核对"
    request = overturn(request, "社会救助暂行办法第五十八条", day(5), answer=Answer(ends_on=day(15)), acting=OFFICER)
    assert (request.outcome, request.ready_due_on) == ("partly", add_workdays(day(5), 20))
    assert grants_in_force("civil-affairs", day(5))[0].ends_on == day(15)
    assert list(waiting_for(TAX)) == [request]
    request = confirm_ready(request, day(6), acting=TAX)
    assert request.dispute is not None
    assert (request.dispute.state, request.ready_on) == ("ready", day(6))
    assert not waiting_for(TAX).exists()


def test_items_left_out_are_disputed_and_the_grant_gets_a_new_version() -> None:
    request = agree(asked(), day(2), answer=Answer(without={"amount": BASIS}), acting=TAX)
    request = dispute(request, "没有金额无法核对", day(3), acting=CIVIL)
    request = overturn(request, "社会救助暂行办法第五十八条", day(4), acting=OFFICER)
    versions = [(one.number, one.change, tuple(one.extent.masks)) for one in grant_from(request).versions.all()]
    assert versions == [(1, "granted", ("code", "period")), (2, "disputed", ("code", "period", "amount"))]
    assert request.outcome == "granted"
    assert confirm_ready(request, day(5), acting=TAX).course.state == "ready"


def test_a_dispute_needs_a_refusal_and_a_reason_and_comes_once() -> None:
    request = asked()
    with pytest.raises(ExchangeError, match="nothing was refused"):
        dispute(request, "早该答复了", day(1), acting=CIVIL)
    request = refuse(request, BASIS, day(2), acting=TAX)
    with pytest.raises(ExchangeError, match="没有争议"):
        uphold(request, BASIS, day(3), acting=OFFICER)
    with pytest.raises(ExchangeError, match="争议理由"):
        dispute(request, "?", day(3), acting=CIVIL)
    with pytest.raises(ExchangeError, match="早于答复日期"):
        dispute(request, "办法允许核对", day(1), acting=CIVIL)
    request = dispute(request, "办法允许核对", day(3), acting=CIVIL)
    with pytest.raises(ExchangeError, match="disputed already"):
        dispute(request, "办法允许核对", day(3), acting=CIVIL_2)
    request = uphold(request, BASIS, day(4), acting=OFFICER)
    with pytest.raises(StepError, match="维持不予共享"):
        overturn(request, BASIS, day(5), acting=OFFICER_2)


def test_a_request_is_withdrawn_until_it_is_answered() -> None:
    request = cancel_request(asked(), "改用其他途径", day(1), acting=CIVIL)
    assert (request.outcome, request.answered_on, request.course.state) == ("cancelled", None, "cancelled")
    granted = agree(asked(), day(1), acting=TAX)
    with pytest.raises(StepError, match="待提供数据"):
        cancel_request(granted, "改用其他途径", day(2), acting=CIVIL)
    with pytest.raises(StepError, match="needs a reason"):
        cancel_request(asked(purpose="核对住房保障对象"), "", day(1), acting=CIVIL)


def test_a_decision_made_with_an_old_row_in_hand_is_judged_by_what_is_there_now() -> None:
    old = asked()
    agree(ShareRequest.objects.get(pk=old.pk), day(1), acting=TAX)
    with pytest.raises(StepError):
        refuse(old, BASIS, day(1), acting=TAX)
    assert ShareRequest.objects.get(pk=old.pk).outcome == "granted"
    assert SharingGrant.objects.count() == 1


def test_steps_of_the_past_are_refused() -> None:
    with pytest.raises(StepError, match="早于上一步"):
        agree(asked(), MONDAY - dt.timedelta(days=1), acting=TAX)


@pytest.mark.parametrize(
    "who", [MARKET, NOBODY, Actor("u", "", "tax", frozenset({"auditor", "operator", "regulator"}))]
)
def test_nobody_outside_the_two_departments_and_the_bureau_sees_or_touches_a_request(who: Actor) -> None:
    request = asked()
    calls: list[Any] = [
        lambda: read_request(str(request), acting=who),
        lambda: agree(request, day(1), acting=who),
        lambda: refuse(request, BASIS, day(1), acting=who),
        lambda: ask_for_material(request, "请附说明", day(1), acting=who),
        lambda: ask_for_extension(request, "人手不足", day(1), acting=who),
        lambda: decide_extension(request, True, day(1), acting=who),
        lambda: confirm_review(request, day(1), acting=who),
        lambda: reject_review(request, BASIS, day(1), acting=who),
        lambda: cancel_request(request, "不再需要", day(1), acting=who),
        lambda: dispute(request, "办法允许核对", day(1), acting=who),
        lambda: uphold(request, BASIS, day(1), acting=who),
        lambda: overturn(request, BASIS, day(1), acting=who),
        lambda: confirm_ready(request, day(1), acting=who),
        lambda: give_material(request, "已附", day(1), acting=who),
        lambda: ask_for_data("civil-affairs", wanted(), day(1), acting=who),
    ]
    for call in calls:
        with pytest.raises(NotAllowedError):
            call()
    if who is MARKET:
        assert not requests_for(who).exists()
    else:
        with pytest.raises(NotAllowedError):
            requests_for(who)


def test_each_side_does_its_own_part_only() -> None:
    request = asked()
    with pytest.raises(NotAllowedError):
        agree(request, day(1), acting=CIVIL)
    with pytest.raises(NotAllowedError):
        agree(request, day(1), acting=OFFICER)
    with pytest.raises(NotAllowedError):
        decide_extension(request, True, day(1), acting=TAX)
    with pytest.raises(NotAllowedError):
        cancel_request(request, "不必了吧", day(1), acting=TAX)
    for who in (CIVIL, CIVIL_2, TAX, OFFICER):
        assert read_request(str(request), acting=who) == request
        assert list(requests_for(who)) == [request]
    with pytest.raises(ExchangeError, match="没有申请"):
        read_request("request/x", acting=OFFICER)


def test_a_step_is_taken_by_the_verbs_only_and_each_side_is_told_its_own() -> None:
    request = asked()
    with pytest.raises(StepError, match="由另一方办理") as caught:
        take_step(request.course, "approve", day(1), acting=TAX)
    assert "another side" in caught.value.en
    with pytest.raises(StepError) as caught:
        confirm_ready(request, day(1), acting=TAX)
    assert caught.value.possible == ("ask-material", "ask-extension", "approve", "forward", "refuse")
    with pytest.raises(StepError) as caught:
        give_material(request, "已附", day(1), acting=CIVIL)
    assert caught.value.possible == ("cancel",)


def test_who_asked_does_not_answer_even_with_a_second_office() -> None:
    both = Actor(CIVIL.id, CIVIL.name, "tax", frozenset({"steward", "data-officer"}))
    with pytest.raises(ExchangeError, match="由他人办理"):
        agree(asked(), day(1), acting=both)
    request = agree(asked(items=("estimate",)), day(1), acting=TAX)
    tax_officer = Actor(TAX.id, TAX.name, "tax", frozenset({"steward", "data-officer"}))
    with pytest.raises(ExchangeError, match="somebody else must"):
        confirm_review(request, day(1), acting=tax_officer)


def test_what_the_catalog_no_longer_shares_is_not_given() -> None:
    request = asked(items=("code", "amount"))
    _republish("income", lambda content: content["items"].pop("amount"))
    with pytest.raises(ExchangeError, match="没有信息项：amount"):
        agree(request, day(1), acting=TAX)
    _republish("income", lambda content: content.update(share={"type": "none"}))
    with pytest.raises(ExchangeError):
        agree(request, day(1), answer=Answer(without={"amount": BASIS}), acting=TAX)
    assert not GrantVersion.objects.exists()


def _republish(name: str, change: Any) -> None:
    content = dump(current_catalog().resources[name])
    change(content)
    publish_declaration("resource", name, content, acting=SYSTEM)


def test_the_log_and_the_outbox_tell_what_was_done() -> None:
    request = agree(asked(), day(1), acting=TAX)
    names = list(Entry.objects.filter(action__startswith="exchange.").values_list("action", "actor"))
    assert names == [("exchange.ask_for_data", CIVIL.id), ("exchange.agree", TAX.id)]
    body = Entry.objects.get(action="exchange.agree").body
    assert f"{grant_from(request)}@1" in body
    assert "核对低保" not in body
    events = set(Event.objects.values_list("name", flat=True))
    assert {"exchange.request_settled", "exchange.grant_changed"} <= events


def test_every_verb_of_requests_is_tested_here() -> None:
    verbs = {name for name in vars(actions) if hasattr(getattr(actions, name), "__action__")}
    assert verbs == {
        "agree", "ask_for_data", "ask_for_extension", "ask_for_material", "cancel_request", "confirm_ready",
        "confirm_review", "decide_extension", "dispute", "give_material", "overturn", "refuse", "reject_review", "uphold",
    }  # fmt: skip
