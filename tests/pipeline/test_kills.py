"""A process that is killed at any moment of a delivery or a run leaves nothing half visible, and a rerun mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.pipeline.cities import ROOT, child, city, deliveries_of, new_home

ATTEMPTS = 200 if os.environ.get("SHUTONG_TEST_DEPTH") == "deep" else 20


def test_kills_at_random_moments(tmp_path: Path) -> None:
    files = deliveries_of(city())
    days = sorted({day for _, _, day in files})
    home = new_home(tmp_path / "home")
    history, last = ([[n, str(p), d] for n, p, d in files if (d == days[-1]) is late] for late in (False, True))
    child("deliver run", home.path, json.dumps(history), days[-2])

    script = str(Path(__file__).with_name("kills.py"))
    command = [sys.executable, script, str(home.path), json.dumps(last), days[-1], str(ATTEMPTS), "5"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=3000)
    assert done.returncode == 0, done.stderr
    undisturbed, *attempts = map(json.loads, done.stdout.splitlines())

    before, after = undisturbed["before"], undisturbed["after"]
    assert undisturbed["kind"] == "increment"
    assert before["tables"] != after["tables"]
    assert len(attempts) == ATTEMPTS
    for attempt in attempts:
        assert attempt["killed"]["tables"] in (before["tables"], after["tables"]), attempt["moment"]
        assert attempt["mended"] == after, attempt["moment"]
    # The moments must have hit the run, not only its beginning or its end.
    assert any(attempt["killed"]["tables"] == before["tables"] for attempt in attempts)
    assert any(attempt["killed"] != before for attempt in attempts)
