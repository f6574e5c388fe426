"""Libraries through the way: as of a past day, placed in space, and conflicts that two departments settle together."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import functools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.libraries.sources import shared_sql, supplied_sql
from shutong.libraries.tables import library_table
from shutong.pipeline.answers.store import current_file
from shutong.pipeline.asof import whole_on
from tests.pipeline.cities import catalog, child, city, deliveries_of, new_home, tables_of

LIBRARIES = tuple(library_table(name) for name in sorted(catalog().libraries))


def words(files: list[tuple[str, Path, str]]) -> str:
    return json.dumps([[name, str(path), day] for name, path, day in files])


@functools.cache
def _run_home() -> Path:
    """A home that took in every delivery of the small city: the first day's in a full run, the rest in an increment."""
    home = new_home(Path(tempfile.mkdtemp(prefix="shutong-libraries-")) / "home")
    files = deliveries_of(city())
    days = sorted({when for _, _, when in files})
    child("deliver run", home.path, words([one for one in files if one[2] == days[0]]), days[0])
    child("deliver run", home.path, words([one for one in files if one[2] > days[0]]), days[-1])
    return home.path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    shutil.copytree(_run_home(), tmp_path / "home")
    return Home.open(tmp_path / "home")


def test_libraries_as_of_a_day_equal_a_rebuild_with_what_was_known_then(tmp_path: Path) -> None:
    files = deliveries_of(city())
    days = sorted({when for _, _, when in files})
    then = new_home(tmp_path / "then")
    child("deliver run", then.path, words([one for one in files if one[2] <= days[1]]), days[1])
    rebuilt = tables_of(then, (*LIBRARIES, "values", "conflicts"))
    now = Home.open(_run_home())
    engine = engine_of(now)
    try:
        with whole_on(engine, catalog(), dt.date.fromisoformat(days[1])) as run:
            asked = {name: run.peek("SELECT * FROM t ORDER BY ALL", {"t": name}) for name in rebuilt}
    finally:
        engine.close()
    assert {name: table.to_pylist() for name, table in asked.items()} == {
        name: table.to_pylist() for name, table in rebuilt.items()
    }
    empty = {name for name, table in rebuilt.items() if table.num_rows == 0}
    assert empty <= {"library/reported-area", "conflicts"}, "only the library of real bulletins is empty here"
    today = tables_of(now, rebuilt)
    changed = {name for name, table in rebuilt.items() if not table.equals(today[name])}
    assert {"library/legal-entity", "values"} <= changed, "the later days changed nothing"


