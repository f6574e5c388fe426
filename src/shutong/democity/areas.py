"""Rows about the areas of the city themselves: the register of areas, and the figures that statistics give of each.

Forms of ``demo.values`` that these events fill:

- ``{of_area: attribute}``: code, name, full_name, level, parent, in_force_from, in_force_to or successor of the area;
- ``{series: {member: [low, high]}, every: 1}``: the series of figures with the range of their level, one figure per area
  and ``every`` months;
- ``{of_figure: part}``: period (its first day), value, or stage (``STAGES``) of the figure.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.democity.scene import DemoError, Rows, Scene
from shutong.democity.text import Ints, Text, amounts, iso_dates, pick, rows_at, stream
from shutong.spec.models import Demo, Resource
from shutong.standards.areas import Area, area_parents, area_path, areas

AREA_ATTRIBUTES = ("code", "name", "full_name", "level", "parent", "in_force_from", "in_force_to", "successor")
FIGURE_PARTS = ("period", "value", "stage")
LEVELS = {"province": "省级", "city": "市级", "county": "县级"}
STAGES = ("初步数", "修订数")
"""A figure is published first and may be revised; the revised one is a new version of the same row."""

HISTORY_MONTHS = 24
PUBLISHED_AFTER = (12, 20)
"""Days from the end of a period to the day on which its figures are published."""
REVISED_SHARE = 0.12
REVISION = 0.03
"""Largest change of a figure by its revision, as a share."""
GROWTH = 0.05
"""Growth of a figure in a year."""


def areas_of_city(scene: Scene, in_force: bool = False) -> list[Area]:
    """The areas of the city's province in the standards; those of the city that exist today with ``in_force``."""
    code = scene.geography.city_code
    found = [area for area in areas().values() if area.code.startswith(code[:2])]
    if in_force:
        found = [area for area in found if area.until is None and area.code.startswith(code[:4])]
    return sorted(found, key=lambda area: area.code)


def area_register(_resource: Resource, demo: Demo, scene: Scene) -> tuple[Rows, dict[str, Text]]:
    """One row per area, retired ones too, delivered on the first day."""
    if scene.start:
        return _nothing(demo)
    listed = areas_of_city(scene)
    day = np.full(len(listed), scene.window.first - 1)
    return _rows(day, day + 1), _of_area(demo, listed, np.arange(len(listed)))


def figures(resource: Resource, demo: Demo, scene: Scene) -> tuple[Rows, dict[str, Text]]:
    """The figures of each area and series over the last months, and revised ones that come in day by day.

    Raises:
        DemoError: no item has the form ``series``.
    """
    if scene.start:
        return _nothing(demo)
    item, series, every = _series(resource, demo)
    random = stream(scene.seed, "figures", resource.resource)
    listed = areas_of_city(scene, in_force=True)
    periods = _periods(scene, every)
    place, kind, turn = (
        axis.ravel() for axis in np.meshgrid(np.arange(len(listed)), np.arange(len(series)), np.arange(len(periods)), indexing="ij")
    )  # fmt: skip
    amount = _amounts(random, list(series.values()), len(listed), len(periods), every)[place, kind, turn]
    ends = np.array([_month(period, every).toordinal() - _EPOCH for period in periods], np.int64)
    day = ends[turn] + random.integers(PUBLISHED_AFTER[0], PUBLISHED_AFTER[1] + 1, len(turn))
    published = day + 1 <= scene.window.last
    revised, day_revised = _revisions(random, scene, day, published)
    rows = np.concatenate([np.flatnonzero(published), revised])
    days = np.concatenate([day[published], day_revised])
    stage = np.repeat([0, 1], [int(published.sum()), len(revised)])
    changed = np.where(stage == 1, 1 + random.uniform(-REVISION, REVISION, len(rows)), 1.0)
    parts = {
        "period": iso_dates(np.array([period.toordinal() - _EPOCH for period in periods])[turn[rows]]),
        "value": amounts(np.maximum(np.rint(amount[rows] * changed * 100), 1).astype(np.int64)),
        "stage": pick(STAGES, stage),
    }
    items = {item: pick(list(series), kind[rows])} | _of_area(demo, listed, place[rows])
    for name, value in demo.values.items():
        if isinstance(value, dict) and "of_figure" in value:
            items[name] = parts[_known(resource, name, str(value["of_figure"]), FIGURE_PARTS)]
    return _rows(days, np.maximum(days + 1, scene.window.first)), items


