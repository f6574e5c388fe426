"""Building the demo home: generate the city, deliver its files, run the way, write the summary."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import console, output, say, shipped_packs
from shutong.cli.work.create import finish_demo
from shutong.cli.work.home import install, migrate
from shutong.collect.intake import Delivery
from shutong.democity.city import CityReport, generate
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.engine.sampling import watch_memory
from shutong.pipeline.runs import run_way
from shutong.pipeline.summary import summarise
from shutong.quality.counter import take_in

CITY = "city"
"""Folder of the home with the delivered files and the truth beside them."""

_TOP_REASONS = 6


TITLES: Final = {
    "generate": "造城 generate",
    "collect": "采集检查 collect, check",
    "mentions": "提取提及 mentions",
    "identifiers": "整理标识 identifiers",
    "identify": "识别主体 identify",
    "values": "归集取值 values",
    "libraries": "归并入库 libraries",
    "conflicts": "比对来源 conflicts",
    "facts": "形成事项 facts",
    "lists": "名单规则 lists",
    "observations": "指标观测 observations",
    "disagreements": "多源核对 disagreements",
    "commit": "提交 commit",
    "listings": "名单列入 listings",
    "answers": "现成答案 ready answers",
}
"""The steps of a demo build in their order, as the bars call them."""


class Steps:
    """A progress bar for each step, one after the other, with its seconds and the peak memory of the process tree."""

    def __init__(self) -> None:
        self.figures: list[dict[str, Any]] = []
        self._bars = Progress(
            TextColumn("{task.description}", table_column=Column(width=24)),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._open: contextlib.ExitStack | None = None
        self._task: TaskID | None = None

    def begin(self, name: str) -> None:
        """End the step before and show the bar of the next one."""
        self.end()
        self._task = self._bars.add_task(TITLES.get(name, name), total=None)
        self._open = contextlib.ExitStack()
        self._open.enter_context(self._measured(name))

    def tell(self, done: int, total: int) -> None:
        """How far the step is."""
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total)

    def stage(self, name: str, _number: int, _count: int) -> None:
        """A stage of the way begins."""
        self.begin(name)

    def end(self) -> None:
        """The step is done: its bar is full."""
        if self._open is not None and self._task is not None:
            self._open.close()
            total = self._bars.tasks[self._task].total or 1
            self._bars.update(self._task, total=total, completed=total)
            self._bars.stop_task(self._task)
        self._open = None

    @contextlib.contextmanager
    def _measured(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        with watch_memory() as peak:
            yield
        seconds = round(time.perf_counter() - began, 3)
        self.figures.append({"stage": name, "seconds": seconds, "peak_bytes": peak.bytes})

    def __enter__(self) -> Steps:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._bars.stop()


def build(folder: Path, *, subjects: int, seed: int, days: int, dirt: float) -> None:
    """Make the city and take it through every stage; the home is marked finished at the end."""
    home = Home.open(folder)
    migrate()
    install(folder, path=shipped_packs())
    catalog = current_catalog()
    with Steps() as steps:
        steps.begin("generate")
        city = generate(
            home.path / CITY, catalog, subjects=subjects, seed=seed, days=days, dirt=dirt, progress=steps.tell
        )
        home.change_setting("business_day", city.business_day)
        steps.begin("collect")
        deliver_city(home, city, steps.tell)
        run_way(home, day=city.business_day, progress=steps.stage, acting=SYSTEM)
    summary = summarise(home, catalog, steps.figures)
    write_summary(home.path, summary)
    finish_demo(folder, subjects=subjects, seed=seed, days=days, dirt=dirt)
    show(summary)


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """Write ``summary.json``, whole or not at all."""
    draft = folder / "summary.json.new"
    draft.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / "summary.json")


def show_finished(folder: Path) -> None:
    """Show again what the finished demo home holds."""
    say(f"演示城市已就绪 / the demo city is ready: {folder}")
    show(json.loads((folder / "summary.json").read_text(encoding="utf-8")))


def deliver_city(home: Home, city: CityReport, tell: Callable[[int, int], None]) -> None:
    """Deliver the city's files in the order of their days, in one commit."""
    engine = engine_of(home)
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
    table = Table(show_header=False, title="演示城市 / demo city", title_justify="left")
    for _ in range(3):
        table.add_column(overflow="fold")
    for key, words in (
        ("received", "收到 received"),
        ("accepted", "接受 accepted"),
        ("rejected", "退回 rejected"),
        ("flagged", "存疑 flagged"),
        ("subjects", "主体 subjects"),
        ("facts", "信用事项 facts"),
        ("listings", "名单列入 listings"),
    ):
        table.add_row(words, f"{total[key]:,}", "")
        if key == "rejected":
            for reason in [one for one in total["reasons"] if one["rejected"]][:_TOP_REASONS]:
                table.add_row(f"  {reason['code']}", f"{reason['rejected']:,}", f"{reason['zh']}\n{reason['en']}")
    table.add_section()
    for stage in summary["stages"]:
        title = TITLES.get(stage["stage"], stage["stage"])
        table.add_row(title, f"{stage['seconds']:.1f} s", f"{stage['peak_bytes'] / 1e6:,.0f} MB")
    table.add_row("合计 all", f"{sum(stage['seconds'] for stage in summary['stages']):.1f} s", "")
    output.print(table)
