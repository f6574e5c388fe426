"""No row, item or unmasked value outside a grant ever comes out: thousands of random grants and questions against a model."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import os
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from shutong.engine import sqltext
from shutong.engine.connection import Resources, connect
from shutong.exchange.compute import RELATION, Granted, asked, granted, verified
from shutong.exchange.grant import Grant
from shutong.exchange.question import MOST_CONDITIONS, MOST_ROWS, OPERATORS, Condition, Question
from shutong.exchange.refusals import ExchangeError
from shutong.spec.columns import stored_columns
from shutong.spec.masks import masked
from shutong.spec.models import Resource

DEEP = os.environ.get("SHUTONG_TEST_DEPTH") == "deep"
EXAMPLES = settings(
    max_examples=5000 if DEEP else 400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=not DEEP
)
DAY = dt.date(2026, 3, 2)
Row = dict[str, Any]

PERMIT = Resource.model_validate(
    {
        "resource": "permit",
        "title": {"zh": "许可", "en": "Permits"},
        "department": "market",
        "basis": "行政许可法",
        "delivery": "changes",
        "key": ["code"],
        "share": {"type": "conditional", "condition": "履职", "methods": ["api", "batch", "stream", "verify"]},
        "items": {
            "code": {"element": "text", "title": "编号", "required": True},
            "name": {"element": "text", "title": "名称"},
            "amount": {"element": "money", "title": "金额"},
            "decided": {"element": "date", "title": "日期"},
            "person": {"element": "person-name", "title": "经办人", "grade": 2, "mask": "surname"},
            "phone": {"element": "mobile", "title": "电话", "grade": 3, "mask": "middle"},
        },
    }
)
ITEMS = tuple(PERMIT.items)
NAMES = ["甲一公司", "甲二公司", "甲一", "乙公司", "'; DROP TABLE x; --", None]
PERSONS = ["张三", "张五", "张", "李四", None]
AMOUNTS = [decimal.Decimal(n) for n in ("0.00", "5.00", "10.50", "20.00", "9999999999999999.00")] + [None]
DATES = [dt.date(2026, 1, 5), dt.date(2026, 2, 5), dt.date(2027, 1, 1), None]
PHONES = ["13800000001", "13800000002", "13911110001", None]

CONDITIONS: list[tuple[str | None, frozenset[str], Callable[[Row], bool]]] = [
    (None, frozenset(), lambda row: True),
    ("amount > 5", frozenset({"amount"}), lambda row: row["amount"] is not None and row["amount"] > 5),
    ("person = '张三' OR decided IS NULL", frozenset({"person", "decided"}), lambda row: row["person"] == "张三" or row["decided"] is None),
    ("name LIKE '甲%'", frozenset({"name"}), lambda row: (row["name"] or "").startswith("甲")),
    ("phone__key = 'k-13800000001'", frozenset({"phone"}), lambda row: row["phone"] == "13800000001"),
    ("decided < business_day()", frozenset({"decided"}), lambda row: row["decided"] is not None and row["decided"] < DAY),
    ("amount * amount * amount > 1", frozenset({"amount"}), lambda row: row["amount"] is not None and 1 < row["amount"] < 10**6),
    ("code <> 'c3' AND amount IS NOT NULL", frozenset({"code", "amount"}), lambda row: row["code"] != "c3" and row["amount"] is not None),
]  # fmt: skip

rows = st.lists(
    st.fixed_dictionaries(
        {
            "code": st.sampled_from([f"c{n}" for n in range(12)]), "name": st.sampled_from(NAMES),
            "amount": st.sampled_from(AMOUNTS), "decided": st.sampled_from(DATES), "person": st.sampled_from(PERSONS),
            "phone": st.sampled_from(PHONES), "operation": st.sampled_from(["upsert", "upsert", "upsert", "withdraw"]),
        }
    ),
    max_size=20,
)  # fmt: skip
grants = st.builds(
    lambda items, masks, rows: Grant(
        "grant/1", "tax", "permit", tuple(items), rows, {name: masks[name] for name in items},
        frozenset({"api", "verify"}), "核对", dt.date(2026, 1, 1), dt.date(2026, 12, 31), None, "active",
    ),
    st.lists(st.sampled_from(ITEMS), min_size=1, unique=True),
    st.fixed_dictionaries({name: st.sampled_from(["none", "surname", "middle", "last4", "hide", "address"]) for name in ITEMS}),
    st.sampled_from([text for text, _, _ in CONDITIONS]),
)  # fmt: skip
VALUES = [
    "1e-18",
    "1e-37",
    "1e-30",
    "9999999999999999.00",
    "甲\0",
    "",
    "甲",
    "甲一公司",
    "张**",
    "张三",
    "***",
    "5",
    "10.50",
    "2026-02-05",
    "c3",
    "k-13800000001",
    "138****0001",
    "x'); --",
]
names = st.sampled_from([*ITEMS, "no_such_item", "record_id", "phone__key", 'a"b'])
questions = st.builds(
    Question,
    items=st.none() | st.lists(names, max_size=4).map(tuple),
    where=st.lists(st.builds(Condition, names, st.sampled_from(OPERATORS), st.sampled_from(VALUES)), max_size=3).map(tuple),
    order=st.lists(st.tuples(names, st.booleans()), max_size=2).map(tuple),
    after=st.sampled_from(["", "", "r003"]),
    limit=st.sampled_from([None, None, 1, 3, 0]),
    count=st.booleans(),
)  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    return connect(Resources(500_000_000, 1, tmp_path_factory.mktemp("spill")))


def accepted(found: Sequence[Row]) -> pa.Table:
    """The rows as the lake holds them; the ciphertext of a telephone is its text under a mark."""
    table: dict[str, list[Any]] = {name: [] for name in stored_columns(PERMIT).names}
    for number, row in enumerate(found):
        stored = {
            "record_id": f"r{number:03}", "key_id": row["code"], "batch_id": "b1", "seq": 1, "row_no": number + 1,
            "received_on": DAY, "operation": row["operation"], "flags": [],
            "phone__key": row["phone"] and f"k-{row['phone']}", "phone__sealed": row["phone"] and b"S" + row["phone"].encode(),
        } | {name: row[name] for name in ITEMS if name != "phone"}  # fmt: skip
        for name, values in table.items():
            values.append(stored[name])
    return pa.table(table, schema=stored_columns(PERMIT))


def answer(database: duckdb.DuckDBPyConnection, found: Sequence[Row], sql: str) -> list[Row]:
    cursor = database.cursor()
    cursor.register("_rows", accepted(found))
    try:
        return [dict(row) for row in cursor.execute(sqltext.bind(sql, {"as_of": DAY})).to_arrow_table().to_pylist()]
    finally:
        cursor.close()


def in_force(found: Sequence[Row]) -> list[Row]:
    """What the resource holds now: the last row of each code, unless it withdraws it."""
    last = {row["code"]: (f"r{number:03}", row) for number, row in enumerate(found)}
    return [{"record_id": key, **row} for key, row in last.values() if row["operation"] != "withdraw"]


def shown(grant: Grant, found: Sequence[Row]) -> list[Row]:
    """What a grant shows, worked out by hand."""
    _, _, holds = next(one for one in CONDITIONS if one[0] == grant.rows)
    return [{"record_id": row["record_id"], **{name: _shown(grant, name, row[name]) for name in grant.items}}
            for row in in_force(found) if holds(row)]  # fmt: skip


def _shown(grant: Grant, name: str, value: Any) -> Any:
    mask = grant.masks[name]
    if mask == "hide":
        return "***"
    if name == "phone":
        return value and b"S" + value.encode()
    return value if mask == "none" or value is None else masked(str(value), mask)


def read(grant: Grant, name: str, text: str) -> Any:
    kind = "text" if grant.masks[name] != "none" else {"amount": "amount", "decided": "decided"}.get(name, "text")
    return {"amount": places, "decided": dt.date.fromisoformat, "text": plain}[kind](text)


def places(text: str) -> decimal.Decimal:
    value = decimal.Decimal(text)
    if int(value.as_tuple().exponent) < -18:
        raise ValueError
    return value


def plain(text: str) -> str:
    if "\0" in text:
        raise ValueError
    return text


def meets(grant: Grant, row: Row, one: Condition) -> bool:
    value = row[one.item]
    if one.operator in ("empty", "filled"):
        return (value is None) == (one.operator == "empty")
    wanted = read(grant, one.item, one.value)
    if value is None:
        return False
    if one.operator == "begins":
        return bool(value.startswith(wanted))
    signs = {"=": "__eq__", "<>": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}
    return bool(getattr(value, signs[one.operator])(wanted))


def expected(grant: Grant, found: Sequence[Row], question: Question) -> list[Row] | None:
    """The answer by hand; None where the question must be refused."""
    items = grant_order(grant) if question.items is None else question.items
    used = [*items, *(one.item for one in question.where), *(name for name, _ in question.order)]
    compared = [one.item for one in question.where] + ([] if question.count else [name for name, _ in question.order])
    if question.limit == 0 or (question.after and question.order) or any(name not in grant.items for name in used):
        return None
    if any(name == "phone" and grant.masks["phone"] != "hide" for name in compared):
        return None
    for one in question.where:
        if one.operator in ("empty", "filled"):
            continue
        try:
            wanted = read(grant, one.item, one.value)
        except (ValueError, decimal.InvalidOperation):
            return None
        if one.operator == "begins" and not isinstance(wanted, str):
            return None
    kept = [row for row in shown(grant, found) if all(meets(grant, row, one) for one in question.where)]
    kept = [row for row in kept if row["record_id"] > question.after]
    if question.count:
        return [{"n": len(kept)}]
    kept.sort(key=lambda row: row["record_id"])
    for name, down in reversed(question.order):
        filled = sorted(
            (row for row in kept if row[name] is not None), key=lambda row, name=name: row[name], reverse=down
        )
        if down:  # a stable sort downwards: ties keep the order of ids
            filled = [row for value in dict.fromkeys(row[name] for row in filled) for row in kept if row[name] == value]
        kept = filled + [row for row in kept if row[name] is None]
    return [{name: row[name] for name in dict.fromkeys(("record_id", *items))} for row in kept[: question.limit]]


def grant_order(grant: Grant) -> list[str]:
    return [name for name in ITEMS if name in grant.items]


@EXAMPLES
@given(grant=grants, found=rows, question=questions)
def test_answers_are_what_a_grant_shows_and_nothing_else(
    database: duckdb.DuckDBPyConnection, grant: Grant, found: list[Row], question: Question
) -> None:
    wanted = expected(grant, found, question)
    one = granted(grant, PERMIT, DAY)
    if wanted is None:
        with pytest.raises(ExchangeError):
            asked(one, question)
        return
    sql = asked(one, question)
    assert_stands_on_top(sql)
    got = answer(database, found, sql)
    if not (question.order or question.limit or question.after):
        got, wanted = (sorted(each, key=repr) for each in (got, wanted))
    assert got == wanted


@EXAMPLES
@given(grant=grants, found=rows, question=questions, data=st.data())
def test_what_is_hidden_changes_no_answer(
    database: duckdb.DuckDBPyConnection, grant: Grant, found: list[Row], question: Question, data: Any
) -> None:
    """Rows outside the grant go, and what it does not show is changed: the same answer, or the same refusal."""
    _, reads, holds = next(one for one in CONDITIONS if one[0] == grant.rows)
    pools = {"name": NAMES, "amount": AMOUNTS, "decided": DATES, "person": PERSONS, "phone": PHONES}
    last = {row["code"]: number for number, row in enumerate(found)}
    other = [dict(row) for row in found]
    for number, row in enumerate(other):
        outside = last[row["code"]] != number or row["operation"] == "withdraw" or not holds(row)
        if outside:
            # Still no row of the grant: withdrawn, or the earlier version of a key.
            row["operation"] = "withdraw"
        for name, pool in pools.items():
            if outside or name not in grant.items:
                choice = pool
            else:
                choice = [each for each in pool if _shown(grant, name, each) == _shown(grant, name, row[name])]
            if name not in reads or outside:
                row[name] = data.draw(st.sampled_from(choice))
    one = granted(grant, PERMIT, DAY)
    assert outcome(database, one, found, question) == outcome(database, one, other, question)


def outcome(database: duckdb.DuckDBPyConnection, one: Granted, found: list[Row], question: Question) -> Any:
    try:
        return sorted(answer(database, found, asked(one, question)), key=repr)
    except ExchangeError as error:
        return str(error)


def assert_stands_on_top(sql: str) -> None:
    """The compiled query reads base tables inside the grant's relation only; everything asked stands above it."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    [relation] = tree.find_all(exp.CTE)
    assert relation.alias == RELATION
    inside = {table.name for table in relation.find_all(exp.Table)}
    assert inside == {"_rows"}
    relation.this.replace(exp.select("1"))
    assert {table.name for table in tree.find_all(exp.Table)} == {RELATION}
    assert not list(tree.find_all(exp.Join)) and not list(tree.find_all(exp.Subquery))


