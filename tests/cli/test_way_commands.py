"""The commands that programs rely on: summary, receipts, runs, accounts; bad deliveries among them, by the real ``collect``."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.demohome import DAYS, SEED, SUBJECTS
from tests.cli.shell import Shell

HEADER = "编号,地点,检查日期,结论"
RECEIPT = {
    "batch", "sha256", "received", "accepted", "rejected", "flagged", "reasons", "warnings", "refusal", "signature",
    "resource", "state", "file_name", "bytes", "received_on", "repeated",
}  # fmt: skip
PACK = {
    "pack.yml": "pack: tiny\ntitle: 小城\nversion: 1.0.0\nsteward: 数据局\n"
    "departments:\n  market: {title: {zh: 市场监管局, en: Market bureau}}\n",
    "resources/inspection-note.yml": """resource: inspection-note
title: {zh: 检查记录, en: Inspection notes}
department: market
basis: 检查办法
key: [number]
items:
  number: {element: text, title: 编号, required: true}
  place: {element: text, title: 地点}
  checked_on: {element: date, title: 检查日期, required: true}
  verdict: {element: text, title: 结论}
""",
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A home with one small resource, made by ``init``."""
    folder = tmp_path_factory.mktemp("tiny")
    for name, text in PACK.items():
        (folder / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tiny" / name).write_text(text, encoding="utf-8")
    shell = Shell(folder / "home")
    shell("init", "--pack", folder / "tiny")
    return shell


def delivered(shell: Shell, path: Path, code: int = 0) -> dict[str, Any]:
    receipt: dict[str, Any] = shell("collect", "inspection-note", path, "--json", code=code).json
    assert receipt.keys() >= RECEIPT
    assert receipt["received"] == receipt["accepted"] + receipt["rejected"]
    return receipt


# --- the demo city ------------------------------------------------------------------------------------------------


def test_the_summary_of_a_demo_home_adds_up(city: Shell) -> None:
    assert city.home
    summary = json.loads((city.home / "summary.json").read_text(encoding="utf-8"))
    assert summary.keys() >= {"total", "resources", "stages"}
    total, resources = summary["total"], summary["resources"]
    assert total["received"] == total["accepted"] + total["rejected"] > 1_000
    for figure in ("received", "accepted", "rejected", "flagged", "batches"):
        assert total[figure] == sum(one[figure] for one in resources)
    assert all(one["received"] == one["accepted"] + one["rejected"] for one in resources)
    assert all(total[figure] > 0 for figure in ("subjects", "facts", "flagged"))
    with contextlib.closing(sqlite3.connect(city.home / "state.sqlite3")) as state:
        candidates = state.execute("SELECT ground, state, waits_for FROM rules_listing").fetchall()
    assert candidates
    assert total["listings"] == sum(state == "listed" for _, state, _ in candidates)
    # The system enters whom no report was found of, unless one that may be theirs waits for a person.
    waiting = [waits for ground, state, waits in candidates if (ground, state) == ("no-annual-report", "proposed")]
    assert total["listings"] or waiting
    assert all(json.loads(waits) for waits in waiting)
    assert all(reason["code"] and reason["zh"] and reason["en"] for reason in total["reasons"])
    assert len(resources) >= 12 and len({one["department"] for one in resources}) >= 8
    stages = {stage["stage"]: stage for stage in summary["stages"]}
    assert stages.keys() >= {"generate", "collect", "identify", "libraries", "facts", "lists", "answers"}
    assert all(stage["seconds"] >= 0 and stage["peak_bytes"] > 0 for stage in summary["stages"])


def test_a_finished_demo_home_is_shown_again_and_kept(city: Shell) -> None:
    assert city.home
    words = ("--subjects", str(SUBJECTS), "--days", str(DAYS), "--no-serve")
    before = (city.home / "summary.json").stat().st_mtime_ns
    shown = city("demo", *words, "--seed", str(SEED))
    assert "识别主体" in shown.out and "received" in shown.out
    other = city("demo", *words, "--seed", str(SEED + 1), code=3)
    assert "--fresh" in other.err and "--home" in other.err
    assert (city.home / "summary.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("what", ["file", "folder", "home"])
def test_what_is_no_demo_home_is_never_touched(shutong: Shell, tiny: Shell, tmp_path: Path, what: str) -> None:
    place = tmp_path / "place"
    if what == "file":
        place.write_text("mine", encoding="utf-8")
    elif what == "folder":
        place.mkdir()
        (place / "letter.txt").write_text("mine", encoding="utf-8")
    else:
        assert tiny.home
        shutil.copytree(tiny.home, place)
    before = sorted(path.name for path in place.rglob("*")) if place.is_dir() else place.read_text(encoding="utf-8")
    for fresh in ([], ["--fresh"]):
        done = shutong("demo", "--home", place, "--subjects", "50", "--no-serve", *fresh, code=3)
        assert str(place) in done.err
    after = sorted(path.name for path in place.rglob("*")) if place.is_dir() else place.read_text(encoding="utf-8")
    assert after == before


# --- collect and run ----------------------------------------------------------------------------------------------


def test_a_delivery_gets_its_receipt_and_is_known_again(tiny: Shell, tmp_path: Path) -> None:
    file = tmp_path / "检查 记录.csv"
    file.write_text(
        f"{HEADER}\n1,镜湖区,2026-07-01,合格\n2,镜湖区,2026-02-30,合格\n,南桥区,2026-07-01,\n", encoding="gb18030"
    )
    receipt = delivered(tiny, file)
    assert (receipt["received"], receipt["accepted"], receipt["rejected"]) == (3, 1, 2)
    reasons = {(reason["code"], reason["item"]): reason["rows"] for reason in receipt["reasons"]}
    assert reasons == {("date.impossible", "checked_on"): [2], ("item.required", "number"): [3]}
    again = delivered(tiny, file)
    assert again["repeated"] and again["batch"] == receipt["batch"]
    assert "此前已收" in tiny("collect", "inspection-note", file).err


def test_refused_deliveries_are_code_3_and_leave_no_row(tiny: Shell, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    odd = tmp_path / "other.csv"
    odd.write_text("甲,乙\n1,2\n", encoding="utf-8")
    for path, code in (
        (empty, "file.empty"),
        (odd, "header.unknown"),
        (tmp_path / "nowhere.csv", "file.missing"),
        (tmp_path, "file.missing"),
        (Path("/dev/null"), "file.empty"),
    ):
        receipt = delivered(tiny, path, code=3)
        assert (receipt["state"], receipt["received"], receipt["refusal"]["code"]) == ("refused", 0, code)
        assert receipt["refusal"]["zh"] and receipt["refusal"]["en"]
    assert "整批退回" in tiny("collect", "inspection-note", empty, code=3).err


def test_a_file_name_of_strange_bytes_is_told_without_harm(tiny: Shell, tmp_path: Path) -> None:
    path = Path(bytes(tmp_path / "x").decode("utf-8") + "\udcff\udcfe\n.csv")
    path.write_text(f"{HEADER}\n90,镜湖区,2026-07-01,合格\n", encoding="utf-8")
    assert delivered(tiny, path)["file_name"] == "x.csv"


def test_an_unknown_resource_names_the_nearest(tiny: Shell, tmp_path: Path) -> None:
    done = tiny("collect", "inspection-notes", tmp_path / "x.csv", code=2)
    assert "inspection-note？" in done.err and "no such resource" in done.err
    assert tiny("collect", "", tmp_path / "x.csv", code=2).out == ""


def test_a_correction_of_an_unknown_batch_is_refused(tiny: Shell, tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    file.write_text(f"{HEADER}\n77,镜湖区,2026-07-01,合格\n", encoding="utf-8")
    for batch in ("b123", "'; DROP TABLE x", "😀" * 300):
        done = tiny("collect", "inspection-note", file, "--corrects", batch, "--json", code=3)
        assert done.json["refusal"]["code"] == "corrects.unknown"
    assert delivered(tiny, file)["state"] == "in"


def test_before_the_first_run_a_query_says_what_to_do(tiny: Shell) -> None:
    done = tiny("query", "云海", "--json", code=1)
    assert done.out == "" and "先运行 shutong run" in done.err
    assert "已经是一个数据之家" in tiny("init", code=1).err


def test_a_run_reports_its_stages_and_then_finds_nothing(tiny: Shell) -> None:
    first = tiny("run", "--day", "2026-07-02", "--json").json
    assert first.keys() >= {"run_id", "kind", "business_day", "upto_seq", "stages", "subjects"}
    assert first["kind"] == "full" and first["business_day"] == "2026-07-02"
    assert all(stage.keys() >= {"name", "seconds", "peak_bytes", "rows_in", "rows_out"} for stage in first["stages"])
    again = tiny("run", "--day", "2026-07-02", "--json").json
    assert (again["kind"], again["stages"]) == ("nothing", [])
    assert "没有新内容" in tiny("run", "--day", "2026-07-02").err
    assert tiny("run", "--day", "2026-07-02", "--full", "--json").json["kind"] == "full"


# --- query --------------------------------------------------------------------------------------------------------


def test_a_query_answers_any_text(city: Shell) -> None:
    found = city("query", "有限", "--json").json
    assert found.keys() >= {"query", "total", "note", "as_of", "valid_on", "business_day", "subjects"}
    assert found["total"] > 10 == len(found["subjects"])
    one = found["subjects"][0]
    assert one.keys() >= {"subject_id", "kind", "name", "uscc", "codes", "attributes", "facts", "listings", "links"}
    for value in (*one["attributes"], *one["facts"]):
        assert value["record_id"] and value["resource"] and value["batch_id"] and value["received_on"]
    by_code = city("query", one["uscc"], "--json").json
    assert [subject["subject_id"] for subject in by_code["subjects"]] == [one["subject_id"]]
    assert one["name"] in city("query", one["uscc"]).out
    for text in ("", " ", "%_'\"\\;--", "\udcff", "甲" * 10_000, "1", "11010519491231002X", "SELECT", "😀😀", "(", '"'):
        answer = city("query", text, "--json").json
        assert answer["total"] == 0 and answer["subjects"] == [], text[:20]
        assert "11010519491231002X" not in answer["query"]
    assert "没有找到" in city("query", "查无此名").err


def test_a_query_of_a_past_day_knows_what_was_known_then(city: Shell) -> None:
    now = city("query", "有限", "--json").json["subjects"][0]
    before = city("query", now["uscc"], "--json", "--as-of", "2000-01-01").json
    assert (before["as_of"], before["subjects"]) == ("2000-01-01", [])
    last = now["attributes"][0]["received_on"]
    then = city("query", now["uscc"], "--json", "--as-of", max(last, "2026-06-15")).json["subjects"][0]
    assert (then["subject_id"], then["name"]) == (now["subject_id"], now["name"])
    days = {fact["received_on"] for fact in then["facts"]}
    assert all(day <= "2026-06-15" for day in days)
    young = city("query", now["uscc"], "--json", "--valid-on", "1990-01-01").json["subjects"][0]
    assert (young["attributes"], young["facts"], young["listings"]) == ([], [], [])
    far = city("query", now["uscc"], "--json", "--as-of", "2187-12-31", "--valid-on", "9999-12-31").json
    assert far["subjects"][0]["subject_id"] == now["subject_id"]


# --- accounts -----------------------------------------------------------------------------------------------------


def test_accounts_are_made_listed_renewed_and_closed(tiny: Shell) -> None:
    made = tiny("account", "add", "zhang", "--role", "steward", "--department", "market", "--json").json
    assert made["name"] == "zhang" and len(made["password"]) >= 16
    assert tiny("account", "add", "zhang", "--role", "auditor", "--json").json["password"] is None
    listed = tiny("account", "list", "--json").json
    assert listed == [{"name": "zhang", "active": True, "roles": ["auditor", "steward:market"]}]
    renewed = tiny("account", "reset", "zhang", "--json").json
    assert renewed["password"] != made["password"]
    tiny("account", "close", "zhang")
    assert tiny("account", "list", "--json").json[0]["active"] is False
    assert "steward" in tiny("account", "roles").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "li", "--role", "king"], 2, "operator"),
        (["add", "li", "--role", "system"], 2, "system-admin"),
        (["add", "li", "--role", "steward"], 2, "--department"),
        (["add", "li", "--role", "steward", "--department", "markt"], 2, "market"),
        (["add", "", "--role", "auditor"], 2, "空"),
        (["reset", "nobody"], 2, "nobody"),
        (["close", "nobody"], 2, "nobody"),
    ],
)
def test_wrong_accounts_are_told(tiny: Shell, words: list[str], code: int, said: str) -> None:
    done = tiny("account", *words, code=code)
    assert said in done.err
    assert "li" not in {row["name"] for row in tiny("account", "list", "--json").json}


