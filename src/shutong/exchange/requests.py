"""What a request asks for, and the reading of requests by those whom they concern."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from shutong.accounts.actions import note_read, require
from shutong.accounts.actors import Actor
from shutong.exchange.extent import Extent, Method, usual_mask
from shutong.exchange.figures import Figures, RequestRow, figures
from shutong.exchange.grants import require_side
from shutong.exchange.models import ShareRequest, SharingGrant
from shutong.exchange.refusals import ExchangeError
from shutong.procedures.models import Step
from shutong.spec.models import Mask, Resource
from shutong.standards.targets import targets

GOAL = "demand-met"
"""The target of the demand that is met; its percentage and source stand in ``targets.csv``."""


@dataclass(frozen=True)
class Wanted:
    """What a department asks for.

    Args:
        purpose: what the data is needed for, in words.
        basis: the law under which the department needs it, in words.
        frequency: one of ``ShareRequest.Frequency``.
        rows: row condition; None for all rows.
        masks: how values may be shown, for items where the usual is not wanted: ``usual_mask``.
        starts_on, ends_on: first and last day.
        quota: the most rows it needs; None leaves it open.
    """

    resource: str
    purpose: str
    basis: str
    items: tuple[str, ...]
    methods: frozenset[Method]
    frequency: str
    starts_on: dt.date
    ends_on: dt.date
    rows: str | None = None
    masks: Mapping[str, Mask] = field(default_factory=dict)
    quota: int | None = None

    def extent(self, resource: Resource) -> Extent:
        """How much of the resource that is, its items in the order of the resource, unknown ones at the end.

        Raises:
            ExchangeError: a mask is named for an item that is not asked.
        """
        foreign = sorted(set(self.masks) - set(self.items))
        if foreign:
            raise ExchangeError(
                f"脱敏方式写给了没有申请的信息项：{'、'.join(foreign)}",
                f"masks are named for items that are not asked: {', '.join(foreign)}",
            )
        masks: dict[str, Mask] = {
            name: self.masks.get(name, usual_mask(item)) for name, item in resource.items.items() if name in self.items
        }
        masks |= {name: "hide" for name in self.items if name not in masks}
        rows = self.rows.strip() if self.rows else ""
        return Extent(masks, rows or None, self.methods, self.starts_on, self.ends_on, self.quota)


def requests_for(acting: Actor) -> QuerySet[ShareRequest]:
    """The requests that somebody may see: of the own department, as asker or owner; all for the data bureau.

    Raises:
        NotAllowedError: the actor may see none at all.
    """
    if acting.may("exchange.read"):
        return ShareRequest.objects.all()
    require(acting, "exchange.read", acting.department, what="exchange.requests")
    return ShareRequest.objects.filter(Q(receiver=acting.department) | Q(owner=acting.department))


def waiting_for(acting: Actor) -> QuerySet[ShareRequest]:
    """Those of them whose next step is the actor's side's, the shortest term first."""
    side = "" if acting.may("exchange.decide") else acting.department
    turn = Q(case__department=side, case__closed_on=None) | Q(dispute__department=side, dispute__closed_on=None)
    return requests_for(acting).filter(turn).order_by("case__due_on", "id")


def read_request(request: str, *, acting: Actor) -> ShareRequest:
    """A request for somebody of its two departments or the data bureau; the reading is noted.

    Args:
        request: its id, such as ``request/3``.

    Raises:
        ExchangeError: there is none.
        NotAllowedError: it is another department's.
    """
    row = find_request(request)
    require_side(row.receiver, row.owner, acting, what="exchange.read_request")
    note_read("exchange.read_request", str(row), acting=acting)
    return row


def find_request(request: str) -> ShareRequest:
    """The request of an id such as ``request/3``.

    Raises:
        ExchangeError: there is none.
    """
    head, _, number = request.partition("/")
    plain = head == "request" and number.isascii() and number.isdigit() and len(number) < 19
    row = ShareRequest.objects.filter(pk=int(number)).first() if plain else None
    if row is None:
        raise ExchangeError(f"没有申请 {request}", f"there is no request {request}")
    return row


def grant_of_request(request: ShareRequest) -> SharingGrant | None:
    """The grant that came of a request; None where none did."""
    version = request.versions.select_related("grant__case").first()
    return version.grant if version else None


def timeline(request: ShareRequest) -> list[Step]:
    """Every step of a request, of its dispute and of the grants that came of it, in the order in which they were taken."""
    grants = request.versions.values_list("grant__case", flat=True)
    cases = {request.case_id, request.dispute_id, *grants} - {None}
    return list(Step.objects.filter(case__in=cases).select_related("case").order_by("id"))


def request_rows() -> list[RequestRow]:
    """Every request as figures need it; the term of an open one is its case's."""
    columns = (
        "receiver", "owner", "asked_on", "outcome", "answered_on", "answer_due_on", "case__due_on", "ready_on", "ready_due_on",
    )  # fmt: skip
    return [
        RequestRow(
            receiver, owner, asked_on, outcome, answered_on, answer_due if outcome else running, ready_on, ready_due
        )
        for receiver, owner, asked_on, outcome, answered_on, answer_due, running, ready_on, ready_due in (
            ShareRequest.objects.order_by("id").values_list(*columns)
        )
    ]


def department_figures(day: dt.date, *, acting: Actor) -> Mapping[str, Figures]:
    """The figures of all departments for the data bureau, of the own one for a department; the reading is noted.

    Raises:
        NotAllowedError: the actor may not see requests.
    """
    found = figures(request_rows(), day, targets()[GOAL].share)
    if not acting.may("exchange.read"):
        require(acting, "exchange.read", acting.department, what="exchange.figures")
        found = {name: one for name, one in found.items() if name == acting.department}
    note_read("exchange.figures", acting=acting)
    return found
