"""The public base and theme libraries: what they hold, and which source counts first for each attribute."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..answers import store
from ..charts import figure
from ..components import Cell, Column, Crumb, Table
from ..metadata import Metadata, localised, metadata
from .frame import page


def class_text(content: Any) -> str:
    """Base or theme library, in words."""
    return _("基础库") if content["class"] == "base" else _("主题库")


def _kind_text(content: Any) -> str:
    return {"organisation": _("组织"), "person": _("自然人"), "place": _("地点")}[content["kind"]]


def _departments(known: Metadata, content: Any) -> str:
    """The departments whose resources the library is merged from, in the order of their authority."""
    sources = (source for one in content["attributes"].values() for source in one["sources"])
    found = dict.fromkeys(known.department_title(source.partition(".")[0]) for source in sources)
    return _("、").join(one for one in found if one)


@require_safe
def libraries(request: HttpRequest) -> HttpResponse:
    """Every public library."""
    known = metadata(store())
    columns = [
        Column(_("库")), Column(_("类别")), Column(_("主体类型")), Column(_("属性"), "number"), Column(_("来源部门"), "wide"),
        Column(_("空间服务")),
    ]  # fmt: skip
    found = sorted(known.of_kind("library").items(), key=lambda pair: pair[1]["class"] != "base")
    rows: list[list[Cell | str]] = [
        [
            Cell(known.title("library", name), reverse("library", args=[name])), class_text(content), _kind_text(content),
            figure(len(content["attributes"])), _departments(known, content), _placed(name, content),
        ]
        for name, content in found
    ]  # fmt: skip
    table = Table(
        _("基础库和主题库"), columns, rows, _("还没有公开的库"), _("专题包声明库并运行一次后，会显示在这里。")
    )
    crumbs = [Crumb(_("首页"), reverse("home")), Crumb(_("数据目录"), reverse("catalog")), Crumb(_("基础库和主题库"))]
    return page(request, "libraries.html", table=table, count=len(rows), crumbs=crumbs)


def _placed(name: str, content: Any) -> Cell:
    return Cell("OGC API", reverse("ogc-collection", args=[name])) if content.get("space") else Cell("")


@require_safe
def library(request: HttpRequest, name: str) -> HttpResponse:
    """One library: its attributes, each with its sources in the order of their authority."""
    known = metadata(store())
    content = known.get("library", name)
    if not content:
        raise Http404(_("没有这个库，或它不公开。"))
    columns = [
        Column(_("属性名称")), Column(_("代码"), "code"), Column(_("值的类型")), Column(_("分级")), Column(_("公开方式")),
        Column(_("来源，权威在前"), "wide"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            localised(one["title"], key), key, known.element_title(one), _("%(n)s 级") % {"n": one["grade"]},
            Cell(*_publication(one)), _sources(known, one),
        ]
        for key, one in content["attributes"].items()
    ]  # fmt: skip
    title = known.title("library", name)
    each = [known.attribute_title(name, one) for one in content.get("each") or ()]
    return page(
        request,
        "library.html",
        title=title,
        kind=class_text(content),
        subjects=_kind_text(content),
        each=_("、").join(each),
        placed=name if content.get("space") else "",
        table=Table(_("属性"), columns, rows),
        crumbs=[
            Crumb(_("首页"), reverse("home")), Crumb(_("数据目录"), reverse("catalog")),
            Crumb(_("基础库和主题库"), reverse("libraries")), Crumb(title),
        ],
    )  # fmt: skip


def _sources(known: Metadata, attribute: Any) -> str:
    """Resource and item of every source, the highest authority first."""
    parts = []
    for source in attribute["sources"]:
        resource, _dot, item = source.partition(".")
        parts.append(f"{known.title('resource', resource)}{_('：')}{known.item_title(resource, item)}")
    return " › ".join(parts)


def _publication(attribute: Any) -> tuple[str, str, str]:
    if attribute["mask"] == "hide":
        return _("不公开"), "", ""
    return (_("公开"), "", "ok") if attribute["mask"] == "none" else (_("脱敏后公开"), "", "warn")
