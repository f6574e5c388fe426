"""The data bureau's figures: every department against the targets, and what is collected twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shutong.catalog.actions import current_catalog
from shutong.catalog.figures import DepartmentFigures
from shutong.exchange.figures import Figures
from shutong.exchange.requests import department_figures
from shutong.pipeline.jobs import the_home
from shutong.spec.catalog import Catalog
from shutong.standards.targets import Target, targets

from ..charts import bars, figure
from ..components import Cell, Chart, Column, Crumb, Figure, Table
from ..metadata import localised
from ..queries import figures as queries
from .department import actor_of
from .frame import page, signed_in
from .words import department_title, resource_title

_NONE = "—"


@never_cache
@require_safe
@signed_in("catalog.figures")
def figures(request: HttpRequest) -> HttpResponse:
    """Departments in the order of what lacks most; the targets with their documents; repeated collection."""
    catalog, actor, home = current_catalog(), actor_of(request), the_home()
    found = sorted(queries.figures(home), key=_lacking)
    # Requests are nothing for whoever only keeps the platform running.
    sharing = department_figures(home.today(), acting=actor) if actor.may("exchange.read") else None
    return page(
        request,
        "figures.html",
        figures=[
            Figure(_("部门"), len(found)), Figure(_("信息系统"), sum(one.systems for one in found)),
            Figure(_("信息资源"), sum(one.resources for one in found)),
            Figure(_("已归集"), text=_percent(_total(found, lambda one: (one.integrated, one.resources)))),
            Figure(_("按期更新"), text=_percent(_total(found, lambda one: (one.on_time, one.due)))),
            Figure(_("基础库整合度"), text=_percent(_total(found, lambda one: (one.base_filled, one.base_items)))),
        ],
        chart=_chart(catalog, found),
        departments=_departments(catalog, found, sharing),
        repeated=_repeated(catalog, found),
        targets=_targets(found, sharing),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("部门指标"))],
    )  # fmt: skip


def _lacking(one: DepartmentFigures) -> tuple[float, float, str]:
    return one.integrated_share or 0.0, one.on_time_share if one.on_time_share is not None else 100.0, one.department


def _total(found: Sequence[DepartmentFigures], of: Callable[[DepartmentFigures], tuple[int, int]]) -> float | None:
    parts = [of(one) for one in found]
    whole = sum(each for _part, each in parts)
    return 100 * sum(part for part, _each in parts) / whole if whole else None


def _percent(share: float | None) -> str:
    return _NONE if share is None else f"{share:.0f}%"


def _share_cell(share: float | None, part: int, whole: int, goal: int | None = None) -> Cell | str:
    """A share with what it is a share of; a badge where there is a goal for it."""
    if share is None:
        return _NONE
    note = f"{figure(part)} / {figure(whole)}"
    if goal is None:
        return Cell(_percent(share), note=note)
    return Cell(_percent(share), tone="ok" if share >= goal else "danger", note=note)


def _departments(catalog: Catalog, found: Sequence[DepartmentFigures], sharing: Mapping[str, Figures] | None) -> Table:
    goals = targets()
    columns = [
        Column(_("部门")), Column(_("信息系统"), "number"), Column(_("信息资源"), "number"), Column(_("已归集"), "number"),
        Column(_("按期更新"), "number"), Column(_("基础库整合度"), "number"), Column(_("重复采集"), "number"),
        *([] if sharing is None else [Column(_("需求满足率"), "number"), Column(_("答复天数（中位）"), "number")]),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(department_title(catalog, one.department), reverse("department", args=[one.department])),
            figure(one.systems), figure(one.resources),
            _share_cell(one.integrated_share, one.integrated, one.resources, goals["resources-integrated"].share),
            _share_cell(one.on_time_share, one.on_time, one.due),
            _share_cell(one.base_share, one.base_filled, one.base_items, goals["base-libraries"].share),
            Cell(figure(len(one.repeated)), tone="warn") if one.repeated else "0",
            *([] if sharing is None else _sharing_cells(sharing.get(one.department))),
        ]
        for one in found
    ]  # fmt: skip
    return Table(_("各部门指标"), columns, rows, _("目录中还没有部门"), _("先安装专题包。"))


def _sharing_cells(one: Figures | None) -> list[Cell | str]:
    """How much of a department's demand was met, and how fast it answers that of others."""
    if one is None:
        return [_NONE, _NONE]
    demand, days = one.as_receiver, one.as_owner.median_days
    goal = targets()["demand-met"].share
    return [
        _share_cell(demand.met_percent, demand.granted, demand.settled, goal),
        _NONE if days is None else f"{days:g}",
    ]


def _repeated(catalog: Catalog, found: Sequence[DepartmentFigures]) -> Table:
    columns = [
        Column(_("部门")), Column(_("信息项")), Column(_("本部门的资源")), Column(_("已由谁提供")), Column(_("同样提供的主体"), "number"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = []
    for department in found:
        for one in department.repeated:
            attribute = catalog.libraries[one.library].attributes[one.attribute].title
            authority = catalog.resources[one.authority].department
            rows.append(
                [
                    department_title(catalog, department.department), localised({"zh": attribute.zh, "en": attribute.en}),
                    Cell(resource_title(catalog, one.resource), reverse("resource", args=[one.resource])),
                    Cell(resource_title(catalog, one.authority), reverse("resource", args=[one.authority]),
                         note=department_title(catalog, authority)),
                    _percent(100 * one.share),
                ]
            )  # fmt: skip
    return Table(_("重复采集"), columns, rows, _("没有发现重复采集"), _("能够通过共享获取的信息项，没有部门再次采集。"))


def _targets(found: Sequence[DepartmentFigures], sharing: Mapping[str, Figures] | None) -> Table:
    values = {
        "resources-integrated": _total(found, lambda one: (one.integrated, one.resources)),
        "base-libraries": _total(found, lambda one: (one.base_filled, one.base_items)),
    }
    if sharing is not None:
        demand = [one.as_receiver for one in sharing.values()]
        settled = sum(one.settled for one in demand)
        values["demand-met"] = 100 * sum(one.granted for one in demand) / settled if settled else None
    columns = [
        Column(_("目标")), Column(_("要求"), "number"), Column(_("目前"), "number"), Column(_("完成期限"), "date"),
        Column(_("政策文件"), "wide"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            localised({"zh": one.zh, "en": one.en}), f"{one.share}%", _reached(one, values[name]), str(one.due),
            Cell(one.source, note=_("草案或未核对原文") if one.verify else ""),
        ]
        for name, one in targets().items()
        if name in values
    ]  # fmt: skip
    return Table(_("目标"), columns, rows)


def _reached(target: Target, share: float | None) -> Cell | str:
    return _NONE if share is None else Cell(_percent(share), tone="ok" if share >= target.share else "danger")


def _chart(catalog: Catalog, found: Sequence[DepartmentFigures]) -> Chart | None:
    due = sorted((one for one in found if one.on_time_share is not None), key=lambda one: one.on_time_share or 0.0)
    values = [
        {"dimension": department_title(catalog, one.department), "value": one.on_time_share or 0.0,
         "label": _percent(one.on_time_share)}
        for one in due
    ]  # fmt: skip
    if not values:
        return None
    return bars(
        "on-time", _("按期更新"), values, dimension=_("部门"), measure=_("百分比"), most=100,
        note=_("在更新周期内报送过的资源占有周期的资源的比例"),
    )  # fmt: skip