def grant_with(**keys: Any) -> Grant:
    items = keys.pop("items", ITEMS)
    base = Grant("grant/1", "tax", "permit", items, None, dict.fromkeys(items, "none"), frozenset({"api", "verify"}),
                 "核对", dt.date(2026, 1, 1), dt.date(2026, 12, 31), None, "active")  # fmt: skip
    return dataclasses.replace(base, **keys)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (Question(items=("secret",)), "not within the grant"),
        (Question(where=(Condition("phone", "=", "13800000001"),)), "sealed items"),
        (Question(order=(("phone", False),)), "sealed items"),
        (Question(where=(Condition("amount", "=", "nan"),)), "no number"),
        (Question(where=(Condition("amount", "=", "1e40"),)), "no number"),
        (Question(where=(Condition("amount", ">", "1e-37"),)), "no number"),
        (Question(where=(Condition("name", "=", "a\0"),)), "no text"),
        (Question(where=(Condition("decided", ">", "yesterday"),)), "no date"),
        (Question(where=(Condition("amount", "begins", "1"),)), "only texts"),
        (Question(where=(Condition("name", "LIKE", "%"),)), "no such comparison"),  # type: ignore[arg-type]
        (Question(where=(Condition("name", "=", "x" * 1001),)), "at most"),
        (Question(where=(Condition("name", "empty"),) * (MOST_CONDITIONS + 1)), "at most"),
        (Question(limit=MOST_ROWS + 1), "a page has"),
        (Question(after="r1", order=(("name", True),)), "record ids"),
    ],
)
def test_questions_that_are_refused(question: Question, text: str) -> None:
    with pytest.raises(ExchangeError, match=text):
        asked(granted(grant_with(), PERMIT, DAY), question)


