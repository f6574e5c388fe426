"""The pack public-health on real figures: two sources of the same thing, with revisions, repeats and odd codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shutong.engine.engine import Engine
from shutong.engine.home import Home
from shutong.engine.lake import Lake
from tests.pipeline.cities import DERIVED, digests, new_home
from tests.reference import reference_data

FIRST, LAST, NEXT = "2020-01-23", "2020-02-04", "2020-02-05"
DAYS = (FIRST, "2020-01-24", LAST)
TABLES = (*DERIVED, "library/reported-area")


@pytest.fixture(scope="module")
def source() -> Path:
    """The folder of the figures."""
    data = reference_data()
    if data is None or not (data / "epidemic" / "bulletins").is_dir():
        pytest.skip("the epidemic figures are absent: set SHUTONG_REFERENCE_DATA to a folder that has epidemic/")
    return data / "epidemic"


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory, source: Path) -> tuple[Home, dict[str, Any]]:
    """A home with three days of both sources, run on the last of them, and what collecting the first two said."""
    home = new_home(tmp_path_factory.mktemp("health") / "home")
    summary, last, _ = shutong(
        home, collect(source, FIRST, DAYS[1]), collect(source, LAST, LAST), ["run", "--day", LAST]
    )
    return home, {"first": summary, "last": last}


COMMANDS = """
import json, sys
from shutong.cli.main import app
for words in json.loads(sys.argv[1]):
    app(words, standalone_mode=False)
"""


def shutong(home: Home, *commands: list[str]) -> list[dict[str, Any]]:
    """Run commands on a home in one process, as starting one is most of what it costs; what each printed as JSON."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DJANGO_")}
    environment["SHUTONG_HOME"] = str(home.path)
    lines = json.dumps([[*words, "--json"] for words in commands])
    command = [sys.executable, "-c", COMMANDS, lines]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def collect(source: Path, since: str, until: str) -> list[str]:
    """The command that collects the files of the pack from one day to another."""
    return ["pack", "collect", "public-health", "--source", str(source), "--since", since, "--until", until]


def rows(home: Home, sql: str, **views: str) -> list[dict[str, Any]]:
    """The answer of a query over lake tables."""
    engine = Engine(home.settings, Lake(home.lake), home.tmp)
    try:
        found: list[dict[str, Any]] = engine.query(sql, views).to_pylist()
        return found
    finally:
        engine.close()


def test_every_file_is_in_and_repeated_keys_are_rejected(collected: tuple[Home, dict[str, Any]], source: Path) -> None:
    told = {"first": 3, "last": 2}
    for part, days in (("first", DAYS[:2]), ("last", DAYS[2:])):
        summary = collected[1][part]
        bulletin, national = summary["resources"]["bulletin"], summary["resources"]["national-table"]
        assert summary["refused"] == []
        assert bulletin["files"] == len(files(source, "bulletins", days)) > 30
        assert national["files"] == len(files(source, "national", days)) == len(days)
        assert bulletin["received"] == sum(rows_of(path) for path in files(source, "bulletins", days))
        assert bulletin["rejected"] == bulletin["reasons"]["key.duplicate:date"]["rejected"] == told[part]
        assert (national["rejected"], national["received"]) == (0, national["accepted"])


def files(source: Path, folder: str, days: Sequence[str]) -> list[Path]:
    """The files of some days."""
    return [path for path in (source / folder).glob("*.csv") if path.name[:10] in days]


def rows_of(path: Path) -> int:
    """The data rows of a file."""
    return len(path.read_text(encoding="utf-8-sig").splitlines()) - 1


def test_a_later_bulletin_of_the_same_day_is_a_new_version(collected: tuple[Home, dict[str, Any]]) -> None:
    sql = "SELECT confirmed FROM a WHERE date = DATE '2020-01-24' AND province = '湖北省' AND city IS NULL ORDER BY seq"
    assert [row["confirmed"] for row in rows(collected[0], sql, a="accepted/bulletin")] == [None, 729]
    current = "SELECT current FROM links JOIN a ON a.record_id = links.record_id WHERE a.confirmed"
    found = rows(collected[0], f"{current} = 729 AND a.province = '湖北省'", a="accepted/bulletin", links="links")
    assert [row["current"] for row in found] == [True]


