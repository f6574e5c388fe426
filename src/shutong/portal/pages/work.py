"""A department's own pages: what it delivered, what came back, and how it answers."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shutong.accounts.actors import Actor
from shutong.audit import reads
from shutong.audit.chain import Record
from shutong.catalog.actions import current_catalog
from shutong.collect.models import Batch
from shutong.collect.receipt import from_text
from shutong.engine.duck import DuckEngine
from shutong.engine.home import Home
from shutong.pipeline.jobs import the_home
from shutong.quality.actions import TicketError, give_up_rows
from shutong.quality.counter import rejects_of_batch, take_in
from shutong.quality.delivery import Delivery
from shutong.quality.models import Ticket
from shutong.quality.rejects import Rejects, rejects_csv, rejects_workbook
from shutong.spec.catalog import Catalog

from ..charts import figure
from ..components import Cell, Column, Crumb, Field, Option, Pager, Table
from ..metadata import localised
from ..queries import work as queries
from .browse import cycle_texts
from .frame import page, page_parameter, reader, signed_in

MOST_SHOWN = 50
"""Rejected rows shown on the page; the spreadsheet has them all."""

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@contextlib.contextmanager
def opened() -> Iterator[tuple[Home, DuckEngine]]:
    """The served home with an engine that is closed afterwards."""
    home = the_home()
    engine = DuckEngine.of_home(home)
    try:
        yield home, engine
    finally:
        engine.close()


def _actor(request: HttpRequest) -> Actor:
    actor = reader(request)
    if actor is None:
        raise PermissionDenied
    return actor


def _seeing(request: HttpRequest, department: str) -> Actor:
    actor = _actor(request)
    if not queries.may_see(actor, department):
        raise PermissionDenied(_("这是其他部门的数据。"))
    return actor


def department_title(catalog: Catalog, name: str) -> str:
    """Title of a department in the reader's language."""
    department = catalog.departments.get(name)
    return localised({"zh": department.title.zh, "en": department.title.en}, name) if department else name


def resource_title(catalog: Catalog, name: str) -> str:
    """Title of a resource in the reader's language."""
    resource = catalog.resources.get(name)
    return localised({"zh": resource.title.zh, "en": resource.title.en}, name) if resource else name


def in_language(text: Any) -> str:
    """A text with ``zh`` and ``en`` (a reason, a warning) in the reader's language."""
    english = (get_language() or "").startswith("en")
    return str(text.get("en") if english else text.get("zh")) if text else ""


@never_cache
@require_safe
@signed_in("collect.read")
def department(request: HttpRequest, name: str) -> HttpResponse:
    """A department: its resources against their cycle, open tickets, batches with receipts, and where to deliver."""
    actor = _seeing(request, name)
    catalog = current_catalog()
    if name not in catalog.departments:
        raise Http404(_("没有这一部门。"))
    own = queries.freshness(catalog, name, the_home().today())
    resource, state, number = request.GET.get("resource", ""), request.GET.get("state", ""), page_parameter(request)
    found, count = queries.batches(
        name, resource=resource, state=state, limit=queries.PAGE, offset=(number - 1) * queries.PAGE
    )
    titles = [
        Option("", _("全部资源")),
        *(Option(one.resource.resource, resource_title(catalog, one.resource.resource)) for one in own),
    ]
    states = [Option("", _("全部")), Option("rejects", _("有退回行")), Option("refused", _("整批退回"))]
    return page(
        request,
        "department.html",
        name=name,
        title=department_title(catalog, name),
        figures=queries.batch_figures(name),
        resources=_resources_table(catalog, own),
        tickets=_tickets_table(catalog, queries.open_tickets(name)),
        batches=batches_table(catalog, found),
        filters=[
            Field("resource", _("信息资源"), "select", resource, titles),
            Field("state", _("状态"), "select", state, states),
        ],
        pager=Pager(count, queries.PAGE, (number - 1) * queries.PAGE, {"resource": resource, "state": state}),
        may_deliver=actor.may("collect.deliver", name),
        upload=_upload_fields(titles[1:]),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(department_title(catalog, name))],
    )


