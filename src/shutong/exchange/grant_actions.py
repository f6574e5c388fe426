"""The verbs of grants: suspend, resume, withdraw, renew. Each writes the next version, which counts from its day on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from shutong.accounts.actions import action
from shutong.accounts.actors import Actor
from shutong.exchange import entries
from shutong.exchange.extent import check_extent, in_words
from shutong.exchange.models import GrantVersion, ShareRequest, SharingGrant
from shutong.exchange.refusals import ExchangeError

_STATES, _CHANGES = GrantVersion.State, GrantVersion.Change


@action(permission="exchange.control", department="grant.owner", audited=("grant.pk",))
def suspend_grant(grant: SharingGrant, reason: str, day: dt.date, *, acting: Actor) -> GrantVersion:
    """Stops the use of a grant at once, for the time being. The owner or the data bureau does so."""
    return _change(grant, "suspend", _STATES.SUSPENDED, _CHANGES.SUSPENDED, reason, day, acting)


@action(permission="exchange.control", department="grant.owner", audited=("grant.pk",))
def resume_grant(grant: SharingGrant, reason: str, day: dt.date, *, acting: Actor) -> GrantVersion:
    """Lets a suspended grant be used again.

    Raises:
        ExchangeError: the data bureau suspended it, and the actor is not of the bureau.
    """
    grant = _locked(grant)
    if grant.latest.by_bureau and grant.latest.state == _STATES.SUSPENDED and not acting.may("exchange.decide"):
        raise ExchangeError(
            "本授权由数据局暂停，只能由数据局恢复", "the data bureau suspended it; only the bureau may resume it"
        )
    return _change(grant, "resume", _STATES.ACTIVE, _CHANGES.RESUMED, reason, day, acting)


@action(permission="exchange.control", department="grant.owner", audited=("grant.pk",))
def withdraw_grant(grant: SharingGrant, reason: str, day: dt.date, *, acting: Actor) -> GrantVersion:
    """Ends a grant at once and for good. The owner or the data bureau does so."""
    return _change(grant, "withdraw", _STATES.WITHDRAWN, _CHANGES.WITHDRAWN, reason, day, acting)


@action(permission="exchange.ask", department="grant.receiver", audited=("grant.pk",))
def give_up_grant(grant: SharingGrant, reason: str, day: dt.date, *, acting: Actor) -> GrantVersion:
    """The receiver ends a grant that it no longer needs."""
    return _change(grant, "withdraw", _STATES.WITHDRAWN, _CHANGES.WITHDRAWN, reason, day, acting)


@action(permission="exchange.ask", department="grant.receiver", audited=("grant.pk", "ends_on"))
def renew_grant(grant: SharingGrant, ends_on: dt.date, basis: str, day: dt.date, *, acting: Actor) -> ShareRequest:
    """Asks that a grant go on as it is until a later day. It goes the way of every request.

    Raises:
        ExchangeError: the grant is not in force or over, the day is not later, a renewal is open, or there is no basis in
            words; or the resource no longer declares what the grant gives.
    """
    grant = _locked(grant)
    version = grant.latest
    if version.state != _STATES.ACTIVE or day > version.ends_on:
        raise ExchangeError(
            "授权已失效或暂停，不能续期，请重新申请", "the grant is suspended or over and can't be renewed: ask anew"
        )
    if ends_on <= version.ends_on:
        raise ExchangeError(
            f"续期须晚于目前的截止日期 {version.ends_on}",
            f"a renewal ends after the present last day {version.ends_on}",
        )
    if not in_words(basis):
        raise ExchangeError("请用文字写明续期依据", "say in words on what ground it is renewed")
    if grant.renewals.filter(outcome="").exists():
        raise ExchangeError("续期申请正在办理", "a renewal is open already")
    resource, number = entries.published(grant.resource)
    extent = replace(version.extent, starts_on=day, ends_on=ends_on)
    check_extent(extent, resource)
    request = ShareRequest(
        asked_by=acting.id,
        asked_by_name=acting.name,
        receiver=grant.receiver,
        owner=resource.department,
        resource=grant.resource,
        resource_version=number,
        purpose=version.request.purpose,
        basis=basis.strip(),
        frequency=version.request.frequency,
        asked_on=day,
        renews=grant,
    )
    return entries.submit(request, extent, resource, day, acting)


def _change(
    grant: SharingGrant,
    step: str,
    state: GrantVersion.State,
    change: GrantVersion.Change,
    reason: str,
    day: dt.date,
    acting: Actor,
) -> GrantVersion:
    grant = _locked(grant)
    entries.move_grant(grant, step, day, acting, reason)
    last = grant.latest
    bureau = acting.may("exchange.decide")
    return entries.add_version(
        grant, last.request, last.extent, state, change, day, acting, bureau=bureau, reason=reason.strip()
    )


def _locked(grant: SharingGrant) -> SharingGrant:
    """The grant as it is now, held until the action ends."""
    return SharingGrant.objects.select_for_update(of=("self",)).select_related("case").get(pk=grant.pk)
