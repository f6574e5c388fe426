"""Public pages to browse: lists, statistics, indicators, publicity, the data catalog, and what the site says of itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shutong.pipeline.answers.store import AnswerStore
from shutong.standards.areas import area_name
from shutong.standards.industries import industry_name, section_of

from .. import charts
from ..answers import store
from ..components import Cell, Chart, Column, Crumb, Field, Option, Pager, Table
from ..metadata import Metadata, localised, metadata
from ..queries import public as queries
from ..queries.subjects import listings_of
from ..queries.views import ListingView
from .frame import page, page_parameter, text_parameter
from .public import category_text, term_text

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
EXPORT_LIMIT = 100_000


def _home() -> Crumb:
    return Crumb(_("首页"), reverse("home"))


@require_safe
def lists(request: HttpRequest) -> HttpResponse:
    """Every public list."""
    return page(request, "lists.html", lists=queries.lists(store()), crumbs=[_home(), Crumb(_("名单"))])


@require_safe
def one_list(request: HttpRequest, name: str) -> HttpResponse:
    """A list: legal basis, grounds with their rules, members with search."""
    answers = store()
    known = metadata(answers)
    content = known.get("list", name)
    if not content:
        raise Http404(_("没有这一名单，或它不公开。"))
    text, ground, number = text_parameter(request, "q"), text_parameter(request, "ground"), page_parameter(request)
    limit = queries.PAGE
    found, count = queries.members(answers, name, text=text, ground=ground, limit=limit, offset=(number - 1) * limit)
    grounds = [
        {"name": key, "title": localised(one["title"], key), "basis": one["basis"], "sql": one["sql"]}
        for key, one in content["grounds"].items()
    ]
    fields = [
        Field("q", _("名称或代码"), "search", text),
        Field("ground", _("列入事由"), "select", ground,
              [Option("", _("全部")), *(Option(str(one["name"]), str(one["title"])) for one in grounds)]),
    ]  # fmt: skip
    return page(
        request,
        "list.html",
        name=name,
        title=known.title("list", name),
        content=content,
        department=known.title("department", content["department"]),
        grounds=grounds,
        terms=[
            (label, term_text(content[key]), content[key])
            for key, label in (
                ("enter_within", _("列入期限")),
                ("release_within", _("移出期限")),
                ("term", _("列入时长")),
            )
            if content.get(key)
        ],
        fields=fields,
        table=_members_table(known.title("list", name), found),
        pager=Pager(count, limit, (number - 1) * limit, {"q": text, "ground": ground}),
        crumbs=[_home(), Crumb(_("名单"), reverse("lists")), Crumb(known.title("list", name))],
    )


def _members_table(caption: str, found: list[ListingView]) -> Table:
    columns = [
        Column(_("名称")), Column(_("统一社会信用代码"), "code"), Column(_("列入事由")), Column(_("事由发生"), "date"),
        Column(_("列入日期"), "date"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(one.subject_name, reverse("subject", args=[one.subject_id])),
            one.uscc,
            one.ground_title,
            one.since,
            one.entered_on or "",
        ]
        for one in found
    ]
    return Table(caption, columns, rows, _("名单上没有符合条件的主体"), _("换一个名称或事由再查。"))


def plain_cell(value: Any) -> str:
    """A CSV cell that no spreadsheet takes for a formula: a leading ``'`` where it would."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


