"""The verbs of requests: ask, answer, complete, extend, review, refuse, dispute, supply. Those of grants: grant_actions."""

from __future__ import annotations

import datetime as dt

from shutong.accounts.actions import action, note
from shutong.accounts.actors import Actor
from shutong.catalog.published import current_catalog
from shutong.exchange import entries
from shutong.exchange.courses import dispute_course
from shutong.exchange.extent import Answer, check_extent, given, in_words
from shutong.exchange.models import Decision, ShareRequest
from shutong.exchange.refusals import ExchangeError
from shutong.exchange.requests import Wanted
from shutong.procedures.cases import begin_case
from shutong.procedures.models import Case

EVERYTHING = Answer()
"""Gives all that was asked."""


@action(permission="exchange.ask", department="receiver", audited=("receiver", "wanted.resource", "wanted.items"))
def ask_for_data(receiver: str, wanted: Wanted, day: dt.date, *, acting: Actor) -> ShareRequest:
    """Asks another department's data for ``receiver``. What is shared without conditions is granted by itself at once.

    Raises:
        ExchangeError: an unknown or own resource or department, no purpose or basis in words, items, masks, methods or a
            condition that the resource does not declare, days that are over, or the same request still open.
    """
    resource, version = entries.published(wanted.resource)
    if receiver not in current_catalog().departments:
        raise ExchangeError(f"没有部门 {receiver}", f"there is no department {receiver}")
    if resource.department == receiver:
        raise ExchangeError(
            "这是本部门自己的资源，无须申请", "the resource is the department's own: nothing to ask for"
        )
    for text, zh, en in ((wanted.purpose, "用途", "purpose"), (wanted.basis, "依据", "legal basis")):
        if not in_words(text):
            raise ExchangeError(f"请用文字写明{zh}", f"say the {en} in words")
    if wanted.frequency not in ShareRequest.Frequency.values:
        known = ", ".join(ShareRequest.Frequency.values)
        raise ExchangeError(f"使用频率只能是：{known}", f"the frequency is one of {known}")
    extent = wanted.extent(resource)
    check_extent(extent, resource)
    if extent.starts_on < day:
        raise ExchangeError(
            f"开始日期 {extent.starts_on} 已过，最早为 {day}",
            f"the first day {extent.starts_on} is over; {day} at the earliest",
        )
    mine = ShareRequest.objects.filter(receiver=receiver, resource=wanted.resource, outcome="")
    same = next((one for one in mine if (one.purpose, one.extent) == (wanted.purpose.strip(), extent)), None)
    if same is not None:
        raise ExchangeError(f"相同的申请 {same} 正在办理", f"the same request is open already: {same}")
    request = ShareRequest(
        asked_by=acting.id,
        asked_by_name=acting.name,
        receiver=receiver,
        owner=resource.department,
        resource=wanted.resource,
        resource_version=version,
        purpose=wanted.purpose.strip(),
        basis=wanted.basis.strip(),
        frequency=wanted.frequency,
        asked_on=day,
    )
    return entries.submit(request, extent, resource, day, acting)


@action(permission="exchange.answer", department="request.owner", audited=("request.pk",))
def ask_for_material(request: ShareRequest, missing: str, day: dt.date, *, acting: Actor) -> ShareRequest:
    """Tells the asker, once and completely, what is missing; the term stands still until it is given."""
    request = _locked(request)
    entries.move(request, "ask-material", day, acting, reason=missing, hand_to=request.receiver)
    return request


@action(permission="exchange.ask", department="request.receiver", audited=("request.pk",))
def give_material(request: ShareRequest, material: str, day: dt.date, *, acting: Actor) -> ShareRequest:
    """Gives what was missing; the rest of the term runs on."""
    request = _locked(request)
    entries.move(request, "give-material", day, acting, reason=material, hand_to=request.owner)
    return request


@action(permission="exchange.answer", department="request.owner", audited=("request.pk",))
def ask_for_extension(request: ShareRequest, reason: str, day: dt.date, *, acting: Actor) -> ShareRequest:
    """Asks the data bureau, once and before the term is over, to extend it; the term runs on meanwhile.

    Raises:
        ExchangeError: the law of the day of the request knows no extension, or the term is over.
    """
    request = _locked(request)
    if "ask-extension" not in request.course.declared.steps:
        raise ExchangeError(
            "受理申请时的规定没有延期答复", "the law in force when the request came provides for no extension"
        )
    due = request.course.due_on
    if due is not None and day > due:
        raise ExchangeError(
            f"答复期限 {due} 已过，不能再延期", f"the term ended on {due}: it can't be extended any more"
        )
    entries.move(request, "ask-extension", day, acting, reason=reason, hand_to="")
    return request