def test_an_item_that_is_hidden_and_one_that_never_was_are_refused_alike() -> None:
    one = granted(grant_with(items=("code",)), PERMIT, DAY)
    texts = set()
    for name in ("amount", "no_such_item", "record_id; DROP TABLE x", "phone__sealed"):
        for question in (
            Question(items=(name,)),
            Question(where=(Condition(name, "="),)),
            Question(order=((name, True),)),
        ):
            with pytest.raises(ExchangeError) as refused:
                asked(one, question)
            texts.add(str(refused.value))
    assert len(texts) == 1


def test_what_the_catalog_no_longer_has_is_not_let_out() -> None:
    fewer = PERMIT.model_copy(update={"items": {name: one for name, one in PERMIT.items.items() if name != "amount"}})
    assert "amount" not in granted(grant_with(), fewer, DAY).items
    with pytest.raises(ExchangeError, match="does not fit"):
        granted(grant_with(rows="amount > 5"), fewer, DAY)
    with pytest.raises(ExchangeError, match="not provided"):
        granted(grant_with(items=("amount",)), fewer, DAY)
    closed = PERMIT.model_copy(update={"share": PERMIT.share.model_copy(update={"type": "none"})})
    with pytest.raises(ExchangeError, match="not provided"):
        granted(grant_with(), closed, DAY)


