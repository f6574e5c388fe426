"""Candidates, observations and disagreements, each with the records it comes from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from shutong.rules.compute import lists_stage, time_bound
from shutong.rules.plan import full_run
from shutong.spec.catalog import Catalog
from shutong.spec.models import Indicator, Resource, SubjectList
from shutong.spec.sql import SqlRefused
from tests.subjects.runner import Tables
from tests.subjects.test_identify import CODE_A, CODE_B, FIRM_A, FIRM_B, link
from tests.subjects.town import DAY, PENALISED, PENALTY, REGISTRATION, REPORT, batch, catalog, delivery, resource

FIRMS = [{**FIRM_A, "status": "open"}, {**FIRM_B, "status": "open"}]


def ruled(as_of: dt.date, *batches: tuple[Any, list[dict[str, Any]]]) -> Tables:
    tables = Tables()
    for seq, (of, rows) in enumerate(batches, start=1):
        tables.append(f"accepted/{of.resource}", batch(of, seq, rows))
        tables.append("batches", delivery(of, seq))
    for planned in full_run(catalog()):
        tables.run(planned.stage, {"as_of": as_of})
    return tables


REPORTS = [{"uscc": CODE_A, "year": 2025, "employees": 3, "filed_on": DAY}]
AFTER = dt.date(2026, 7, 2)


def test_a_candidate_says_who_since_when_why_and_by_which_rule() -> None:
    tables = ruled(AFTER, (REGISTRATION, FIRMS), (REPORT, REPORTS))
    (candidate,) = tables["candidates"].to_pylist()
    assert candidate["subject_id"] == link(tables, "r001x002")["subject_id"]
    assert (candidate["list"], candidate["ground"], candidate["since"]) == (
        "abnormal",
        "no-report",
        dt.date(2026, 7, 1),
    )
    assert candidate["record_ids"] == ["r001x002"]
    assert candidate["rule_version"] == f"1-{catalog().hash_of('list', 'abnormal')[:12]}"
    assert candidate["candidate_id"].startswith("c")
    again = ruled(AFTER + dt.timedelta(days=5), (REGISTRATION, FIRMS), (REPORT, REPORTS))
    assert again["candidates"].column("candidate_id").to_pylist() == [candidate["candidate_id"]]


def test_what_time_alone_will_change_is_pending_until_its_day() -> None:
    tables = ruled(dt.date(2026, 6, 30), (REGISTRATION, FIRMS), (REPORT, REPORTS))
    assert len(tables["candidates"]) == 0
    (waiting,) = tables["pending"].to_pylist()
    assert (waiting["subject_id"], waiting["next_change_on"]) == (
        link(tables, "r001x002")["subject_id"],
        dt.date(2026, 7, 1),
    )
    assert len(ruled(AFTER, (REGISTRATION, FIRMS), (REPORT, REPORTS))["pending"]) == 0


def test_a_ground_over_facts() -> None:
    fines = [{"doc_no": str(n), "code": CODE_B, "fine": Decimal(n), "decided_on": DAY} for n in (1, 2)]
    tables = ruled(dt.date(2026, 6, 30), (REGISTRATION, FIRMS), (PENALTY, fines))
    (candidate,) = tables["candidates"].to_pylist()
    assert (candidate["ground"], candidate["since"], candidate["record_ids"]) == (
        "fined",
        DAY,
        ["r002x001", "r002x002"],
    )


def test_observations_and_disagreements() -> None:
    fines = [
        {"doc_no": str(n), "code": CODE_A, "party": name, "fine": Decimal(n), "decided_on": DAY, "area": "980102"}
        for n, name in ((1, FIRM_A["name"]), (2, "青禾"))
    ]
    tables = ruled(AFTER, (REGISTRATION, FIRMS), (PENALTY, fines))
    (observation,) = tables["observations"].to_pylist()
    assert (observation["indicator"], observation["area"], observation["period"]) == ("fines", "980102", DAY)
    assert (observation["value"], observation["records"]) == (3.0, 2)
    assert observation["record_ids"] == ["r002x001", "r002x002"]
    (disagreement,) = tables["disagreements"].to_pylist()
    assert (disagreement["key"], disagreement["left_value"], disagreement["right_value"]) == (
        "1",
        FIRM_A["name"],
        "青禾",
    )
    assert disagreement["record_ids"] == ["r002x002"]


def with_ground(sql: str) -> Catalog:
    declared = {
        "list": "l", "title": "l", "basis": "b", "entry": "decision", "department": "d",
        "grounds": {"g": {"title": "g", "basis": "b", "sql": sql}},
    }  # fmt: skip
    return Catalog(resources=catalog().resources, lists={"l": SubjectList.model_validate(declared)})


def test_a_ground_that_asks_the_day_is_judged_daily() -> None:
    plain = "SELECT subject_id, decided_on AS since, record_set(record_id) AS record_ids{} FROM penalty{} GROUP BY 1, 2"
    plain = plain.replace("GROUP BY 1, 2", "GROUP BY subject_id, decided_on")
    assert not time_bound(with_ground(plain.format("", "")))
    assert time_bound(with_ground(plain.format("", " WHERE decided_on < business_day()")))
    asking_again = plain.format(", decided_on AS next_change_on", " WHERE decided_on < business_day()")
    assert time_bound(with_ground(asking_again))


def test_a_change_of_a_resource_recomputes_every_rule_that_reads_it() -> None:
    """Also of one that is about nobody, which identification doesn't read."""
    rates = resource(
        resource="rates",
        key=["day"],
        items={"day": {"element": "date", "title": "日"}, "rate": {"element": "decimal", "title": "率"}},
    )
    sql = "SELECT day AS period, max(rate) AS value, record_sample(record_id) AS record_ids FROM rates GROUP BY day"
    ground = (
        "SELECT p.subject_id, max(p.decided_on) AS since, record_set(p.record_id) AS record_ids FROM penalty AS p"
        " WHERE p.fine >= (SELECT min(r.rate) FROM rates AS r) GROUP BY p.subject_id"
    )
    member = "SELECT p.subject_id FROM penalty AS p WHERE p.fine >= (SELECT min(r.rate) FROM rates AS r)"

    def identities(rates: Resource) -> dict[str, str]:
        base = with_ground(ground)
        declared = Catalog(
            resources={**base.resources, "rates": rates},
            lists=base.lists,
            libraries={"rated": PENALISED.model_copy(update={"only": member})},
            indicators={"rate": Indicator.model_validate({"indicator": "rate", "title": "率", "sql": sql})},
        )
        return {one.stage.name: one.stage.identity for one in full_run(declared)}

    before, after = identities(rates), identities(rates.model_copy(update={"delivery": "snapshot"}))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"libraries", "lists", "observations"}


def test_a_ground_over_an_unknown_view_is_refused() -> None:
    with pytest.raises(SqlRefused):
        lists_stage(with_ground("SELECT subject_id, since, record_ids FROM links"))


def test_no_declarations_give_empty_tables() -> None:
    tables = Tables()
    for planned in full_run(Catalog()):
        tables.run(planned.stage, {"as_of": DAY})
    assert all(len(rows) == 0 for rows in tables.tables.values())
