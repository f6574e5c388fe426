"""Writes the rows of requests, decisions and grant versions, inside the action that runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from shutong.accounts.actions import note, send
from shutong.accounts.actors import SYSTEM, Actor
from shutong.catalog.published import current_catalog, latest
from shutong.exchange.courses import grant_course, party_of, request_course
from shutong.exchange.extent import Extent, Route, route
from shutong.exchange.models import Decision, GrantVersion, ItemDecision, ShareRequest, SharingGrant, columns_of
from shutong.exchange.refusals import ExchangeError
from shutong.procedures.cases import begin_case, move_case
from shutong.procedures.models import Case
from shutong.spec.models import Resource


def published(name: str) -> tuple[Resource, int]:
    """A resource as it is published now, with its version.

    Raises:
        ExchangeError: no such resource is published.
    """
    row = latest().get(("resource", name))
    resource = current_catalog().resources.get(name)
    if row is None or resource is None:
        raise ExchangeError(f"目录里没有资源 {name}", f"the catalog has no resource {name}")
    return resource, row.version


def submit(request: ShareRequest, extent: Extent, resource: Resource, day: dt.date, acting: Actor) -> ShareRequest:
    """Writes a request that was checked, opens its case and sends it on the way that the rules say."""
    way = route(resource, extent, day)
    request.route = way.decides
    for column, value in columns_of(extent).items():
        setattr(request, column, value)
    request.save()
    owner = current_catalog().departments.get(request.owner)
    shared = SharingGrant.objects.filter(resource=request.resource).exists()
    course = request_course(day, owner.area if owner else None, shared=shared)
    request.case = begin_case(course, str(request), day, department=request.receiver, acting=acting)
    if way.decides == "platform":
        move(request, "grant-at-once", day, SYSTEM, hand_to=request.owner)
        decide(request, extent, day, SYSTEM, Decision.Side.PLATFORM, reason=way.zh)
        give(request, extent, day, SYSTEM, Decision.Side.PLATFORM, due=request.case.due_on)
    elif way.decides == "nobody":
        basis = "；".join(filter(None, (way.zh, resource.share.condition)))
        move(request, "not-shared", day, SYSTEM, reason=basis, hand_to="")
        decide(request, None, day, SYSTEM, Decision.Side.PLATFORM, basis=basis)
        settle(request, ShareRequest.Outcome.REFUSED, day, day)
    else:
        move(request, "to-owner", day, SYSTEM, hand_to=request.owner)
        request.save()
    note(str(request), route=way.decides, rules=[rule.name for rule in way.rules])
    return request


def move(
    request: ShareRequest, step: str, day: dt.date, acting: Actor, *, reason: str = "", hand_to: str | None = None
) -> Case:
    """Takes a step in the case of a request."""
    request.case = take(request.course, step, day, acting, reason=reason, hand_to=hand_to)
    return request.case


def take(case: Case, step: str, day: dt.date, acting: Actor, *, reason: str = "", hand_to: str | None = None) -> Case:
    """Takes a step for the side it belongs to: the action that runs has checked that the actor is of it."""
    party = party_of(case.declared, step)
    return move_case(case, step, day, reason=reason, hand_to=hand_to, party=party, acting=acting)


def decide(
    request: ShareRequest,
    extent: Extent | None,
    day: dt.date,
    acting: Actor,
    side: Decision.Side,
    *,
    without: Mapping[str, str] | None = None,
    basis: str = "",
    reason: str = "",
) -> Decision:
    """Writes a decision and what it says of each item that was asked.

    Args:
        extent: what is given; None refuses all.
        without: legal basis by item that is left out; ``basis`` where it has none of its own.
    """
    left_out = without or {}
    asked = request.extent
    decision = Decision(
        request=request,
        number=request.decisions.count() + 1,
        side=side,
        gives=extent is not None,
        basis=basis,
        reason=reason,
        resource_version=published(request.resource)[1],
        on=day,
        by=acting.id,
        by_name=acting.name,
        **columns_of(extent or asked),
    )
    decision.save()
    for name, mask in asked.masks.items():
        has = extent is not None and name in extent.masks
        ItemDecision(
            decision=decision,
            item=name,
            given=has,
            asked_mask=mask,
            mask=extent.masks[name] if extent is not None and has else "",
            basis="" if has else left_out.get(name, basis),
        ).save()
    return decision


def settle(request: ShareRequest, outcome: ShareRequest.Outcome, day: dt.date, due: dt.date | None) -> None:
    """Keeps what came of a request, and for the first answer the day and the term it was due within."""
    request.outcome = outcome
    if request.answered_on is None and outcome != ShareRequest.Outcome.CANCELLED:
        request.answered_on, request.answer_due_on = day, due
    request.save()
    send("exchange.request_settled", request=str(request), outcome=str(outcome), receiver=request.receiver)


def give(
    request: ShareRequest,
    extent: Extent,
    day: dt.date,
    acting: Actor,
    side: Decision.Side,
    *,
    due: dt.date | None,
    supply: Case | None = None,
) -> GrantVersion:
    """Gives what was decided: a new grant, or the next version of the one that the request renews or had.

    Args:
        due: last day of the term of the answer.
        supply: the case whose term for supplying runs now; the request's own where it is None.
    """
    asked = request.extent
    start = max(asked.starts_on, day)
    whole = replace(extent, starts_on=start) == replace(asked, starts_on=start) and extent.starts_on == start
    request.ready_on, request.ready_due_on = None, (supply or request.course).due_on
    settle(request, ShareRequest.Outcome.GRANTED if whole else ShareRequest.Outcome.PARTLY, day, due)
    earlier = request.versions.order_by("-number").first()
    grant = request.renews or (earlier.grant if earlier else None)
    if grant is None:
        grant = SharingGrant.objects.create(receiver=request.receiver, owner=request.owner, resource=request.resource)
        grant.case = begin_case(grant_course(), str(grant), day, department=request.owner, acting=acting)
        grant.save()
        change = GrantVersion.Change.GRANTED
    else:
        move_grant(grant, "change", day, acting)
        change = GrantVersion.Change.DISPUTED if earlier else GrantVersion.Change.RENEWED
    return add_version(
        grant, request, extent, GrantVersion.State.ACTIVE, change, day, acting, bureau=side == Decision.Side.BUREAU
    )


def move_grant(grant: SharingGrant, step: str, day: dt.date, acting: Actor, reason: str = "") -> None:
    """Takes a step in the life of a grant."""
    if grant.case is None:
        raise ValueError(f"{grant} has no case")
    grant.case = take(grant.case, step, day, acting, reason=reason)


def add_version(
    grant: SharingGrant,
    request: ShareRequest,
    extent: Extent,
    state: GrantVersion.State,
    change: GrantVersion.Change,
    day: dt.date,
    acting: Actor,
    *,
    bureau: bool,
    reason: str = "",
) -> GrantVersion:
    """Writes the next version of a grant; it counts from ``day`` on. Who uses the grant hears of it by an event."""
    version = GrantVersion(
        grant=grant,
        number=grant.versions.count() + 1,
        request=request,
        state=state,
        change=change,
        by_bureau=bureau,
        reason=reason,
        on=day,
        by=acting.id,
        by_name=acting.name,
        **columns_of(extent),
    )
    version.save()
    note(str(version), state=str(state))
    send("exchange.grant_changed", grant=str(grant), version=version.number, state=str(state))
    return version


def must_differ(request: ShareRequest, acting: Actor) -> None:
    """That nobody decides what they asked for or decided before.

    Raises:
        ExchangeError: the actor did.
    """
    if acting.id == request.asked_by or request.decisions.filter(by=acting.id).exists():
        raise ExchangeError(
            "申请人和前一环节的审核人不能再审核本申请，请由他人办理",
            "who asked or decided before may not decide this request; somebody else must",
        )


def route_of(resource: Resource, extent: Extent, day: dt.date) -> Route:
    """Who decides about what is to be given.

    Raises:
        ExchangeError: the catalog says that the resource is not shared.
    """
    way = route(resource, extent, day)
    if way.decides == "nobody":
        raise ExchangeError(
            f"{way.zh}。要提供数据，须先由提供部门修改目录的共享类型",
            f"{way.en}. To give the data, its owner must first change the share type in the catalog",
        )
    return way
