"""A day's batches taken in one after the other give the same tables as everything at once; a rerun changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

from tests.pipeline.cities import DERIVED, child, city, deliveries_of, digests, new_home


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
    assert set(before) == set(DERIVED)
    assert digests(whole) == before

    assert child("run", daily.path, days[-1]).stdout.split()[-1] == "nothing"
    assert child("run", daily.path, days[-1], "full").stdout.split()[-1] == "full"
    assert digests(daily) == before