@action(permission="exchange.decide", audited=("request.pk", "allow"))
def decide_extension(
    request: ShareRequest, allow: bool, day: dt.date, *, reason: str = "", acting: Actor
) -> ShareRequest:
    """Allows the extension that was asked, or with a reason not."""
    request = _locked(request)
    step = "extend" if allow else "keep-term"
    entries.move(request, step, day, acting, reason=reason, hand_to=request.owner)
    return request


@action(permission="exchange.answer", department="request.owner", audited=("request.pk",))
def agree(
    request: ShareRequest, day: dt.date, *, answer: Answer = EVERYTHING, reason: str = "", acting: Actor
) -> ShareRequest:
    """The owner gives what was asked or less of it; where a rule says so, the data bureau must agree too.

    Raises:
        ExchangeError: the answer gives more than was asked, or leaves an item out without a basis; the catalog no longer
            shares the resource; or the actor is who asked.
    """
    request = _locked(request)
    due = request.course.due_on
    resource, _ = entries.published(request.resource)
    extent = given(request.extent, answer, resource, day)
    bureau = entries.route_of(resource, extent, day).decides == "bureau"
    entries.move(
        request, "forward" if bureau else "approve", day, acting, reason=reason, hand_to="" if bureau else None
    )
    entries.must_differ(request, acting)
    side = Decision.Side.OWNER
    entries.decide(request, extent, day, acting, side, without=answer.without, reason=reason)
    if bureau:
        request.save()
    else:
        entries.give(request, extent, day, acting, side, due=due)
    return request


@action(permission="exchange.answer", department="request.owner", audited=("request.pk",))
def refuse(request: ShareRequest, basis: str, day: dt.date, *, reason: str = "", acting: Actor) -> ShareRequest:
    """The owner refuses the request.

    Args:
        basis: the law, regulation or national rule that forbids it, in words.

    Raises:
        ExchangeError: there is no basis in words, or the actor is who asked.
    """
    return _refuse(request, "refuse", basis, reason, day, Decision.Side.OWNER, acting)


@action(permission="exchange.decide", audited=("request.pk",))
def confirm_review(
    request: ShareRequest, day: dt.date, *, answer: Answer = EVERYTHING, reason: str = "", acting: Actor
) -> ShareRequest:
    """The data bureau agrees with what the owner gives, or to less of it.

    Raises:
        ExchangeError: the answer gives more than the owner did; or the actor asked or decided before.
    """
    request = _locked(request)
    due = request.course.due_on
    resource, _ = entries.published(request.resource)
    entries.move(request, "confirm", day, acting, reason=reason, hand_to=request.owner)
    entries.must_differ(request, acting)
    owners = request.decisions.filter(side=Decision.Side.OWNER).order_by("-number")[0]
    extent = given(owners.extent, answer, resource, day)
    entries.route_of(resource, extent, day)
    without = dict(owners.items.filter(given=False).values_list("item", "basis")) | dict(answer.without)
    entries.decide(request, extent, day, acting, Decision.Side.BUREAU, without=without, reason=reason)
    entries.give(request, extent, day, acting, Decision.Side.BUREAU, due=due)
    return request


@action(permission="exchange.decide", audited=("request.pk",))
def reject_review(request: ShareRequest, basis: str, day: dt.date, *, reason: str = "", acting: Actor) -> ShareRequest:
    """The data bureau refuses what the owner would give; see ``refuse``."""
    return _refuse(request, "reject", basis, reason, day, Decision.Side.BUREAU, acting)


@action(permission="exchange.ask", department="request.receiver", audited=("request.pk",))
def cancel_request(request: ShareRequest, reason: str, day: dt.date, *, acting: Actor) -> ShareRequest:
    """The asker withdraws a request that was not answered yet."""
    request = _locked(request)
    entries.move(request, "cancel", day, acting, reason=reason, hand_to="")
    entries.settle(request, ShareRequest.Outcome.CANCELLED, day, None)
    return request


@action(permission="exchange.answer", department="request.owner", audited=("request.pk",))
def confirm_ready(request: ShareRequest, day: dt.date, *, acting: Actor) -> ShareRequest:
    """The owner confirms that the receiver can fetch the data.

    Raises:
        StepError: nothing is to be supplied.
    """
    request = _locked(request)
    if request.dispute is not None and request.dispute.state == "supplying":
        request.dispute = entries.take(request.dispute, "confirm-ready", day, acting)
        if request.course.state == "supplying":
            entries.move(request, "confirm-ready", day, acting)
    else:
        entries.move(request, "confirm-ready", day, acting)
    request.ready_on = day
    request.save()
    return request


