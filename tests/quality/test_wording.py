"""Declared checks in words."""

from __future__ import annotations

import pytest

from shutong.quality.wording import Named, in_words, without_unit
from shutong.standards.elements import Title

ITEMS = {
    "decided_on": Named(Title("处罚决定日期", "Decided on"), "date"),
    "fine": Named(Title("罚款金额（万元）", "Fine (10,000 yuan)"), "money"),
    "city": Named(Title("市", "City"), "text"),
    "province": Named(Title("省", "Province"), "text"),
    "cured": Named(Title("治愈", "Cured"), "integer"),
    "confirmed": Named(Title("确诊", "Confirmed"), "integer"),
}


@pytest.mark.parametrize(
    ("expression", "zh", "en"),
    [
        ("decided_on <= received_on", "“处罚决定日期”不晚于“接收日”", "“Decided on” is not after the day of receipt"),
        ("fine < 1000000000", "“罚款金额”小于 1,000,000,000 元", "“Fine” is below 1,000,000,000 yuan"),
        ("city IS NULL OR province IS NOT NULL", "“市”未填，或“省”已填", "“City” is blank, or “Province” is filled in"),
        ("cured <= confirmed", "“治愈”不大于“确诊”", "“Cured” is at most “Confirmed”"),
        ("left(city, 2) = '98'", "left(“市”,2) 等于 '98'", "left(“City”,2) is '98'"),
    ],
)
def test_a_check_is_told_with_titles_and_spoken_operators(expression: str, zh: str, en: str) -> None:
    assert in_words(expression, ITEMS) == Title(zh, en)


def test_a_money_title_loses_its_column_unit() -> None:
    assert without_unit("罚款金额（万元）") == "罚款金额"
    assert without_unit("Fine (10,000 yuan)") == "Fine"
    assert without_unit("处罚机关（全称）") == "处罚机关（全称）"