def test_places_are_found_by_code_and_those_without_one_are_set_aside(collected: tuple[Home, dict[str, Any]]) -> None:
    home = collected[0]
    places = rows(home, "SELECT * FROM a", a="library/reported-area")
    named = {row["name"]: row for row in places}
    assert named["武汉市"]["area"] == "420100"
    assert named["湖北省"]["area"] == "420000"
    assert named["中国"]["area"] is None
    assert (named["湖北省"]["figures_on"].isoformat(), named["湖北省"]["confirmed"]) == (LAST, 16678)
    both = "SELECT subject_id FROM l WHERE role = 'city' GROUP BY subject_id HAVING count(DISTINCT resource) = 2"
    assert len(rows(home, both, l="links")) > 300
    sql = "SELECT DISTINCT a.city, u.reason FROM u JOIN a ON a.record_id = u.record_id"
    aside = {(row["city"], row["reason"]) for row in rows(home, sql, u="unidentified", a="accepted/bulletin")}
    assert {("两江新区", "no-match"), ("外地来京", "no-match")} <= aside
    assert "两江新区" not in named


def test_where_the_sources_disagree_both_records_are_named(collected: tuple[Home, dict[str, Any]]) -> None:
    home = collected[0]
    found = rows(home, "SELECT * FROM d WHERE verification = 'bulletin-national'", d="disagreements")
    told = {row["key"]: (row["item"], row["left_value"], row["right_value"]) for row in found}
    assert told == {
        "2020-01-23 中国浙江省台州市": ("确诊 confirmed", "18", "4"),
        "2020-01-23 中国浙江省嘉兴市": ("确诊 confirmed", "3", "1"),
        "2020-01-23 中国浙江省温州市": ("确诊 confirmed", "6", "1"),
        "2020-02-04 中国江苏省南通市": ("确诊 confirmed", "25", "1"),
        "2020-02-04 中国江苏省苏州市": ("确诊 confirmed", "55", "2"),
    }
    suzhou = next(row for row in found if row["key"].endswith("苏州市"))
    for table, figure in (("bulletin", 55), ("national-table", 2)):
        sql = f"SELECT record_id FROM a WHERE city = '苏州市' AND date = DATE '{LAST}' AND confirmed = {figure}"
        assert next(row["record_id"] for row in rows(home, sql, a=f"accepted/{table}")) in suzhou["record_ids"]
    assert len(suzhou["record_ids"]) == 2


def test_cities_are_compared_with_their_province(collected: tuple[Home, dict[str, Any]]) -> None:
    sql = "SELECT key, left_value, right_value FROM d WHERE verification = 'cities-and-province'"
    told = {row["key"]: (row["left_value"], row["right_value"]) for row in rows(collected[0], sql, d="disagreements")}
    # The bulletin of that day adds up; the national table took the day's new cases of two cities for their totals.
    assert told["全国日报 2020-02-04 江苏省"] == ("264", "341")
    assert "省级通报 2020-02-04 江苏省" not in told


def test_indicators_have_a_figure_per_day_with_its_records(collected: tuple[Home, dict[str, Any]]) -> None:
    sql = "SELECT * FROM o WHERE indicator = 'confirmed-national' AND series = '确诊' ORDER BY period"
    found = rows(collected[0], sql, o="observations")
    assert len(found) == len(DAYS)
    assert (found[-1]["period"].isoformat(), found[-1]["value"]) == (LAST, 24324)
    assert all(len(row["record_ids"]) == row["records"] == 1 for row in found)
    sql = "SELECT count(DISTINCT area) AS n FROM o WHERE indicator = 'confirmed-by-province'"
    assert rows(collected[0], sql, o="observations") == [{"n": 34}]


def test_the_next_day_as_an_increment_equals_a_rebuild(
    collected: tuple[Home, dict[str, Any]], source: Path, tmp_path: Path
) -> None:
    before = digests(collected[0], TABLES)
    home = Home.open(shutil.copytree(collected[0].path, tmp_path / "home"))
    summary, report = shutong(home, collect(source, LAST, NEXT), ["run", "--day", NEXT])
    assert report["kind"] == "increment"
    bulletin = summary["resources"]["bulletin"]
    assert 0 < bulletin["repeated"] < bulletin["files"], (
        "the files of the day before were in, those of the day were not"
    )
    after = digests(home, TABLES)
    assert after != before
    shutong(home, ["run", "--day", NEXT, "--full"])
    assert digests(home, TABLES) == after
