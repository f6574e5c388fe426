"""Whom a record is about: every method, and every reason for leaving a record unidentified."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from shutong.subjects.compute import identifiers_stage, identify_stage, mentions_stage
from tests.subjects.runner import Tables
from tests.subjects.town import ADDRESS, PENALTY, REGISTRATION, REPORT, batch, catalog, delivery

LATE = {"as_of": dt.date(2026, 12, 31)}
CODE_A, CODE_B = "91980102MA0AAAAA1X", "91980102MA0BBBBB2Y"


def identified(*batches: tuple[Any, list[dict[str, Any]]]) -> Tables:
    """Run identification over deliveries in order, the first with seq 1."""
    tables = Tables()
    for seq, (of, rows) in enumerate(batches, start=1):
        tables.append(f"accepted/{of.resource}", batch(of, seq, rows))
        tables.append("batches", delivery(of, seq))
    declared = catalog()
    for stage in (mentions_stage(declared), identifiers_stage(declared), identify_stage(declared)):
        tables.run(stage, LATE)
    return tables


def link(tables: Tables, record: str, role: str = "subject") -> dict[str, Any]:
    """The link or the unidentified row of a record, with its evidence read."""
    for table in ("links", "unidentified"):
        for row in tables[table].to_pylist():
            if (row["record_id"], row["role"]) == (record, role):
                return {**row, "evidence": json.loads(row["evidence"])}
    raise AssertionError(f"{record} is neither linked nor unidentified")


FIRM_A = {
    "reg_key": "1",
    "uscc": CODE_A,
    "old_no": "110108000000016",
    "tax_no": "980102MA0AAAAA1",
    "name": "澜川市青禾食品有限公司",
    "area": "980102",
}
FIRM_B = {
    "reg_key": "2",
    "uscc": CODE_B,
    "old_no": "440301103097413",
    "name": "澜川市白杨商贸有限公司",
    "area": "980103",
}


def all_penalties(rows: list[dict[str, Any]], *registers: dict[str, Any]) -> Tables:
    penalties = [{"doc_no": f"d{number}", **row} for number, row in enumerate(rows)]
    return identified((REGISTRATION, list(registers)), (PENALTY, penalties))


def of_penalty(row: dict[str, Any], *registers: dict[str, Any]) -> tuple[dict[str, Any], Tables]:
    tables = identified((REGISTRATION, list(registers or (FIRM_A, FIRM_B))), (PENALTY, [{"doc_no": "d1", **row}]))
    return link(tables, "r002x001"), tables


def test_every_method_leads_to_the_register_row() -> None:
    cases = [
        ({"code": CODE_A, "party": FIRM_A["name"]}, "uscc", 990, "equal"),
        ({"code": CODE_A, "party": "别的名字"}, "uscc", 950, "unknown"),
        ({"org": "MA0AAAAA1"}, "org_code", 980, "absent"),
        (
            {"old_no": "110108000000016", "party": "澜川市青禾食品有限公司", "area": "980102"},
            "registration_no",
            975,
            "equal",
        ),
        ({"tax_no": "980102MA0AAAAA1"}, "taxpayer_no", 970, "absent"),
        ({"party": "澜川市青禾食品有限公司", "area": "980102"}, "name_area", 940, "equal"),
        ({"party": "澜川市　青禾食品有限公司", "area": "980102"}, "name_area", 940, "equal"),
        ({"party": "澜川市青禾食品有限公司"}, "name", 900, "equal"),
        ({"party": "澜川市青禾食品有限公司", "area": "980100"}, "name", 900, "equal"),
        ({"party": "青禾食品公司", "area": "980102"}, "name_variant", 860, "variant"),
    ]
    tables = all_penalties([case[0] for case in cases], FIRM_A, FIRM_B)
    for number, (row, method, score, name) in enumerate(cases, start=1):
        found = link(tables, f"r002x{number:03d}")
        assert (found.get("method"), found.get("score"), found["evidence"]["name"]) == (method, score, name), row
        assert found["subject_id"] == link(tables, "r001x001")["subject_id"], row


def test_every_reason_for_leaving_a_record() -> None:
    twin = {**FIRM_B, "reg_key": "3", "uscc": "91980102MA0CCCCC3Z", "old_no": None, "area": "980103"}
    cases = [
        ({}, "no-identifier"),
        ({"party": "没有这家公司", "area": "980102"}, "no-match"),
        ({"old_no": "999999999999999"}, "no-match"),
        ({"party": FIRM_A["name"], "area": "980105"}, "no-match"),
        ({"party": FIRM_B["name"], "area": "980103"}, "ambiguous"),
        ({"party": FIRM_B["name"]}, "ambiguous"),
        ({"code": CODE_A, "party": FIRM_A["name"][:-2] + "公司", "area": "980103", "old_no": None}, None),
        ({"org": "MA0AAAAA1", "old_no": "440301103097413"}, "conflict"),
        ({"party": FIRM_A["name"], "area": "980102", "old_no": "330106000000017"}, "conflict"),
    ]
    tables = all_penalties([case[0] for case in cases], FIRM_A, FIRM_B, twin)
    for number, (row, reason) in enumerate(cases, start=1):
        found = link(tables, f"r002x{number:03d}")
        assert found.get("reason") == reason, (row, found)


def test_a_code_beside_the_name_of_somebody_else_is_a_conflict() -> None:
    found, tables = of_penalty({"code": CODE_A, "party": FIRM_B["name"], "area": "980103"})
    assert found["reason"] == "conflict"
    assert found["evidence"]["candidate"] == link(tables, "r001x001")["subject_id"]
    assert found["evidence"]["name_of"] == link(tables, "r001x002")["subject_id"]


def test_a_branch_is_not_its_parent() -> None:
    branch = {**FIRM_B, "name": FIRM_A["name"] + "白石分公司", "area": "980102"}
    found, tables = of_penalty({"party": branch["name"], "area": "980102"}, FIRM_A, branch)
    assert found["subject_id"] == link(tables, "r001x002")["subject_id"]
    found, _ = of_penalty({"party": FIRM_A["name"] + "白石分公司", "area": "980102"})
    assert found["reason"] == "no-match"


def test_two_firms_whose_names_differ_in_the_legal_form_alone_are_told_apart() -> None:
    twin = {**FIRM_B, "name": FIRM_A["name"].replace("有限公司", "有限责任公司"), "area": FIRM_A["area"]}
    rows = [{"party": twin["name"], "area": "980102"}, {"party": FIRM_A["name"], "area": "980102"}]
    rows.append({"party": "青禾食品公司", "area": "980102"})
    tables = all_penalties(rows, FIRM_A, twin)
    assert link(tables, "r002x001")["subject_id"] == link(tables, "r001x002")["subject_id"]
    assert link(tables, "r002x002")["subject_id"] == link(tables, "r001x001")["subject_id"]
    assert link(tables, "r002x003")["reason"] == "ambiguous"


def test_former_names_lead_to_the_subject() -> None:
    renamed = {**FIRM_A, "name": "澜川市新禾食品有限公司"}
    tables = identified(
        (REGISTRATION, [FIRM_A, {**FIRM_B, "former": "澜川市老杨商贸有限公司"}]),
        (REGISTRATION, [renamed]),
        (PENALTY, [{"doc_no": "1", "party": FIRM_A["name"], "area": "980102"}]),
        (PENALTY, [{"doc_no": "2", "party": "澜川市老杨商贸有限公司", "area": "980103"}]),
    )
    assert link(tables, "r003x001")["subject_id"] == link(tables, "r002x001")["subject_id"]
    assert link(tables, "r004x001")["subject_id"] == link(tables, "r001x002")["subject_id"]
    assert link(tables, "r001x001")["subject_id"] == link(tables, "r002x001")["subject_id"]


def test_a_code_that_no_register_holds_gets_a_provisional_subject_that_the_register_row_joins() -> None:
    first = {"doc_no": "1", "code": CODE_A, "party": "青禾"}
    before = identified((PENALTY, [first]), (PENALTY, [{"doc_no": "2", "org": "MA0AAAAA1"}]))
    provisional = link(before, "r001x001")
    assert provisional["method"] == "uscc"
    assert link(before, "r002x001")["subject_id"] == provisional["subject_id"]
    assert [row["registered"] for row in before["identifiers"].to_pylist() if row["kind"] == "uscc"] == [False]
    after = identified((PENALTY, [first]), (REGISTRATION, [FIRM_A]))
    assert link(after, "r001x001")["subject_id"] == provisional["subject_id"] == link(after, "r002x001")["subject_id"]
    assert [row["registered"] for row in after["identifiers"].to_pylist() if row["kind"] == "uscc"] == [True]


def test_a_row_with_both_codes_merges_two_subjects_and_the_first_id_survives() -> None:
    old = {"reg_key": "9", "old_no": "110108000000016", "name": "青禾食品厂", "area": "980102"}
    tables = identified((REGISTRATION, [old]), (PENALTY, [{"doc_no": "1", "code": CODE_A}]), (REGISTRATION, [FIRM_A]))
    survivor = link(tables, "r001x001")["subject_id"]
    assert {link(tables, record)["subject_id"] for record in ("r002x001", "r003x001")} == {survivor}
    redirected = [row for row in tables["identifiers"].to_pylist() if row["kind"] == "redirected"]
    assert [row["subject_id"] for row in redirected] == [survivor]
    assert redirected[0]["value"] in tables["subjects"].column("subject_id").to_pylist()


def test_two_valid_codes_never_merge() -> None:
    shared = {**FIRM_B, "old_no": FIRM_A["old_no"], "name": FIRM_A["name"], "area": FIRM_A["area"]}
    tables = identified((REGISTRATION, [FIRM_A, shared]), (PENALTY, [{"doc_no": "1", "old_no": FIRM_A["old_no"]}]))
    assert link(tables, "r001x001")["subject_id"] != link(tables, "r001x002")["subject_id"]
    assert link(tables, "r002x001")["reason"] == "ambiguous"


def test_a_register_row_corrected_to_another_code_lends_it_no_names() -> None:
    wrong = {**FIRM_A, "uscc": CODE_B}
    tables = identified((REGISTRATION, [wrong]), (REGISTRATION, [{**FIRM_A, "name": "澜川市新禾食品有限公司"}]))
    names = [row for row in tables["identifiers"].to_pylist() if row["kind"] == "name"]
    assert {row["subject_id"] for row in names} == {link(tables, "r002x001")["subject_id"]}
    assert len(names) == 1
    assert link(tables, "r001x001")["subject_id"] != link(tables, "r002x001")["subject_id"]


def test_persons_are_linked_by_their_key_only() -> None:
    boss = {"boss": "王五", "boss_id__key": "hmac1"}
    tables = identified(
        (REGISTRATION, [{**FIRM_A, **boss}, {**FIRM_B, **boss}, {**FIRM_B, "reg_key": "4", "boss": "王五"}])
    )
    first = link(tables, "r001x001", "boss")
    assert first["method"] == "person_key"
    assert first["subject_id"].startswith("p")
    assert link(tables, "r001x002", "boss")["subject_id"] == first["subject_id"]
    assert link(tables, "r001x003", "boss")["reason"] == "no-identifier"
    assert "hmac1" not in first["subject_id"]


def test_withdrawn_and_replaced_rows() -> None:
    tables = identified(
        (PENALTY, [{"doc_no": "1", "code": CODE_A}, {"doc_no": "2", "code": CODE_A}]),
        (PENALTY, [{"doc_no": "1", "op": "withdraw"}, {"doc_no": "2", "code": CODE_A, "fine": 5}]),
    )
    rows = {row["record_id"]: row["current"] for row in tables["links"].to_pylist()}
    assert rows == {"r001x002": False, "r002x002": True}
    assert [row["minted_by"] for row in tables["subjects"].to_pylist()] == ["r001x001"]


def test_a_row_that_replaces_another_ends_it_until_it_comes_again() -> None:
    issued = {"code": CODE_A}
    anew = (PENALTY, [{"doc_no": "2", "old_doc": "1", "code": CODE_B}])
    tables = identified((PENALTY, [{"doc_no": "1", **issued}]), anew)
    assert [row["record_id"] for row in tables["links"].to_pylist()] == ["r002x001"]
    tables = identified((PENALTY, [{"doc_no": "1", **issued}]), anew, (PENALTY, [{"doc_no": "1", "fine": 5, **issued}]))
    current = {row["record_id"]: row["current"] for row in tables["links"].to_pylist()}
    assert current == {"r001x001": False, "r002x001": True, "r003x001": True}
    withdrawn = (PENALTY, [{"doc_no": "2", "old_doc": "1", "op": "withdraw"}])
    tables = identified((PENALTY, [{"doc_no": "1", **issued}]), withdrawn)
    assert [row["record_id"] for row in tables["links"].to_pylist()] == ["r001x001"]


def test_places_of_the_latest_snapshot() -> None:
    place = {"no": "1", "address": "青石路 8 号", "area": "980102"}
    tables = identified((ADDRESS, [place, {**place, "no": "2", "address": "青石路10号"}]), (ADDRESS, [place]))
    assert tables["links"].column("record_id").to_pylist() == ["r002x001"]
    assert link(tables, "r002x001")["subject_id"].startswith("l")
    assert len(tables["subjects"]) == 2


def test_as_of_an_earlier_day_knows_only_what_had_arrived() -> None:
    tables = identified((PENALTY, [{"doc_no": "1", "code": CODE_A}]), (REPORT, [{"uscc": CODE_B, "year": 2025}]))
    tables.run(mentions_stage(catalog()), {"as_of": dt.date(2026, 6, 16)})
    assert tables["mentions"].column("record_id").to_pylist() == ["r001x001"]