def _nothing(demo: Demo) -> tuple[Rows, dict[str, Text]]:
    """No rows: areas are told of once, with the first block of the city."""
    forms = {"of_area", "series", "of_figure"}
    told = [name for name, value in demo.values.items() if isinstance(value, dict) and forms & set(value)]
    none = np.zeros(0, np.int64)
    return _rows(none, none), {name: pa.array([], pa.string()) for name in told}


_EPOCH = dt.date(1970, 1, 1).toordinal()


def _series(resource: Resource, demo: Demo) -> tuple[str, dict[str, list[float]], int]:
    for name, value in demo.values.items():
        if isinstance(value, dict) and "series" in value:
            return name, value["series"], int(value.get("every", 1))
    raise DemoError(
        f"{resource.resource}: demo.event figures 需要一项 {{series: {{名称: [低, 高]}}}} / needs an item of the form series"
    )


def _periods(scene: Scene, every: int) -> list[dt.date]:
    """First days of the periods that ended before the last delivery, oldest first."""
    last = dt.date.fromordinal(scene.window.last + _EPOCH)
    months = [last.year * 12 + last.month - 1 - back for back in range(HISTORY_MONTHS, 0, -1)]
    return [dt.date(month // 12, month % 12 + 1, 1) for month in months if month % every == 0]


def _month(start: dt.date, months: int) -> dt.date:
    """The first day some months later: the end of a period, not included."""
    month = start.year * 12 + start.month - 1 + months
    return dt.date(month // 12, month % 12 + 1, 1)


def _amounts(
    random: np.random.Generator, ranges: list[list[float]], places: int, periods: int, every: int
) -> npt.NDArray[np.float64]:
    """Amounts by area, series and period, with growth and seasons; the first area is the city, the sum of the others."""
    low, high = (np.log([float(bounds[side]) for bounds in ranges]) for side in (0, 1))
    level = np.exp(random.uniform(low, high, (places, len(ranges))))[:, :, None]
    months = np.arange(periods) * every
    course = (1 + 0.1 * np.sin(2 * np.pi * (months % 12) / 12)) * (1 + GROWTH) ** (months / 12)
    amounts_of = level * course * random.normal(1.0, 0.01, (places, len(ranges), periods))
    amounts_of = np.rint(amounts_of * 100) / 100
    amounts_of[0] = amounts_of[1:].sum(axis=0)
    return amounts_of


def _revisions(random: np.random.Generator, scene: Scene, day: Ints, published: Any) -> tuple[Ints, Ints]:
    """Which figures are revised after the first delivery, and on which day."""
    first, last = scene.window.first, scene.window.last
    able = np.flatnonzero(published & (day < last - 2) & (day > first - 370))
    chosen = able[random.random(len(able)) < REVISED_SHARE]
    earliest = np.maximum(day[chosen] + 1, first)
    chosen, earliest = chosen[earliest < last], earliest[earliest < last]
    return chosen, earliest + (random.random(len(chosen)) * (last - earliest)).astype(np.int64)


def _of_area(demo: Demo, listed: list[Area], index: Ints) -> dict[str, Text]:
    columns: dict[str, Any] = {
        "code": [area.code for area in listed],
        "name": [area.name for area in listed],
        "full_name": [area_path(area.code) for area in listed],
        "level": [LEVELS[area.level] for area in listed],
        "parent": [next(reversed(area_parents(area.code)), None) for area in listed],
        "in_force_from": [str(area.since) if area.since else None for area in listed],
        "in_force_to": [str(area.until) if area.until else None for area in listed],
        "successor": [area.successor for area in listed],
    }
    items = {}
    for name, value in demo.values.items():
        if isinstance(value, dict) and "of_area" in value:
            attribute = str(value["of_area"])
            if attribute not in columns:
                raise DemoError(f"{name}: 区划没有属性 '{attribute}' / areas have no such attribute: {AREA_ATTRIBUTES}")
            items[name] = pa.array(columns[attribute], pa.string()).take(rows_at(index))
    return items


def _known(resource: Resource, name: str, part: str, parts: tuple[str, ...]) -> str:
    if part not in parts:
        raise DemoError(f"{resource.resource}.{name}: 没有 '{part}'，可用 / there is no such part, use one of {parts}")
    return part


def _rows(day: Ints, delivered: Ints) -> Rows:
    nobody = np.full(len(day), -1, np.int64)
    return Rows(nobody, nobody, nobody, day, delivered, np.zeros(len(day), np.bool_))
