"""A process that is killed at any moment of a delivery or a run leaves nothing half visible, and a rerun mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from shutong.rules.plan import full_run, increment
from tests.pipeline.cities import FEW, ROOT, catalog, child, city, deliveries_of, new_home

DEEP = os.environ.get("SHUTONG_TEST_DEPTH") == "deep"
ATTEMPTS = 100 if DEEP else 10
"""Random moments of each of the two: a first full run with all that came before it, and the increment of a day."""

AFTER = ["mirror", "commit", "listings", "answers", "ledger"]
"""Places between the commits of the lake and what follows from them."""


PACKS = () if DEEP else FEW


def places(plan: Any) -> list[str]:
    stages = [one.stage.name for one in plan]
    return [*(stages if DEEP else stages[2:3]), *AFTER]


def test_kills_of_a_full_run_at_random_moments_and_between_any_two_steps(tmp_path: Path) -> None:
    check_kills(tmp_path, "full")


def check_kills(tmp_path: Path, kind: str) -> None:
    """Kill a run of a kind again and again; what is seen afterwards is before or after, and a rerun mends it."""
    files = [[name, str(path), day] for name, path, day in deliveries_of(city(packs=PACKS))]
    days = sorted({day for _, _, day in files})
    home = new_home(tmp_path / "home", PACKS)
    killed = files
    if kind == "increment":
        child("deliver run", home.path, json.dumps([one for one in files if one[2] != days[-1]]), days[-2])
        killed = [one for one in files if one[2] == days[-1]]
    plan = increment(catalog(PACKS)) if kind == "increment" else full_run(catalog(PACKS))

    script = str(Path(__file__).with_name("kills.py"))
    words = [json.dumps(killed), days[-1], str(ATTEMPTS), "5", ",".join(places(plan))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, script, str(home.path), *words], capture_output=True, text=True, env=environment, timeout=6000
    )
    assert done.returncode == 0, done.stderr
    undisturbed, *attempts = map(json.loads, done.stdout.splitlines())

    before, after = undisturbed["before"], undisturbed["after"]
    assert undisturbed["kind"] == kind
    assert before["tables"] != after["tables"]
    assert len(attempts) == ATTEMPTS + len(places(plan))
    for attempt in attempts:
        derived = {name: rows for name, rows in attempt["killed"]["tables"].items() if not is_input(name)}
        assert derived in (of_stages(before), of_stages(after)), attempt["at"]
        assert attempt["mended"] == after, attempt["at"]
    # The moments must have hit the run, not only its beginning or its end.
    assert any(of_stages(attempt["killed"]) == of_stages(before) for attempt in attempts)
    assert any(attempt["killed"] not in (before, after) for attempt in attempts)


def is_input(table: str) -> bool:
    """Whether deliveries write a table; each of them commits by itself, before the run."""
    return table.startswith("accepted/") or table in {"batches", "rejected"}


def of_stages(state: dict[str, Any]) -> dict[str, str]:
    return {name: rows for name, rows in state["tables"].items() if not is_input(name)}
