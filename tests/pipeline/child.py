"""What the tests of the way do in a process of its own: make a home, deliver files, run. Can be killed."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import sys
from pathlib import Path


def main(verb: str, folder: Path, words: list[str]) -> None:
    """One verb: ``home:make`` (JSON list of packs), ``deliver`` (JSON list of resource, path, day), ``run`` (day, then
    words full), ``daily``, ``look``."""
    if verb == "home:make":
        importlib.import_module("shutong.engine.home").Home.create(folder)
    importlib.import_module("shutong.portal.django").setup(folder)
    if verb == "home:make":
        importlib.import_module("shutong.cli.work.home").prepare(
            folder, packs=list(map(Path, json.loads(words.pop(0))))
        )
    if "deliver" in verb:
        deliver(folder, json.loads(words.pop(0)))
    if verb == "daily":
        daily()
    if "run" in verb:
        print(run(folder, words.pop(0), full="full" in words))
    if "look" in verb:
        state = importlib.import_module("tests.pipeline.state")
        print(json.dumps(state.state_of(folder)))


def deliver(folder: Path, files: list[tuple[str, str, str]]) -> None:
    """Deliver files, those of one day in one commit."""
    counter = importlib.import_module("shutong.quality.counter")
    delivery = importlib.import_module("shutong.quality.delivery").Delivery
    home = importlib.import_module("shutong.engine.home").Home.open(folder)
    engine = importlib.import_module("shutong.engine.engine").engine_of(home)
    declared = importlib.import_module("shutong.catalog.actions").current_catalog()
    system = importlib.import_module("shutong.accounts.actors").SYSTEM
    for day in sorted({day for _, _, day in files}):
        batch = [delivery(name, Path(path), dt.date.fromisoformat(day)) for name, path, when in files if when == day]
        counter.take_in(home, engine, declared, batch, acting=system)
    engine.close()


def run(folder: Path, day: str, *, full: bool = False) -> str:
    """Run the way on a business day; returns the kind of run it was."""
    home = importlib.import_module("shutong.engine.home").Home.open(folder)
    way = importlib.import_module("shutong.pipeline.runs")
    system = importlib.import_module("shutong.accounts.actors").SYSTEM
    kind: str = way.run_way(home, day=dt.date.fromisoformat(day), full=full, acting=system).kind
    return kind


def daily() -> None:
    """The work of every day, as if all files of the lake were old."""
    jobs = importlib.import_module("shutong.pipeline.jobs")
    jobs.KEEP = dt.timedelta(0)
    jobs.run_daily.func("")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
