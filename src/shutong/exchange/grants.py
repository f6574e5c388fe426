"""Reads grants: what was granted on a day, and what is in force."""

from __future__ import annotations

import datetime as dt

from django.db.models import OuterRef, Subquery

from shutong.accounts.actions import note_read, require
from shutong.accounts.actors import Actor
from shutong.exchange.grant import Grant
from shutong.exchange.models import GrantVersion, SharingGrant
from shutong.exchange.refusals import ExchangeError


def grant_of(grant: str, day: dt.date) -> Grant | None:
    """A grant as it was at the end of ``day``; None before it was given.

    Args:
        grant: its id, such as ``grant/7``.

    Raises:
        ExchangeError: there is no such grant.
    """
    version = version_of(grant, day)
    return version.value if version else None


def version_of(grant: str, day: dt.date) -> GrantVersion | None:
    """The version of a grant that counted at the end of ``day``; None before it was given.

    Raises:
        ExchangeError: there is no such grant.
    """
    row = find_grant(grant)
    versions = row.versions.filter(on__lte=day).select_related("grant", "request")
    return versions.order_by("-number").first()


def grants_in_force(receiver: str, day: dt.date) -> list[Grant]:
    """What a department may use on ``day``: versions in force then, within their term; by id."""
    newest = GrantVersion.objects.filter(grant=OuterRef("grant"), on__lte=day).order_by("-number").values("pk")[:1]
    rows = GrantVersion.objects.filter(grant__receiver=receiver, pk=Subquery(newest)).select_related("grant", "request")
    return [row.value for row in rows.order_by("grant_id") if row.counts_on(day)]


def find_grant(grant: str) -> SharingGrant:
    """The grant of an id such as ``grant/7``.

    Raises:
        ExchangeError: there is none.
    """
    head, _, number = grant.partition("/")
    plain = head == "grant" and number.isascii() and number.isdigit() and len(number) < 19
    row = SharingGrant.objects.filter(pk=int(number)).first() if plain else None
    if row is None:
        raise ExchangeError(f"没有授权 {grant}", f"there is no grant {grant}")
    return row


def read_grant(grant: str, *, acting: Actor) -> SharingGrant:
    """A grant for somebody of its two departments or the data bureau; the reading is noted.

    Raises:
        ExchangeError: there is none.
        NotAllowedError: it is another department's.
    """
    row = find_grant(grant)
    require_side(row.receiver, row.owner, acting, what="exchange.read_grant")
    note_read("exchange.read_grant", str(row), acting=acting)
    return row


def require_side(receiver: str, owner: str, acting: Actor, *, what: str) -> None:
    """Refuses whoever belongs neither to the two departments nor to the data bureau, and notes the refusal.

    Raises:
        NotAllowedError: that is so.
    """
    if not acting.may("exchange.read", owner):
        require(acting, "exchange.read", receiver, what=what)