# --- packs --------------------------------------------------------------------------------------------------------


def test_a_new_pack_is_checked_tested_and_installed(city: Shell, shutong: Shell, tmp_path: Path) -> None:
    shutong("pack", "new", "heritage", "--target", tmp_path)
    assert "already" in shutong("pack", "new", "heritage", "--target", tmp_path, code=1).err
    assert "不可用" in shutong("pack", "new", "坏", "--target", tmp_path, code=1).err
    assert "heritage" in shutong("pack", "check", tmp_path / "heritage").err
    assert all(case["passed"] for case in shutong("pack", "test", tmp_path / "heritage", "--json").lines)
    assert "publication 2" in city("pack", "install", tmp_path / "heritage").err
    assert "没有变化" in city("pack", "install", tmp_path / "heritage").err
    broken = tmp_path / "heritage" / "resources" / "heritage-record.yml"
    broken.write_text(broken.read_text(encoding="utf-8").replace("title:", "titel:", 1), encoding="utf-8")
    problem = shutong("pack", "check", tmp_path / "heritage", "--json", code=1).lines[0]
    assert problem["path"].endswith("heritage-record.yml") and problem["line"] > 0 and "title" in str(problem)
    assert "heritage-record.yml" in city("pack", "install", tmp_path / "heritage", code=3).err


@pytest.mark.parametrize("path", ["/nowhere", "/etc/passwd", "/dev/null"])
def test_what_is_no_pack_is_told(shutong: Shell, tmp_path: Path, path: str) -> None:
    assert shutong("pack", "check", path, "--json", code=1).lines[0]["code"] == "pack.missing"
    assert "pack.yml" in shutong("init", "--home", tmp_path / "home", "--pack", path, code=3).err
    assert not (tmp_path / "home").exists()
