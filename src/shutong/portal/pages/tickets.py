"""Tickets to a department: what is asked, row by row, and how each row was settled."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shutong.catalog.actions import current_catalog
from shutong.collect.models import Batch
from shutong.pipeline.answers.store import AnswersMissing
from shutong.pipeline.jobs import the_home
from shutong.quality.actions import TicketError, give_up_rows
from shutong.quality.models import Ticket, TicketRow
from shutong.spec.catalog import Catalog

from ..answers import store
from ..components import Cell, Column, Crumb, Field, Option, Pager, Table
from ..queries import public as public_queries
from ..queries import work as queries
from ..queries.subjects import public_records
from .department import crumbs_of, file_field, seeing, tickets_table
from .frame import page, page_parameter, signed_in, text_parameter
from .words import (
    attribute_title,
    department_title,
    reasons_text,
    resource_title,
    row_number,
    ticket_state,
    ticket_title,
)

_LINES = 50


@never_cache
@require_safe
@signed_in("collect.read")
def tickets(request: HttpRequest, name: str) -> HttpResponse:
    """All tickets of a department."""
    seeing(request, name)
    catalog = current_catalog()
    if name not in catalog.departments:
        raise Http404(_("没有这一部门。"))
    state, resource = text_parameter(request, "state") or "open", text_parameter(request, "resource")
    number, limit = page_parameter(request), queries.PAGE
    wanted = "" if state == "all" else state
    found, count = queries.tickets(name, state=wanted, resource=resource, limit=limit, offset=(number - 1) * limit)
    own = [one.resource for one in catalog.resources.values() if one.department == name]
    resources = [Option("", _("全部资源")), *(Option(one, resource_title(catalog, one)) for one in own)]
    states = [Option("open", _("待处理")), Option("closed", _("已办结")), Option("all", _("全部"))]
    return page(
        request,
        "tickets.html",
        title=department_title(catalog, name),
        table=tickets_table(catalog, found, with_state=True),
        fields=[
            Field("state", _("状态"), "select", state, states),
            Field("resource", _("信息资源"), "select", resource, resources),
        ],
        pager=Pager(count, limit, (number - 1) * limit, {"state": state, "resource": resource}),
        crumbs=crumbs_of(catalog, name, Crumb(_("工单清单"))),
    )


@never_cache
@require_safe
@signed_in("collect.read")
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """A ticket: what to do, what is asked row by row, and how each row was settled."""
    found = get_object_or_404(Ticket, pk=number)
    actor = seeing(request, found.department)
    catalog = current_catalog()
    offset = (page_parameter(request) - 1) * _LINES
    lines = found.lines.all()
    shown = list(lines[offset : offset + _LINES])
    rejects = found.kind == Ticket.Kind.REJECTS
    is_open = found.state == Ticket.State.OPEN
    return page(
        request,
        "ticket.html",
        ticket=found,
        open=is_open,
        rejects=rejects,
        state=ticket_state(found),
        batch=Batch.objects.filter(pk=found.subject).first() if rejects else None,
        title=ticket_title(catalog, found),
        table=_rejected_lines(catalog, found, shown) if rejects else _differing_lines(catalog, shown),
        pager=Pager(lines.count(), _LINES, offset),
        may_answer=is_open and actor.may("quality.answer", found.department),
        may_deliver=is_open and actor.may("collect.deliver", found.department),
        reason=Field("reason", _("原因"), "textarea", required=True, form="give-up",
                     help=_("例如：企业已迁出，无法核对；或本部门的值经核对无误。")),
        upload=[file_field("correct")],
        crumbs=crumbs_of(
            catalog, found.department,
            Crumb(_("工单清单"), reverse("tickets", args=[found.department])), Crumb(_("工单 %(n)s") % {"n": found.pk}),
        ),
    )  # fmt: skip


def _line_state(line: TicketRow) -> Cell:
    states = {
        "open": (_("待处理"), "warn"),
        "corrected": (_("已更正"), "ok"),
        "resolved": (_("已一致"), "ok"),
        "given-up": (_("放弃更正"), ""),
    }
    text, tone = states[line.state]
    return Cell(text, tone=tone)


def _rejected_lines(catalog: Catalog, found: Ticket, lines: list[TicketRow]) -> Table:
    columns = [Column(_("行号"), "number"), Column(_("原因"), "wide"), Column(_("处理")), Column(_("说明"))]
    rows: list[list[Cell | str]] = [
        [row_number(line.row_id), reasons_text(catalog, found.resource, line.reasons), _line_state(line), line.note]
        for line in lines
    ]
    return Table(_("逐行处理"), columns, rows, _("行数过多，没有逐行列出"), _("上传全部改正后的文件即可办结。"))


def _differing_lines(catalog: Catalog, lines: list[TicketRow]) -> Table:
    """Both sides of each difference, with the resource that each comes from."""
    paired = all(_pair(catalog, line) for line in lines)
    columns = [
        Column(_("对象")), *([] if paired else [Column(_("信息项"))]), Column(_("一方的值")), Column(_("另一方的值")),
        Column(_("处理")), Column(_("说明")),
    ]  # fmt: skip
    subjects, public = _subjects(lines), _public(lines)
    rows: list[list[Cell | str]] = []
    for line in lines:
        left, right = (
            _side(line, number, title, public) for number, title in enumerate(_pair(catalog, line) or ("", ""))
        )
        key = line.row_id.rpartition("|")[0] or line.row_id
        rows.append(
            [
                subjects.get(line.about, Cell(key)), *([] if paired else [attribute_title(catalog, line.reasons)]),
                left, right, _line_state(line), line.note,
            ]
        )  # fmt: skip
    return Table(_("逐项核实"), columns, rows, _("没有不一致"), _("两方的值已经一致。"))


def _side(line: TicketRow, number: int, title: str, public: set[str]) -> Cell:
    """One side of a difference: its value, the resource and the record it comes from, with the record's public page.

    Where the verification does not say which record is whose, all of them stand on the left.
    """
    paired = bool(title) and len(line.records) == 2
    records = line.records[number : number + 1] if paired else (line.records if number == 0 else [])
    note = " ".join([title, *records[:4]]).strip()
    href = reverse("record", args=[records[0]]) if paired and records[0] in public else ""
    return Cell((line.left, line.right)[number], href, note=note)


def _public(lines: list[TicketRow]) -> set[str]:
    """The records of some lines that have a public page."""
    try:
        return public_records(store(), {record for line in lines for record in line.records})
    except AnswersMissing:
        return set()


def _pair(catalog: Catalog, line: TicketRow) -> tuple[str, str] | None:
    """Titles of the two resources that a line compares, where its item names them (``left/right``)."""
    left, _slash, right = line.reasons.partition("/")
    if left in catalog.resources and right in catalog.resources:
        return resource_title(catalog, left), resource_title(catalog, right)
    return None


def _subjects(lines: list[TicketRow]) -> dict[str, Cell]:
    """Subject id to its name, code and page, for subjects that have a public one."""
    try:
        found = public_queries.subjects_named(store(), [line.about for line in lines if line.about])
    except AnswersMissing:
        return {}
    return {
        row["subject_id"]: Cell(row["name"], reverse("subject", args=[row["subject_id"]]), note=row["uscc"] or "")
        for row in found
    }


@require_POST
@signed_in("quality.answer")
def give_up(request: HttpRequest, number: int) -> HttpResponseRedirect:
    """Give up the open rows of a ticket, with the reason."""
    found = get_object_or_404(Ticket, pk=number)
    actor = seeing(request, found.department)
    try:
        give_up_rows(found, None, request.POST.get("reason", ""), the_home().today(), acting=actor)
    except TicketError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("已记录，工单办结。"))
    return HttpResponseRedirect(reverse("ticket", args=[number]))
