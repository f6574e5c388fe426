"""What departments, operators and auditors see: batches, tickets, runs, deliveries against their cycle, the audit log."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, Sum

from shutong.accounts.actors import Actor
from shutong.accounts.models import User
from shutong.audit.models import Entry
from shutong.catalog.actions import current_catalog
from shutong.catalog.figures import freshness_of
from shutong.collect.models import Batch
from shutong.pipeline.models import Run, StageRun
from shutong.quality.models import Ticket
from shutong.spec.catalog import Catalog
from shutong.spec.models import Resource

PAGE = 25


@dataclass(frozen=True)
class Freshness:
    """A resource of a department: what came in, when last, and whether that fits its cycle.

    ``state`` is ``fresh``, ``late``, ``never`` (nothing came yet) or ``any`` (it has no cycle).
    """

    resource: Resource
    batches: int
    accepted: int
    rejected: int
    latest: dt.date | None
    state: str

    @property
    def reject_share(self) -> float:
        """Rejected rows of a hundred received."""
        received = self.accepted + self.rejected
        return 100.0 * self.rejected / received if received else 0.0


@dataclass(frozen=True)
class Outstanding:
    """What the ticket of a batch's rejected rows still asks for."""

    ticket: int
    open_rows: int


@dataclass(frozen=True)
class DepartmentFigures:
    """A department's deliveries in one line."""

    name: str
    title: dict[str, str]
    resources: int
    batches: int
    accepted: int
    rejected: int
    open_tickets: int
    late: int
    latest: dt.date | None


def freshness(catalog: Catalog, department: str, today: dt.date) -> list[Freshness]:
    """Every resource of a department, late ones first."""
    figures = {
        row["resource"]: row
        for row in Batch.objects.filter(state=Batch.State.IN)
        .values("resource")
        .annotate(n=Count("pk"), accepted=Sum("accepted"), rejected=Sum("rejected"), latest=Max("received_on"))
        .order_by()
    }
    found = []
    for resource in catalog.resources.values():
        if resource.department != department:
            continue
        row = figures.get(resource.resource)
        latest = row["latest"] if row else None
        found.append(
            Freshness(
                resource,
                row["n"] if row else 0,
                row["accepted"] if row else 0,
                row["rejected"] if row else 0,
                latest,
                freshness_of(resource.cycle, latest, today),
            )
        )
    order = {"late": 0, "never": 1, "fresh": 2, "any": 3}
    return sorted(found, key=lambda one: (order[one.state], one.resource.resource))


def departments(today: dt.date) -> list[DepartmentFigures]:
    """Deliveries by department for the operator; those with something late first."""
    catalog = current_catalog()
    tickets = {
        row["department"]: row["n"]
        for row in Ticket.objects.filter(state=Ticket.State.OPEN)
        .values("department")
        .annotate(n=Count("pk"))
        .order_by()
    }
    found = []
    for name, department in catalog.departments.items():
        own = freshness(catalog, name, today)
        if not own:
            continue
        found.append(
            DepartmentFigures(
                name,
                {"zh": department.title.zh, "en": department.title.en or department.title.zh},
                len(own),
                sum(one.batches for one in own),
                sum(one.accepted for one in own),
                sum(one.rejected for one in own),
                tickets.get(name, 0),
                sum(one.state in {"late", "never"} for one in own),
                max((one.latest for one in own if one.latest), default=None),
            )
        )
    return sorted(found, key=lambda one: (-one.late, -one.open_tickets, one.name))


def batches(
    department: str = "", *, resource: str = "", state: str = "", limit: int = PAGE, offset: int = 0
) -> tuple[list[Batch], int]:
    """Batches, latest first, and how many there are.

    Args:
        state: ``in``, ``refused`` or ``rejects`` (in, with rejected rows).
    """
    found = Batch.objects.all()
    if department:
        found = found.filter(department=department)
    if resource:
        found = found.filter(resource=resource)
    if state == "rejects":
        found = found.filter(state=Batch.State.IN, rejected__gt=0)
    elif state:
        found = found.filter(state=state)
    return list(found.defer("receipt")[offset : offset + limit]), found.count()


