"""Figures to look at: statistics of the city, open indicators with the records behind each figure, timely publicity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shutong.pipeline.answers.store import AnswerStore, Row
from shutong.standards.areas import area_name
from shutong.standards.industries import industry_name, section_of

from .. import charts
from ..answers import store
from ..components import Cell, Chart, Column, Crumb, Spark, Table
from ..metadata import Content, Metadata, localised, metadata, unit_text
from ..queries import public as queries
from ..queries.views import Clock, FactView
from ..templatetags.ui import clock_text, weight_tone
from .frame import page, text_parameter
from .public import category_text

MOST_SERIES = 8
"""Series beyond which a table lists them one under the other instead of beside each other."""

MOST_ROWS = 120


def _crumbs(title: str = "") -> list[Crumb]:
    crumbs = [Crumb(_("首页"), reverse("home")), Crumb(_("统计"), reverse("statistics") if title else "")]
    return [*crumbs, Crumb(title)] if title else crumbs


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """Charts of subjects and facts, and the open indicators."""
    answers = store()
    found = [chart for chart in _statistics(answers, metadata(answers)) if chart.table.rows]
    return page(request, "statistics.html", charts=found, indicators=_indicator_cards(answers), crumbs=_crumbs())


def _indicator_cards(answers: AnswerStore) -> list[dict[str, Any]]:
    """Each indicator with its latest figure and a small picture of its figures over time."""
    known = metadata(answers)
    cards = []
    for name, title, content in queries.indicators(answers):
        code, found = queries.latest_series(answers, name)
        series = series_title(known, content, code)
        texts = period_texts([period for period, _value in found])
        card: dict[str, Any] = {
            "name": name,
            "title": title,
            "unit": unit_text(content["unit"]),
            "latest": "",
            "spark": None,
        }
        if found:
            last, value = found[-1]
            card |= {
                "latest": f"{value:,.0f}" if abs(value) >= 1000 else charts.figure(value),
                "period": " · ".join(filter(None, (series, texts[last]))),
            }
        if len(found) > 2:
            label = f"{title} {texts[found[0][0]]} – {texts[found[-1][0]]}"
            card["spark"] = Spark([value for _period, value in found], label)
        cards.append(card)
    return cards


def period_texts(periods: Iterable[str]) -> dict[str, str]:
    """Periods as they are read: months where all begin on a first, else days."""
    periods = list(periods)
    monthly = len(set(periods)) > 1 and all(one.endswith("-01") for one in periods)
    return {one: one[:7] if monthly else one for one in periods}


def _statistics(answers: AnswerStore, known: Metadata) -> Iterator[Chart]:
    def values(name: str, text: Any) -> list[dict[str, Any]]:
        rows = queries.statistic(answers, name)
        return [{"dimension": text(row["dimension"]), "value": row["value"]} for row in rows]

    subjects, rest = _("户"), _("其他")
    months, kinds = _facts_by_month(answers, known, rest)
    yield charts.series("facts", _("每月信用事项"), months, dimension=_("月份"), measure=_("条"), order=kinds, rest=rest,
                        note=_("最近 24 个月，按事项发生日期"))  # fmt: skip
    years = [one for one in values("subjects_by_year", str) if str(one["dimension"]) >= "1990"]
    yield charts.columns_over_time("years", _("主体按成立年份"), years, dimension=_("年份"), measure=subjects,
                                   note=_("含已注销的主体"))  # fmt: skip
    yield charts.bars("categories", _("各类主体"), values("subjects_by_category", lambda code: category_text(known, code)),
                      dimension=_("类别"), measure=subjects)  # fmt: skip
    yield charts.bars("areas", _("各区县主体"), values("subjects_by_area", lambda code: area_name(code) or code),
                      dimension=_("区划"), measure=subjects)  # fmt: skip
    days = values("received_by_day", lambda day: str(day)[5:])[1:]
    yield charts.columns_over_time("received", _("每日接收记录"), days, dimension=_("日期"), measure=_("行"),
                                   note=_("不含首日的历史数据"))  # fmt: skip
    yield charts.bars("industries", _("各行业门类主体"), _subjects_by_section(answers),
                      dimension=_("门类"), measure=subjects)  # fmt: skip


def _facts_by_month(answers: AnswerStore, known: Metadata, rest: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Facts of each month by kind, and the kinds, most first; those behind the six most frequent are one."""
    months = queries.statistic(answers, "facts_by_month")
    kinds: dict[str, float] = {}
    for row in months:
        kinds[row["series"]] = kinds.get(row["series"], 0) + row["value"]
    shown = sorted(kinds, key=lambda kind: -kinds[kind])[:6]
    by_month: dict[tuple[str, str], float] = {}
    for row in months:
        label = known.fact_title(row["series"]) if row["series"] in shown else rest
        by_month[row["dimension"], label] = by_month.get((row["dimension"], label), 0) + row["value"]
    values = [{"dimension": month, "series": label, "value": value} for (month, label), value in by_month.items()]
    order = [known.fact_title(kind) for kind in shown]
    return values, [*order, rest] if len(kinds) > len(shown) else order


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
    """An open indicator: its chart, its figures, and the records that a chosen figure comes from."""
    answers = store()
    known = metadata(answers)
    content = known.get("indicator", name)
    if not content:
        raise Http404(_("没有这一指标，或它不公开。"))
    title = localised(content["title"], name)
    rows = [_Observed.of(known, content, row) for row in queries.observations(answers, name)]
    period, label = text_parameter(request, "period"), text_parameter(request, "series")
    chosen = next((one for one in rows if one.period == period and one.label == label), None)
    return page(
        request,
        "indicator.html",
        name=name,
        title=title,
        content=content,
        chart=_indicator_chart(title, content, rows),
        table=_observations_table(title, content, rows),
        version=str(rows[0].row["rule_version"] or "") if rows else "",
        chosen=chosen.row if chosen else None,
        chosen_title=" · ".join(part for part in (period_texts(one.period for one in rows).get(period), label) if part),
        records=_records_table(answers, chosen.row) if chosen else None,
        crumbs=_crumbs(title),
    )