ONE = [
    {"code": "c1", "name": "甲一", "amount": decimal.Decimal("7.00"), "decided": DATES[0], "person": "张三",
     "phone": PHONES[0], "operation": "upsert"}
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "key", "where", "yes"),
    [
        (None, "c1", (Condition("amount", ">", "5"),), True),
        (None, "c1", (Condition("amount", ">", "7"),), False),
        (None, "c1", (Condition("person", "=", "张三"), Condition("amount", ">", "5")), True),
        (None, "c2", (Condition("amount", ">", "5"),), False),
        ("amount > 10", "c1", (Condition("amount", ">", "5"),), False),
    ],
)
def test_a_verification_says_yes_or_no_of_real_values(
    database: duckdb.DuckDBPyConnection, rows: str | None, key: str, where: tuple[Condition, ...], yes: bool
) -> None:
    hidden = grant_with(rows=rows, masks=dict.fromkeys(ITEMS, "hide"))
    sql = verified(hidden, PERMIT, DAY, {"code": key}, where)
    assert_stands_on_top(sql)
    assert answer(database, ONE, sql) == [{"yes": yes}]


def test_verifications_that_are_refused() -> None:
    grant = grant_with(items=("code", "amount", "phone"))
    for key, where, text in [
        ({}, (Condition("amount", ">", "5"),), "every key item"),
        ({"code": "c1", "name": "x"}, (Condition("amount", ">", "5"),), "every key item"),
        ({"code": "c1"}, (), "at least one condition"),
        ({"code": "c1"}, (Condition("person", "=", "x"),), "not within the grant"),
        ({"code": "c1"}, (Condition("phone", "=", "13800000001"),), "sealed items"),
    ]:
        with pytest.raises(ExchangeError, match=text):
            verified(grant, PERMIT, DAY, key, where)
