"""A day's batches taken in one after the other give the same tables as everything at once; a rerun changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.pipeline.cities import DERIVED, LOGS, child, city, deliveries_of, digests, new_home


def test_increments_equal_a_rebuild(tmp_path: Path) -> None:
    files = deliveries_of(city())
    days = sorted({day for _, _, day in files})
    daily = new_home(tmp_path / "daily")
    before = {}
    kinds = []
    for day in days:
        words = json.dumps([[name, str(path), when] for name, path, when in files if when == day])
        kinds.append(child("deliver run", daily.path, words, day).stdout.split()[-1])
        after = digests(daily)
        assert after != before, f"the deliveries of {day} changed nothing"
        before = after
    assert kinds == ["full", *["increment"] * (len(days) - 1)]

    whole = new_home(tmp_path / "whole")
    words = json.dumps([[name, str(path), when] for name, path, when in files])
    child("deliver run", whole.path, words, days[-1])
    assert set(before) >= set(DERIVED)
    assert digests(whole) == {name: rows for name, rows in before.items() if name not in LOGS}

    # The ready answers and decisions too: made day by day, left alone by a rerun, made anew by a rebuild.
    built, rerun, rebuilt = (run_and_look(daily.path, *words) for words in ([], [days[-1]], [days[-1], "full"]))
    assert (rerun.pop("kind"), rebuilt.pop("kind")) == ("nothing", "full")
    assert all(built["answers"].values()) and len(built["answers"]) > 8
    assert rerun == built
    assert rebuilt == built


def run_and_look(home: Path, *words: str) -> dict[str, Any]:
    """The state of a home after a run, or as it is; ``kind`` is the kind of run."""
    lines = child("run look" if words else "look", home, *words).stdout.splitlines()
    state: dict[str, Any] = json.loads(lines[-1])
    assert state["tables"]
    return {**state, "kind": lines[-2]} if words else state
