"""A home with a demo city of chosen packs, taken through every stage: ``python -m bench.city HOME SUBJECTS PACK...``.

The registers alone (the pack ``city``) make a city of a million subjects in minutes; what a search looks up is the same.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from shutong.engine.home import Home

PACKS = Path(__file__).parents[1] / "packs"
SEED = 7


def build(folder: Path, subjects: int, packs: list[str]) -> None:
    """Make the home ``folder``, which is not there yet, with a city of ``subjects`` subjects."""
    home = Home.create(folder, demo=True)
    importlib.import_module("shutong.portal.django").setup(folder)
    actors = importlib.import_module("shutong.accounts.actors")
    catalog = importlib.import_module("shutong.catalog.actions")
    demo = importlib.import_module("shutong.cli.work.demo")
    runs = importlib.import_module("shutong.pipeline.runs")
    importlib.import_module("shutong.cli.work.home").migrate()
    catalog.install_packs([PACKS / pack for pack in packs], acting=actors.SYSTEM)
    city = demo.generate(
        home.path / demo.CITY, catalog.current_catalog(), subjects=subjects, seed=SEED, progress=lambda *_: None
    )
    home.change_setting("business_day", city.business_day)
    demo.deliver_city(home, city, lambda *_: None)
    runs.run_way(home, day=city.business_day, progress=lambda *_: None, acting=actors.SYSTEM)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
