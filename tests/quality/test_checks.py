"""Checks of rows as declared: every reason of a rejected row, and what is flagged and kept instead (law 7 of the way)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shutong.quality.delivery import Delivery, deliver
from shutong.spec.models import Resource
from tests.collect.home import Town

CODE, WRONG = "91350100M000100Y43", "91350100M000100Y44"
PERSON = "11010519491231002x"
GOOD = {"no": "1", "party": "云帆商贸", "code": CODE, "decided_on": "2026-06-30"}

ITEMS: dict[str, Any] = {
    "no": {"title": "文号", "required": True},
    "party": {"element": "org-name", "title": "相对人"},
    "code": {"element": "uscc", "title": "代码"},
    "old_no": {"element": "registration-no", "title": "注册号"},
    "boss_id": {"element": "citizen-id", "title": "证件号", "on_fault": "flag"},
    "decided_on": {"element": "date", "title": "决定日期", "required": True},
    "fine": {"element": "money", "unit": "10k-yuan", "title": "罚款", "min": 0, "max": 100},
    "sex": {"codes": "sex", "title": "性别"},
    "memo": {"title": "备注", "max": 5},
    "ref": {"title": "编号", "pattern": "[A-Z]{2}[0-9]+"},
    "tag": {"title": "标记", "pattern": "[a-z]+", "on_fault": "flag"},
}
CHECKS = [
    {"name": "in-time", "expr": "decided_on <= received_on", "message": {"zh": "决定日期晚于报送日", "en": "too late"}},
    {"name": "plausible", "expr": "fine < 500000", "on_fail": "warn"},
    {"name": "overflow", "expr": "fine * fine * fine * fine * fine * fine >= 0"},
]


def declared(**keys: Any) -> Resource:
    usual = {
        "resource": "fine", "title": "处罚", "department": "d", "basis": "b", "key": ["no"], "items": ITEMS,
        "checks": CHECKS, "about": {"kind": "organisation", "uscc": "code", "registration_no": "old_no", "name": "party"},
    }  # fmt: skip
    return Resource.model_validate(usual | keys)


class Checked:
    """What became of delivered rows: flags by number of the accepted ones, reasons by number of the rejected ones."""

    def __init__(self, folder: Path, resource: Resource, rows: list[dict[str, str]], day: dt.date) -> None:
        town = Town(folder, resource)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(resource.items))
        writer.writeheader()
        writer.writerows(rows)
        path = town.file(text.getvalue())
        self.receipt = deliver(town.home, town.engine, town.catalog, Delivery("fine", path, day))
        assert self.receipt.refusal is None, self.receipt.refusal
        self.accepted = {row["row_no"]: row for row in town.rows("accepted/fine")}
        self.flags = {number: row["flags"] for number, row in self.accepted.items()}
        self.reasons = {row["row_no"]: [(one["code"], one["item"]) for one in row["reasons"]] for row in town.rejected}


def check(folder: Path, *changes: dict[str, str], day: dt.date = dt.date(2026, 7, 1), **keys: Any) -> Checked:
    """Deliver good rows with changes, each under a number of its own unless a change says otherwise."""
    rows = [{**GOOD, "no": str(number), **change} for number, change in enumerate(changes, 1)]
    return Checked(folder, declared(**keys), rows, day)


def test_a_good_row_is_in_without_flags_in_canonical_form(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        {
            "code": " ９１３５０１００m000100y43",
            "fine": "１.5",
            "decided_on": "2026年6月30日",
            "sex": "男",
            "boss_id": PERSON,
        },
        {"code": "— —", "old_no": "无", "sex": "/", "boss_id": "", "memo": "　", "fine": "5000元"},
    )
    assert found.flags == {1: [], 2: []} and not found.reasons
    first, second = found.accepted[1], found.accepted[2]
    assert (first["code"], first["fine"], first["decided_on"], first["sex"]) == (
        CODE, Decimal("15000.00"), dt.date(2026, 6, 30), "1",
    )  # fmt: skip
    assert first["boss_id__key"] and "boss_id" not in first
    assert (second["code"], second["fine"], second["sex"], second["memo"]) == (None, Decimal(5000), None, None)


def test_a_bad_identifier_beside_a_usable_name_is_flagged_and_left_out(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        {"code": WRONG},
        {"old_no": "110108000000017"},
        {"code": WRONG, "old_no": "x"},
        {"code": WRONG, "party": ""},
        {"code": WRONG, "party": "2024-01-01"},
        {"code": "", "party": ""},
    )
    assert found.flags == {
        1: ["uscc.check-digit:code"],
        2: ["registration-no.check-digit:old_no"],
        3: ["uscc.check-digit:code", "registration-no.length:old_no"],
        6: [],
    }
    assert found.accepted[1]["code"] is None and found.accepted[3]["old_no"] is None
    assert found.reasons == {
        4: [("uscc.check-digit", "code")],
        5: [("org-name.not-a-name", "party"), ("uscc.check-digit", "code")],
    }


def test_in_a_register_and_in_a_key_a_bad_identifier_rejects_the_row(tmp_path: Path) -> None:
    register = {"kind": "organisation", "registry": True, "uscc": "code", "name": "party"}
    found = check(tmp_path / "a", {"code": WRONG}, {}, about=register)
    assert found.reasons == {1: [("uscc.check-digit", "code")]}
    found = check(tmp_path / "b", {"code": WRONG}, {}, key=["code"])
    assert found.reasons == {1: [("uscc.check-digit", "code")]}


def test_every_reason_of_a_row_is_told(tmp_path: Path) -> None:
    found = check(tmp_path, {"no": "无", "decided_on": "2026-02-30", "fine": "-1", "sex": "甲", "memo": "一二三四五六"})
    assert found.reasons == {
        1: [
            ("item.required", "no"),
            ("date.impossible", "decided_on"),
            ("item.min", "fine"),
            ("code.unknown", "sex"),
            ("item.length", "memo"),
        ]
    }
    told = {(one["code"], one["item"]): (one["rejected"], one["rows"]) for one in found.receipt.reasons}
    assert set(told) == set(found.reasons[1]) and set(map(str, told.values())) == {"(1, [1])"}


def test_bounds_are_in_the_delivered_unit(tmp_path: Path) -> None:
    found = check(
        tmp_path, {"fine": "0"}, {"fine": "100"}, {"fine": "100.01"}, {"fine": "-0.01"}, {"fine": "1000001元"}
    )
    assert sorted(found.accepted) == [1, 2]
    # A rejected row is told what would only have been flagged, too: the clerk has it before him anyway.
    large = [("item.max", "fine"), ("check:plausible", "fine")]
    assert found.reasons == {3: large, 4: [("item.min", "fine")], 5: large}


def test_patterns_hold_for_the_whole_text(tmp_path: Path) -> None:
    found = check(
        tmp_path, {"ref": "AB12"}, {"ref": "xAB12"}, {"ref": "AB12\n"}, {"ref": "AB1x"}, {"tag": "Abc"}, {"tag": "abc"}
    )
    assert found.reasons == {2: [("item.pattern", "ref")], 4: [("item.pattern", "ref")]}
    assert found.flags[5] == ["item.pattern:tag"] and found.accepted[5]["tag"] is None
    assert found.flags[6] == [] and found.accepted[6]["tag"] == "abc"


def test_numbers_of_persons_are_flagged_where_declared_and_never_kept_in_the_open(tmp_path: Path) -> None:
    found = check(
        tmp_path, {"boss_id": "110105491231002"}, {"boss_id": "110105194912310021"}, {"boss_id": PERSON.upper()}
    )
    assert found.flags == {1: ["citizen-id.15-digits:boss_id"], 2: ["citizen-id.check-digit:boss_id"], 3: []}
    assert [found.accepted[number]["boss_id__key"] is None for number in (1, 2, 3)] == [True, True, False]
    assert PERSON[:17] not in str(found.accepted)


def test_row_checks_pass_on_nothing_and_on_what_cannot_be_computed(tmp_path: Path) -> None:
    found = check(tmp_path, {}, {"decided_on": "2026-07-02"}, {"fine": "60"}, {"fine": "99.999999"})
    assert found.reasons == {2: [("check:in-time", "decided_on")]}
    assert found.flags == {1: [], 3: ["check:plausible:fine"], 4: ["check:plausible:fine"]}
    assert next(one["zh"] for one in found.receipt.reasons if one["code"] == "check:in-time") == "决定日期晚于报送日"


def test_checks_know_the_day_of_delivery_and_no_clock(tmp_path: Path) -> None:
    late = {"decided_on": "2026-07-02"}
    assert check(tmp_path / "a", late, day=dt.date(2026, 7, 1)).reasons
    assert check(tmp_path / "b", late, day=dt.date(2026, 7, 2)).accepted


def test_the_first_usable_row_of_a_key_stays(tmp_path: Path) -> None:
    found = check(tmp_path, {"no": "A"}, {"no": "A"}, {"no": "B", "decided_on": "?"}, {"no": "B"}, {"no": "B"})
    assert sorted(found.accepted) == [1, 4]
    assert found.reasons == {
        2: [("key.duplicate", "no")],
        3: [("date.format", "decided_on")],
        5: [("key.duplicate", "no")],
    }


@pytest.mark.parametrize(
    ("word", "operation"),
    [
        ("", "upsert"),
        ("新增", "upsert"),
        ("Ｕ", "upsert"),
        ("撤销", "withdraw"),
        ("delete", "withdraw"),
        ("也许", None),
    ],
)
def test_operations_in_the_words_of_departments(tmp_path: Path, word: str, operation: str | None) -> None:
    keys = {"delivery": "changes", "operation": "op", "items": {**ITEMS, "op": {"title": "操作"}}}
    found = check(tmp_path, {"op": word}, **keys)
    if operation is None:
        assert found.reasons == {1: [("operation.unknown", "op")]}
    else:
        assert found.accepted[1]["operation"] == operation


def test_to_withdraw_a_row_its_key_is_enough(tmp_path: Path) -> None:
    keys = {"delivery": "changes", "operation": "op", "items": {**ITEMS, "op": {"title": "操作"}}}
    gone = {"op": "撤回", "party": "", "decided_on": "", "code": ""}
    found = check(tmp_path, gone, {**gone, "no": ""}, {**gone, "decided_on": "2026-09-01"}, **keys)
    assert sorted(found.accepted) == [1, 3]
    assert found.reasons == {2: [("item.required", "no")]}


def test_a_withdrawal_says_why_where_it_is_declared(tmp_path: Path) -> None:
    items = {**ITEMS, "op": {"title": "操作"}, "why": {"title": "撤回原因"}}
    keys = {"delivery": "changes", "operation": "op", "reason": "why", "items": items}
    found = check(tmp_path, {"op": "撤回", "why": "复议决定撤销"}, {"op": "撤回", "why": "— —"}, {}, **keys)
    assert sorted(found.accepted) == [1, 3]
    assert found.accepted[1]["why"] == "复议决定撤销"
    assert found.reasons == {2: [("operation.reason", "why")]}


def test_the_key_of_the_row_that_is_replaced_is_kept_beside(tmp_path: Path) -> None:
    keys = {"delivery": "changes", "replaces": "old", "items": {**ITEMS, "old": {"title": "原文号"}}}
    found = check(tmp_path, {"old": ""}, {"old": " 1 "}, **keys)
    assert found.accepted[1]["replaced_key"] is None
    assert found.accepted[2]["replaced_key"] == found.accepted[1]["key_id"]


def test_what_was_agreed_about_a_delivery(tmp_path: Path) -> None:
    found = check(tmp_path, {}, {"code": ""}, {"code": ""}, expects={"rows": {"max": 2}, "fill": {"code": 0.5}})
    codes = [warning["code"] for warning in found.receipt.warnings]
    assert codes == ["rows.too-many", "item.fill"]
    assert json.loads(found.receipt.text)["state"] == "in"
