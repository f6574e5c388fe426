"""Sharing between departments: the requests one has to do with, one request with its history and forms, and asking."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shutong.catalog.actions import current_catalog
from shutong.exchange.actions import ask_for_data
from shutong.exchange.models import ShareRequest
from shutong.exchange.refusals import ExchangeError
from shutong.exchange.requests import (
    department_figures,
    grant_of_request,
    read_request,
    requests_for,
    timeline,
    waiting_for,
)
from shutong.pipeline.jobs import the_home
from shutong.procedures.cases import StepError
from shutong.procedures.models import Case, Step
from shutong.spec.catalog import Catalog

from ..charts import figure
from ..components import Cell, Column, Crumb, Field, Option, Pager, Table
from ..metadata import localised
from ..queries import work as queries
from .department import actor_of
from .frame import page, page_parameter, signed_in, text_parameter
from .sharing_forms import asking_fields, forms_for, item_fields, mask_title, method_title, taken, wanted_of
from .words import department_title, item_title, resource_title


@never_cache
@require_safe
@signed_in("exchange.read")
def sharing(request: HttpRequest) -> HttpResponse:
    """The requests that wait for the reader, all open ones or all, and the figures."""
    actor, catalog, day = actor_of(request), current_catalog(), the_home().today()
    state = text_parameter(request, "state") or "waiting"
    rows = requests_for(actor)
    if state == "waiting":
        rows = waiting_for(actor)
    elif state == "open":
        rows = rows.filter(case__closed_on=None)
    number, limit = page_parameter(request), queries.PAGE
    offset = (number - 1) * limit
    shown = list(rows.select_related("case", "dispute")[offset : offset + limit])
    states = [Option("waiting", _("待我方办理")), Option("open", _("办理中")), Option("all", _("全部"))]
    return page(
        request,
        "sharing.html",
        table=_requests_table(catalog, shown, day),
        fields=[Field("state", _("状态"), "select", state, states)],
        pager=Pager(rows.count(), limit, offset, {"state": state}),
        figures=_figures_table(catalog, day, request),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("共享"))],
    )


@never_cache
@require_safe
@signed_in("exchange.read")
def share_request(request: HttpRequest, number: int) -> HttpResponse:
    """One request: what is asked, what was decided of each item, every step, and what the reader may do next."""
    actor, catalog, day = actor_of(request), current_catalog(), the_home().today()
    found = _found(request, number)
    state, tone = _state(found)
    course = _course(found)
    return page(
        request,
        "share_request.html",
        share=found,
        title=resource_title(catalog, found.resource),
        receiver=department_title(catalog, found.receiver),
        owner=department_title(catalog, found.owner),
        state=state,
        tone=tone,
        due=course.due_on,
        overdue=course.due_on is not None and day > course.due_on,
        frequency=_frequencies()[found.frequency],
        methods=[method_title(one) for one in found.methods],
        items=_items_table(catalog, found),
        grant=_grant_line(found),
        decisions=_decisions_table(found),
        history=_history_table(catalog, timeline(found)),
        forms=forms_for(found, actor, catalog),
        crumbs=_crumbs(_("申请 %(n)s") % {"n": found.pk}),
    )


@require_POST
@signed_in("exchange.read")
def share_step(request: HttpRequest, number: int, verb: str) -> HttpResponseRedirect:
    """Does what a form of the page asks."""
    actor = actor_of(request)
    found = _found(request, number)
    try:
        taken(verb, found, request.POST, the_home().today(), actor)
    except (ExchangeError, StepError) as problem:
        messages.error(request, localised({"zh": problem.zh, "en": problem.en}))
    else:
        messages.success(request, _("已办理。"))
    return HttpResponseRedirect(reverse("share-request", args=[number]))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in("exchange.ask")
def ask(request: HttpRequest, resource: str) -> HttpResponse:
    """The form in which a department asks for a resource; sent again with what was wrong in words."""
    actor, catalog, day = actor_of(request), current_catalog(), the_home().today()
    declared = catalog.resources.get(resource)
    if declared is None:
        raise Http404(_("没有这一资源。"))
    problem = ""
    if request.method == "POST":
        try:
            made = ask_for_data(actor.department, wanted_of(declared, request.POST), day, acting=actor)
        except ExchangeError as error:
            problem = localised({"zh": error.zh, "en": error.en})
        else:
            messages.success(request, _("已提交。"))
            return HttpResponseRedirect(reverse("share-request", args=[made.pk]))
    return page(
        request,
        "share_ask.html",
        http_status=422 if problem else 200,
        problem=problem,
        title=resource_title(catalog, resource),
        owner=department_title(catalog, declared.department),
        name=resource,
        condition=declared.share.condition or "",
        items=item_fields(declared, request.POST, catalog),
        fields=asking_fields(declared, request.POST, day),
        crumbs=_crumbs(_("申请数据")),
    )


def _found(request: HttpRequest, number: int) -> ShareRequest:
    try:
        return read_request(f"request/{number}", acting=actor_of(request))
    except ExchangeError as problem:
        raise Http404(_("没有这一申请。")) from problem


def _crumbs(last: str) -> list[Crumb]:
    return [Crumb(_("首页"), reverse("home")), Crumb(_("共享"), reverse("sharing")), Crumb(last)]


def _course(found: ShareRequest) -> Case:
    """The case that says where a request stands: its dispute where it has one."""
    return found.dispute or found.course


def _state(found: ShareRequest) -> tuple[str, str]:
    course = _course(found)
    title = course.declared.states[course.state].title
    if found.dispute is not None and found.dispute.closed_on is None:
        return localised({"zh": title.zh, "en": title.en}), "warn"
    tones = {"granted": "ok", "partly": "ok", "refused": "danger", "cancelled": "", "": "warn"}
    return localised({"zh": title.zh, "en": title.en}), tones[found.outcome]


def _frequencies() -> dict[str, str]:
    return {
        "once": _("一次"), "on-demand": _("按需"), "realtime": _("实时"), "daily": _("每日"), "weekly": _("每周"),
        "monthly": _("每月"),
    }  # fmt: skip


def _requests_table(catalog: Catalog, found: list[ShareRequest], day: dt.date) -> Table:
    columns = [
        Column(_("信息资源")), Column(_("申请部门")), Column(_("提供部门")), Column(_("用途"), "wide"), Column(_("状态")),
        Column(_("申请日"), "date"), Column(_("期限"), "date"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = []
    for one in found:
        state, tone = _state(one)
        due = _course(one).due_on
        late = due is not None and day > due
        rows.append(
            [
                Cell(resource_title(catalog, one.resource), reverse("share-request", args=[one.pk])),
                department_title(catalog, one.receiver), department_title(catalog, one.owner), one.purpose,
                Cell(state, tone=tone), str(one.asked_on),
                Cell(str(due), note=_("已逾期")) if late else str(due or ""),
            ]
        )  # fmt: skip
    return Table(_("共享申请"), columns, rows, _("没有申请"), _("在数据目录中找到资源后，可以在资源页申请共享。"))


def _figures_table(catalog: Catalog, day: dt.date, request: HttpRequest) -> Table:
    columns = [
        Column(_("部门")), Column(_("收到申请"), "number"), Column(_("同意"), "number"), Column(_("不予共享"), "number"),
        Column(_("办理中"), "number"), Column(_("逾期"), "number"), Column(_("答复天数（中位）"), "number"),
        Column(_("提出申请"), "number"), Column(_("需求满足率"), "number"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = []
    for name, one in department_figures(day, acting=actor_of(request)).items():
        mine, demand = one.as_owner, one.as_receiver
        days = "" if mine.median_days is None else f"{mine.median_days:g}"
        met = "" if demand.met_percent is None else f"{demand.met_percent:g}%"
        rows.append(
            [
                department_title(catalog, name), figure(mine.asked), figure(mine.granted), figure(mine.refused),
                figure(mine.open), figure(mine.overdue), days, figure(demand.asked), met,
            ]
        )  # fmt: skip
    return Table(_("各部门共享情况"), columns, rows, _("没有申请"))


def _items_table(catalog: Catalog, found: ShareRequest) -> Table:
    """Each item with the mask it was asked with and what the last decision made of it."""
    columns = [Column(_("信息项")), Column(_("申请的脱敏方式")), Column(_("决定")), Column(_("依据"), "wide")]
    last = found.decisions.order_by("-number").first()
    decided = {one.item: one for one in last.items.all()} if last else {}
    rows: list[list[Cell | str]] = []
    for name, mask in found.extent.masks.items():
        one = decided.get(name)
        if one is None:
            said = Cell("")
        elif one.given:
            said = Cell(_("提供"), tone="ok", note=mask_title(one.mask))
        else:
            said = Cell(_("不提供"), tone="danger")
        rows.append([item_title(catalog, found.resource, name), mask_title(mask), said, one.basis if one else ""])
    return Table(_("信息项"), columns, rows)


def _decisions_table(found: ShareRequest) -> Table:
    """What each decision gives, beside the items: rows, methods, last day, quota."""
    columns = [
        Column(_("日期"), "date"), Column(_("决定方")), Column(_("决定")), Column(_("截止日期"), "date"),
        Column(_("数据范围条件"), "wide"), Column(_("依据和说明"), "wide"),
    ]  # fmt: skip
    sides = {"platform": _("系统自动"), "owner": _("提供部门"), "bureau": _("数据局")}
    rows: list[list[Cell | str]] = []
    for one in found.decisions.all():
        words = " ".join(filter(None, (one.basis, one.reason)))
        by = Cell(sides[one.side], note=one.by_name)
        if not one.gives:
            rows.append([str(one.on), by, Cell(_("不提供"), tone="danger"), "", "", words])
            continue
        beside = str(_("、")).join(method_title(name) for name in one.methods)
        if one.quota:
            beside = f"{beside} · {_('限额')} {figure(one.quota)}"
        what = Cell(one.rows or _("全部"), note=beside)
        rows.append([str(one.on), by, Cell(_("提供"), tone="ok"), str(one.ends_on), what, words])
    return Table(_("各次决定"), columns, rows, _("还没有决定"))


def _grant_line(found: ShareRequest) -> Cell | None:
    """How the grant stands that came of the request; None where none did."""
    grant = grant_of_request(found)
    if grant is None or grant.case is None:
        return None
    title = grant.case.declared.states[grant.case.state].title
    tones = {"active": "ok", "suspended": "warn", "withdrawn": "danger"}
    return Cell(localised({"zh": title.zh, "en": title.en}), tone=tones[grant.case.state], note=str(grant.latest))


def _history_table(catalog: Catalog, steps: list[Step]) -> Table:
    columns = [
        Column(_("日期"), "date"), Column(_("环节")), Column(_("办理人")), Column(_("当时期限"), "date"), Column(_("说明"), "wide"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = []
    for one in steps:
        declared = one.case.declared
        title = declared.steps[one.step].title if one.step in declared.steps else declared.title
        by = Cell(one.by_name or one.by, note=department_title(catalog, one.department) if one.department else "")
        late = one.was_due_on is not None and one.on > one.was_due_on
        due = Cell(str(one.was_due_on), note=_("逾期办理")) if late else str(one.was_due_on or "")
        rows.append([str(one.on), localised({"zh": title.zh, "en": title.en}), by, due, one.reason])
    return Table(_("办理过程"), columns, rows)
