"""A demo city through the real commands, measured against its truth: the bounds that the project promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def shutong(*words: str, code: int = 0) -> str:
    """What a command printed."""
    done = subprocess.run(
        [sys.executable, "-m", "shutong.cli.main", *words], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("accuracy") / "city"
    shutong("demo", "--home", str(home), "--subjects", "1500", "--seed", "23", "--no-serve")
    return home


@pytest.fixture(scope="module")
def measured(city: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(shutong("measure", "--home", str(city), "--json"))
    return figures


def test_every_planted_row_is_rejected_for_its_reason_and_no_good_one_is(measured: dict[str, Any]) -> None:
    assert measured["unread"] == 0 and measured["rows"] > 15_000
    planted = {line["dirt"] for line in measured["rejection"] if line["reason"]}
    assert planted >= {"check-digit", "date-after", "date-impossible", "duplicate", "swapped"}
    assert (measured["bad_missed"], measured["good_rejected"]) == (0, 0)


def test_identification_holds_its_bounds(measured: dict[str, Any]) -> None:
    codes, overall = measured["codes"], measured["overall"]
    assert codes["precision"] >= 0.999 and codes["recall"] >= 0.999
    assert overall["precision"] >= 0.995 and overall["recall"] >= 0.97
    assert {line["label"] for line in measured["by_evidence"]} >= {
        "uscc",
        "old-number",
        "name-area",
        "name-variant",
    }
    for group in ("by_evidence", "by_method", "by_dirt", "by_variant", "by_likeness"):
        assert all(line["linked"] + line["review"] <= line["rows"] for line in measured[group]), group
    assert (measured["branch_links"], measured["merged"]) == (0, 0)


def test_planted_patterns_are_found(measured: dict[str, Any]) -> None:
    for pattern in measured["patterns"]:
        assert pattern["planted"] > 0 and pattern["missed"] == 0, pattern


def test_the_summary_adds_up(city: Path) -> None:
    summary = json.loads((city / "summary.json").read_text(encoding="utf-8"))
    total, resources = summary["total"], summary["resources"]
    assert total["received"] == total["accepted"] + total["rejected"] == sum(one["received"] for one in resources)
    assert len(resources) >= 12 and len({one["department"] for one in resources}) >= 8
    assert {stage["stage"] for stage in summary["stages"]} >= {"generate", "collect", "identify", "facts", "answers"}


def test_a_home_without_a_city_is_refused(tmp_path: Path) -> None:
    shutong("init", "--home", str(tmp_path / "home"))
    assert "shutong demo" in shutong("measure", "--home", str(tmp_path / "home"), code=3)