def _upload_fields(resources: list[Option]) -> list[Field]:
    return [
        Field("resource", _("信息资源"), "select", options=resources, required=True),
        Field("file", _("文件"), "file", required=True, accept=".csv,.xlsx,.xls,.json,.jsonl,.txt",
              help=_("CSV（UTF-8 或 GB18030）、XLSX、XLS 或 JSON；改正后的退回表可直接上传。")),
    ]  # fmt: skip


def freshness_cell(state: str) -> Cell:
    """How a resource stands against its cycle."""
    texts = {
        "fresh": (_("按期"), "ok"),
        "late": (_("逾期未报"), "danger"),
        "never": (_("尚未报送"), "warn"),
        "any": (_("不定期"), ""),
    }
    text, tone = texts[state]
    return Cell(text, tone=tone)


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
    return Table(_("信息资源"), columns, rows, _("目录中没有由本部门提供的资源"))


def batches_table(catalog: Catalog, found: list[Batch], empty: str = "", hint: str = "") -> Table:
    """Batches with what became of their rows; ``empty`` and ``hint`` are said where there are none."""
    columns = [
        Column(_("批次"), "code"), Column(_("信息资源")), Column(_("接收日"), "date"), Column(_("文件")), Column(_("状态")),
        Column(_("行"), "number"), Column(_("接受"), "number"), Column(_("退回"), "number"), Column(_("标记"), "number"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(one.batch_id[:12], reverse("batch", args=[one.batch_id])), resource_title(catalog, one.resource),
            str(one.received_on), one.file_name, batch_state(one), figure(one.rows), figure(one.accepted),
            figure(one.rejected), figure(one.flagged),
        ]
        for one in found
    ]  # fmt: skip
    return Table(_("批次"), columns, rows, empty or _("没有批次"), hint or _("在本页上传文件，或由系统定时报送。"))


def batch_state(batch: Batch) -> Cell:
    """State of a batch as a badge."""
    if batch.state == Batch.State.REFUSED:
        return Cell(_("整批退回"), tone="danger")
    if batch.rejected:
        return Cell(_("部分退回"), tone="warn")
    return Cell(_("已入库"), tone="ok")


def _tickets_table(catalog: Catalog, found: list[Ticket]) -> Table:
    columns = [
        Column(_("工单")),
        Column(_("事由")),
        Column(_("开立"), "date"),
        Column(_("待处理行"), "number"),
        Column(_("共"), "number"),
    ]
    kinds = {Ticket.Kind.REJECTS: _("退回数据更正"), Ticket.Kind.DISAGREEMENT: _("数据不一致核实")}
    rows: list[list[Cell | str]] = [
        [
            Cell(f"#{one.pk}", reverse("ticket", args=[one.pk])),
            f"{kinds[Ticket.Kind(one.kind)]}：{resource_title(catalog, one.resource) if one.resource else one.title}",
            str(one.opened_on), figure(one.open_rows), figure(one.rows),
        ]
        for one in found
    ]  # fmt: skip
    return Table(_("待办工单"), columns, rows, _("没有待办工单"), _("退回的行会开立工单，改正后自动办结。"))


