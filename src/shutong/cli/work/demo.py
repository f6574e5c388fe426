"""Building the demo home: generate the city, deliver its files, run the way, write the summary."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import console, shipped_packs
from shutong.cli.work.create import finish_demo
from shutong.cli.work.home import install, migrate
from shutong.collect.intake import Delivery
from shutong.democity.city import CityReport, generate
from shutong.engine.duck import DuckEngine
from shutong.engine.home import Home
from shutong.engine.sampling import watch_memory
from shutong.pipeline.runs import run_way
from shutong.pipeline.summary import summarise
from shutong.quality.counter import take_in

CITY = "city"
"""Folder of the home with the delivered files and the truth beside them."""


class Steps:
    """Progress bars and the seconds and peak memory of each step."""

    def __init__(self) -> None:
        self.figures: list[dict[str, Any]] = []
        self._bars = Progress(
            TextColumn("{task.description:<26}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Callable[[int, int], None]]:
        """One step with its bar; the function that it yields is told how far it is."""
        bar = self._bars.add_task(title, total=None)
        began = time.perf_counter()
        with watch_memory() as peak:
            yield lambda done, total: self._bars.update(bar, completed=done, total=total)
        task = self._bars.tasks[bar]
        self._bars.update(bar, total=task.total or 1, completed=task.total or 1)
        self.figures.append({"stage": name, "seconds": time.perf_counter() - began, "peak_bytes": peak.bytes})

    def __enter__(self) -> Steps:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()


def build(folder: Path, *, subjects: int, seed: int, days: int) -> None:
    """Make the city and take it through every stage; the home is marked finished at the end."""
    home = Home.open(folder)
    migrate()
    install(folder, path=shipped_packs())
    catalog = current_catalog()
    with Steps() as steps:
        with steps.step("generate", "造城 generate") as tell:
            city = generate(home.path / CITY, catalog, subjects=subjects, seed=seed, days=days, progress=tell)
        home.change_setting("business_day", city.business_day)
        with steps.step("collect", "采集与检查 collect, check") as tell:
            deliver_city(home, city, tell)
        with steps.step("way", "识别…规则 identify … rules") as tell:
            report = run_way(
                home, day=city.business_day, progress=lambda _, n, count: tell(n - 1, count), acting=SYSTEM
            )
    steps.figures += [
        {"stage": one.name, "seconds": one.seconds, "peak_bytes": one.peak_bytes, "rows": dict(one.rows_out)}
        for one in report.stages
    ]
    summary = summarise(home, catalog, steps.figures)
    (home.path / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    finish_demo(folder, subjects=subjects, seed=seed, days=days)
    show(summary)


def deliver_city(home: Home, city: CityReport, tell: Callable[[int, int], None]) -> None:
    """Deliver the city's files in the order of their days, in one commit."""
    engine = DuckEngine.of_home(home)
    try:
        take_in(home, engine, current_catalog(), deliveries(home, city), acting=SYSTEM, progress=tell)
    finally:
        engine.close()


def deliveries(home: Home, city: CityReport) -> Sequence[Delivery]:
    """The city's files as deliveries, oldest first."""
    root = home.path / CITY
    return [Delivery(one.resource, root / one.path, one.received_on) for one in city.deliveries]


def show(summary: dict[str, Any]) -> None:
    """Print what came in, what came of it, and how long it took."""
    total = summary["total"]
    table = Table("", "", show_header=False, title="演示城市 / demo city", title_justify="left")
    for key, zh in (
        ("received", "收到 received"),
        ("accepted", "通过 accepted"),
        ("rejected", "拒收 rejected"),
        ("flagged", "存疑 flagged"),
        ("subjects", "主体 subjects"),
        ("facts", "信用事项 facts"),
        ("listings", "名单 listings"),
    ):
        table.add_row(zh, f"{total[key]:,}")
    for reason in total["reasons"][:6]:
        table.add_row(f"  拒收 {reason['rejected']:,}", f"{reason['zh']}  {reason['code']}")
    for stage in summary["stages"]:
        table.add_row(f"  {stage['stage']}", f"{stage['seconds']:.1f} s, {stage['peak_bytes'] / 1e6:,.0f} MB")
    console.print(table)
