"""Rows that came under an earlier version of a declaration, in the form of the present one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shutong.collect.conform import changes, conform_accepted
from shutong.collect.intake import seal_context
from shutong.engine.errors import ConflictError
from shutong.spec.catalog import Catalog, stored_columns
from shutong.spec.models import Resource
from tests.collect.home import Town


def visit(**items: Any) -> Resource:
    return Resource.model_validate(
        {
            "resource": "visit", "title": "t", "department": "d", "basis": "b", "delivery": "changes", "key": ["no"],
            "items": {"no": {"title": "编号", "required": True}, **items},
        }
    )  # fmt: skip


BEFORE = visit(
    who={"title": "姓名"}, phone={"title": "电话"}, seen={"title": "日期"}, cost={"element": "integer", "title": "费用"}
)
AFTER = visit(
    person={"element": "person-name", "title": "姓名", "from": "who"},
    phone={"element": "mobile", "title": "电话"},
    seen={"element": "date", "title": "日期"},
    fee={"element": "money", "title": "费用", "from": "cost"},
    note={"title": "备注"},
)
HEADER = "编号,姓名,电话,日期,费用\n"


def conform(town: Town, resource: Resource) -> list[str]:
    town.catalog = Catalog(resources={"visit": resource})
    with town.engine.run(f"conform-{town.engine.lake.last}") as run:
        changed = conform_accepted(run, town.engine, town.home.keys, town.catalog)
        run.commit()
    return changed


def rows(town: Town) -> list[dict[str, Any]]:
    return town.rows("accepted/visit")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    made = Town(tmp_path, BEFORE)
    made.deliver(HEADER + "1,张三,13800138000,2026年7月1日,12\n2,李四,,昨天,\n", "first.csv", "visit")
    return made


def test_renamed_items_new_types_and_seals_reach_the_rows_that_are_there(town: Town) -> None:
    before = rows(town)
    assert conform(town, AFTER) == ["visit"]
    after = rows(town)
    ids = ("record_id", "key_id", "batch_id", "seq", "row_no", "received_on", "operation", "flags")
    assert [[row[name] for name in ids] for row in after] == [[row[name] for name in ids] for row in before]
    assert [(row["no"], row["person"], row["seen"], row["fee"]) for row in after] == [
        ("1", "张三", dt.date(2026, 7, 1), Decimal(12)),
        ("2", "李四", None, None),
    ]
    keys = town.home.keys
    assert [row["phone__key"] for row in after] == [keys.match_one("13800138000"), None]
    opened = keys.unseal(
        seal_context("visit", "phone"),
        town.engine.query("SELECT phone__sealed FROM t ORDER BY no", {"t": "accepted/visit"}).column(0),
    )
    assert opened.to_pylist() == [b"13800138000", None]
    assert {"who", "cost", "phone"}.isdisjoint(after[0])
    assert conform(town, AFTER) == [], "twice changes nothing"


def test_rows_that_came_under_the_new_name_keep_their_own_values(town: Town) -> None:
    town.catalog = Catalog(resources={"visit": AFTER})
    town.deliver("编号,姓名,电话,日期,费用,备注\n3,王五,15900159000,2026-07-02,3.5,新\n", "second.csv", "visit")
    assert conform(town, AFTER) == ["visit"]
    assert [(row["no"], row["person"], row["fee"], row["note"]) for row in rows(town)] == [
        ("1", "张三", Decimal(12), None),
        ("2", "李四", None, None),
        ("3", "王五", Decimal("3.50"), "新"),
    ]
    assert [bool(row["phone__key"]) for row in rows(town)] == [True, False, True]
    files = town.engine.lake.table("accepted/visit")
    assert {name for segment in files.segments for name in segment.schema.names} >= set(stored_columns(AFTER).names)


def test_a_sealed_item_may_be_renamed(town: Town) -> None:
    conform(town, AFTER)
    renamed = visit(
        person={"element": "person-name", "title": "姓名", "grade": 3},
        mobile={"element": "mobile", "title": "电话", "from": "phone"},
    )
    assert conform(town, renamed) == ["visit"]
    keys = town.home.keys
    row = rows(town)[0]
    assert (row["mobile__key"], row["person__key"]) == (keys.match_one("13800138000"), keys.match_one("张三"))
    for item, text in (("mobile", b"13800138000"), ("person", "张三".encode())):
        column = town.engine.query(f"SELECT {item}__sealed FROM t WHERE no = '1'", {"t": "accepted/visit"}).column(0)
        assert keys.unseal(seal_context("visit", item), column).to_pylist() == [text]
    assert {"person", "phone__key", "phone__sealed"}.isdisjoint(row)
    plain = visit(person={"element": "person-name", "title": "姓名"}, mobile={"element": "telephone", "title": "电话"})
    assert conform(town, plain) == ["visit"]
    assert (rows(town)[0]["person"], rows(town)[0]["mobile"]) == ("张三", "13800138000")


def test_new_and_dropped_items_change_no_row(town: Town) -> None:
    wider = visit(
        **{name: item for name, item in BEFORE.items.items() if name not in {"no", "who"}}, extra={"title": "新"}
    )
    assert changes(wider, town.engine.lake.table("accepted/visit").schema) == ()


def test_a_delivery_meanwhile_is_not_lost(town: Town) -> None:
    with town.engine.run("conform") as run:
        conform_accepted(run, town.engine, town.home.keys, Catalog(resources={"visit": AFTER}))
        town.deliver(HEADER + "9,赵六,,2026-07-03,1\n", "late.csv", "visit")
        with pytest.raises(ConflictError):
            run.commit()
    assert [row["no"] for row in rows(town)] == ["1", "2", "9"]
