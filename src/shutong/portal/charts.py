"""Charts of the site: Vega-Lite specifications, each with its figures as a table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from .components import Cell, Chart, Column, Table

Values = Sequence[Mapping[str, Any]]

PALETTE = ("#0f6b7a", "#c8692c", "#5b7fb5", "#8a9a3b", "#a34a6b", "#6d5fa8", "#3f8f64", "#9a7b4f")
"""Eight hues that stay apart in greyscale order and for the usual colour blindness; never the only carrier."""

REST = "#a9b5bf"
"""What several small series together are drawn in."""

CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, WenQuanYi Micro Hei, sans-serif",
    "view": {"stroke": None},
    "axis": {"labelColor": "#43515e", "gridColor": "#e6ebee", "domainColor": "#c3cdd5", "tickColor": "#c3cdd5",
             "labelFontSize": 12, "labelLimit": 200, "labelOverlap": True, "labelSeparation": 8, "tickCount": 6},
    "axisX": {"grid": False},
    "legend": {"labelColor": "#43515e", "labelFontSize": 12, "orient": "bottom", "columns": 4, "title": None},
    "range": {"category": list(PALETTE)},
    "bar": {"cornerRadiusEnd": 2},
    "line": {"strokeWidth": 2.2, "point": {"size": 28}},
}  # fmt: skip
"""The look shared by every chart. Axes have no titles: the unit stands in the caption, unturned."""


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
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "config": CONFIG,
        "data": {"values": list(values)},
        "width": "container",
        "height": 260,
        "autosize": {"type": "fit", "contains": "padding"},
        **drawing,
    }
    heads = [Column(text, kind) for _field, text, kind in columns]  # type: ignore[arg-type]
    table = Table(title, heads, rows, _("没有数据"), _("部门交来数据并运行后，会画在这里。"))
    return Chart(name, title, spec, table, note)


def figure(value: Any) -> str:
    """A number as text: whole numbers with separators, others with two places."""
    if value is None:
        return "—"
    number = float(value)
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def _caption(measure: str, note: str) -> str:
    unit = _("单位：%(unit)s") % {"unit": measure}
    return f"{unit} · {note}" if note else unit


def bars(
    name: str, title: str, values: Values, *, dimension: str, measure: str, note: str = "", most: float = 0
) -> Chart:
    """One bar per dimension, one under the other in the order given, each with its figure at its end.

    Args:
        values: with the fields ``dimension`` and ``value``, and ``label`` where the figure is told in another form.
        dimension, measure: titles of the two.
        most: the value at which a bar is full; the largest of the values where it is 0.
    """
    largest = most or max((float(one["value"]) for one in values), default=1.0)
    x = {
        "field": "value",
        "type": "quantitative",
        "axis": None,
        # Room for the figure behind the longest bar.
        "scale": {"domain": [0, (largest or 1.0) * 1.22]},
    }
    y = {
        "field": "dimension",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"ticks": False, "domain": False},
    }
    tooltip = [{"field": "dimension", "title": dimension}, {"field": "label", "title": measure}]
    drawing = {
        "height": 26 * len(values) + 8,
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
        "layer": [
            {"mark": {"type": "bar", "color": PALETTE[0]}},
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "color": "#43515e", "fontSize": 12},
                "encoding": {"text": {"field": "label", "type": "nominal"}},
            },
        ],
    }
    shown = [{"label": figure(one["value"]), **one} for one in values]
    columns = [("dimension", dimension, "text"), ("value", measure, "number")]
    return _chart(name, title, shown, columns, drawing, _caption(measure, note))


def stacked(name: str, title: str, values: Values, *, dimension: str, measure: str, note: str = "") -> Chart:
    """One bar per dimension, one under the other, made up of its series. ``values`` have ``dimension``, ``series``, ``value``."""
    names = list(dict.fromkeys(str(one["series"]) for one in values))
    places = list(dict.fromkeys(one["dimension"] for one in values))
    drawing = {
        "height": 26 * len(places) + 40,
        "mark": "bar",
        "encoding": {
            "x": {"field": "value", "type": "quantitative", "title": None, "axis": {"grid": True}},
            "y": {"field": "dimension", "type": "nominal", "sort": None, "title": None},
            "color": _colour(names, [PALETTE[number % len(PALETTE)] for number in range(len(names))]),
            "tooltip": [
                {"field": "dimension", "title": dimension}, {"field": "series", "title": _("类别")},
                {"field": "value", "title": measure, "format": ",.10~f"},
            ],
        },
    }  # fmt: skip
    columns = [("dimension", dimension, "text"), ("series", _("类别"), "text"), ("value", measure, "number")]
    return _chart(name, title, values, columns, drawing, _caption(measure, note))


def columns_over_time(
    name: str, title: str, values: Values, *, dimension: str, measure: str, note: str = "", colours: Sequence[str] = ()
) -> Chart:
    """Columns beside each other for years or days, stacked by ``series`` where the values have one.

    Args:
        values: with the fields ``dimension``, ``value`` and perhaps ``series``, in order of time.
        colours: of the series in the order in which they appear.
    """
    several = any("series" in one for one in values)
    x = {"field": "dimension", "type": "ordinal", "sort": None, "title": None, "axis": {"labelAngle": 0}}
    y = {"field": "value", "type": "quantitative", "title": None}
    tooltip = [{"field": "dimension", "title": dimension}, {"field": "value", "title": measure, "format": ",.10~f"}]
    encoding: dict[str, Any] = {"x": x, "y": y, "tooltip": tooltip}
    columns = [("dimension", dimension, "date"), ("value", measure, "number")]
    if several:
        order = list(dict.fromkeys(str(one["series"]) for one in values))
        encoding["color"] = _colour(order, colours)
        encoding["tooltip"] = [tooltip[0], {"field": "series", "title": _("类别")}, tooltip[1]]
        columns.insert(1, ("series", _("类别"), "text"))
    drawing = {"mark": {"type": "bar", **({} if several else {"color": PALETTE[0]})}, "encoding": encoding}
    return _chart(name, title, values, columns, drawing, _caption(measure, note))


def _colour(order: Sequence[str], colours: Sequence[str]) -> dict[str, Any]:
    scale: dict[str, Any] = {"domain": list(order)}
    if colours:
        scale["range"] = list(colours)
    return {"field": "series", "type": "nominal", "title": None, "scale": scale}


def series(
    name: str, title: str, values: Values, *, dimension: str, measure: str, note: str = "", mark: str = "bar",
    order: Sequence[str] = (), rest: str = "",
) -> Chart:  # fmt: skip
    """Figures over months or days, by series where there are several.

    Args:
        values: with the fields ``dimension`` (an ISO day or month), ``value`` and ``series``.
        mark: bar (stacked), line or area.
        order: the series as the legend lists them; as they appear where it is empty.
        rest: the series in which what is small is added up; it is drawn grey.
    """
    names = list(order) or list(dict.fromkeys(str(one.get("series") or "") for one in values))
    # Days and months are legal ones: parsed and shown as written, in no time zone.
    x: dict[str, Any] = {
        "field": "dimension",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc"},
        "axis": {"format": "%Y-%m", "tickCount": 8},
    }
    if mark == "bar":
        x |= {"timeUnit": "utcyearmonth"}
    y: dict[str, Any] = {"field": "value", "type": "quantitative", "title": None}
    if mark == "bar":
        y["aggregate"] = "sum"
    tooltip = [
        {"field": "dimension", "title": dimension, "type": "nominal"},
        {"field": "value", "title": measure, "format": ",.10~f"},
    ]
    encoding: dict[str, Any] = {"x": x, "y": y, "tooltip": tooltip}
    columns = [("dimension", dimension, "date")]
    if len(names) > 1:
        hues = iter(PALETTE * (1 + len(names) // len(PALETTE)))
        encoding["color"] = _colour(names, [REST if one == rest else next(hues) for one in names])
        encoding["tooltip"] = [*tooltip[:1], {"field": "series", "title": _("类别")}, *tooltip[1:]]
        columns.append(("series", _("类别"), "text"))
    columns.append(("value", measure, "number"))
    drawing = {"mark": {"type": mark, **({} if len(names) > 1 else {"color": PALETTE[0]})}, "encoding": encoding}
    return _chart(name, title, values, columns, drawing, _caption(measure, note))
