"""Batches, tickets and runs, for people of a department and operators who are signed in."""

from __future__ import annotations

from typing import Annotated, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from ninja import Path, Router

from shutong.accounts.actors import Actor
from shutong.collect.models import Batch
from shutong.collect.receipt import from_text
from shutong.pipeline.models import Run
from shutong.quality.models import Ticket

from ..pages.frame import reader
from ..queries import work as queries
from . import schemas
from .public import Id, Limit, Offset, Text


def session(request: HttpRequest) -> Actor | None:
    """The signed-in person, by the session of the site; nobody else may read here."""
    return reader(request)


router = Router(tags=["signed in"], auth=session)

ERRORS: dict[int | frozenset[int], Any] = dict.fromkeys((401, 403, 404, 422), schemas.Problem)
_Number = Annotated[int, Path(ge=1, le=2_000_000_000)]


def _seen(request: HttpRequest, department: str) -> None:
    actor = reader(request)
    if actor is None or not queries.may_see(actor, department):
        raise PermissionDenied("这是其他部门的数据 / another department's data")


def _own(request: HttpRequest, department: str) -> str:
    """The department to list: the one asked for, or the reader's own; empty lists all and needs that right."""
    actor = reader(request)
    wanted = department or (actor.department if actor else "")
    _seen(request, wanted)
    return wanted


def _batch(one: Batch) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in ("batch_id", "resource", "department", "file_name", "sha256", "state",
                                                 "rows", "accepted", "rejected", "flagged")},
        "received_on": str(one.received_on),
        "received_at": one.received_at.isoformat(),
        "corrects": one.corrects or None,
        "refusal": one.refusal or None,
    }  # fmt: skip


@router.get("/batches", response={200: schemas.Page[schemas.WorkBatch], **ERRORS}, summary="Batches")
def batches(
    request: HttpRequest,
    department: Text = "",
    resource: Text = "",
    state: Text = "",
    limit: Limit = 20,
    offset: Offset = 0,
) -> Any:
    """Deliveries, latest first; ``state`` is in, refused or rejects (in, with rejected rows)."""
    found, count = queries.batches(
        _own(request, department), resource=resource, state=state, limit=limit, offset=offset
    )
    return {"count": count, "limit": limit, "offset": offset, "items": [_batch(one) for one in found]}


@router.get("/batches/{batch_id}", response={200: schemas.Receipt, **ERRORS}, summary="A batch with its receipt")
def batch(request: HttpRequest, batch_id: Id) -> Any:
    """A delivery and its signed receipt; ``signed`` is the text that the signature covers."""
    found = Batch.objects.filter(pk=batch_id).first()
    if found is None:
        raise Http404("没有这一批次 / no such batch")
    _seen(request, found.department)
    return {"batch": _batch(found), "receipt": from_text(found.receipt), "signed": found.receipt}


def _ticket(one: Ticket) -> dict[str, Any]:
    return {
        "id": one.pk,
        **{name: getattr(one, name) for name in ("kind", "department", "state", "rows", "open_rows")},
        "batch_or_verification": one.subject,
        "resource": one.resource or None,
        "opened_on": str(one.opened_on),
        "closed_on": str(one.closed_on) if one.closed_on else None,
    }


@router.get("/tickets", response={200: list[schemas.Ticket], **ERRORS}, summary="Open tickets")
def tickets(request: HttpRequest, department: Text = "") -> Any:
    """What a department still has to answer."""
    return [_ticket(one) for one in queries.open_tickets(_own(request, department), limit=1000)]


@router.get("/tickets/{number}", response={200: schemas.TicketView, **ERRORS}, summary="A ticket")
def ticket(request: HttpRequest, number: _Number) -> Any:
    """A ticket with its first 1,000 rows."""
    found = Ticket.objects.filter(pk=number).first()
    if found is None:
        raise Http404("没有这一工单 / no such ticket")
    _seen(request, found.department)
    lines = [
        {"row_id": line.row_id, "reasons": line.reasons, "state": line.state, "settled_by": line.settled_by or None,
         "note": line.note or None, "left": line.left or None, "right": line.right or None, "records": line.records}
        for line in found.lines.all()[:1000]
    ]  # fmt: skip
    return {**_ticket(found), "lines": lines}


def _operator(request: HttpRequest) -> None:
    actor = reader(request)
    if actor is None or not actor.may("pipeline.read"):
        raise PermissionDenied("运行情况只对运维人员开放 / runs are for operators")


def _run(one: Run) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in ("run_id", "kind", "state", "upto_seq", "subjects")},
        "business_day": str(one.business_day),
        "started_at": one.started_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        "error": one.error or None,
    }


@router.get("/runs", response={200: schemas.Page[schemas.Run], **ERRORS}, summary="Runs")
def runs(request: HttpRequest, limit: Limit = 20, offset: Offset = 0) -> Any:
    """Runs, latest first, with how they ended."""
    _operator(request)
    found = Run.objects.all()
    items = [_run(one) for one in found[offset : offset + limit]]
    return {"count": found.count(), "limit": limit, "offset": offset, "items": items}


@router.get("/runs/{run_id}", response={200: schemas.RunView, **ERRORS}, summary="A run")
def run(request: HttpRequest, run_id: Id) -> Any:
    """A run with its stages: seconds, memory, rows written."""
    _operator(request)
    found = Run.objects.filter(run_id=run_id).first()
    if found is None:
        raise Http404("没有这一次运行 / no such run")
    stages = [
        {"stage": one.stage, "seconds": one.seconds, "peak_bytes": one.peak_bytes, "rows": one.rows}
        for one in queries.stages(found)
    ]
    return {**_run(found), "stages": stages}
