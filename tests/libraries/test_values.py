"""Master data: authority, valid time, history, provenance, and the libraries merged from them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from shutong.libraries.compute import master_stages
from tests.subjects.runner import Tables
from tests.subjects.test_identify import CODE_A, FIRM_A, FIRM_B, LATE, identified, link
from tests.subjects.town import DAY, PENALTY, REGISTRATION, REPORT, catalog


def mastered(*batches: tuple[Any, list[dict[str, Any]]]) -> Tables:
    tables = identified(*batches)
    for stage in master_stages(catalog()):
        tables.run(stage, LATE)
    return tables


def values_of(tables: Tables, attribute: str, library: str = "legal-entity") -> list[dict[str, Any]]:
    rows = [r for r in tables["values"].to_pylist() if (r["attribute"], r["library"]) == (attribute, library)]
    return sorted(rows, key=lambda row: (row["rank"], row["valid_from"]))


def test_the_higher_authority_wins_and_every_value_has_its_source() -> None:
    penalty = {"doc_no": "1", "code": CODE_A, "party": "青禾食品", "decided_on": DAY}
    tables = mastered((REGISTRATION, [FIRM_A]), (PENALTY, [penalty]))
    first, second = values_of(tables, "name")
    assert (first["value"], first["chosen"], first["rank"]) == (FIRM_A["name"], True, 0)
    assert (second["value"], second["chosen"], second["rank"]) == ("青禾食品", False, 1)
    assert (first["record_id"], first["resource"], first["batch_id"]) == ("r001x001", "registration", "b001")
    assert second["valid_from"] == DAY


def test_names_keep_their_history() -> None:
    tables = mastered((REGISTRATION, [FIRM_A]), (REGISTRATION, [{**FIRM_A, "name": "澜川市新禾食品有限公司"}]))
    old, new = values_of(tables, "name")
    assert (old["valid_from"], old["valid_to"], old["chosen"]) == (DAY + dt.timedelta(1), DAY + dt.timedelta(2), False)
    assert (new["valid_from"], new["valid_to"], new["chosen"]) == (DAY + dt.timedelta(2), None, True)


def test_the_latest_of_one_source_wins_by_the_day_it_took_effect() -> None:
    reports = [
        {"uscc": CODE_A, "year": 2025, "employees": 8, "filed_on": dt.date(2026, 3, 1)},
        {"uscc": CODE_A, "year": 2024, "employees": 5, "filed_on": dt.date(2025, 3, 1)},
    ]
    tables = mastered((REGISTRATION, [FIRM_A]), (REPORT, reports))
    assert [(row["value"], row["chosen"]) for row in values_of(tables, "employees")] == [("5", False), ("8", True)]


def test_libraries_hold_typed_attributes_and_keys_of_sealed_ones() -> None:
    person = {"boss": "王五", "boss_id__key": "hmac1", "boss_id__sealed": b"cipher"}
    tables = mastered((REGISTRATION, [{**FIRM_A, **person, "capital": Decimal("10000.00")}, FIRM_B]))
    entities = {row["uscc"]: row for row in tables["library/legal-entity"].to_pylist()}
    assert entities[CODE_A]["capital"] == Decimal("10000.00")
    assert entities[FIRM_B["uscc"]]["capital"] is None
    (population,) = tables["library/population"].to_pylist()
    assert population["citizen_id__key"] == "hmac1"
    assert population["subject_id"] == link(tables, "r001x001", "boss")["subject_id"]
    (sealed,) = values_of(tables, "citizen_id", "population")
    assert (sealed["value"], sealed["sealed"], sealed["grade"]) == ("hmac1", b"cipher", "3")


def test_only_says_who_belongs_to_a_library() -> None:
    fined = [
        {"doc_no": str(n), "code": code, "fine": fine} for n, code, fine in ((1, CODE_A, 150), (2, FIRM_B["uscc"], 50))
    ]
    tables = mastered((REGISTRATION, [FIRM_A, FIRM_B]), (PENALTY, fined))
    assert tables["library/penalised"].to_pylist() == [
        {"subject_id": link(tables, "r001x001")["subject_id"], "name": FIRM_A["name"]}
    ]


def test_what_was_true_on_a_day_can_be_asked_of_the_values() -> None:
    tables = mastered((REGISTRATION, [FIRM_A]), (REGISTRATION, [{**FIRM_A, "name": "澜川市新禾食品有限公司"}]))
    day = DAY + dt.timedelta(1)
    held = [
        r["value"]
        for r in values_of(tables, "name")
        if r["valid_from"] <= day and (not r["valid_to"] or day < r["valid_to"])
    ]
    assert held == [FIRM_A["name"]]
