"""The data catalog: every resource with its provider, its items and its conditions."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shutong.catalog.published import current_catalog

from ..answers import store
from ..charts import figure
from ..components import Cell, Column, Crumb, Field, Option, Table
from ..metadata import localised, metadata
from ..queries import public as queries
from ..terms import term_text
from .frame import page, reader, text_parameter
from .words import cycle_texts


def share_texts() -> dict[str, tuple[str, str]]:
    """Share types in words, with their tone."""
    return {
        "unconditional": (_("无条件共享"), "ok"),
        "conditional": (_("有条件共享"), "warn"),
        "none": (_("不予共享"), ""),
    }


def open_texts() -> dict[str, tuple[str, str]]:
    """Opening types in words, with their tone."""
    return {"open": (_("无条件开放"), "ok"), "conditional": (_("有条件开放"), "warn"), "none": (_("不予开放"), "")}


@require_safe
def catalog(request: HttpRequest) -> HttpResponse:
    """The data catalog: every resource with its provider and conditions."""
    answers = store()
    known = metadata(answers)
    department, text = text_parameter(request, "department"), text_parameter(request, "q")
    found = queries.resources(answers, department=department, text=text)
    departments = [
        Option("", _("全部部门")),
        *(Option(name, known.title("department", name)) for name in known.of_kind("department")),
    ]
    columns = [
        Column(_("信息资源")), Column(_("提供部门")), Column(_("更新周期")), Column(_("共享")), Column(_("开放")),
        Column(_("已接受记录"), "number"), Column(_("最近接收"), "date"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(one.title, reverse("resource", args=[one.name])), one.department, cycle_texts().get(one.cycle, one.cycle),
            Cell(share_texts()[one.share][0], tone=share_texts()[one.share][1]),
            Cell(open_texts()[one.open][0], tone=open_texts()[one.open][1]), figure(one.records), one.latest or "",
        ]
        for one in found
    ]  # fmt: skip
    fields = [
        Field("q", _("资源或信息项"), "search", text),
        Field("department", _("提供部门"), "select", department, departments),
    ]
    table = Table(_("数据目录"), columns, rows, _("没有符合条件的资源"), _("换一个词，或选择全部部门。"))
    crumbs = [Crumb(_("首页"), reverse("home")), Crumb(_("数据目录"))]
    return page(request, "catalog.html", fields=fields, table=table, count=len(found), crumbs=crumbs)


@require_safe
def resource(request: HttpRequest, name: str) -> HttpResponse:
    """One resource: items with grades and masks, conditions, basis, checks, legal terms."""
    answers = store()
    known = metadata(answers)
    content = known.get("resource", name)
    if not content:
        raise Http404(_("目录中没有这一资源。"))
    columns = [
        Column(_("信息项")), Column(_("代码"), "code"), Column(_("值的类型")), Column(_("必填")), Column(_("分级")),
        Column(_("公开方式")),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            localised(item["title"], key), key, known.element_title(item), _("必填") if item["required"] else "",
            _("%(n)s 级") % {"n": item["grade"]}, Cell(*_publication(item)),
        ]
        for key, item in content["items"].items()
    ]  # fmt: skip
    view = next(one for one in queries.resources(answers) if one.name == name)
    title = known.title("resource", name)
    return page(
        request,
        "resource.html",
        title=title,
        content=content,
        view=view,
        cycle=cycle_texts().get(view.cycle, view.cycle),
        share=share_texts()[view.share],
        opening=open_texts()[view.open],
        publicity=term_text(content["publicity"]),
        may_ask=_may_ask(request, name),
        name=name,
        checks=[
            {"text": known.check_text(name, check), "rejects": check["on_fail"] == "reject"}
            for check in content["checks"]
        ],
        table=Table(_("信息项"), columns, rows),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("数据目录"), reverse("catalog")), Crumb(title)],
    )


def _may_ask(request: HttpRequest, name: str) -> bool:
    """Whether the reader may ask for the resource for their department: it is another's."""
    actor = reader(request)
    if actor is None or not actor.department or not actor.may("exchange.ask", actor.department):
        return False
    declared = current_catalog().resources.get(name)
    return declared is not None and declared.department != actor.department


def _publication(item: Any) -> tuple[str, str, str]:
    if not item["public"]:
        return _("不公开"), "", ""
    if item["mask"] not in (None, "none"):
        return _("脱敏后公开"), "", "warn"
    return _("公开"), "", "ok"