@never_cache
@require_safe
@signed_in("collect.read")
def batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    """A batch: its receipt, the reasons, the rejected rows that are still to be corrected."""
    found = get_object_or_404(Batch, pk=batch_id)
    actor = _seeing(request, found.department)
    catalog = current_catalog()
    receipt = from_text(found.receipt)
    rejects = Rejects((), ())
    if found.state == Batch.State.IN and found.rejected:
        with opened() as (home, engine):
            rejects = rejects_of_batch(home, engine, found, acting=actor)
        _note_read(actor, "quality.rejects", found.batch_id)
    columns = [
        Column(_("原因")),
        Column(_("信息项"), "code"),
        Column(_("退回行"), "number"),
        Column(_("标记行"), "number"),
        Column(_("行号")),
    ]
    reasons = Table(
        _("原因"), columns,
        [[in_language(one), str(one.get("item") or ""), figure(one["rejected"]), figure(one["flagged"]), _row_numbers(one["rows"])]
         for one in receipt["reasons"]],
        _("没有退回或标记的行"),
    )  # fmt: skip
    title = resource_title(catalog, found.resource)
    return page(
        request,
        "batch.html",
        batch=found,
        title=title,
        state=batch_state(found),
        receipt=receipt,
        receipt_text=json.dumps(json.loads(found.receipt), ensure_ascii=False, indent=1)[:20_000],
        refusal=in_language(receipt.get("refusal")),
        warnings=[in_language(one) for one in receipt.get("warnings", ())],
        reasons=reasons,
        rejects=_rejects_table(rejects),
        open_rejects=len(rejects.rows),
        most_shown=MOST_SHOWN,
        ticket=queries.ticket_of(found),
        may_deliver=actor.may("collect.deliver", found.department),
        upload=[one for one in _upload_fields([]) if one.name == "file"],
        crumbs=[
            Crumb(_("首页"), reverse("home")),
            Crumb(department_title(catalog, found.department), reverse("department", args=[found.department])),
            Crumb(f"{title} {found.received_on}"),
        ],
    )


def _row_numbers(rows: list[int]) -> str:
    shown = "、".join(map(str, rows[:12]))
    return shown + (" …" if len(rows) > 12 else "")


def _rejects_table(rejects: Rejects) -> Table:
    header = rejects.header[:12]
    columns = [Column(_("行号标识"), "code"), Column(_("原因"), "wide"), *(Column(name) for name in header)]
    rows = [
        [row_id, reasons, *(cells.get(name, "") for name in header)]
        for row_id, reasons, cells in rejects.rows[:MOST_SHOWN]
    ]
    return Table(_("退回的行"), columns, rows, _("没有待更正的行"))


def _note_read(actor: Actor, action: str, *objects: str) -> None:
    """Rejected rows are shown as they were delivered, so that somebody looked at them is written down first."""
    reads.note(Record(action=action, outcome="read", actor=actor.values(), objects=objects))


@never_cache
@require_safe
@signed_in("collect.read")
def rejects(request: HttpRequest, batch_id: str, form: str) -> HttpResponse:
    """The rejected rows as a spreadsheet to correct and deliver again."""
    found = get_object_or_404(Batch, pk=batch_id)
    actor = _seeing(request, found.department)
    with opened() as (home, engine):
        rows = rejects_of_batch(home, engine, found, acting=actor)
    _note_read(actor, "quality.rejects_download", found.batch_id)
    content, kind = (
        (rejects_workbook(rows), _XLSX) if form == "xlsx" else (rejects_csv(rows), "text/csv; charset=utf-8")
    )
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{found.resource}-{found.received_on}-rejected.{form}"'
    return response


@require_POST
@signed_in("collect.deliver")
def deliver(request: HttpRequest, name: str) -> HttpResponseRedirect:
    """Take an uploaded file: a new delivery, or the corrected rows of a batch (``corrects``)."""
    actor = _seeing(request, name)
    catalog = current_catalog()
    uploaded, resource, corrects = (
        request.FILES.get("file"),
        request.POST.get("resource", ""),
        request.POST.get("corrects", ""),
    )
    back = HttpResponseRedirect(reverse("batch", args=[corrects]) if corrects else reverse("department", args=[name]))
    declared = catalog.resources.get(resource)
    if not isinstance(uploaded, UploadedFile) or declared is None or declared.department != name:
        messages.error(request, _("请选择本部门的信息资源和要上传的文件。"))
        return back
    with opened() as (home, engine), _kept(home, uploaded) as path:
        one = Delivery(resource, path, home.today(), corrects or None, uploaded.name)
        receipt = take_in(home, engine, catalog, [one], acting=actor)[0]
    if receipt.state != "in":
        messages.error(request, _("整批退回：%(why)s") % {"why": in_language(receipt.refusal)})
    elif receipt.repeated:
        messages.warning(request, _("这份文件此前已经报送，没有重复入库。"))
    else:
        messages.success(
            request,
            _("已接收 %(all)s 行：接受 %(in)s 行，退回 %(out)s 行。")
            % {"all": figure(receipt.received), "in": figure(receipt.accepted), "out": figure(receipt.rejected)},
        )
    if receipt.batch and Batch.objects.filter(pk=receipt.batch).exists():
        return HttpResponseRedirect(reverse("batch", args=[receipt.batch]))
    return back