@dataclass(frozen=True)
class _Observed:
    """A figure of an indicator: when, where, of what, in words."""

    row: Row
    period: str
    place: str
    series: str

    @classmethod
    def of(cls, known: Metadata, content: Content, row: Row) -> _Observed:
        return cls(row, row["period"], _place(row["area"]), series_title(known, content, row["series"]))

    @property
    def label(self) -> str:
        """What it is of, beside its period."""
        return " · ".join(part for part in (self.place, self.series) if part)

    def cell(self) -> Cell:
        """The figure, leading to the records it rests on."""
        query = urlencode({"period": self.period, "series": self.label})
        return Cell(charts.figure(self.row["value"]), f"?{query}#records" if self.row["records"] else "")


def _indicator_chart(title: str, content: Content, rows: Sequence[_Observed]) -> Chart:
    unit = unit_text(content["unit"]) or _("数值")
    periods = {one.period for one in rows}
    if len(periods) == 1 and all(one.place and one.series for one in rows):
        values = [{"dimension": one.place, "series": one.series, "value": one.row["value"]} for one in rows]
        chart = charts.stacked("indicator", title, values, dimension=_("区划"), measure=unit, note=next(iter(periods)))
    elif len(periods) == 1:
        values = [{"dimension": one.label or one.period, "value": one.row["value"]} for one in rows]
        chart = charts.bars("indicator", title, values, dimension=_("类别"), measure=unit, note=next(iter(periods)))
    else:
        values = [{"dimension": one.period, "value": one.row["value"], "series": one.label} for one in rows]
        chart = charts.series("indicator", title, values, dimension=_("期间"), measure=unit, mark=content["chart"])
    return Chart(chart.id, chart.title, chart.spec, chart.table, chart.note, with_table=False)


def series_title(known: Metadata, content: Content, series: str | None) -> str:
    """A series in words, where its values are codes."""
    return known.code_text(content.get("series_codes"), series) if series else ""


def _place(area: str | None) -> str:
    return area_name(area) or area if area else ""


