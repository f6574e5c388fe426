"""Instances of one subject, items named like the platform's columns, and conflicts between sources."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from shutong.libraries.compute import conflicts_stage, libraries_stage, values_stage
from shutong.rules.compute import verifications_stage
from shutong.rules.plan import full_run, increment
from shutong.spec.catalog import Catalog
from shutong.spec.models import Department, Library, Resource
from tests.subjects.runner import Tables, rows_of
from tests.subjects.test_identify import CODE_A, CODE_B
from tests.subjects.town import DAY, batch, delivery, resource

ORGANISATION = {"kind": "organisation", "registry": True, "uscc": "uscc", "name": "name"}
ITEMS = {
    "uscc": {"element": "uscc", "title": "码", "required": True},
    "name": {"element": "org-name", "title": "名称"},
    "site": {"element": "address", "title": "地址"},
    "boss": {"element": "person-name", "title": "负责人", "grade": 2, "mask": "surname"},
    "boss_id": {"element": "citizen-id", "title": "证件号"},
    "on_day": {"element": "date", "title": "日期"},
}
REGISTER = resource(
    resource="register", department="market", delivery="changes", operation="op", key=["uscc"],
    items=ITEMS | {"op": {"title": "操作"}}, about=ORGANISATION, fact={"kind": "register", "on": "on_day"},
)  # fmt: skip
TAX = resource(
    resource="tax", department="taxation", delivery="changes", key=["uscc"], items=ITEMS,
    about=ORGANISATION, fact={"kind": "tax", "on": "on_day"},
)  # fmt: skip
BRANCH = resource(
    resource="branch", department="market", delivery="changes", key=["uscc"], items=ITEMS, about=ORGANISATION,
)  # fmt: skip
LICENCE = resource(
    resource="licence", department="approval", delivery="changes", key=["no"],
    items={
        "no": {"title": "号", "required": True},
        "kind": {"title": "类"},
        "uscc": {"element": "uscc", "title": "码"},
        "valid_from": {"element": "date", "title": "起"},
        "valid_to": {"element": "date", "title": "止"},
        "chosen": {"element": "boolean", "title": "选"},
        "current": {"title": "现"},
    },
    about={"kind": "organisation", "uscc": "uscc"}, fact={"kind": "licence", "on": "valid_from"},
)  # fmt: skip

ENTITY = Library.model_validate(
    {
        "library": "entity", "title": "法人库", "kind": "organisation",
        "attributes": {
            "name": {
                "title": "名称", "element": "org-name", "from": ["register.name", "tax.name", "branch.name"],
                "verify": "spelling",
            },
            "site": {
                "title": "地址", "element": "address", "from": ["register.site", "tax.site"], "verify": "spelling",
            },
            "boss": {
                "title": "负责人", "element": "person-name", "from": ["register.boss", "tax.boss"], "grade": 2,
                "verify": "exact",
            },
            "boss_id": {
                "title": "证件号", "element": "citizen-id", "from": ["register.boss_id", "tax.boss_id"], "grade": 3,
                "verify": "exact",
            },
        },
    }
)  # fmt: skip
LICENCES = Library.model_validate(
    {
        "library": "licences", "title": "证照库", "kind": "organisation", "each": ["kind", "no"],
        "attributes": {
            "kind": {"title": "类", "from": ["licence.kind"]},
            "no": {"title": "号", "from": ["licence.no"]},
            "until": {"title": "止", "element": "date", "from": ["licence.valid_to"]},
            "value": {"title": "选", "element": "boolean", "from": ["licence.chosen"]},
            "current": {"title": "现", "from": ["licence.current"]},
        },
    }
)  # fmt: skip
CATALOG = Catalog(
    departments={name: Department.model_validate({"title": name}) for name in ("market", "taxation", "approval")},
    resources={one.resource: one for one in (REGISTER, TAX, BRANCH, LICENCE)},
    libraries={one.library: one for one in (ENTITY, LICENCES)},
)

FIRM = {"uscc": CODE_A, "name": "澜川市青禾食品有限公司", "site": "青石路1号", "boss": "王五", "on_day": DAY}
Delivery = tuple[Resource, list[dict[str, Any]]]


def ran(*deliveries: Delivery) -> Tables:
    tables = Tables()
    for seq, (of, rows) in enumerate(deliveries, start=1):
        tables.append(f"accepted/{of.resource}", batch(of, seq, rows))
        tables.append("batches", delivery(of, seq))
    for planned in full_run(CATALOG):
        tables.run(planned.stage, {"as_of": dt.date(2026, 12, 31)})
    return tables


def conflicts(tables: Tables) -> list[tuple[Any, ...]]:
    columns = ("attribute", "left_value", "left_resource", "right_value", "right_resource")
    return sorted(tuple(row[name] for name in columns) for row in tables["conflicts"].to_pylist())


def test_sources_that_differ_stand_with_both_records_and_departments() -> None:
    tables = ran((REGISTER, [FIRM]), (TAX, [{**FIRM, "name": "澜川市青禾贸易有限公司", "boss": "赵六"}]))
    assert conflicts(tables) == [
        ("boss", "王五", "register", "赵六", "tax"),
        ("name", FIRM["name"], "register", "澜川市青禾贸易有限公司", "tax"),
    ]
    found = {row["verification"]: row for row in tables["disagreements"].to_pylist()}
    assert set(found) == {"entity.name", "entity.boss"}
    name = found["entity.name"]
    assert (name["key"], name["item"]) == (name["subject_id"], "register/tax")
    assert name["record_ids"] == ["r001x001", "r002x001"]
    assert name["departments"] == ["market", "taxation"]
    assert name["rule_version"] == f"1-{CATALOG.hash_of('library', 'entity')[:12]}"


def test_other_spellings_are_no_conflict_where_the_declaration_says_so() -> None:
    spelled = {**FIRM, "name": "澜川市　青禾食品（有限公司）", "site": "青石路 １ 号"}
    assert conflicts(ran((REGISTER, [FIRM]), (TAX, [spelled]))) == []
    assert [row[0] for row in conflicts(ran((REGISTER, [FIRM]), (TAX, [{**spelled, "boss": "王 五"}])))] == ["boss"]


def test_sealed_values_are_compared_by_key_and_not_shown() -> None:
    sealed = {"boss_id__key": "h1", "boss_id__sealed": b"1"}
    other = {"boss_id__key": "h2", "boss_id__sealed": b"2"}
    assert conflicts(ran((REGISTER, [FIRM | sealed]), (TAX, [FIRM | sealed]))) == []
    assert conflicts(ran((REGISTER, [FIRM | sealed]), (TAX, [FIRM | other]))) == [
        ("boss_id", "***", "register", "***", "tax")
    ]


def test_every_other_source_is_compared_with_the_chosen_one_and_one_department_gets_one_ticket() -> None:
    renamed = {**FIRM, "name": "澜川市新禾食品有限公司"}
    tables = ran((REGISTER, [FIRM]), (TAX, [renamed]), (BRANCH, [renamed]))
    assert [(row[2], row[4]) for row in conflicts(tables)] == [("register", "branch"), ("register", "tax")]
    departments = {row["item"]: row["departments"] for row in tables["disagreements"].to_pylist()}
    assert departments == {"register/branch": ["market"], "register/tax": ["market", "taxation"]}


def test_a_correction_ends_the_conflict_and_only_current_values_count() -> None:
    wrong = {**FIRM, "name": "澜川市青和食品有限公司"}
    assert len(conflicts(ran((REGISTER, [FIRM]), (TAX, [wrong])))) == 1
    assert conflicts(ran((REGISTER, [FIRM]), (TAX, [wrong]), (TAX, [FIRM]))) == []
    assert conflicts(ran((REGISTER, [FIRM]), (TAX, [wrong]), (REGISTER, [{**FIRM, "op": "withdraw"}]))) == []


def test_instances_of_one_subject_have_a_row_each() -> None:
    rows = [
        {"no": "1", "kind": "甲", "uscc": CODE_A, "valid_from": DAY, "valid_to": dt.date(2030, 1, 1), "chosen": True},
        {"no": "2", "kind": "甲|乙", "uscc": CODE_A, "valid_from": DAY, "chosen": False, "current": "x"},
        {"no": "3", "kind": None, "uscc": CODE_A, "valid_from": DAY},
    ]
    later = {**rows[0], "valid_from": DAY + dt.timedelta(9), "valid_to": dt.date(2031, 1, 1)}
    tables = ran((REGISTER, [FIRM, {**FIRM, "uscc": CODE_B}]), (LICENCE, rows), (LICENCE, [later]))
    held = sorted(tables["library/licences"].to_pylist(), key=lambda row: row["no"])
    assert [(row["kind"], row["no"], row["until"], row["value"], row["current"]) for row in held] == [
        ("甲", "1", dt.date(2031, 1, 1), True, None),
        ("甲|乙", "2", None, False, "x"),
    ]
    values = [row for row in tables["values"].to_pylist() if row["library"] == "licences"]
    assert {row["instance"] for row in values} == {"甲|1", "甲||乙|2"}
    untils = sorted((row["value"], row["chosen"], row["valid_to"]) for row in values if row["attribute"] == "until")
    assert untils == [("2030-01-01", False, DAY + dt.timedelta(9)), ("2031-01-01", True, None)]
    assert all(row["instance"] is None for row in tables["values"].to_pylist() if row["library"] == "entity")


def _made(r: random.Random) -> list[Delivery]:
    names = ["澜川市青禾食品有限公司", "澜川市青禾食品（有限公司）", "澜川市新禾食品有限公司", None]
    made: list[Delivery] = []
    for _ in range(7):
        of = r.choice([REGISTER, TAX, BRANCH, LICENCE])
        if of is LICENCE:
            rows = [
                {"no": no, "kind": r.choice(["甲", "乙"]), "uscc": r.choice([CODE_A, CODE_B]), "valid_from": DAY}
                for no in r.sample(["1", "2", "3"], 2)
            ]
        else:
            rows = [
                {
                    "uscc": code, "name": r.choice(names), "site": r.choice(["青石路1号", "青石路 1号", "青石路2号"]),
                    "boss": r.choice(["王五", "赵六"]), "boss_id__key": r.choice(["h1", "h2", None]), "on_day": DAY,
                    "op": "withdraw" if of is REGISTER and r.random() < 0.2 else None,
                }
                for code in r.sample([CODE_A, CODE_B], r.randrange(1, 3))
            ]  # fmt: skip
        made.append((of, rows))
    return made


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_increments_equal_a_rebuild(seed: int) -> None:
    deliveries = _made(random.Random(seed))
    tables = Tables()
    changed = 0
    for seq, (of, rows) in enumerate(deliveries, start=1):
        tables.append(f"accepted/{of.resource}", batch(of, seq, rows))
        tables.append("batches", delivery(of, seq))
        day = DAY + dt.timedelta(seq)
        params = {"as_of": day, "since_seq": seq - 1, "since_day": day - dt.timedelta(1)}
        before = rows_of(tables["conflicts"]) if seq > 1 else []
        for planned in full_run(CATALOG) if seq == 1 else increment(CATALOG):
            tables.run(planned.stage, params, planned.scope)
        changed += rows_of(tables["conflicts"]) != before
    whole = ran(*deliveries)
    for name in ("values", "library/entity", "library/licences", "conflicts", "disagreements"):
        assert rows_of(tables[name]) == rows_of(whole[name]), name
    assert changed > 1


def test_nothing_to_compare_gives_empty_tables() -> None:
    plain = Catalog(resources=CATALOG.resources, libraries={"licences": LICENCES})
    tables = Tables()
    for stage in (values_stage(plain), libraries_stage(plain), conflicts_stage(plain), verifications_stage(plain)):
        tables.run(stage, {"as_of": DAY})
    assert (len(tables["conflicts"]), len(tables["disagreements"])) == (0, 0)
