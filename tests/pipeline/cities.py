"""Small homes with a demo city, for the tests of the way: made once per process and copied."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from shutong.democity.city import CityReport, generate, read_city
from shutong.engine.engine import Engine
from shutong.engine.home import Home
from shutong.engine.lake import Lake
from shutong.spec.catalog import Catalog
from shutong.spec.loader import load_packs

ROOT = Path(__file__).resolve().parents[2]
DERIVED = (
    "mentions",
    "subjects",
    "identifiers",
    "links",
    "unidentified",
    "values",
    "library/legal-entity",
    "library/place",
    "library/region",
    "library/macro-economy",
    "library/e-licences",
    "library/food-operator",
    "conflicts",
    "facts",
    "candidates",
    "observations",
    "disagreements",
)
"""Tables that stages compute of a demo city; there are more, and an increment must leave all as a rebuild does."""

OF_THE_MOMENT = {"batches": {"received_at", "receipt"}, "subject_events": {"run_id"}}
"""Columns that say when something happened, or in which run, which no second run can repeat."""

LOGS = {"subject_events"}
"""Tables that say what runs found: a killed and repeated run writes them as an undisturbed one does, a rebuild from
nothing need not."""


FEW = ("city", "credit", "market")
"""Packs with registers, lists, indicators and libraries; a run of all packs took 6.5 s where one of these took 2.9."""


@functools.cache
def catalog(packs: tuple[str, ...] = ()) -> Catalog:
    """The packs of these names that come with the project, all of them where none is named."""
    return load_packs(_folders(packs))


def _folders(packs: tuple[str, ...]) -> list[Path]:
    return [ROOT / "packs" / name for name in packs] or [ROOT / "packs"]


@functools.cache
def city(subjects: int = 40, seed: int = 11, days: int = 4, packs: tuple[str, ...] = ()) -> Path:
    """A folder with a small city."""
    folder = Path(tempfile.mkdtemp(prefix="shutong-city-"))
    generate(folder, catalog(packs), subjects=subjects, seed=seed, days=days)
    return folder


def deliveries_of(folder: Path, days: slice = slice(None)) -> list[tuple[str, Path, str]]:
    """Resource, file and day of each delivery of the chosen days, in the order of arrival."""
    report: CityReport = read_city(folder)
    wanted = sorted({one.received_on for one in report.deliveries})[days]
    return [
        (o.resource, folder / o.path, o.received_on.isoformat()) for o in report.deliveries if o.received_on in wanted
    ]


def new_home(path: Path, packs: tuple[str, ...] = ()) -> Home:
    """A home with the databases and the packs, made once and copied."""
    shutil.copytree(_empty_home(packs), path)
    return Home.open(path)


@functools.cache
def _empty_home(packs: tuple[str, ...]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="shutong-home-")) / "home"
    child("home:make", folder, json.dumps(list(map(str, _folders(packs)))))
    return folder


def child(verb: str, folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run ``tests/pipeline/child.py`` on a home in a process of its own; Django serves one home per process."""
    command = [sys.executable, str(Path(__file__).with_name("child.py")), verb, str(folder), *words]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SHUTONG_HOME", "DJANGO_"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def tables_of(home: Home, names: Iterable[str] | None = None) -> dict[str, pa.Table]:
    """The contents of tables, sorted, so that two homes can be compared: of all but a run's own notes, or of ``names``."""
    engine = Engine(home.settings, Lake(home.lake), home.tmp)
    try:
        present = [name for name in engine.lake.tables() if name != "ways" and not name.startswith("scope/")]
        chosen = [name for name in present if names is None or name in set(names)]
        found = {name: engine.query("SELECT * FROM t ORDER BY ALL", {"t": name}) for name in chosen}
        return {name: rows.drop_columns(list(OF_THE_MOMENT.get(name, ()))) for name, rows in found.items()}
    finally:
        engine.close()


def digests(home: Home, names: Iterable[str] | None = None) -> dict[str, str]:
    """A hash per table over its sorted contents; see ``tables_of``."""
    return {name: _digest(table) for name, table in tables_of(home, names).items()}


def _digest(table: pa.Table) -> str:
    digest = hashlib.sha256()
    for row in table.to_pylist():
        digest.update(repr(sorted(row.items())).encode())
    return digest.hexdigest()
