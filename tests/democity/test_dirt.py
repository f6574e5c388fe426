"""The dirt: its shares, and that the truth says what an independent reading of the files finds."""

from __future__ import annotations

from collections import Counter

import pyarrow.compute as pc
import pytest

from shutong.democity.geography import city_of_standards
from shutong.democity.scene import is_register
from shutong.democity.variants import date_spelling, full_width, name_variant
from shutong.spec.models import Item
from shutong.standards.codesets import code_set
from shutong.standards.dates import check_date
from shutong.standards.elements import ELEMENTS
from shutong.standards.text import is_empty
from tests.democity.conftest import City


def registers(city: City) -> set[str]:
    return {name for name, resource in city.catalog.resources.items() if is_register(resource)}


def counts(city: City, column: str, *, in_registers: bool | None = None) -> tuple[Counter[str], int]:
    records = city.truth("records")
    names = registers(city)
    values = [
        value
        for resource, value, subject in zip(
            *(records[key].to_pylist() for key in ("resource", column, "subject")), strict=True
        )
        if in_registers is None or ((resource in names) == in_registers and (column != "evidence" or subject >= 0))
    ]
    return Counter(values), len(values)


@pytest.mark.parametrize(("evidence", "share"), [("old-number", 0.12), ("name-variant", 0.05)])
def test_shares_of_evidence(city: City, evidence: str, share: float) -> None:
    found, rows = counts(city, "evidence", in_registers=False)
    assert found[evidence] / rows == pytest.approx(share, rel=0.05)


def test_share_without_any_code_and_of_bad_check_digits(city: City) -> None:
    """Rows with a bad code fall back to name and area too, so those are the 8 % and the 2 % together."""
    found, rows = counts(city, "evidence", in_registers=False)
    dirt, _ = counts(city, "dirt", in_registers=False)
    assert found["name-area"] / rows == pytest.approx(0.08 + dirt["check-digit"] / rows, rel=0.05)
    assert dirt["check-digit"] / rows == pytest.approx(0.02, rel=0.1)
    assert (rows - found["uscc"]) / rows == pytest.approx(0.27, rel=0.05)


@pytest.mark.parametrize(
    ("kinds", "share", "in_registers"),
    [
        (("date-impossible", "date-after"), 0.01, None),
        (("duplicate",), 0.01, None),
        (("swapped",), 0.002, None),
        (("late",), 0.03, False),
        (("late",), 0.0, True),
    ],
)
def test_shares_of_planted_rows(city: City, kinds: tuple[str, ...], share: float, in_registers: bool | None) -> None:
    found, rows = counts(city, "dirt", in_registers=in_registers)
    assert sum(found[kind] for kind in kinds) / rows == pytest.approx(share, rel=0.15, abs=0.0005)


def reason_of(city: City, item: Item, text: str) -> str | None:
    """What is wrong with a cell, by the scalar checks of the standards."""
    if is_empty(text):
        return "item.required" if item.required else None
    if item.codes in city.catalog.codes:
        values = city.catalog.codes[item.codes].values
        return None if text in values or text in {t.zh for t in values.values()} else "code.unknown"
    if item.codes:
        return code_set(item.codes).check(text).reason
    element = ELEMENTS[item.element]
    return (element.scalar(text, item.unit) if item.unit else element.scalar(text)).reason


def test_truth_agrees_with_the_files(city: City) -> None:
    """Read again cell by cell: bad rows fail for the planted reason, good rows fail nowhere but where they are flagged."""
    truth: dict[str, dict[int, dict[str, object]]] = {}
    for row in city.truth("records").to_pylist():
        truth.setdefault(row["file"], {})[row["row_no"]] = row
    for delivery in city.report.deliveries:
        if delivery.received_on not in (city.report.first_day, city.report.business_day) or delivery.rows > 1500:
            continue
        resource = city.catalog.resources[delivery.resource]
        seen: set[tuple[str, ...]] = set()
        for number, cells in enumerate(city.rows(delivery.path)[1], 1):
            true = truth[delivery.path][number]
            named = dict(zip(resource.items, cells, strict=True))
            faults = {
                (reason, name)
                for name, item in resource.items.items()
                if (reason := reason_of(city, item, named[name]))
            }
            key = tuple(named[name] for name in resource.key)
            where = f"{delivery.path} row {number}: {true} {faults}"
            if true["bad_reason"] == "key.duplicate":
                assert key in seen, where
            elif true["bad_reason"] is None or str(true["bad_reason"]).startswith("check:"):
                expected = {("uscc.check-digit", "uscc")} if true["dirt"] == "check-digit" else set()
                assert faults == expected, where
                assert key not in seen, where
            else:
                assert (true["bad_reason"], true["bad_item"]) in faults, where
            seen.add(key)


def test_late_rows_come_after_the_term_and_others_in_time(city: City) -> None:
    day = city.report.first_day.isoformat()
    records = city.truth("records")
    rows = records.filter(pc.equal(records["resource"], "permit")).to_pylist()
    late = [row for row in rows if row["dirt"] == "late"]
    plain = [row for row in rows if not row["dirt"] and not row["readable"] and row["received_on"].isoformat() > day]
    assert late
    assert plain
    for group, fewest, most in ((late, 8, 99), (plain, 0, 7)):
        for row in group:
            cells = city.rows(row["file"])[1][row["row_no"] - 1]
            decided = check_date(cells[1])
            assert decided.valid
            gap = (row["received_on"] - type(row["received_on"]).fromisoformat(str(decided.canonical))).days
            assert fewest <= gap <= most


def test_identifiable_rows_hold_what_names_their_subject(city: City) -> None:
    """By hand: the row's code or name is the subject's, and the subject stands in a register by a good row."""
    subjects = {row["subject"]: row for row in city.truth("subjects").to_pylist()}
    for row in city.truth("records").to_pylist():
        if row["resource"] != "commitment" or row["bad_reason"] or not row["identifiable"]:
            continue
        subject = subjects[row["subject"]]
        named = dict(
            zip(city.catalog.resources["commitment"].items, city.rows(row["file"])[1][row["row_no"] - 1], strict=True)
        )
        assert subject["registered"]
        if row["evidence"] == "uscc":
            assert full_width(named["uscc"], 1) == full_width(subject["uscc"], 1)
        elif row["evidence"] == "old-number":
            assert named["org_code"] == subject["org_code"] or named["registration_no"] == subject["registration_no"]
        elif row["evidence"] == "name-area" and row["variant"] is None:
            assert named["name"] == subject["name"]


def test_spellings_are_read_back() -> None:
    for draw in range(6):
        assert check_date(date_spelling("2026-06-15", draw)).canonical == "2026-06-15"
        assert check_date(date_spelling("2025-11-30", draw)).canonical == "2025-11-30"
        assert check_date(full_width("2026-06-15", draw)).canonical == "2026-06-15"


def test_name_variants_differ_and_keep_what_tells_names_apart(city: City) -> None:
    geography = city_of_standards()
    for name in (
        "澜川市安达科技有限责任公司",
        "安达（澜川）商贸有限公司",
        "云安省安达环保科技股份有限公司",
        "澜川市澜东区安达小吃店",
    ):
        for draw in range(0, 24, 2):
            variant, kind = name_variant(name, None, draw, geography)
            assert variant != name
            assert "安达" in variant.replace(" ", "").replace("\u3000", "")
            assert kind in {"brackets", "short-prefix", "no-prefix", "space", "short-form", "full-width-space"}
    assert name_variant("澜川市安达科技有限公司", "澜川市旧名科技有限公司", 1, geography) == (
        "澜川市旧名科技有限公司",
        "former",
    )
