"""People of three departments and the data bureau, and what they ask."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from shutong.accounts.actors import Actor
from shutong.exchange.actions import ask_for_data
from shutong.exchange.models import ShareRequest, SharingGrant
from shutong.exchange.requests import Wanted

PACK = Path(__file__).parent / "packs" / "sharing"
# 2026: Monday 2 March begins weeks without a holiday until 6 April.
MONDAY = dt.date(2026, 3, 2)
LAST = dt.date(2026, 12, 31)


def steward_of(department: str, number: int = 1) -> Actor:
    return Actor(f"u-{department}-{number}", f"{department} {number}", department, frozenset({"steward"}))


CIVIL, CIVIL_2 = steward_of("civil-affairs"), steward_of("civil-affairs", 2)
TAX = steward_of("tax")
MARKET = steward_of("market-supervision")
GAOPING = steward_of("gaoping-tax")
OFFICER = Actor("u-officer", "审核员", "", frozenset({"data-officer"}))
OFFICER_2 = Actor("u-officer-2", "审核员二", "", frozenset({"data-officer"}))


def wanted(resource: str = "income", **keys: Any) -> Wanted:
    usual: dict[str, Any] = {
        "resource": resource,
        "purpose": "核对低保家庭收入",
        "basis": "社会救助暂行办法第五十八条",
        "items": ("code", "period", "amount"),
        "methods": frozenset({"api", "batch"}),
        "frequency": "monthly",
        "starts_on": MONDAY,
        "ends_on": LAST,
    }
    return Wanted(**(usual | keys))


def asked(resource: str = "income", day: dt.date = MONDAY, *, by: Actor = CIVIL, **keys: Any) -> ShareRequest:
    return ask_for_data(by.department, wanted(resource, **keys), day, acting=by)


def asked_enterprise(**keys: Any) -> ShareRequest:
    usual: dict[str, Any] = {"items": ("uscc", "name"), "methods": frozenset({"api"})}
    return asked("enterprise", **(usual | keys))


def grant_from(request: ShareRequest) -> SharingGrant:
    return request.versions.order_by("-number")[0].grant


def day(number: int) -> dt.date:
    """The working day of that number after MONDAY, in the weeks without a holiday."""
    weeks, days = divmod(number, 5)
    return MONDAY + dt.timedelta(days=7 * weeks + days)
