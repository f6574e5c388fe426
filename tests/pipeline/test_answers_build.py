"""Ready answers from a lake: what is public gets in, what is not stays out, and a change equals a new build."""

from __future__ import annotations

import importlib.util
import random
import sqlite3
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shutong.pipeline.answers import schema
from shutong.pipeline.answers.build import build_full
from shutong.pipeline.answers.change import apply_changes, apply_listings, renew
from shutong.pipeline.answers.search import search
from shutong.pipeline.answers.store import AnswerStore
from shutong.rules.models import Listing

pytestmark = pytest.mark.django_db


def _city() -> ModuleType:
    name = "answers_city"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("answers_city.py"))
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


city = _city()


@pytest.fixture
def lake(tmp_path: Path) -> Any:
    made = city.Lake(tmp_path)
    for number in range(1, 41):
        made.names[number] = [f"澜川市第{number}号青禾商店"]
        made.penalties[number] = [(day, "虚假宣传") for day in range(1, number % 4 + 1)]
    made.names[1].append("澜川市老字号商店")
    made.redirects[99] = 1
    made.write()
    yield made
    made.engine.close()


def build(lake: Any) -> AnswerStore:
    build_full(lake.engine, lake.home.answers, lake.catalog, city.DAY, "run-1")
    return AnswerStore(lake.home.answers)


def rows_of(folder: Path) -> dict[str, Any]:
    """Every table's rows as sets; document numbers (ranks) and build times may differ."""
    store = AnswerStore(folder)
    found: dict[str, Any] = {}
    for table in schema.TABLES:
        skip = {"doc"} if table is schema.SUBJECT else set()
        columns = ["*"] if table is schema.SOURCE else [name for name in table.names if name not in skip]
        source = "answer_value" if table is schema.SOURCE else table.name
        rows = store.fetch(f"SELECT {', '.join(columns)} FROM {source}")
        kept = [
            tuple(row.values())
            for row in rows
            if row.get("name") not in {"built_at", "run_id"} and row.get("docs") != 0
        ]
        found[table.name] = sorted(map(repr, kept))
    return found


def list_subject(lake: Any, number: int, name: str = "abnormal") -> None:
    Listing.objects.create(
        candidate_id=f"c{number}{name}", list=name, ground="penalised", subject_id=lake.subject(number), since=city.DAY,
        rule_version="1", state=Listing.State.LISTED, found_on=city.DAY, entered_on=city.DAY, record_ids=["r1"],
    )  # fmt: skip


def test_a_subject_is_found_with_its_codes_names_and_figures(lake: Any) -> None:
    list_subject(lake, 3)
    store = build(lake)
    hit = search(store, lake.code(3)).hits[0].subject
    assert (hit["name"], hit["status"], hit["area"]) == ("澜川市第3号青禾商店", "1", "980101")
    assert (hit["facts"], hit["negative"], hit["listings"]) == (3, 3, 1)
    assert search(store, "老字号").hits[0].subject["subject_id"] == lake.subject(1)
    redirected = store.one("SELECT * FROM answer_subject WHERE subject_id = ?", [lake.subject(99)])
    assert redirected and redirected["redirect_to"] == lake.subject(1)


def test_nothing_that_is_not_public_gets_in(lake: Any) -> None:
    lake.penalties[2] = [(1, f"当事人 {city.CITIZEN} 电话{city.MOBILE}。")]
    list_subject(lake, 5, "not-a-public-list")
    lake.write()
    store = build(lake)
    content = store.folder.joinpath((store.folder / "current").read_text()).read_bytes()
    for text in (city.CITIZEN, city.MOBILE, "王小明", "机密", "hmac"):
        assert text.encode() not in content, text
    assert "王**" in store.scalar("SELECT value FROM answer_value WHERE attribute = 'legal_rep'")
    assert store.scalar("SELECT count(*) FROM answer_fact WHERE kind = 'secret'") == 0
    assert store.scalar("SELECT count(*) FROM answer_record WHERE resource = 'secret'") == 0
    assert store.scalar("SELECT count(*) FROM answer_listing") == 0


def test_statistics_agree_with_the_tables(lake: Any) -> None:
    store = build(lake)
    totals = {row["dimension"]: row["value"] for row in store.fetch("SELECT * FROM answer_stat WHERE stat = 'total'")}
    assert totals["subjects"] == 40
    assert totals["facts"] == sum(map(len, lake.penalties.values()))
    assert totals["records"] == 16
    publicity = {row["series"] for row in store.fetch("SELECT * FROM answer_stat WHERE stat = 'publicity'")}
    assert publicity == {"due", "late", "late_days"}


def test_changes_equal_a_new_build(lake: Any, tmp_path: Path) -> None:
    chance = random.Random(11)
    store = build(lake)
    for step in range(4):
        changed = chance.sample(sorted(lake.names), 5)
        for number in changed:
            action = chance.choice(["rename", "penalty", "forgive", "end", "merge"])
            if action == "rename":
                lake.names[number] = [f"澜川市改名{step}{number}公司", *lake.names[number]]
            elif action == "penalty":
                lake.penalties.setdefault(number, []).append((chance.randint(10, 400), f"新的{step}"))
            elif action == "forgive":
                lake.penalties[number] = []
            elif action == "end":
                del lake.names[number]
            else:
                lake.redirects[100 + number + step * 100] = number
        new = 200 + step
        lake.names[new] = [f"澜川市新设{new}公司"]
        if step == 2:
            list_subject(lake, new)
        lake.write([*changed, new])
        before = rows_of(lake.home.answers)
        report = renew(lake.engine, lake.home.answers, lake.catalog, city.DAY, f"run-{step}", full=False)
        assert report.longest_transaction > 0
        whole = tmp_path / f"whole-{step}"
        build_full(lake.engine, whole, lake.catalog, city.DAY, "run")
        after = rows_of(lake.home.answers)
        assert after != before, "the step changed nothing"
        for table, rows in rows_of(whole).items():
            assert after[table] == rows, table
        assert search(store, f"新设{new}").hits[0].subject["subject_id"] == lake.subject(new)
        for number in changed:
            if number in lake.names:
                text = lake.names[number][0]
                assert lake.subject(number) in [hit.subject["subject_id"] for hit in search(store, text).hits]


def test_a_decided_listing_shows_at_once(lake: Any) -> None:
    store = build(lake)
    list_subject(lake, 7)
    apply_listings(lake.home.answers, lake.catalog)
    assert store.scalar("SELECT listings FROM answer_subject WHERE subject_id = ?", [lake.subject(7)]) == 1


def test_a_failed_build_leaves_the_old_answers(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = build(lake)
    files = set(lake.home.answers.iterdir())
    monkeypatch.setattr(
        "shutong.pipeline.answers.build.swap_in", lambda *_: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        build_full(lake.engine, lake.home.answers, lake.catalog, city.DAY)
    assert set(lake.home.answers.iterdir()) == files
    assert search(store, "青禾").count == 40


def test_a_change_without_subjects_moves_the_business_day(lake: Any) -> None:
    store = build(lake)
    apply_changes(lake.engine, lake.home.answers, lake.catalog, [], city.DAY.replace(day=20), "run-9")
    assert store.meta()["business_day"] == "2026-07-20"


def test_a_file_without_format_is_not_read(lake: Any) -> None:
    store = build(lake)
    path = lake.home.answers / (lake.home.answers / "current").read_text()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answer_meta SET value = '0' WHERE name = 'format'")
    store.close()
    assert renew(lake.engine, lake.home.answers, lake.catalog, city.DAY, "run", full=False).path != path
    assert search(store, "青禾").count == 40
