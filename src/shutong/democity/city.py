"""The demo city: the files that departments of a fictional city deliver, and the truth of them beside it.

Subjects are made block by block, first for the registers, then again for all other resources: only when everybody is
registered can be said which of the other rows can be identified. So a million subjects need the memory of a block and
of the registers' keys (``book``). Everything follows from the seed: the same arguments give the same bytes.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa

from shutong.democity.book import Book, OpenBook
from shutong.democity.dirt import MAX_DIRT, choose_late, soil
from shutong.democity.events import HANDLERS, Event, inspections
from shutong.democity.files import Delivery, ResourceFiles, split_days
from shutong.democity.fill import Filling, anchor_of, fill, lags_of
from shutong.democity.geography import Geography, city_of_standards
from shutong.democity.identity import Known, identifiable
from shutong.democity.names import NAME_BITS
from shutong.democity.notes import Where, note_patterns, note_personal, note_records, note_subjects
from shutong.democity.organisations import Window
from shutong.democity.scene import DemoError, Scene, draw_rows, is_register, make_scene
from shutong.democity.soiled import Shares, Soiled, Soiling, clean
from shutong.democity.text import Flags, Ints, rows_at, stream
from shutong.democity.truth import Truth
from shutong.spec.catalog import Catalog
from shutong.spec.models import Demo, Item, Resource
from shutong.standards.codesets import code_set
from shutong.standards.terms import term

BLOCK = 25_000
"""Subjects made at a time."""
FIRST_DAY = datetime.date(2026, 6, 15)
USUAL_TERM = "double-publicity"
"""The term that late rows miss where a resource names none."""


@dataclass(frozen=True)
class CityReport:
    """What was made. ``deliveries`` are in the order in which the departments deliver them."""

    subjects: int
    seed: int
    first_day: datetime.date
    business_day: datetime.date
    records: int
    bad: int
    by_resource: dict[str, int]
    deliveries: tuple[Delivery, ...]
    dirt: float = 1.0


def generate(
    target: Path, catalog: Catalog, subjects: int = 20_000, seed: int = 7, days: int = 30, dirt: float = 1.0,
    first_day: datetime.date = FIRST_DAY, block: int = BLOCK, progress: Callable[[int, int], None] | None = None,
) -> CityReport:  # fmt: skip
    """Write a city's deliveries and its truth into an empty or new folder.

    Args:
        target: gets ``deliveries/<day>/<department>/<resource>-<day>[-n].<ext>``, ``truth/`` and ``city.json``;
            what an earlier city left there is removed.
        catalog: its resources with a ``demo:`` block appear in the city.
        subjects: organisations, 1 to 2,097,152.
        seed: the same seed gives the same bytes.
        days: delivery days; the first day's deliveries carry the history.
        dirt: 0 to 3; every share of the dirt is multiplied by it, 0 gives clean rows.
        block: subjects made at a time; part of what the bytes depend on.
        progress: called with the subjects done and their total.

    Raises:
        DemoError: a demo block that the city does not understand.
        ValueError: a number out of its range.
    """
    if not 1 <= subjects <= 1 << NAME_BITS:
        raise ValueError(f"subjects: 1 to {1 << NAME_BITS:,} are possible, not {subjects:,}")
    if days < 2:
        raise ValueError(f"days: at least 2 are needed (history, then daily deliveries), not {days}")
    if not 0 <= dirt <= MAX_DIRT:
        raise ValueError(f"dirt: 0 to {MAX_DIRT:g} are possible, not {dirt:g}")
    for name in ("deliveries", "truth"):
        shutil.rmtree(target / name, ignore_errors=True)
    first = (first_day - datetime.date(1970, 1, 1)).days
    window = Window(first, first + days - 1)
    writer = _City(target, catalog, seed, window, subjects, dirt)
    geography = city_of_standards()
    starts = range(0, subjects, block)
    # A city of one block keeps it; the blocks of a larger one are made again, which is cheaper than to store them.
    scenes = functools.lru_cache(1)(
        lambda start: make_scene(geography, start, min(block, subjects - start), seed, window)
    )
    with Truth(target / "truth") as truth:
        for turn, write in enumerate((writer.write_registers, writer.write_others)):
            for start in starts:
                write(scenes(start), truth)
                if progress:
                    progress((turn * subjects + min(start + block, subjects)) // 2, subjects)
    report = writer.report(first_day, days)
    _write_summary(target, report, geography)
    return report


def read_city(target: Path) -> CityReport:
    """The report of a city that was made before.

    Raises:
        FileNotFoundError: there is no city in the folder.
    """
    content = orjson.loads((target / "city.json").read_bytes())
    day = datetime.date.fromisoformat
    deliveries = tuple(Delivery(**{**d, "received_on": day(d["received_on"])}) for d in content["deliveries"])
    known = {field.name for field in dataclasses.fields(CityReport)}
    values = {key: value for key, value in content.items() if key in known}
    values |= {"first_day": day(values["first_day"]), "business_day": day(values["business_day"])}
    return CityReport(**{**values, "deliveries": deliveries})


def _write_summary(target: Path, report: CityReport, geography: Geography) -> None:
    content = dataclasses.asdict(report) | {"province": geography.province, "city": geography.city}
    (target / "city.json").write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


class _City:
    """The files of all resources while the blocks come by."""

    def __init__(self, target: Path, catalog: Catalog, seed: int, window: Window, subjects: int, dirt: float) -> None:
        self._catalog = catalog
        self._seed = seed
        self._window = window
        self._subjects = subjects
        self._dirt = dirt
        self._shares = Shares.at(dirt)
        shown = [(resource, resource.demo) for resource in catalog.resources.values() if resource.demo]
        shown.sort(key=lambda pair: pair[0].resource)
        self._registers = [pair for pair in shown if is_register(pair[0])]
        self._others = [pair for pair in shown if not is_register(pair[0])]
        self._files = {r.resource: ResourceFiles(target, r, demo.file) for r, demo in shown}
        self._serials = {r.resource: 0 for r, _ in shown}
        self._bad = 0
        self._known: dict[int, Known] = {}
        self._open_book = OpenBook()

    @functools.cached_property
    def _book(self) -> Book:
        return self._open_book.bind()

    def write_registers(self, scene: Scene, truth: Truth) -> None:
        """Write the block's rows of registers; who is registered decides which other rows can be identified."""
        known = self._known[scene.start] = Known.nobody(scene)
        for resource, demo in self._registers:
            _, soiled = self._rows(resource, demo, scene)
            known.learn(resource, soiled)
            self._open_book.learn(resource, soiled.rows.chosen(soiled.good()), scene)
            self._deliver(resource, soiled, identifiable(resource, soiled, scene, known, None), scene, truth)
        self._open_book.end_block()

    def write_others(self, scene: Scene, truth: Truth) -> None:
        """Write the block's other rows and what is true of its subjects."""
        known = self._known[scene.start]
        patterns: dict[str, Ints] = {}
        told: dict[str, Ints] = {}
        for resource, demo in self._others:
            event, soiled = self._rows(resource, demo, scene)
            found = identifiable(resource, soiled, scene, known, self._book)
            self._deliver(resource, soiled, found, scene, truth)
            patterns |= event.patterns
            for name, rows in event.tells.items():
                # Duplicates stand behind the event's own rows and are never good.
                told[name] = np.unique(event.rows.subject[rows & found[: len(rows)]])
        note_subjects(truth, scene, known)
        note_patterns(truth, scene, patterns, known, told)

    def _rows(self, resource: Resource, demo: Demo, scene: Scene) -> tuple[Event, Soiled]:
        random = stream(self._seed, "cells", resource.resource, scene.start)
        anchor = anchor_of(resource)
        handler = HANDLERS.get(demo.event) if demo.event else None
        if handler:
            event = handler(resource, demo, scene)
        else:
            share = len(scene.organisations) / self._subjects
            rows = draw_rows(resource, demo, scene, share, lags_of(demo.values, anchor))
            event = Event(rows, {}, {}, {})
            if demo.event == "inspection":
                event = inspections(scene, rows)
            elif demo.event:
                names = sorted([*HANDLERS, "inspection"])
                raise DemoError(
                    f"{resource.resource}: demo.event '{demo.event}' 不认识 / is not known: use one of {names}"
                )
        rows, late = event.rows, np.zeros(len(event.rows), np.bool_)
        usual = demo.dirt == "usual"
        task = Soiling(random, resource, scene, self._shares)
        if usual and anchor:
            rows, late = choose_late(task, rows, self._term(resource))
        filling = Filling(
            resource, demo.values, scene, rows, random, self._serials[resource.resource], anchor, self._codes
        )
        self._serials[resource.resource] += len(rows)
        cells = fill(filling, {name: text for name, text in event.items.items() if name in resource.items})
        if not usual:
            return event, clean(rows, cells)
        return event, soil(task, rows, cells, late, anchor)

    def _term(self, resource: Resource) -> int:
        """Working days within which the resource's rows are due."""
        rule = resource.publicity.rule if resource.publicity else USUAL_TERM
        day = datetime.date(1970, 1, 1) + datetime.timedelta(days=self._window.first)
        return term(rule, day).n

    def _codes(self, item: Item) -> list[str]:
        """Texts of a code set that are in use today, from the catalog's packs or the standards."""
        name = str(item.codes)
        if name in self._catalog.codes:
            return [title.zh for title in self._catalog.codes[name].values.values()]
        return [code.zh for code in code_set(name).codes.values() if code.until is None]

    def _deliver(self, resource: Resource, soiled: Soiled, found: Flags, scene: Scene, truth: Truth) -> None:
        if not len(soiled.rows):
            return
        order, days = split_days(soiled.rows.delivered)
        index = rows_at(order)
        cells = {name: column.take(index) for name, column in soiled.cells.items()}
        file = np.empty(len(order), object)
        row_no = np.empty(len(order), np.int64)
        for day, start, end in days:
            parts = [column.slice(start, end - start) for column in cells.values()]
            at = start
            for piece in self._files[resource.resource].add(day, parts):
                file[at : at + piece.rows] = piece.relative
                row_no[at : at + piece.rows] = piece.first_row + np.arange(piece.rows)
                at += piece.rows
        self._bad += int((~soiled.good()).sum())
        where = Where(pa.array(file, pa.string()), rows_at(row_no))
        note_records(truth, scene, resource, soiled, found, order, where)
        note_personal(truth, scene, resource, cells, soiled.rows.person[order], where)

    def report(self, first_day: datetime.date, days: int) -> CityReport:
        """Close every file and count."""
        deliveries = [delivery for files in self._files.values() for delivery in files.close()]
        deliveries.sort(
            key=lambda delivery: (delivery.received_on, delivery.department, delivery.resource, delivery.path)
        )
        by_resource: dict[str, int] = {}
        for delivery in deliveries:
            by_resource[delivery.resource] = by_resource.get(delivery.resource, 0) + delivery.rows
        last = first_day + datetime.timedelta(days=days - 1)
        records = sum(by_resource.values())
        return CityReport(
            self._subjects, self._seed, first_day, last, records, self._bad, by_resource, tuple(deliveries), self._dirt
        )
