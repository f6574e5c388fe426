"""Rows that follow from lives and planted patterns rather than from a volume: registers, annual reports, inspections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shutong.democity.areas import area_register, figures
from shutong.democity.organisations import EVENTS, NEVER
from shutong.democity.scene import Rows, Scene, eligible, owner_of, place_of, volume_of
from shutong.democity.text import Flags, Ints, Text, constant, pick, plain, stream, where
from shutong.spec.models import Demo, Resource

NO_REPORT_SHARE = 0.02
"""Firms that file no report for the last year due; a tenth of them files in the days after the term."""
UNREACHABLE_SHARE = 0.02
"""Of the firms inspected lately, those that the inspector cannot find at their registered address."""
UNREACHABLE = "查无下落"
FINDINGS = ("未发现问题", "发现问题已责令改正", "未开展与检查内容相关的经营活动", "不配合检查情节严重")


@dataclass(frozen=True)
class Event:
    """Rows of one resource, items that the event itself fills, and the subjects of planted patterns.

    ``patterns`` is keyed by the pattern's name; values are indexes of organisations within the block. ``tells`` marks
    the rows from which a platform can know: ``reported`` (a report of the last year), ``unreachable``.
    """

    rows: Rows
    items: dict[str, Text]
    patterns: dict[str, Ints]
    tells: dict[str, Flags]


Handler = Callable[[Resource, Demo, Scene], Event]


def registered(resource: Resource, demo: Demo, scene: Scene) -> Event:
    """A register: everybody as of the first day, and again the day after something changed.

    A volume below ``1 per subject`` leaves that share out and misses as large a share of the changes.
    """
    organisations, window = scene.organisations, scene.window
    random = stream(scene.seed, "registered", resource.resource, scene.start)
    rate = volume_of(resource, demo).rate
    able = eligible(scene, demo)
    able = able[random.random(len(able)) < rate]
    founded = organisations.event[able] == EVENTS.index("founded")
    changed = able[(organisations.event[able] > 0) & ~founded]
    changed = changed[random.random(len(changed)) < rate]
    subject = np.concatenate([able, changed])
    later = np.repeat([False, True], [len(able), len(changed)])
    occurred = np.where(founded, organisations.event_day[able], organisations.established[able])
    delivered = np.maximum(np.concatenate([occurred, organisations.event_day[changed]]) + 1, window.first)
    # A later version of a row still tells of the same founding.
    day = organisations.established[subject]
    person, place = owner_of(scene, subject, later), place_of(scene, subject, later)
    rows = Rows(subject, person, place, day, delivered, later)
    return Event(rows, {}, {}, {})


def residents(resource: Resource, demo: Demo, scene: Scene) -> Event:
    """Rows about persons: everybody on the first day, or the share that a volume below ``1 per subject`` names."""
    return Event(_once(resource, demo, scene, len(scene.people), "person"), {}, {}, {})


def houses(resource: Resource, demo: Demo, scene: Scene) -> Event:
    """Rows about houses: each on the first day, or the share that a volume below ``1 per subject`` names."""
    return Event(_once(resource, demo, scene, len(scene.places), "place"), {}, {}, {})


def areas(resource: Resource, demo: Demo, scene: Scene) -> Event:
    """The register of areas."""
    rows, items = area_register(resource, demo, scene)
    return Event(rows, items, {}, {})


def area_figures(resource: Resource, demo: Demo, scene: Scene) -> Event:
    """Figures of areas by period, with their revisions."""
    rows, items = figures(resource, demo, scene)
    return Event(rows, items, {}, {})


def annual_reports(_resource: Resource, demo: Demo, scene: Scene) -> Event:
    """Reports for the last two years, filed from 1 January to 30 June, most of them in the last weeks.

    Planted: firms that never file for the last year (``no-annual-report``) or only after the term
    (``late-annual-report``).
    """
    random = stream(scene.seed, "annual-report", scene.start)
    organisations, window = scene.organisations, scene.window
    able = eligible(scene, demo)
    parts: list[tuple[Ints, Ints, Ints]] = []
    patterns: dict[str, Ints] = {}
    for year in (window.year - 2, window.year - 1):
        opening = int(np.datetime64(f"{year + 1}-01-01").astype(np.int64))
        due = int(np.datetime64(f"{year + 1}-06-30").astype(np.int64))
        owing = able[(organisations.established[able] < opening) & (organisations.ended[able] >= due)]
        day = due - np.minimum(random.exponential(45, len(owing)).astype(np.int64), due - opening)
        if year == window.year - 1:
            missing = random.random(len(owing)) < NO_REPORT_SHARE
            late = missing & (random.random(len(owing)) < 0.1)
            day = np.where(missing, np.where(late, due + random.integers(2, 12, len(owing)), NEVER), day)
            active = organisations.ended[owing] == NEVER
            patterns = {
                "no-annual-report": owing[missing & ~late & active],
                "late-annual-report": owing[late & active & (day < window.last)],
            }
        kept = day < window.last
        parts.append((owing[kept], day[kept], np.full(int(kept.sum()), year)))
    subject, day, years = (np.concatenate(column) for column in zip(*parts, strict=True))
    later = day > organisations.event_day[subject]
    nobody = np.full(len(subject), -1, np.int64)
    rows = Rows(subject, nobody, nobody, day, np.maximum(day + 1, window.first), later)
    return Event(rows, {"report_year": plain(years)}, patterns, {"reported": years == window.year - 1})


def inspections(scene: Scene, rows: Rows) -> Event:
    """Results of inspections; planted: firms that cannot be found (``unreachable``)."""
    random = stream(scene.seed, "inspection", scene.start)
    organisations = scene.organisations
    active = (organisations.ended == NEVER) & (organisations.event == 0)
    chosen = active & (random.random(len(organisations)) < UNREACHABLE_SHARE)
    there = rows.subject >= 0
    recent = rows.day > scene.window.first - 90
    gone = there & recent & chosen[rows.subject]
    usual = pick(FINDINGS, random.choice(len(FINDINGS), len(rows), p=[0.8, 0.13, 0.06, 0.01]))
    result = where(gone, constant(UNREACHABLE, len(rows)), usual)
    return Event(rows, {"result": result}, {"unreachable": np.unique(rows.subject[gone])}, {"unreachable": gone})


HANDLERS: dict[str, Handler] = {
    "registered": registered,
    "resident": residents,
    "house": houses,
    "area": areas,
    "figures": area_figures,
    "annual-report": annual_reports,
}
"""Life events that ``demo.event`` may name; ``inspection`` adds results to rows drawn by volume."""


def _once(resource: Resource, demo: Demo, scene: Scene, count: int, part: str) -> Rows:
    index = np.arange(count, dtype=np.int64)
    rate = volume_of(resource, demo).rate
    if rate < 1:
        index = index[stream(scene.seed, "once", resource.resource, scene.start).random(count) < rate]
    nobody = np.full(len(index), -1, np.int64)
    who = {"subject": nobody, "person": nobody, "place": nobody, part: index}
    day = np.full(len(index), scene.window.first - 1)
    return Rows(**who, day=day, delivered=day + 1, later=np.zeros(len(index), np.bool_))