@contextlib.contextmanager
def _kept(home: Home, uploaded: UploadedFile[Any]) -> Iterator[Path]:
    """The upload as a file in the home's temp folder, removed afterwards: raw files are kept only sealed."""
    folder = home.tmp / f"upload-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700, parents=True)
    suffix = Path(uploaded.name or "").suffix.lower()
    path = folder / f"delivery{suffix if suffix.isascii() and len(suffix) < 8 else ''}"
    try:
        with path.open("wb") as target:
            for chunk in uploaded.chunks():
                target.write(chunk)
        yield path
    finally:
        path.unlink(missing_ok=True)
        folder.rmdir()


@never_cache
@require_safe
@signed_in("collect.read")
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """A ticket: what is asked, row by row, and how each row was settled."""
    found = get_object_or_404(Ticket, pk=number)
    actor = _seeing(request, found.department)
    catalog = current_catalog()
    page_number, limit = page_parameter(request), 50
    lines = found.lines.all()
    columns = [
        Column(_("行"), "code"),
        Column(_("原因")),
        Column(_("一方")),
        Column(_("另一方")),
        Column(_("处理")),
        Column(_("说明")),
    ]
    if found.kind == Ticket.Kind.REJECTS:
        columns = [columns[0], columns[1], *columns[4:]]
    states = {
        "open": (_("待处理"), "warn"),
        "corrected": (_("已更正"), "ok"),
        "resolved": (_("已一致"), "ok"),
        "given-up": (_("放弃更正"), ""),
    }
    rows: list[list[Cell | str]] = []
    for line in lines[(page_number - 1) * limit : page_number * limit]:
        sides: list[Cell | str] = [] if found.kind == Ticket.Kind.REJECTS else [line.left, line.right]
        text, tone = states[line.state]
        rows.append([line.row_id, line.reasons, *sides, Cell(text, tone=tone), line.note])
    linked = Batch.objects.filter(pk=found.subject).first() if found.kind == Ticket.Kind.REJECTS else None
    return page(
        request,
        "ticket.html",
        ticket=found,
        open=found.state == Ticket.State.OPEN,
        batch=linked,
        title=resource_title(catalog, found.resource) if found.resource else found.title,
        table=Table(_("逐行处理"), columns, rows, _("行数过多，未逐行列出；上传全部改正后的文件即可办结。")),
        pager=Pager(lines.count(), limit, (page_number - 1) * limit),
        may_answer=actor.may("quality.answer", found.department),
        may_deliver=actor.may("collect.deliver", found.department),
        reason=Field("reason", _("放弃更正的原因"), "textarea", required=True),
        upload=[one for one in _upload_fields([]) if one.name == "file"],
        crumbs=[
            Crumb(_("首页"), reverse("home")),
            Crumb(department_title(catalog, found.department), reverse("department", args=[found.department])),
            Crumb(_("工单 %(n)s") % {"n": found.pk}),
        ],
    )


@require_POST
@signed_in("quality.answer")
def give_up(request: HttpRequest, number: int) -> HttpResponseRedirect:
    """Give up the open rows of a ticket, with the reason."""
    found = get_object_or_404(Ticket, pk=number)
    actor = _seeing(request, found.department)
    try:
        give_up_rows(found, None, request.POST.get("reason", ""), the_home().today(), acting=actor)
    except TicketError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("已记录，工单办结。"))
    return HttpResponseRedirect(reverse("ticket", args=[number]))