def _observations_table(title: str, content: Content, rows: Sequence[_Observed]) -> Table:
    """The figures, latest period first; a few series stand beside each other."""
    empty, hint = _("还没有观测值"), _("所依据的资源交来数据并运行后，会算出数值。")
    texts = period_texts(one.period for one in rows)
    series = list(dict.fromkeys(one.series for one in rows))
    if len(texts) == 1 and all(one.place and one.series for one in rows) and len(series) <= MOST_SERIES:
        head, lines = (
            Column(_("区划")),
            _beside(rows, list(dict.fromkeys(one.place for one in rows)), series, by_place=True),
        )
        return Table(title, [head, *(Column(one, "number") for one in series)], lines, empty, hint)
    labels = list(dict.fromkeys(one.label for one in rows))
    if 1 < len(labels) <= MOST_SERIES and len(texts) > 1:
        lines = _beside(rows, sorted(texts, reverse=True), labels, by_place=False)
        for line, period in zip(lines, sorted(texts, reverse=True), strict=True):
            line[0] = texts[period]
        columns = [Column(_("期间"), "date"), *(Column(one, "number") for one in labels)]
        return Table(title, columns, lines[:MOST_ROWS], empty, hint)
    several = len(labels) > 1
    columns = [Column(_("期间"), "date"), *([Column(_("类别"))] if several else []),
               Column(unit_text(content["unit"]) or _("数值"), "number"), Column(_("依据记录数"), "number")]  # fmt: skip
    ordered = sorted(rows, key=lambda one: one.period, reverse=True)
    lines = [
        [texts[one.period], *([one.label] if several else []), one.cell(), charts.figure(one.row["records"])]
        for one in ordered
    ]
    return Table(title, columns, lines[:MOST_ROWS], empty, hint)


def _beside(
    rows: Sequence[_Observed], down: Sequence[str], across: Sequence[str], *, by_place: bool
) -> list[list[Cell | str]]:
    """Figures with the places (or periods) down and the series across."""
    found = {(one.place if by_place else one.period, one.series if by_place else one.label): one for one in rows}
    return [[one, *(found[one, other].cell() if (one, other) in found else "" for other in across)] for one in down]


def _records_table(answers: AnswerStore, chosen: Row) -> Table:
    known = metadata(answers)
    rows: list[list[Cell | str]] = [
        [
            Cell(row["subject_name"], reverse("subject", args=[row["subject_id"]])),
            Cell(known.title("resource", row["resource"]), reverse("record", args=[row["record_id"]])),
            known.department_title(row["resource"]), row["received_on"],
        ]
        for row in queries.records(answers, chosen["record_ids"])
    ]  # fmt: skip
    columns = [Column(_("主体名称")), Column(_("记录")), Column(_("提供部门")), Column(_("接收日"), "date")]
    return Table(
        _("依据的记录"), columns, rows, _("依据的记录不向社会开放"), _("数值由不开放的记录汇总得出，只公开合计。")
    )


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
    values = [
        {"dimension": one.title, "value": round(one.share_in_time, 1), "label": f"{one.share_in_time:.1f}%"}
        for one in found
    ]
    chart = charts.bars("lateness", _("按期公示比例"), values, dimension=_("部门"), measure="%", most=100)
    return page(
        request,
        "publicity.html",
        table=Table(
            _("各部门公示及时率"), columns, rows,
            _("还没有可以统计的公示"), _("部门开始报送有公示期限的决定后，会在这里统计。"),
        ),
        chart=Chart(chart.id, chart.title, chart.spec, chart.table, chart.note, with_table=False),
        recent=_recent_table(queries.recent_facts(answers, limit=20)),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("公示及时率"))],
    )  # fmt: skip


def _recent_table(facts: Sequence[FactView]) -> Table:
    columns = [
        Column(_("主体名称")), Column(_("类别")), Column(_("事项")), Column(_("部门")), Column(_("决定"), "date"),
        Column(_("公示"), "date"), Column(_("公示期限"), "date"), Column(_("情况")),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(one.subject_name, reverse("subject", args=[one.subject_id])), Cell(one.title, tone=weight_tone(one.weight)),
            Cell(one.headline, reverse("fact", args=[one.fact_id])), one.department, one.on_date, one.received_on,
            str(one.clock.due) if one.clock else "", _clock_cell(one.clock),
        ]
        for one in facts
    ]  # fmt: skip
    return Table(_("最近公示"), columns, rows, _("近期没有新的公示"), _("部门交来新的许可或处罚决定后，会显示在这里。"))


def _clock_cell(clock: Clock | None) -> Cell:
    if clock is None:
        return Cell("")
    _text, tone = clock_text(clock)
    texts = {
        "done": _("按期"),
        "late": _("迟 %(n)s 个工作日"),
        "running": _("剩 %(n)s 个工作日"),
        "overdue": _("逾期 %(n)s 个工作日"),
    }
    return Cell(texts[clock.state] % {"n": clock.workdays}, tone=tone)
