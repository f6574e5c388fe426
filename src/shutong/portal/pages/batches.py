"""A batch as its department sees it: the receipt, the reasons, the rejected rows, and how to bring them right."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shutong.accounts.actors import Actor
from shutong.audit import reads
from shutong.audit.chain import Record
from shutong.catalog.actions import current_catalog
from shutong.collect.models import Batch
from shutong.collect.receipt import from_text
from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.pipeline.jobs import the_home
from shutong.quality.counter import rejects_of_batch, take_in
from shutong.quality.delivery import Delivery
from shutong.quality.rejects import Rejects, rejects_csv, rejects_workbook
from shutong.spec.catalog import Catalog

from ..charts import figure
from ..components import Cell, Column, Crumb, Figure, Table
from ..queries import work as queries
from .department import crumbs_of, file_field, seeing
from .frame import page, signed_in
from .words import batch_state, header_titles, in_language, item_title, resource_title, row_number

MOST_SHOWN = 50
"""Rejected rows shown on the page; the spreadsheet has them all."""

MOST_COLUMNS = 12

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NAMED = re.compile("“([^”]+)”")


@contextlib.contextmanager
def opened() -> Iterator[tuple[Home, Engine]]:
    """The served home with an engine that is closed afterwards."""
    home = the_home()
    engine = engine_of(home)
    try:
        yield home, engine
    finally:
        engine.close()


@never_cache
@require_safe
@signed_in("collect.read")
def batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    """A batch: its receipt, the reasons, the rejected rows that are still to be corrected."""
    found = get_object_or_404(Batch, pk=batch_id)
    actor = seeing(request, found.department)
    catalog = current_catalog()
    receipt = from_text(found.receipt)
    rejects = Rejects((), ())
    if found.state == Batch.State.IN and found.rejected:
        with opened() as (home, engine):
            rejects = rejects_of_batch(home, engine, found, acting=actor)
        _note_read(actor, "quality.rejects", found.batch_id)
    left = queries.outstanding([found]).get(found.batch_id)
    title = resource_title(catalog, found.resource)
    return page(
        request,
        "batch.html",
        batch=found,
        title=title,
        state=batch_state(found, left),
        figures=[
            Figure(_("收到行"), found.rows), Figure(_("接受行"), found.accepted), Figure(_("退回行"), found.rejected),
            Figure(_("待更正行"), len(rejects.rows)), Figure(_("存疑行"), found.flagged),
        ],
        receipt_text=json.dumps(json.loads(found.receipt), ensure_ascii=False, indent=1)[:20_000],
        refusal=in_language(receipt.get("refusal")),
        warnings=[in_language(one) for one in receipt.get("warnings", ())],
        reasons=_reasons_table(catalog, found, receipt),
        rejects=_rejects_table(rejects, header_titles(catalog, found.resource)),
        open_rejects=len(rejects.rows),
        most_shown=MOST_SHOWN,
        ticket=queries.ticket_of(found),
        may_deliver=actor.may("collect.deliver", found.department),
        upload=[file_field("correct")],
        corrects=found.corrects or found.batch_id,
        crumbs=crumbs_of(catalog, found.department, Crumb(f"{title} {found.received_on}")),
    )  # fmt: skip


def _reasons_table(catalog: Catalog, found: Batch, receipt: Any) -> Table:
    columns = [
        Column(_("原因"), "wide"), Column(_("信息项")), Column(_("退回行"), "number"), Column(_("存疑行"), "number"), Column(_("行号")),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            in_language(one), item_title(catalog, found.resource, str(one.get("item") or "")),
            figure(one["rejected"]), figure(one["flagged"]), _row_numbers(one["rows"]),
        ]
        for one in receipt["reasons"]
    ]  # fmt: skip
    return Table(_("退回和存疑的原因"), columns, rows, _("没有退回或存疑的行"), _("全部行已接受，没有需要做的事。"))


def _row_numbers(rows: list[int]) -> str:
    shown = str(_("、")).join(map(str, rows[:12]))
    return shown + (" …" if len(rows) > 12 else "")


def _rejects_table(rejects: Rejects, titles: Mapping[str, tuple[str, str]]) -> Table:
    """Rejected rows as they were delivered; the cells that the reasons name are marked.

    Args:
        titles: delivered header to the title of its item, as it is shown and as reasons name it.
    """
    header = rejects.header[:MOST_COLUMNS]
    shown = {name: titles.get(name, (name, name)) for name in header}
    columns = [
        Column(_("行号"), "number"),
        Column(_("原因"), "wide"),
        *(Column(shown[name][0], "raw") for name in header),
    ]
    rows: list[list[Cell | str]] = []
    for row_id, reasons, cells in rejects.rows[:MOST_SHOWN]:
        named = set(_NAMED.findall(reasons))
        rows.append(
            [
                row_number(row_id), reasons,
                *(Cell(cells.get(name, ""), wrong=bool(named & {name, shown[name][1]})) for name in header),
            ]
        )  # fmt: skip
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
    actor = seeing(request, found.department)
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
    actor = seeing(request, name)
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
    kept = bool(receipt.batch) and Batch.objects.filter(pk=receipt.batch).exists()
    # The page of a refused batch says itself why.
    if receipt.state == "in" or not kept:
        _say(request, receipt, corrects)
    return HttpResponseRedirect(reverse("batch", args=[receipt.batch])) if kept else back


def _say(request: HttpRequest, receipt: Any, corrects: str) -> None:
    """What became of a delivery, as a message on the next page."""
    if receipt.state != "in":
        messages.error(request, _("整批退回：%(why)s") % {"why": in_language(receipt.refusal)})
        return
    if receipt.repeated:
        messages.warning(request, _("这份文件此前已经报送，没有重复入库。"))
        return
    counts = {"all": figure(receipt.received), "in": figure(receipt.accepted), "out": figure(receipt.rejected)}
    said = _("已接收 %(all)s 行：接受 %(in)s 行，退回 %(out)s 行。") % counts
    corrected = Batch.objects.filter(pk=corrects).first() if corrects else None
    ticket = queries.ticket_of(corrected) if corrected else None
    if ticket is not None:
        rest = {"n": ticket.pk, "rows": figure(ticket.open_rows)}
        said += (_("工单 %(n)s 还有 %(rows)s 行待处理。") if ticket.open_rows else _("工单 %(n)s 已办结。")) % rest
    (messages.warning if receipt.rejected else messages.success)(request, said)


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