@require_safe
def list_csv(_request: HttpRequest, name: str) -> StreamingHttpResponse:
    """The members of a list as CSV (UTF-8 with a mark, so that spreadsheets read Chinese)."""
    answers = store()
    if not metadata(answers).get("list", name):
        raise Http404(_("没有这一名单，或它不公开。"))
    response = StreamingHttpResponse(_csv_lines(answers, name), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _csv_lines(answers: AnswerStore, name: str) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    titles = (
        _("名称"),
        _("统一社会信用代码"),
        _("列入事由"),
        _("依据"),
        _("事由发生"),
        _("列入日期"),
        _("至"),
        _("决定部门"),
    )
    writer.writerow(titles)
    yield "\ufeff" + _taken(buffer)
    for offset in range(0, EXPORT_LIMIT, 1000):
        found = listings_of(answers, "l.list = ? AND l.state = 'listed'", [name], limit=1000, offset=offset)
        for one in found:
            cells = (one.subject_name, one.uscc, one.ground_title, f"{one.basis}；{one.ground_basis}", one.since,
                     one.entered_on, one.ends_on, one.department)  # fmt: skip
            writer.writerow([plain_cell(cell) for cell in cells])
        yield _taken(buffer)
        if len(found) < 1000:
            return


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """Charts of subjects and facts, and the open indicators."""
    answers = store()
    known = metadata(answers)
    found = [chart for chart in _statistics(answers, known) if chart.table.rows]
    return page(
        request,
        "statistics.html",
        charts=found,
        indicators=[(name, title) for name, title, _content in queries.indicators(answers)],
        crumbs=[_home(), Crumb(_("统计"))],
    )


def _statistics(answers: AnswerStore, known: Metadata) -> Iterator[Chart]:
    def values(name: str, text: Any) -> list[dict[str, Any]]:
        rows = queries.statistic(answers, name)
        return [{"dimension": text(row["dimension"]), "value": row["value"]} for row in rows]

    subjects = _("户")
    yield charts.series(
        "facts",
        _("每月信用事项，按类别"),
        _facts_by_month(answers, known),
        dimension=_("月份"),
        measure=_("条"),
        note=_("最近 24 个月，按事项发生日期"),
    )
    yield charts.bars(
        "categories",
        _("各类主体"),
        values("subjects_by_category", lambda code: category_text(known, code)),
        dimension=_("类别"),
        measure=subjects,
    )
    yield charts.bars(
        "areas",
        _("各区县主体"),
        values("subjects_by_area", lambda code: area_name(code) or code),
        dimension=_("区划"),
        measure=subjects,
    )
    industries = _subjects_by_section(answers)
    yield charts.bars("industries", _("各行业门类主体"), industries, dimension=_("门类"), measure=subjects)
    years = [one for one in values("subjects_by_year", str) if str(one["dimension"]) >= "1990"]
    yield charts.bars(
        "years",
        _("主体按成立年份"),
        years,
        dimension=_("年份"),
        measure=subjects,
        upright=True,
        note=_("含已注销的主体"),
    )
    days = values("received_by_day", lambda day: str(day)[5:])[1:]
    yield charts.bars(
        "received",
        _("每日接收记录"),
        days,
        dimension=_("日期"),
        measure=_("行"),
        upright=True,
        note=_("不含首日的历史数据"),
    )


def _facts_by_month(answers: AnswerStore, known: Metadata) -> list[dict[str, Any]]:
    """Facts of each month by kind; the kinds behind the six most frequent are one series."""
    months = queries.statistic(answers, "facts_by_month")
    kinds: dict[str, float] = {}
    for row in months:
        kinds[row["series"]] = kinds.get(row["series"], 0) + row["value"]
    shown = sorted(kinds, key=lambda kind: -kinds[kind])[:6]
    by_month: dict[tuple[str, str], float] = {}
    for row in months:
        label = known.fact_title(row["series"]) if row["series"] in shown else _("其他")
        by_month[row["dimension"], label] = by_month.get((row["dimension"], label), 0) + row["value"]
    return [{"dimension": month, "series": label, "value": value} for (month, label), value in by_month.items()]


def _subjects_by_section(answers: AnswerStore) -> list[dict[str, Any]]:
    """Subjects of each section of the industry classification, most first."""
    sections: dict[str, float] = {}
    for row in queries.statistic(answers, "subjects_by_industry"):
        section = section_of(row["dimension"]) or row["dimension"]
        sections[section] = sections.get(section, 0) + row["value"]
    return [
        {"dimension": industry_name(code) or code, "value": value}
        for code, value in sorted(sections.items(), key=lambda one: -one[1])
    ]


@require_safe
def indicator(request: HttpRequest, name: str) -> HttpResponse:
    """An open indicator: its chart, and each figure with the records it comes from."""
    answers = store()
    content = metadata(answers).get("indicator", name)
    if not content:
        raise Http404(_("没有这一指标，或它不公开。"))
    title = localised(content["title"], name)
    rows = queries.observations(answers, name)
    values = [{"dimension": row["period"], "value": row["value"], "series": _series_text(row)} for row in rows]
    periods = {row["period"] for row in rows}
    unit = content["unit"] or _("数值")
    if len(periods) == 1:
        flat = [{"dimension": one["series"] or one["dimension"], "value": one["value"]} for one in values]
        chart = charts.bars("indicator", title, flat, dimension=_("类别"), measure=unit, note=next(iter(periods)))
    else:
        chart = charts.series("indicator", title, values, dimension=_("期间"), measure=unit, mark=content["chart"])
    columns = [
        Column(_("期间"), "date"),
        Column(_("类别")),
        Column(unit, "number"),
        Column(_("依据记录数"), "number"),
        Column(_("规则版本"), "code"),
    ]
    table = Table(
        title, columns,
        [[row["period"], _series_text(row), charts.figure(row["value"]), charts.figure(row["records"]), str(row["rule_version"] or "")[:12]]
         for row in reversed(rows[-60:])],
        _("还没有观测值"),
    )  # fmt: skip
    crumbs = [_home(), Crumb(_("统计"), reverse("statistics")), Crumb(title)]
    return page(request, "indicator.html", title=title, chart=chart, table=table, content=content, crumbs=crumbs)


def _series_text(row: dict[str, Any]) -> str:
    parts = [area_name(row["area"]) or row["area"] if row["area"] else "", row["series"] or ""]
    return " · ".join(part for part in parts if part)


@require_safe
def publicity(request: HttpRequest) -> HttpResponse:
    """How timely departments publish what the law gives a term for."""
    answers = store()
    found = queries.lateness(answers)
    columns = [
        Column(_("部门")), Column(_("应公示"), "number"), Column(_("按期"), "number"), Column(_("迟报"), "number"),
        Column(_("按期率"), "number"), Column(_("平均迟延（日）"), "number"),
    ]  # fmt: skip
    rows = [
        [
            one.title, charts.figure(one.due), charts.figure(one.due - one.late), charts.figure(one.late),
            f"{one.share_in_time:.1f}%", f"{one.late_days:.1f}" if one.late else "—",
        ]
        for one in found
    ]  # fmt: skip
    title = _("各部门公示及时率")
    values = [{"dimension": one.title, "value": round(one.share_in_time, 1)} for one in found]
    return page(
        request,
        "publicity.html",
        table=Table(
            title, columns, rows, _("还没有可以统计的公示"), _("部门开始报送有公示期限的决定后，会在这里统计。")
        ),
        chart=charts.bars("lateness", _("按期公示比例"), values, dimension=_("部门"), measure="%"),
        recent=queries.recent_facts(answers, limit=20),
        crumbs=[_home(), Crumb(_("公示及时率"))],
    )


def cycle_texts() -> dict[str, str]:
    """Update cycles in words."""
    return {"realtime": _("实时"), "daily": _("每日"), "weekly": _("每周"), "monthly": _("每月"), "quarterly": _("每季度"),
            "yearly": _("每年"), "irregular": _("不定期")}  # fmt: skip


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
            Cell(open_texts()[one.open][0], tone=open_texts()[one.open][1]), charts.figure(one.records), one.latest or "",
        ]
        for one in found
    ]  # fmt: skip
    fields = [
        Field("q", _("资源或信息项"), "search", text),
        Field("department", _("提供部门"), "select", department, departments),
    ]
    table = Table(_("数据目录"), columns, rows, _("没有符合条件的资源"), _("换一个词，或选择全部部门。"))
    return page(
        request, "catalog.html", fields=fields, table=table, count=len(found), crumbs=[_home(), Crumb(_("数据目录"))]
    )


