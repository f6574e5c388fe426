"""A department's own page: what it must do, what it delivered against its cycle, and where to deliver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shutong.accounts.actors import Actor
from shutong.catalog.actions import current_catalog
from shutong.collect.models import Batch
from shutong.pipeline.jobs import the_home
from shutong.quality.models import Ticket
from shutong.spec.catalog import Catalog

from ..charts import PALETTE, columns_over_time, figure
from ..components import Cell, Chart, Column, Crumb, Field, Figure, Option, Pager, Table
from ..queries import work as queries
from .frame import page, page_parameter, reader, signed_in, text_parameter
from .words import (
    batch_state,
    cycle_texts,
    department_title,
    freshness_cell,
    resource_title,
    ticket_state,
    ticket_title,
)

_FEW = 8
"""Tickets on the department's page; the others have their own."""


def actor_of(request: HttpRequest) -> Actor:
    """Who is signed in; nobody else comes here."""
    actor = reader(request)
    if actor is None:
        raise PermissionDenied
    return actor


def seeing(request: HttpRequest, department: str) -> Actor:
    """Who is signed in, where they may see the batches of a department.

    Raises:
        PermissionDenied: it is another department's.
    """
    actor = actor_of(request)
    if not queries.may_see(actor, department):
        raise PermissionDenied(_("这是其他部门的数据。"))
    return actor


def crumbs_of(catalog: Catalog, department: str, *further: Crumb) -> list[Crumb]:
    """The way to a page of a department."""
    own = department_title(catalog, department)
    if not further:
        return [Crumb(_("首页"), reverse("home")), Crumb(own)]
    return [Crumb(_("首页"), reverse("home")), Crumb(own, reverse("department", args=[department])), *further]


@never_cache
@require_safe
@signed_in("collect.read")
def department(request: HttpRequest, name: str) -> HttpResponse:
    """A department: its open tickets, where to deliver, its resources against their cycle, its batches."""
    actor = seeing(request, name)
    catalog = current_catalog()
    if name not in catalog.departments:
        raise Http404(_("没有这一部门。"))
    own = queries.freshness(catalog, name, the_home().today())
    titles = [Option(one.resource.resource, resource_title(catalog, one.resource.resource)) for one in own]
    tickets, rows = queries.ticket_figures(name)
    figures = queries.batch_figures(name)
    return page(
        request,
        "department.html",
        name=name,
        title=department_title(catalog, name),
        figures=[
            Figure(_("待办工单"), tickets), Figure(_("待处理行"), rows), Figure(_("批次"), figures["n"]),
            Figure(_("收到行"), figures["rows"]), Figure(_("接受行"), figures["accepted"]),
            Figure(_("退回行"), figures["rejected"]),
        ],
        open_tickets=tickets,
        tickets=tickets_table(catalog, queries.open_tickets(name, limit=_FEW)),
        few=_FEW,
        resources=_resources_table(catalog, own),
        chart=rows_chart(name),
        may_deliver=actor.may("collect.deliver", name) and bool(own),
        upload=[
            Field("resource", _("信息资源"), "select", options=titles, required=True, form="deliver"),
            file_field("deliver"),
        ],
        crumbs=crumbs_of(catalog, name),
        **_batches(request, catalog, name, titles),
    )  # fmt: skip


def _batches(request: HttpRequest, catalog: Catalog, name: str, titles: Sequence[Option]) -> dict[str, Any]:
    """The batches of the page, with their filters and the pages beside."""
    resource, state = text_parameter(request, "resource"), text_parameter(request, "state")
    number = page_parameter(request)
    found, count = queries.batches(
        name, resource=resource, state=state, limit=queries.PAGE, offset=(number - 1) * queries.PAGE
    )
    states = [Option("", _("全部")), Option("rejects", _("有退回行")), Option("refused", _("整批退回"))]
    return {
        "batches": batches_table(catalog, found, filtered=bool(resource or state)),
        "filters": [
            Field("resource", _("信息资源"), "select", resource, [Option("", _("全部资源")), *titles]),
            Field("state", _("状态"), "select", state, states),
        ],
        "pager": Pager(count, queries.PAGE, (number - 1) * queries.PAGE, {"resource": resource, "state": state}),
    }