@action(permission="exchange.ask", department="request.receiver", audited=("request.pk",))
def dispute(request: ShareRequest, reason: str, day: dt.date, *, acting: Actor) -> ShareRequest:
    """The asker brings a refusal, whole or in part, before the data bureau, once.

    Raises:
        ExchangeError: nothing was refused, it was disputed before, or there is no reason in words.
    """
    request = _locked(request)
    if request.outcome not in (ShareRequest.Outcome.REFUSED, ShareRequest.Outcome.PARTLY):
        raise ExchangeError("没有不予共享的决定，不能提出争议", "nothing was refused: there is nothing to dispute")
    if request.dispute is not None:
        raise ExchangeError("本申请已经提出过争议", "this request was disputed already")
    if not in_words(reason):
        raise ExchangeError("请用文字写明争议理由", "say in words why the refusal is disputed")
    if request.answered_on is not None and day < request.answered_on:
        raise ExchangeError(
            f"日期 {day} 早于答复日期 {request.answered_on}", f"{day} is before the answer of {request.answered_on}"
        )
    owner = current_catalog().departments.get(request.owner)
    request.dispute = begin_case(
        dispute_course(day, owner.area if owner else None), str(request), day, reason=reason.strip(), acting=acting
    )
    request.save()
    return request


@action(permission="exchange.decide", audited=("request.pk",))
def uphold(request: ShareRequest, basis: str, day: dt.date, *, reason: str = "", acting: Actor) -> ShareRequest:
    """The data bureau lets the refusal stand, with its legal basis.

    Raises:
        ExchangeError: there is no dispute or no basis in words; or the actor asked or decided before.
    """
    request, case = _disputed(request, basis)
    request.dispute = entries.take(case, "uphold", day, acting, reason=_text(basis, reason))
    entries.must_differ(request, acting)
    if request.outcome == ShareRequest.Outcome.REFUSED:
        entries.decide(request, None, day, acting, Decision.Side.BUREAU, basis=basis.strip(), reason=reason)
    request.save()
    note(str(request), dispute="upheld")
    return request


@action(permission="exchange.decide", audited=("request.pk",))
def overturn(
    request: ShareRequest, basis: str, day: dt.date, *, answer: Answer = EVERYTHING, reason: str = "", acting: Actor
) -> ShareRequest:
    """The data bureau gives what was refused, never more than was asked.

    Raises:
        ExchangeError: there is no dispute or no basis in words; the answer gives more than was asked; the catalog does not
            share the resource; or the actor asked or decided before.
    """
    request, case = _disputed(request, basis)
    resource, _ = entries.published(request.resource)
    entries.route_of(resource, request.extent, day)
    extent = given(request.extent, answer, resource, day)
    case = entries.take(case, "overturn", day, acting, reason=_text(basis, reason), hand_to=request.owner)
    request.dispute = case
    entries.must_differ(request, acting)
    side = Decision.Side.BUREAU
    entries.decide(request, extent, day, acting, side, without=answer.without, basis=basis.strip(), reason=reason)
    entries.give(request, extent, day, acting, side, due=case.due_on, supply=case)
    return request


def _locked(request: ShareRequest) -> ShareRequest:
    """The request as it is now, held until the action ends: what the caller read may be old."""
    return (
        ShareRequest.objects.select_for_update(of=("self",))
        .select_related("case", "dispute", "renews")
        .get(pk=request.pk)
    )


def _refuse(
    request: ShareRequest, step: str, basis: str, reason: str, day: dt.date, side: Decision.Side, acting: Actor
) -> ShareRequest:
    request = _locked(request)
    _need_basis(basis)
    due = request.course.due_on
    entries.move(request, step, day, acting, reason=_text(basis, reason), hand_to="")
    entries.must_differ(request, acting)
    entries.decide(request, None, day, acting, side, basis=basis.strip(), reason=reason)
    entries.settle(request, ShareRequest.Outcome.REFUSED, day, due)
    return request


def _disputed(request: ShareRequest, basis: str) -> tuple[ShareRequest, Case]:
    request = _locked(request)
    if request.dispute is None:
        raise ExchangeError("本申请没有争议", "this request is not disputed")
    _need_basis(basis)
    return request, request.dispute


def _need_basis(basis: str) -> None:
    if not in_words(basis):
        raise ExchangeError(
            "请用文字写明法律依据：哪部法律、法规或者国家规定的哪一条",
            "say the legal basis in words: which article of which law, regulation or national rule",
        )


def _text(basis: str, reason: str) -> str:
    return "；".join(filter(None, (basis.strip(), reason.strip())))
