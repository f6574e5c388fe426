"""A day on which one in a hundred subjects changes, against computing everything again.

The home is a demo city after its full run. The next day the register delivers one in a hundred of its rows with another
address; what counts is that delivery, the increment and the renewed answers, against the same for the whole city.
"""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.identify import city
from bench.sides import RECORDS_PER_SUBJECT, Row, row, side
from shutong.collect.intake import Delivery
from shutong.engine.engine import engine_of
from shutong.engine.home import Home

GOAL = 0.05
DEFAULT, FULL = 100_000, 10_000_000
EVERY = 100
RESOURCE, ADDRESS = "registration", "住所"


def run(full: bool = False, size: int | None = None) -> list[Row]:
    """``ours`` and ``peer`` are seconds of the increment and of the full build (collecting, run and answers of each).

    Args:
        full: a city of 10,000,000 records.
        size: another number of records.
    """
    records = size or (FULL if full else DEFAULT)
    with city(max(100, round(records / RECORDS_PER_SUBJECT))) as home:
        summary = json.loads((home / "summary.json").read_text(encoding="utf-8"))
        whole = sum(stage["seconds"] for stage in summary["stages"] if stage["stage"] != "generate")
        with tempfile.TemporaryDirectory(prefix="shutong-bench-", dir=home.parent) as folder:
            copy = Path(folder) / "home"
            shutil.copytree(home, copy, ignore=shutil.ignore_patterns("city"))
            figures = side([sys.executable, "-m", "bench.increment", str(copy), str(home / "city")])
    seconds = figures["collect"] + figures["run"]
    return [
        row(
            "increment",
            "the full build of the same city",
            GOAL,
            ours=round(seconds, 1),
            peer=round(whole, 1),
            met=seconds <= GOAL * whole,
            records=summary["total"]["received"],
            subjects=summary["total"]["subjects"],
            **figures,
        )
    ]


def changed_rows(delivered: Path, target: Path, day: dt.date) -> int:
    """Write one in a hundred rows of the register's first file with another address; returns how many."""
    with delivered.open(encoding="gb18030", newline="") as source:
        rows = list(csv.DictReader(source))[::EVERY]
    for one in rows:
        one[ADDRESS] = f"{one[ADDRESS]}{day.day}室"
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def main(folder: Path, made: Path) -> None:
    """Deliver the day to a copy of the home, run it, and print the figures."""
    importlib.import_module("shutong.portal.django").setup(folder)
    actors = importlib.import_module("shutong.accounts.actors")
    catalog: Any = importlib.import_module("shutong.catalog.actions")
    counter = importlib.import_module("shutong.quality.counter")
    runs = importlib.import_module("shutong.pipeline.runs")
    home = Home.open(folder)
    day = home.today() + dt.timedelta(days=1)
    path = folder / "registration-next.csv"
    first = min(made.glob(f"deliveries/*/*/{RESOURCE}-*.csv"))
    rows = changed_rows(first, path, day)
    started = time.perf_counter()
    engine = engine_of(home)
    counter.take_in(home, engine, catalog.current_catalog(), [Delivery(RESOURCE, path, day)], acting=actors.SYSTEM)
    engine.close()
    collected = time.perf_counter()
    home.change_setting("business_day", day)
    report = runs.run_way(Home.open(folder), day=day, acting=actors.SYSTEM)
    ended = time.perf_counter()
    figures = {
        "rows": rows,
        "kind": report.kind,
        "collect": round(collected - started, 2),
        "run": round(ended - collected, 2),
        "stages": {stage.name: round(stage.seconds, 2) for stage in report.stages},
        "peak_mb": max(stage.peak_bytes for stage in report.stages) >> 20,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
