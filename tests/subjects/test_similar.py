"""Similar names, repaired codes and decisions: who is linked, who waits for a person, and who is never paired."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from shutong.standards.code_slips import meant_codes
from shutong.standards.codes import make_uscc
from shutong.subjects.compute import identify_stage
from shutong.subjects.model import LEVELS, built_in, complete
from shutong.subjects.similar import brand_level, trade_level
from shutong.subjects.tables import DECISIONS, MODELS
from tests.subjects.runner import Tables
from tests.subjects.test_identify import LATE, identified, link
from tests.subjects.town import PENALTY, REGISTRATION, catalog

CODE = make_uscc("91980102MA0AAAAA1")
FIRM = {
    "reg_key": "1", "uscc": CODE, "name": "澜川市云帆达网络科技有限公司", "area": "980102", "boss": "张小明",
    "tel__key": "t1", "site": "澜川市澜东区青石路1号",
}  # fmt: skip
OTHER = {**FIRM, "reg_key": "2", "uscc": make_uscc("91980102MA0BBBBB2"), "name": "澜川市白杨商贸有限公司",
         "boss": "李四", "tel__key": "t2", "site": "青石路9号"}  # fmt: skip


def outcome(row: dict[str, Any], *registers: dict[str, Any]) -> dict[str, Any]:
    tables = identified((REGISTRATION, list(registers or (FIRM, OTHER))), (PENALTY, [{"doc_no": "d", **row}]))
    found = link(tables, "r002x001")
    found["first"] = link(tables, "r001x001")["subject_id"]
    return found


@pytest.mark.parametrize(
    "row",
    [
        {"party": "澜川市云凡达网络科技有限公司", "area": "980102"},  # a character of a long brand mistyped
        {"party": "澜川市云达网络科技有限公司", "area": "980102", "chief": "张小明"},  # a character missing
        {"party": "云帆达科技公司", "area": "980102", "tel__key": "t1"},  # abbreviated
        {"party": "云帆达", "area": "980102", "chief": "张小明"},
        {"party": "澜川市云帆达网络科技有限公司", "area": "980105", "site": "澜川市澜东区青石路1号"},  # moved
        {"party": "云帆达网络料技有限公司", "area": "980102"},  # a character of the trade: brand and trade run together
        {"party": "云帆达网络科技技有限公司", "area": "980102"},  # doubled
        {"party": "云帆达网络", "area": "980102"},
        {"party": "雲帆達网络科技", "area": "980100"},  # traditional characters, area of the city
    ],
)
def test_a_similar_name_with_evidence_is_linked(row: dict[str, Any]) -> None:
    found = outcome(row)
    assert (found.get("method"), found.get("subject_id")) == ("similar", found["first"]), found
    assert 600 < found["score"] <= 850
    assert found["evidence"]["weight"] >= 1856 and found["evidence"]["model"] == 0


@pytest.mark.parametrize(
    ("row", "registers"),
    [
        ({"party": "澜川市云帆达网络科技有限公司第一分公司", "area": "980102", "chief": "张小明", "tel__key": "t1"}, ()),
        ({"party": "澜川市云帆达餐饮管理有限公司", "area": "980102", "chief": "张小明"}, ()),  # the owner's other firm
        ({"party": "澜川市云凡达网络科技有限公司", "area": "980102"},
         (FIRM, {**OTHER, "name": "澜川市云番达网络科技有限公司", "area": "980102"})),  # two are equally near
        ({"party": "澜川市完全不同建筑有限公司", "area": "980102", "chief": "张小明", "tel__key": "t1"}, ()),
        ({"party": "澜川市云凡达网络科技有限公司", "area": "980102", "old_no": "110108000000016"},
         ({**FIRM, "old_no": "440301103097413"},)),  # another registration number
    ],
)  # fmt: skip
def test_what_only_looks_alike_is_not_linked(row: dict[str, Any], registers: tuple[dict[str, Any], ...]) -> None:
    assert "method" not in outcome(row, *registers)


def test_what_lies_between_waits_for_a_person() -> None:
    found = outcome({"party": "澜川市白桦商贸有限公司", "area": "980102"})
    assert found["reason"] == "review"
    assert found["evidence"]["brand"] == "near-short" and found["evidence"]["candidate"]


def test_a_value_that_many_share_is_not_looked_into() -> None:
    agencies = [
        {**OTHER, "reg_key": str(n), "uscc": make_uscc(f"91980102MA1{n:06d}"), "name": f"澜川市甲{n}乙贸易有限公司",
         "tel__key": "agency"} for n in range(40)
    ]  # fmt: skip
    found = outcome({"party": "澜川市丙丁食品有限公司", "area": "980105", "tel__key": "agency"}, *agencies)
    assert found["reason"] == "no-match"


def test_ten_thousand_of_one_name_are_never_merged() -> None:
    same = [
        {**OTHER, "reg_key": str(n), "uscc": make_uscc(f"92980102MA1{n:06d}"), "name": "兰州拉面馆"} for n in range(300)
    ]
    found = outcome({"party": "兰州拉面馆", "area": "980102"}, *same)
    assert found["reason"] == "ambiguous"


def test_a_code_with_one_slip_is_repaired_where_name_or_area_agrees() -> None:
    slip = CODE[:10] + "8" + CODE[11:]
    found = outcome({"code__faulty": slip, "party": FIRM["name"], "area": "980105"})
    assert (found["method"], found["subject_id"]) == ("uscc_repaired", found["first"])
    assert found["evidence"]["uscc"] == "repaired"
    assert "method" not in outcome({"code__faulty": slip, "party": "澜川市别的厂", "area": "980105"})
    assert outcome({"code__faulty": slip, "party": OTHER["name"], "area": "980102"})["reason"] == "conflict"


def test_two_codes_that_fit_one_slip_repair_nothing() -> None:
    slip = CODE[:10] + "8" + CODE[11:]
    near = next(code for code in meant_codes(slip) if code != CODE)
    found = outcome({"code__faulty": slip, "area": "980102"}, FIRM, {**OTHER, "uscc": near})
    assert "method" not in found


def test_a_decision_holds_for_the_case_until_it_is_undone() -> None:
    row = {"party": "澜川市白桦商贸有限公司", "area": "980102"}
    tables = identified((REGISTRATION, [FIRM, OTHER]), (PENALTY, [{"doc_no": "d1", **row}, {"doc_no": "d2", **row}]))
    subject = link(tables, "r002x001")["evidence"]["candidate"]
    case = next(m["case_key"] for m in tables["mentions"].to_pylist() if m["record_id"] == "r002x001")
    decide(tables, "d1", "same", case, subject)
    for record in ("r002x001", "r002x002"):
        found = link(tables, record)
        assert (found["method"], found["subject_id"], found["evidence"]) == ("decision", subject, {"decision": "d1"})
    decide(tables, "d2", "undo", None, None, undoes="d1")
    assert link(tables, "r002x001")["reason"] == "review"
    decide(tables, "d3", "different", case, subject)
    assert link(tables, "r002x001")["reason"] == "no-match"


def test_an_exact_link_that_a_person_rules_out_is_taken_back() -> None:
    row = {"party": FIRM["name"], "area": "980102"}
    tables = identified((REGISTRATION, [FIRM, OTHER]), (PENALTY, [{"doc_no": "d1", **row}]))
    found = link(tables, "r002x001")
    case = next(m["case_key"] for m in tables["mentions"].to_pylist() if m["record_id"] == "r002x001")
    decide(tables, "d1", "different", case, found["subject_id"])
    assert link(tables, "r002x001")["reason"] == "ruled-out"


def decide(
    tables: Tables, decision: str, verb: str, case: str | None, subject: str | None, undoes: str | None = None
) -> None:
    """Write a decision and identify again."""
    made = tables.tables.get("decisions", DECISIONS.empty_table())
    row = {"decision_id": decision, "made_on": dt.date(2026, 7, 1), "position": made.num_rows, "verb": verb,
           "case_key": case, "subject_id": subject, "undoes": undoes, "actor": "clerk"}  # fmt: skip
    tables.append("decisions", pa.Table.from_pylist([row], schema=DECISIONS))
    tables.run(identify_stage(catalog()), LATE)


def test_a_trained_model_takes_the_place_of_the_built_in_one() -> None:
    strict = [
        ("link", 0, None, 9000) if part == "link" else (part, level, term, weight)
        for part, level, term, weight in built_in()
    ]
    rows = [
        {"model": "identify", "version": 3, "trained_on": dt.date(2026, 7, 1), "part": part, "level": level, "term": term,
         "weight": weight} for part, level, term, weight in strict
    ]  # fmt: skip
    tables = identified(
        (REGISTRATION, [FIRM, OTHER]),
        (PENALTY, [{"doc_no": "d", "party": "澜川市云凡达网络科技有限公司", "area": "980102"}]),
    )
    assert link(tables, "r002x001")["method"] == "similar"
    tables.append("models", pa.Table.from_pylist(rows, schema=MODELS))
    tables.run(identify_stage(catalog()), {"as_of": dt.date(2026, 6, 30)})
    assert link(tables, "r002x001")["evidence"]["model"] == 0, "a model does not exist before the day it was trained"
    tables.run(identify_stage(catalog()), LATE)
    found = link(tables, "r002x001")
    assert (found["reason"], found["evidence"]["model"]) == ("review", 3)


def test_the_built_in_model_is_complete() -> None:
    assert complete(built_in())
    assert not complete(built_in()[1:])


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [("云帆", "云帆", "equal"), ("云帆达", "云凡达", "near"), ("云帆", "云凡", "near-short"), ("云帆", "云帆达", "near"),
     ("云帆", "云帆达海", "part"), ("云帆", "白杨", "other"), ("", "", "other"), ("云", "帆", "other"), ("云", "云帆", "near-short")],
)  # fmt: skip
def test_brands(one: str, other: str, level: str) -> None:
    assert LEVELS["brand"][brand_level(one, other)] == LEVELS["brand"][brand_level(other, one)] == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [("网络科技", "网络科技", "equal"), ("网络科技", "科技", "near"), ("网络科技", "网路科技", "near"), ("商贸", "贸易", "other"),
     ("物流", "物业", "absent"),
     ("", "商贸", "absent"), ("", "", "absent"), ("餐饮", "网络科技", "other")],
)  # fmt: skip
def test_trades(one: str, other: str, level: str) -> None:
    assert LEVELS["trade"][trade_level(one, other)] == LEVELS["trade"][trade_level(other, one)] == level