def shutong(*arguments: str | Path, status: int = 0) -> str:
    """Run the command in a process of its own and return what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SHUTONG_", "DJANGO_"))}
    command = [sys.executable, "-m", "shutong.cli.main", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_a_library_is_asked_now_and_as_of_a_past_day(home: Home, tmp_path: Path) -> None:
    register = tmp_path / "areas.csv"
    register.write_text(
        "行政区划代码,名称,全称,层级,上级代码,生效日期,入库日期\n"
        "980105,临江区,云安省澜川市临浦区,县级,980100,2021-06-01,2026-06-18\n",
        encoding="utf-8",
    )
    last = sorted({when for _, _, when in deliveries_of(city())})[-1]
    child("deliver run", home.path, words([("administrative-area", register, last)]), last)

    def names(*options: str) -> list[tuple[str, bool]]:
        told = shutong("query", "--home", home.path, "--library", "region", "--json", "980105", *options)
        found = [one["instances"][0]["attributes"] for one in json.loads(told)["subjects"]]
        own = {"attribute": "code", "value": "980105"}
        (values,) = [one for one in found if any(own.items() <= value.items() for value in one)]
        assert all(value["record_id"] and value["received_on"] for value in values)
        return [(value["value"], value["chosen"]) for value in values if value["attribute"] == "name"]

    assert names() == [("临江区", True), ("临浦区", False)]
    assert names("--as-of", "2026-06-15") == [("临浦区", True)]
    assert names("--valid-on", "2026-06-16") == [("临浦区", False)]
    assert "不公开" in child_error("query", "--home", home.path, "--library", "population", "张", status=3)


def test_libraries_are_listed_and_exported_now_and_as_of_a_past_day(home: Home, tmp_path: Path) -> None:
    listed = {
        one["library"]: one
        for one in map(json.loads, shutong("library", "list", "--home", home.path, "--json").splitlines())
    }
    assert (listed["place"]["placed"], listed["population"]["public"], listed["food-operator"]["class"]) == (
        True, False, "theme",
    )  # fmt: skip
    assert listed["legal-entity"]["attributes"]["tax_status"] == ["taxpayer.status"]
    target = tmp_path / "firms.parquet"
    made = [
        json.loads(shutong("library", "export", "legal-entity", target, "--home", home.path, "--json", *options))
        for options in (("--as-of", "2026-06-14"), ())
    ]
    table = pq.read_table(target)
    assert made[0]["rows"] == 0 < made[1]["rows"] == table.num_rows, "nothing was known before the first delivery"
    assert table.column("geometry").null_count == table.num_rows - made[1]["points"]
    assert "citizen" not in str(table.schema) and "phone" not in table.column_names
    with contextlib.closing(sqlite3.connect(home.path / "state.sqlite3")) as connection:
        departures = connection.execute("SELECT resource, receiver, count FROM audit_departure").fetchall()
    assert departures == [("library/legal-entity", "public", one["rows"]) for one in made]
    for name, status in (("population", 3), ("e-licences", 3), ("nothing", 2)):
        child_error("library", "export", name, tmp_path / "x.parquet", "--home", home.path, status=status)
    assert not (tmp_path / "x.parquet").exists()


def test_no_identity_or_mobile_number_stands_in_a_library(home: Home) -> None:
    planted = set(pq.read_table(city() / "truth" / "planted_personal.parquet")["value"].to_pylist())
    tables = tables_of(home, (*LIBRARIES, "values", "conflicts", "disagreements"))
    assert tables["library/population"].num_rows > 20 and len(planted) > 50
    for name, table in tables.items():
        for column in table.column_names:
            if pa.types.is_string(table.schema.field(column).type):
                assert not planted & set(table[column].to_pylist()), f"{name}.{column}"
    people = [row for row in tables["values"].to_pylist() if row["attribute"] == "citizen_id"]
    assert all(row["sealed"] and row["grade"] == "3" for row in people)


def child_error(*arguments: str | Path, status: int) -> str:
    command = [sys.executable, "-m", "shutong.cli.main", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


# ---- space -----------------------------------------------------------------------------------------------------------


def features(home: Home) -> dict[str, tuple[Any, ...]]:
    path = current_file(home.answers)
    assert path is not None
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT * FROM answer_feature").fetchall()
    return {f"{row[0]}/{row[1]}": row for row in rows}


def test_a_moved_address_moves_who_stands_there_and_equals_a_new_build(home: Home, tmp_path: Path) -> None:
    before = features(home)
    standing = next(row for row in before.values() if row[0] == "legal-entity" and row[3])
    place = before[f"place/{standing[3]}"]
    told = json.loads(place[8])
    moved = tmp_path / "addresses.json"
    row = {
        "地址编码": told["code"], "标准地址": told["address"], "入库日期": "2026-06-17", "区划代码": told["area"],
        "街道（乡镇）": told["town"], "道路": told["road"], "门牌号": told["house_number"],
        "经度": "134.5", "纬度": "22.5",
    }  # fmt: skip
    moved.write_text(json.dumps([row], ensure_ascii=False), encoding="utf-8")
    last = sorted({when for _, _, when in deliveries_of(city())})[-1]
    child("deliver run", home.path, words([("standard-address", moved, last)]), last)
    after = features(home)
    assert after[f"place/{standing[3]}"][4:6] == (134.5, 22.5)
    assert after[f"legal-entity/{standing[1]}"][4:6] == (134.5, 22.5)
    areas = {key for key, value in after.items() if value[0] == "region" and value != before[key]}
    assert len(areas) == 3, "its county, its city and its province are marked elsewhere"
    child("run", home.path, last, "full")
    assert features(home) == after


def test_areas_without_addresses_have_no_point_and_nobody_is_placed_at_home(home: Home) -> None:
    placed = features(home)
    regions = [json.loads(row[8]) | {"x": row[4]} for row in placed.values() if row[0] == "region"]
    assert {one["point_from"] for one in regions} == {"mean-of-addresses", None}
    assert all((one["x"] is None) == (one["addresses"] is None) for one in regions)
    (retired,) = [one for one in regions if one["code"] == "980109"]
    assert (retired["x"], retired["in_force_to"], retired["successor"]) == (None, "2021-05-31", "980105")
    codes = [json.loads(row[8])["uscc"] for row in placed.values() if row[0] == "legal-entity"]
    assert codes and not [code for code in codes if code.startswith("92")]
    assert {row[0] for row in placed.values()} == {"region", "place", "legal-entity", "buildings"}
    assert not [row for row in placed.values() if row[2].startswith("p") or (row[3] or "").startswith("p")]


# ---- conflicts -------------------------------------------------------------------------------------------------------

CODE = "91980101MA00000158"


def register(folder: Path, name: str, rows: list[dict[str, str]]) -> Path:
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def tickets(home: Home) -> dict[str, dict[str, Any]]:
    """Tickets of the compared names by department, each with its lines, as the state database has them."""
    with contextlib.closing(sqlite3.connect(home.path / "state.sqlite3")) as connection:
        connection.row_factory = sqlite3.Row
        sql = "SELECT * FROM quality_ticket WHERE subject = 'legal-entity.name'"
        found = [dict(row) for row in connection.execute(sql)]
        for ticket in found:
            lines = connection.execute("SELECT * FROM quality_ticketrow WHERE ticket_id = ?", [ticket["id"]])
            ticket["lines"] = [dict(line) for line in lines]
    assert len({ticket["department"] for ticket in found}) == len(found), "a second ticket was opened"
    return {ticket["department"]: ticket for ticket in found}


def test_a_conflict_goes_to_both_departments_and_an_agreed_correction_closes_both(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    business = {
        "统一社会信用代码": CODE, "主体名称": "澜川云帆食品有限公司", "主体类型": "企业", "登记状态": "存续",
        "登记区划": "980101", "成立日期": "2015-03-01",
    }  # fmt: skip
    taxpayer = {
        "SHXYDM": CODE, "NSRMC": "澜川云航食品有限公司", "DJRQ": "2015-03-10", "NSRZT": "正常", "XZQH": "980101",
    }  # fmt: skip
    first = [
        ("registration", register(tmp_path, "business", [business]), "2026-06-15"),
        ("taxpayer", register(tmp_path, "taxpayer", [taxpayer]), "2026-06-15"),
    ]
    child("deliver run", home.path, words(first), "2026-06-15")
    opened = tickets(home)
    assert set(opened) == {"market-supervision", "taxation"}
    values = tables_of(home, ["values"])["values"].to_pylist()
    said = {row["value"]: row["record_id"] for row in values if row["attribute"] == "name"}
    for ticket in opened.values():
        assert (ticket["kind"], ticket["state"], ticket["open_rows"]) == ("disagreement", "open", 1)
        (line,) = ticket["lines"]
        assert (line["left"], line["right"]) == ("澜川云帆食品有限公司", "澜川云航食品有限公司")
        assert json.loads(line["records"]) == [said[line["left"]], said[line["right"]]]
        assert line["reasons"] == "registration/taxpayer"
        assert line["about"] == next(row["subject_id"] for row in values)

    child("run", home.path, "2026-06-15", "full")
    child("run", home.path, "2026-06-16")
    assert {one: ticket["id"] for one, ticket in tickets(home).items()} == {
        one: ticket["id"] for one, ticket in opened.items()
    }

    corrected = register(tmp_path, "corrected", [taxpayer | {"NSRMC": "澜川云帆食品有限公司"}])
    child("deliver run", home.path, words([("taxpayer", corrected, "2026-06-17")]), "2026-06-17")
    closed = tickets(home)
    assert {(one["state"], one["closed_on"], one["open_rows"]) for one in closed.values()} == {
        ("closed", "2026-06-17", 0)
    }
    assert {line["state"] for one in closed.values() for line in one["lines"]} == {"resolved"}
    disagreements: pa.Table = tables_of(home, ["disagreements"])["disagreements"]
    assert disagreements.num_rows == 0


def test_who_says_what_of_whom(home: Home) -> None:
    base = [name for name, one in catalog().libraries.items() if one.class_ == "base"]
    engine = engine_of(home)
    try:
        found = engine.query(shared_sql(base), {"v": "values"}).to_pylist()
        some = engine.query(shared_sql(base, 3), {"v": "values"}).to_pylist()
        supplied = engine.query(supplied_sql(base), {"v": "values"}).to_pylist()
        rows = engine.query("SELECT library, attribute, subject_id, resource, rank FROM v", {"v": "values"}).to_pylist()
    finally:
        engine.close()
    said: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in rows:
        if row["library"] in base:
            ranks = said.setdefault((row["library"], row["attribute"], row["subject_id"]), {})
            ranks[row["resource"]] = min(row["rank"], ranks.get(row["resource"], row["rank"]))
    subjects: Counter[tuple[str, ...]] = Counter()
    both: Counter[tuple[str, ...]] = Counter()
    for (library, attribute, _subject), ranks in said.items():
        authority = min(ranks, key=lambda resource: ranks[resource])
        for resource in ranks:
            subjects[library, attribute, resource] += 1
            if resource != authority:
                both[library, attribute, authority, resource] += 1
    told = {(row["library"], row["attribute"], row["authority"], row["resource"]): row for row in found}
    assert {key: row["in_both"] for key, row in told.items()} == both
    assert all(row["subjects"] == subjects[key[0], key[1], key[3]] for key, row in told.items())
    assert {(row["library"], row["attribute"], row["resource"]) for row in supplied} == set(subjects)
    assert both["legal-entity", "phone", "registration", "social-insurance-unit"] > 0
    assert 0 < sum(row["in_both"] for row in some) < sum(both.values())
