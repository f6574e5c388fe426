"""The work of every day: the run, the seal, and old files of the lake removed."""

from __future__ import annotations

import json
from pathlib import Path

from tests.pipeline.cities import child, city, deliveries_of, digests, new_home


def test_the_daily_run_removes_what_no_table_needs(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    files = deliveries_of(city())
    day = max(day for _, _, day in files)
    home.change_setting("business_day", day)
    words = json.dumps([[name, str(path), when] for name, path, when in files])
    child("deliver run", home.path, words, day)
    child("run", home.path, day, "full")
    before, old = digests(home), sorted(home.lake.glob("values/*.parquet"))
    assert len(old) == 2, "both runs left their file"
    child("daily", home.path)
    left = sorted(home.lake.glob("values/*.parquet"))
    assert len(left) == 1 and left[0] in old
    assert digests(home) == before
