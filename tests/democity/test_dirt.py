"""The dirt: its shares, and that the truth says what an independent reading of the files finds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from shutong.democity.city import generate
from shutong.democity.geography import city_of_standards
from shutong.democity.scene import about_of, is_register
from shutong.democity.slips import WAYS, reason_of_citizen_id, reason_of_uscc, slip, slip_citizen_id
from shutong.democity.variants import Said, date_spelling, first_word, full_width, name_variant
from shutong.spec.catalog import Catalog
from shutong.spec.models import Item
from shutong.standards.codes import check_citizen_id, check_uscc, make_citizen_id, make_org_code, make_uscc
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
    usual = {r.resource for r in city.catalog.resources.values() if r.demo and r.demo.dirt == "usual"}
    values = [
        value
        for resource, value, subject in zip(
            *(records[key].to_pylist() for key in ("resource", column, "subject")), strict=True
        )
        if resource in usual
        if in_registers is None or ((resource in names) == in_registers and (column != "evidence" or subject >= 0))
    ]
    return Counter(values), len(values)


@pytest.mark.parametrize(("evidence", "share"), [("old-number", 0.12), ("name-variant", 0.05)])
def test_shares_of_evidence(city: City, evidence: str, share: float) -> None:
    found, rows = counts(city, "evidence", in_registers=False)
    assert found[evidence] / rows == pytest.approx(share, rel=0.05)


def test_share_without_any_code_and_of_bad_check_digits(city: City) -> None:
    found, rows = counts(city, "evidence", in_registers=False)
    dirt, _ = counts(city, "dirt", in_registers=False)
    assert found["name-area"] / rows == pytest.approx(0.08, rel=0.05)
    assert dirt["check-digit"] / rows == pytest.approx(0.02, rel=0.1)
    assert found["bad-code"] == pytest.approx(dirt["check-digit"], rel=0.05)
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
                if true["dirt"] == "check-digit":
                    assert {item for _, item in faults} == {"uscc"}, where
                    assert faults <= {(f"uscc.{part}", "uscc") for part in ("check-digit", "characters", "area")}, where
                else:
                    assert not faults, where
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


NAMES = (
    Said("澜川市", "安达", "", "环保科技", "有限责任公司", ""),
    Said("", "安达", "（澜川）", "商贸", "有限公司", ""),
    Said("云安省", "安达", "", "科技", "股份有限公司", "澜东分公司"),
    Said("澜川市澜东区", "安达", "", "小吃店", "", ""),
)
LOSSY = {"mistyped", "missing-character", "doubled-character", "abbreviation", "brand-company"}


def test_name_variants_differ_and_keep_what_tells_names_apart() -> None:
    geography = city_of_standards()
    ways: Counter[str] = Counter()
    for name in NAMES:
        for draw in range(0, 40_000, 18):
            said, way = name_variant(name, None, draw * 7919, geography)
            ways[way] += 1
            text = said.written()
            assert text != name.written() or said.whole_city
            assert said.branch == name.branch
            if way not in LOSSY:
                assert (said.brand, said.trade) == (name.brand, name.trade)
            assert said.short == (way in {"abbreviation", "brand-company"})
            assert not (name.branch and said.short)
    assert set(ways) == {
        "brackets", "branch-brackets", "short-prefix", "no-prefix", "space", "full-width-space", "short-form",
        "traditional", "city-area", *LOSSY,
    }  # fmt: skip
    former = Said("澜川市", "旧名", "", "科技", "有限公司", "")
    assert name_variant(NAMES[0], former, 1, geography) == (former, "former")


def test_ways_of_a_name() -> None:
    geography = city_of_standards()
    written: dict[str, set[str]] = {}
    for name in NAMES:
        for draw in range(1, 60_000, 6):
            said, way = name_variant(name, None, draw * 7919, geography)
            written.setdefault(way, set()).add(said.written())
    assert written["abbreviation"] == {"安达环保", "安达商贸"}
    assert written["brand-company"] == {"安达公司"}
    assert (
        "瀾川市安達環保科技有限責任公司" in written["traditional"]
        or "瀾川市安達環保科技有限责任公司" in written["traditional"]
    )
    assert {"澜东区安达小吃店", "安达小吃店", "安达环保科技有限责任公司"} <= written["no-prefix"]
    assert "云安省安达科技股份有限公司（澜东分公司）" in written["branch-brackets"]
    assert "云安省安达科技股份有限公司(澜东)分公司" in written["branch-brackets"]
    assert written["short-form"] == {"澜川市安达环保科技有限公司", "云安省安达科技股份公司澜东分公司"}
    assert "澜川市安达环保枝技有限责任公司" not in written["missing-character"]
    assert all(len(text) < 20 for text in written["mistyped"])
    assert [first_word(trade) for trade in ("科技", "便利店", "网络科技", "房地产开发")] == [
        "科技",
        "便利店",
        "网络",
        "房地产",
    ]


def test_slipped_codes_are_refused_for_their_reason() -> None:
    found: Counter[tuple[str, str]] = Counter()
    for number in range(4000):
        code = make_uscc(f"919801{number % 8 + 1:02d}" + make_org_code(f"{number * 7919:08d}"))
        text, way = slip(code, number, number * 104_729)
        verdict = check_uscc(text)
        assert not verdict.valid and verdict.reason == reason_of_uscc(text)
        found[way, str(verdict.reason)] += 1
        person = make_citizen_id(f"980101197001{number % 28 + 1:02d}{number % 1000:03d}")
        text, way = slip_citizen_id(person, number, number * 104_729)
        person_verdict = check_citizen_id(text)
        assert not person_verdict.valid and person_verdict.reason == reason_of_citizen_id(text)
        assert text.startswith(("980101", "９８０１０１"))
    assert {way for way, _ in found} == set(WAYS)
    assert {reason for _, reason in found} == {"uscc.check-digit", "uscc.characters", "uscc.area"}


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> City:
    folder = tmp_path_factory.mktemp("dirty")
    return City(folder, catalog, generate(folder, catalog, subjects=600, seed=7, days=4, dirt=2), {})


def test_a_dirt_of_two_doubles_every_share(dirty: City) -> None:
    evidence, rows = counts(dirty, "evidence", in_registers=False)
    shares = {"old-number": 0.24, "name-area": 0.16, "name-variant": 0.1, "bad-code": 0.04}
    for kind, share in shares.items():
        assert evidence[kind] / rows == pytest.approx(share, rel=0.12), kind
    dirt, rows = counts(dirty, "dirt")
    assert dirt["duplicate"] / rows == pytest.approx(0.02, rel=0.1)
    assert dirty.report.dirt == 2


def test_a_dirt_of_nothing_leaves_clean_rows(tmp_path: Path, catalog: Catalog) -> None:
    city = City(tmp_path, catalog, generate(tmp_path, catalog, subjects=300, seed=7, days=4, dirt=0), {})
    assert city.report.bad == 0
    records = city.truth("records")
    assert set(records["evidence"].to_pylist()) <= {"uscc", "register", "citizen-id", None}
    assert set(records["dirt"].to_pylist()) == {None}
    assert set(records["readable"].to_pylist()) == {None}
    assert set(records["variant"].to_pylist()) <= {"former", None}


def test_a_dirt_out_of_range_is_refused(tmp_path: Path, catalog: Catalog) -> None:
    for dirt in (-0.1, 3.1):
        with pytest.raises(ValueError, match="dirt"):
            generate(tmp_path, catalog, subjects=50, dirt=dirt)


def test_contacts_are_the_subjects_own_but_for_a_few(city: City) -> None:
    """Telephones of annual reports and representatives of court defaults, beside those in the register."""
    registered: dict[int, dict[str, set[str]]] = {}
    for resource, columns in (
        ("registration", {"法定代表人": "legal_rep", "联系电话": "phone"}),
        ("taxpayer", {"LXDH": "phone"}),
    ):
        for row, cells in rows_of(city, resource):
            for title, key in columns.items():
                registered.setdefault(row["subject"], {}).setdefault(key, set()).add(cells[title])
    for resource, title, key in (
        ("annual-report", "联系电话", "phone"),
        ("court-default", "法定代表人或负责人", "legal_rep"),
    ):
        agree: Counter[str] = Counter()
        for row, cells in rows_of(city, resource):
            known = registered.get(row["subject"], {}).get(key)
            if known:
                there = cells[title] and not is_empty(cells[title])
                agree["own" if cells[title] in known else "other" if there else "empty"] += 1
        total = agree.total()
        assert total > 30
        assert agree["empty"] / total == pytest.approx(0.2, abs=0.08), resource
        assert agree["other"] / total == pytest.approx(0.03, abs=0.03), resource
    assert about_of(city.catalog.resources["inspection"], "organisation").address == "address"  # type: ignore[union-attr]


def rows_of(city: City, resource: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Good rows of a resource about organisations: the truth beside the cells by their header."""
    records = city.truth("records")
    found = []
    for row in records.filter(pc.equal(records["resource"], resource)).to_pylist():
        if row["bad_reason"] is None and row["subject"] >= 0:
            header, rows = city.rows(row["file"])
            found.append((row, dict(zip(header, rows[row["row_no"] - 1], strict=True))))
    return found
