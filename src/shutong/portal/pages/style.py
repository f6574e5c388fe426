"""The style page: every component with every state, for looking at and for tests."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .. import charts
from ..components import Cell, Column, Crumb, Field, Figure, Option, Pager, Spark, Table
from ..queries.views import Clock, FactView, Line
from .frame import page

_DAY = dt.date(2026, 7, 14)
_FIVE = dt.timedelta(days=5)


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """All components with made-up values."""
    columns = [
        Column(_("名称")),
        Column(_("代码"), "code"),
        Column(_("日期"), "date"),
        Column(_("行"), "number"),
        Column(_("状态")),
    ]
    rows: list[list[Cell | str]] = [
        [
            Cell("示例企业", "#", note="第二行文字"),
            "91980100MA0000001A",
            "2026-07-14",
            "1,234",
            Cell(_("正常"), tone="ok"),
        ],
        [Cell("没有链接、值有误的行"), Cell("91980100", wrong=True), "", "0", Cell(_("退回"), tone="danger")],
    ]
    months = [f"2026-{month:02d}" for month in range(1, 8)]
    values = [
        {"dimension": month, "value": 10 + 3 * number, "series": kind}
        for kind in ("甲", "乙")
        for number, month in enumerate(months)
    ]
    days = [{"dimension": f"07-{number:02d}", "value": 10 + number % 7} for number in range(1, 15)]
    options = [Option("a", "选项甲"), Option("b", "选项乙")]
    return page(
        request,
        "style.html",
        crumbs=[Crumb(_("首页"), "/"), Crumb(_("样式"))],
        tones=("", "info", "ok", "warn", "danger"),
        table=Table("示例表", columns, rows),
        empty_table=Table("空表", columns, [], "没有数据", "说明为什么没有，以及可以做什么。"),
        pager=Pager(95, 20, 40, {"q": "示例"}),
        filters=[Field("q", "关键词", "search"), Field("kind", "类别", "select", "b", options)],
        fields=[
            Field("style-text", "文本", value="内容", help="帮助文字"),
            Field("style-required", "必填", required=True),
            Field("style-wrong", "有误", value="abc", errors=("应为 18 位代码",)),
            Field("style-date", "日期", "date", "2026-07-14"),
            Field("style-select", "选择", "select", "a", options),
            Field("style-area", "多行", "textarea", "两行\n文字"),
            Field("style-file", "文件", "file", accept=".csv"),
        ],
        lines=[Line("标题", "值"), Line("脱敏", "王**", masked=True), Line("不公开", "", masked=True), Line("没有值", "")],
        clocks=[
            Clock(_DAY + _FIVE, None, _DAY), Clock(_DAY, None, _DAY), Clock(_DAY - _FIVE, None, _DAY),
            Clock(_DAY, _DAY - _FIVE, _DAY), Clock(_DAY - _FIVE, _DAY, _DAY), Clock(_DAY + _FIVE, None, _DAY, "release"),
        ],
        facts=[_fact(weight, on) for weight, on in (("negative", "2026-07-01"), ("neutral", "2026-03-02"), ("positive", "2025-11-20"))],
        figures=[Figure("件数", 1234), Figure("行数", 56789), Figure("没有", 0)],
        spark=Spark([3, 5, 4, 8, 9, 7, 12], "示例"),
        days=charts.columns_over_time("style-days", "按日的图", days, dimension="日", measure="行"),
        series=charts.series("style-series", "分系列的图", values, dimension="月份", measure="件"),
        bars=charts.bars("style-bars", "条形图", values[:4], dimension="月份", measure="件"),
        blank=charts.bars("style-blank", "没有数据的图", [], dimension="月份", measure="件"),
    )  # fmt: skip


def _fact(weight: str, on: str) -> FactView:
    clock = Clock(_DAY, _DAY, _DAY, "double-publicity") if weight == "negative" else None
    return FactView(
        fact_id="example", subject_id="o1", kind="example", title="示例事项", headline="标题文字", lines=(Line("文号", "示〔2026〕1号"),),
        on_date=on, until_date=None, weight=weight, resource="example", resource_title="示例资源", department="示例部门",
        record_id="r1", batch_id="b1", received_on=on, clock=clock,
    )  # fmt: skip