@require_safe
def resource(request: HttpRequest, name: str) -> HttpResponse:
    """One resource: items with grades and masks, conditions, basis, checks, legal terms."""
    answers = store()
    known = metadata(answers)
    content = known.get("resource", name)
    if not content:
        raise Http404(_("目录中没有这一资源。"))
    columns = [
        Column(_("信息项")),
        Column(_("代码"), "code"),
        Column(_("数据元")),
        Column(_("必填")),
        Column(_("分级")),
        Column(_("公开方式")),
    ]
    rows: list[list[Cell | str]] = [
        [
            localised(item["title"], key), key, item["codes"] or item["element"], _("是") if item["required"] else "",
            str(item["grade"]), Cell(*_publication(item)),
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
        table=Table(_("信息项"), columns, rows),
        crumbs=[_home(), Crumb(_("数据目录"), reverse("catalog")), Crumb(title)],
    )


def _publication(item: Any) -> tuple[str, str, str]:
    if not item["public"]:
        return _("不公开"), "", ""
    if item["mask"] not in (None, "none"):
        return _("脱敏后公开"), "", "warn"
    return _("公开"), "", "ok"


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What the site is, where its data come from, and how a correction is asked for."""
    return page(request, "about.html", crumbs=[_home(), Crumb(_("关于本站"))])


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """How the site can be used without a mouse, with a screen reader, in print."""
    return page(request, "accessibility.html", crumbs=[_home(), Crumb(_("无障碍说明"))])


@require_safe
def api_guide(request: HttpRequest) -> HttpResponse:
    """The way into the JSON API."""
    return page(request, "api.html", crumbs=[_home(), Crumb(_("开放接口"))])