def file_field(form: str) -> Field:
    """The field for a file to deliver."""
    return Field("file", _("文件"), "file", required=True, accept=".csv,.xlsx,.xls,.json,.jsonl,.txt", form=form,
                 help=_("CSV（UTF-8 或 GB18030）、XLSX、XLS 或 JSON。"))  # fmt: skip


def rows_chart(department: str = "") -> Chart | None:
    """Accepted and rejected rows of each day, of a department or of all; None before the second day."""
    days = queries.rows_by_day(department)
    if len(days) < 2:
        return None
    values = [
        {"dimension": f"{one['received_on']:%m-%d}", "series": label, "value": one[key]}
        for one in days
        for key, label in (("accepted", _("接受行")), ("rejected", _("退回行")))
    ]
    return columns_over_time("rows", _("每日接受和退回的行"), values, dimension=_("接收日"), measure=_("行"),
                             note=_("不含首日的历史数据"), colours=(PALETTE[0], "#c0392b"))  # fmt: skip


def _resources_table(catalog: Catalog, own: list[queries.Freshness]) -> Table:
    columns = [
        Column(_("信息资源")), Column(_("周期")), Column(_("状态")), Column(_("最近报送"), "date"), Column(_("批次"), "number"),
        Column(_("接受行"), "number"), Column(_("退回行"), "number"), Column(_("退回率"), "number"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(resource_title(catalog, one.resource.resource), reverse("resource", args=[one.resource.resource])),
            cycle_texts().get(one.resource.cycle, one.resource.cycle), freshness_cell(one.state),
            str(one.latest or ""), figure(one.batches), figure(one.accepted), figure(one.rejected), f"{one.reject_share:.1f}%",
        ]
        for one in own
    ]  # fmt: skip
    return Table(
        _("信息资源"), columns, rows, _("目录中没有由本部门提供的资源"), _("专题包为本部门声明资源后，会列在这里。")
    )


def batches_table(
    catalog: Catalog, found: list[Batch], *, filtered: bool = False, empty: str = "", hint: str = ""
) -> Table:
    """Batches with what became of their rows; ``empty`` and ``hint`` are said where there are none."""
    columns = [
        Column(_("信息资源")), Column(_("接收日"), "date"), Column(_("文件")), Column(_("状态")), Column(_("行"), "number"),
        Column(_("接受"), "number"), Column(_("退回"), "number"), Column(_("待更正"), "number"), Column(_("存疑"), "number"),
    ]  # fmt: skip
    left = queries.outstanding(found)
    rows: list[list[Cell | str]] = []
    for one in found:
        ticket = left.get(one.batch_id)
        rows.append(
            [
                Cell(resource_title(catalog, one.resource), reverse("batch", args=[one.batch_id])), str(one.received_on),
                one.file_name, batch_state(one, ticket), figure(one.rows), figure(one.accepted), figure(one.rejected),
                figure(ticket.open_rows) if ticket else "", figure(one.flagged),
            ]
        )  # fmt: skip
    if filtered:
        return Table(_("批次"), columns, rows, _("没有符合条件的批次"), _("换一个资源或状态再看。"))
    return Table(_("批次"), columns, rows, empty or _("没有批次"), hint or _("在本页上传文件，或由系统定时报送。"))


def tickets_table(catalog: Catalog, found: list[Ticket], *, with_state: bool = False) -> Table:
    """Tickets with the rows they still ask for."""
    columns = [
        Column(_("要做的事")), Column(_("工单"), "number"), *([Column(_("状态"))] if with_state else []),
        Column(_("开立"), "date"), *([Column(_("办结"), "date")] if with_state else []),
        Column(_("待处理行"), "number"), Column(_("共"), "number"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(ticket_title(catalog, one), reverse("ticket", args=[one.pk])), str(one.pk),
            *([ticket_state(one)] if with_state else []), str(one.opened_on),
            *([str(one.closed_on or "")] if with_state else []), figure(one.open_rows), figure(one.rows),
        ]
        for one in found
    ]  # fmt: skip
    return Table(
        _("工单"), columns, rows, _("没有待办工单"), _("有退回的行或不一致的数据时，会在这里开立工单；改正后自动办结。")
    )