def open_tickets(department: str = "", limit: int = 50) -> list[Ticket]:
    """Open tickets of a department, or of all."""
    found = Ticket.objects.filter(state=Ticket.State.OPEN)
    return list((found.filter(department=department) if department else found)[:limit])


def tickets(
    department: str, *, state: str = "", resource: str = "", limit: int = PAGE, offset: int = 0
) -> tuple[list[Ticket], int]:
    """Tickets of a department, latest first, and how many there are.

    Args:
        state: ``open`` or ``closed``; all where it is empty.
    """
    found = Ticket.objects.filter(department=department)
    if state:
        found = found.filter(state=state)
    if resource:
        found = found.filter(resource=resource)
    return list(found[offset : offset + limit]), found.count()


def ticket_figures(department: str = "") -> tuple[int, int]:
    """Open tickets and the rows they ask for, of a department or of all."""
    found = Ticket.objects.filter(state=Ticket.State.OPEN)
    if department:
        found = found.filter(department=department)
    totals = found.aggregate(n=Count("pk"), rows=Sum("open_rows"))
    return totals["n"] or 0, totals["rows"] or 0


def outstanding(found: list[Batch]) -> dict[str, Outstanding]:
    """What the tickets of batches still ask for, by batch."""
    rows = Ticket.objects.filter(kind=Ticket.Kind.REJECTS, subject__in=[one.batch_id for one in found])
    return {one.subject: Outstanding(one.pk, one.open_rows) for one in rows}


def rows_by_day(department: str = "", days: int = 30) -> list[dict[str, Any]]:
    """Accepted and rejected rows of the last days on which something came in, oldest first.

    The first day of all is left out where there are several: it brings years of history and would hide the others.
    """
    found = Batch.objects.filter(state=Batch.State.IN)
    if department:
        found = found.filter(department=department)
    found = found.order_by("received_on")
    rows = found.values("received_on").annotate(accepted=Sum("accepted"), rejected=Sum("rejected"))
    listed = [dict(row) for row in rows]
    return listed[1:][-days:] if len(listed) > 1 else listed


def ticket_of(batch: Batch) -> Ticket | None:
    """The ticket of a batch's rejected rows, or of the batch it corrects."""
    subjects = [one for one in (batch.batch_id, batch.corrects) if one]
    return Ticket.objects.filter(kind=Ticket.Kind.REJECTS, subject__in=subjects).first()


def runs(limit: int = 20) -> list[Run]:
    """The latest runs."""
    return list(Run.objects.all()[:limit])


def stages(run: Run) -> list[StageRun]:
    """The stages of a run in order."""
    return list(StageRun.objects.filter(run=run))


def entries(
    *, actor: str = "", action: str = "", outcome: str = "", limit: int = 50, offset: int = 0
) -> tuple[list[Entry], int]:
    """Audit entries of the write chain, latest first, and how many there are."""
    where = Q()
    if actor:
        where &= Q(actor=actor)
    if action:
        where &= Q(action__startswith=action)
    if outcome:
        where &= Q(outcome=outcome)
    found = Entry.objects.filter(where).order_by("-at", "-position")
    return list(found[offset : offset + limit]), found.count()


def people(found: list[Entry]) -> dict[str, str]:
    """Names of the accounts that stand in audit entries, by actor id; the log itself keeps no names."""
    keys = {int(one.actor[1:]) for one in found if one.actor[:1] == "u" and one.actor[1:].isdigit()}
    return {f"u{user.pk}": user.get_full_name() for user in User.objects.filter(pk__in=keys)}


def may_see(actor: Actor, department: str) -> bool:
    """Whether the actor may see the batches of a department."""
    return actor.may("collect.read", department)


def batch_figures(department: str = "") -> dict[str, Any]:
    """Totals over batches that are in."""
    found = Batch.objects.filter(state=Batch.State.IN)
    if department:
        found = found.filter(department=department)
    totals = found.aggregate(n=Count("pk"), rows=Sum("rows"), accepted=Sum("accepted"), rejected=Sum("rejected"))
    return {name: value or 0 for name, value in totals.items()}
