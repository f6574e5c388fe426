"""Life events, planted patterns and the registers that tell of them."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from shutong.standards.codes import (
    check_citizen_id,
    check_org_code,
    check_registration_no,
    check_taxpayer_no,
    check_uscc,
)
from tests.democity.conftest import City


def test_codes_of_subjects_are_valid(city: City) -> None:
    checks = {
        "uscc": check_uscc,
        "org_code": check_org_code,
        "registration_no": check_registration_no,
        "taxpayer_no": check_taxpayer_no,
    }
    subjects = city.truth("subjects")
    for column, check in checks.items():
        values = subjects[column].drop_null().to_pylist()
        assert values
        assert all(check(value).valid for value in values)
        assert len(set(values)) == len(values)
    people = [row["value"] for row in city.truth("planted_personal").to_pylist() if row["kind"] == "citizen-id"]
    assert sum(check_citizen_id(value).valid for value in people) / len(people) > 0.95


def test_every_event_happens(city: City) -> None:
    events = Counter(city.truth("subjects")["event"].to_pylist())
    assert {"founded", "renamed", "moved", "representative", "cancelled"} <= set(events)
    assert events["none"] > 0.9 * city.report.subjects


def test_a_change_is_a_second_row_with_the_same_key(city: City) -> None:
    subjects = {row["subject"]: row for row in city.truth("subjects").to_pylist()}
    rows: dict[int, list[dict[str, object]]] = {}
    records = city.truth("records")
    for row in records.filter(pc.equal(records["resource"], "registration")).to_pylist():
        if row["bad_reason"] is None:
            rows.setdefault(row["subject"], []).append(row)
    seen = set()
    for number, versions in rows.items():
        event = subjects[number]["event"]
        if len(versions) != 2 or event not in {"renamed", "moved", "cancelled"}:
            continue
        seen.add(event)
        first, second = (
            dict(
                zip(
                    city.catalog.resources["registration"].items,
                    city.rows(str(v["file"]))[1][v["row_no"] - 1],
                    strict=True,
                )
            )  # type: ignore[operator]
            for v in sorted(versions, key=lambda v: str(v["file"]))
        )
        assert first["established_on"] == second["established_on"] or versions[0]["readable"] or versions[1]["readable"]
        if event == "renamed" and not versions[1]["readable"]:
            assert second["former_name"] == first["name"] == subjects[number]["first_name"]
            assert second["name"] == subjects[number]["name"]
        elif event == "moved":
            assert first["address"] != second["address"]
        elif event == "cancelled":
            assert (first["status"], second["status"]) == ("存续", "注销")
    assert seen == {"renamed", "moved", "cancelled"}


def test_branches_carry_the_head_office(city: City) -> None:
    subjects = {row["subject"]: row for row in city.truth("subjects").to_pylist()}
    branches = [row for row in subjects.values() if row["head"] >= 0]
    assert branches
    for branch in branches:
        head = subjects[branch["head"]]
        assert branch["first_name"].startswith(head["first_name"])
        assert branch["first_name"].endswith("分公司")
        assert branch["uscc"] != head["uscc"]


def test_only_twins_share_a_name(city: City) -> None:
    subjects = city.truth("subjects").to_pylist()
    names = Counter(row["name"] for row in subjects)
    shared = {row["subject"] for row in subjects if names[row["name"]] > 1}
    assert shared == {row["subject"] for row in subjects if row["twin"]}
    assert shared


def test_lookalikes_differ_in_the_legal_form_only(city: City) -> None:
    def bare(name: str) -> str:
        return name.replace("有限责任公司", "有限公司")

    subjects = city.truth("subjects").to_pylist()
    names = Counter(bare(row["name"]) for row in subjects)
    shared = {row["subject"] for row in subjects if names[bare(row["name"])] > 1 and not row["twin"]}
    assert shared == {row["subject"] for row in subjects if row["lookalike"]}
    assert shared


def test_some_people_own_several_businesses(city: City) -> None:
    owners = Counter(city.truth("subjects")["owner"].to_pylist())
    assert max(owners.values()) >= 2


def test_planted_patterns_are_in_the_data(city: City) -> None:
    """Firms without a report have no report row of the last year; unreachable firms have an inspection that says so."""
    patterns = city.truth("patterns")
    records = city.truth("records")
    planted = patterns.filter(pc.equal(patterns["because"], "planted"))
    names = Counter(planted["pattern"].to_pylist())
    assert names["no-annual-report"] > 5
    assert names["unreachable"] >= 1
    lazy = set(planted.filter(pc.equal(planted["pattern"], "no-annual-report"))["subject"].to_pylist())
    for row in records.filter(pc.equal(records["resource"], "annual-report")).to_pylist():
        if row["subject"] in lazy:
            header, rows = city.rows(row["file"])
            assert rows[row["row_no"] - 1][header.index("年报年度")].translate(HALF) == "2024"
    gone = set(planted.filter(pc.equal(planted["pattern"], "unreachable"))["subject"].to_pylist())
    found = set()
    for row in records.filter(pc.equal(records["resource"], "inspection")).to_pylist():
        if row["subject"] in gone and "查无下落" in city.rows(row["file"])[1][row["row_no"] - 1]:
            found.add(row["subject"])
    assert found == gone


def test_personal_values_are_all_listed(city: City) -> None:
    """Every citizen number and telephone that stands in a file is in the list that public pages are searched for."""
    listed = set(city.truth("planted_personal")["value"].to_pylist())
    header, rows = city.rows(next(d.path for d in city.report.deliveries if d.resource == "resident"))
    numbers = {row[header.index("公民身份号码")] for row in rows} | {row[header.index("联系电话")] for row in rows}
    assert numbers - {""} <= listed
    assert isinstance(city.truth("planted_personal"), pa.Table)


HALF = str.maketrans("０１２３４５６７８９", "0123456789")
