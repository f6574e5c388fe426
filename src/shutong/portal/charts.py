"""Charts of the site: Vega-Lite specifications, each with its figures as a table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from .components import Cell, Chart, Column, Table

Values = Sequence[Mapping[str, Any]]

PALETTE = ("#0f6b7a", "#c8692c", "#5b7fb5", "#8a9a3b", "#a34a6b", "#6d5fa8", "#3f8f64", "#9a7b4f")
"""Eight hues that stay apart in greyscale order and for the usual colour blindness; never the only carrier."""

CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, WenQuanYi Micro Hei, sans-serif",
    "view": {"stroke": None},
    "axis": {"labelColor": "#43515e", "titleColor": "#43515e", "gridColor": "#e6ebee", "domainColor": "#c3cdd5",
             "tickColor": "#c3cdd5", "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 150,
             "labelOverlap": True, "tickCount": 6},
    "legend": {"labelColor": "#43515e", "titleColor": "#43515e", "labelFontSize": 12, "orient": "bottom", "columns": 4},
    "range": {"category": list(PALETTE)},
    "bar": {"cornerRadiusEnd": 2},
    "line": {"strokeWidth": 2.2, "point": {"size": 28}},
}  # fmt: skip
"""The look shared by every chart."""


def _chart(
    name: str,
    title: str,
    values: Values,
    columns: Sequence[tuple[str, str, str]],
    drawing: Mapping[str, Any],
    note: str,
) -> Chart:
    """A chart from its drawing and the columns (field, title, kind) of its table."""
    rows = [
        [
            Cell(figure(one.get(field)) if kind == "number" else str(one.get(field) or "—"))
            for field, _title, kind in columns
        ]
        for one in values
    ]
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": CONFIG,
        "data": {"values": list(values)},
        "width": "container",
        "height": 260,
        "autosize": {"type": "fit", "contains": "padding"},
        **drawing,
    }
    table = Table(title, [Column(text, kind) for _field, text, kind in columns], rows, _("没有数据"))  # type: ignore[arg-type]
    return Chart(name, title, spec, table, note)


def figure(value: Any) -> str:
    """A number as text: whole numbers with separators, others with two places."""
    if value is None:
        return "—"
    number = float(value)
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def bars(
    name: str, title: str, values: Values, *, dimension: str, measure: str, note: str = "", upright: bool = False
) -> Chart:
    """One bar per dimension, longest first as given. ``values`` have the fields ``dimension`` and ``value``.

    Args:
        dimension, measure: titles of the two.
        upright: columns beside each other (for time) instead of bars one under the other (for names).
    """
    category = {
        "field": "dimension",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelAngle": 0, "labelOverlap": True},
    }
    quantity = {"field": "value", "type": "quantitative", "title": measure}
    tooltip = [{"field": "dimension", "title": dimension}, {"field": "value", "title": measure, "format": ",.10~f"}]
    drawing: dict[str, Any] = {
        "mark": {"type": "bar", "color": PALETTE[0]},
        "encoding": {"x" if upright else "y": category, "y" if upright else "x": quantity, "tooltip": tooltip},
    }
    if not upright:
        drawing["height"] = max(120, 26 * len(values) + 40)
    columns = [("dimension", dimension, "text"), ("value", measure, "number")]
    return _chart(name, title, values, columns, drawing, note)


def series(
    name: str, title: str, values: Values, *, dimension: str, measure: str, note: str = "", mark: str = "bar",
    temporal: bool = True,
) -> Chart:  # fmt: skip
    """Figures over time, by series where there are several. ``values`` have ``dimension``, ``value`` and ``series``.

    Args:
        mark: bar (stacked), line or area.
        temporal: the dimension is an ISO day or month.
    """
    several = len({one.get("series") for one in values}) > 1
    x: dict[str, Any] = {"field": "dimension", "type": "temporal" if temporal else "ordinal", "title": None}
    if temporal:
        # Days and months are legal ones: parsed and shown as written, in no time zone.
        x |= {"scale": {"type": "utc"}, "axis": {"format": "%Y-%m", "labelOverlap": True, "tickCount": 8}}
        if mark == "bar":
            x |= {"timeUnit": "utcyearmonth"}
    y = {"field": "value", "type": "quantitative", "title": measure, "aggregate": "sum"}
    tooltip = [
        {"field": "dimension", "title": dimension, "type": "nominal"},
        {"field": "value", "title": measure, "format": ",.10~f"},
    ]
    encoding: dict[str, Any] = {"x": x, "y": y, "tooltip": tooltip}
    columns = [("dimension", dimension, "date")]
    if several:
        encoding["color"] = {"field": "series", "type": "nominal", "title": None, "sort": None}
        encoding["tooltip"] = [*tooltip[:1], {"field": "series", "title": _("类别")}, *tooltip[1:]]
        columns.append(("series", _("类别"), "text"))
    if mark != "bar":
        y.pop("aggregate")
    columns.append(("value", measure, "number"))
    drawing = {"mark": {"type": mark, **({} if several else {"color": PALETTE[0]})}, "encoding": encoding}
    return _chart(name, title, values, columns, drawing, note)
