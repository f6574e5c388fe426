"""Areas, industries and code sets: look-ups, dates, sources; and that the tables come from the reference data."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from shutong.standards.areas import area_name, area_parents, area_path, areas, check_area, find_area, leading_areas
from shutong.standards.codesets import CodeSet, code_set, code_sets
from shutong.standards.industries import check_industry, industries, industry_name, section_of
from shutong.standards.tables import make, table_source
from tests.reference import reference_data


def test_areas():
    assert area_name("110101") == "东城区"
    assert area_path("330106") == "浙江省杭州市西湖区"
    assert area_path("110101") == "北京市东城区"
    assert area_parents("330106") == ("330000", "330100")
    assert area_parents("330000") == ()
    assert area_name("999999") is None
    assert [area.code for area in find_area("杭州")] == ["330100"]
    assert len(find_area("朝阳区")) > 1
    assert [area.code for area in find_area("朝阳区", within="110000")] == ["110105"]
    assert leading_areas("浙江省杭州市西湖区文三路") == (["浙江省", "杭州市", "西湖区"], "文三路")


def test_a_retired_area_has_its_days_and_stays_valid():
    assert area_name("110103") == "崇文区"
    assert area_name("110103", dt.date(2009, 1, 1)) == "崇文区"
    assert area_name("110103", dt.date(2020, 1, 1)) is None
    assert areas()["110103"].successor == "110101"
    assert check_area("110103").valid
    assert check_area("110199").valid


def test_codes_of_areas():
    assert check_area("330106000000").canonical == "330106"
    assert check_area("990101").reason == "area.province"
    assert check_area("33010").reason == "area.format"
    assert check_area("980101").valid


def test_the_overlay_is_fictional_and_says_so():
    overlay = [area for area in areas().values() if area.code.startswith("98")]
    assert {area.level for area in overlay} == {"province", "city", "county"}
    assert len(overlay) >= 8
    assert "Fictional" in table_source("overlay.csv")
    real = {area.name for area in areas().values() if not area.code.startswith("98")}
    assert not real & {area.name for area in overlay if area.level != "county"}


def test_industries():
    assert (industry_name("0111"), section_of("0111")) == ("稻谷种植", "A")
    assert industry_name("C") == "制造业"
    assert industry_name("65") == "软件和信息技术服务业"
    assert section_of("999") is None
    codes = industries()
    assert sum(len(code) == 1 for code in codes) == 20
    assert sum(len(code) == 2 for code in codes) == 97
    assert sum(len(code) == 3 for code in codes) == 473
    assert all(codes[code[:2]].section == codes[code].section for code in codes if code.isdigit())


def test_codes_of_industries():
    assert check_industry("A0111").canonical == "0111"
    assert check_industry("a").canonical == "A"
    assert check_industry("C0111").reason == "industry.section"
    assert check_industry("0000").reason == "industry.unknown"
    assert check_industry("稻谷").reason == "industry.format"


def test_code_sets_match_by_code_name_and_alias():
    penalty = code_set("penalty-category")
    assert len(penalty.codes) == 14
    for text in ("03", "罚款", " 罚 款 ", "０３"):
        assert penalty.check(text).canonical == "03"
    assert penalty.check("罚").reason == "code.unknown"
    assert penalty.check("").reason == "empty"
    assert penalty.column(pa.array(["罚款", None, "x"])).canonical.to_pylist() == ["03", None, None]
    assert code_set("yes-no").check("无").canonical == "0"
    assert code_set("currency").check("rmb").canonical == "CNY"
    with pytest.raises(KeyError, match="penalty-category"):
        code_set("nothing")


def test_codes_are_dated():
    penalty = code_set("penalty-category")
    assert penalty.check("通报批评", dt.date(2021, 7, 14)).reason == "code.retired"
    assert penalty.check("通报批评", dt.date(2021, 7, 15)).valid


def test_every_set_has_a_source_and_codes():
    for found in code_sets().values():
        assert found.source
        assert found.codes
        assert all(code.zh and code.en for code in found.codes.values())


def test_a_pack_may_bring_its_own_set():
    own = CodeSet.from_rows(
        "grade", "等级", "pack", [{"code": "A", "zh": "甲级"}, {"code": "B", "zh": "乙级", "aliases": "二级"}]
    )
    assert own.check("二级").canonical == "B"
    with pytest.raises(ValueError, match="A"):
        CodeSet.from_rows("grade", "等级", "pack", [{"code": "A", "zh": "甲级"}, {"code": "B", "zh": "a"}])


@pytest.mark.parametrize(("name", "rows_of"), [("areas.csv", make.area_rows), ("industries.csv", make.industry_rows)])
def test_the_shipped_tables_are_what_the_script_makes(name, rows_of):
    source = reference_data()
    if source is None:
        pytest.skip("no public reference data: set SHUTONG_REFERENCE_DATA")
    text = (Path(make.__file__).parent / name).read_text(encoding="utf-8")
    shipped = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))[1:]
    assert [tuple(row) for row in shipped] == rows_of(source)
