"""Numbers, amounts, percentages, yes and no."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from shutong.standards.elements import ELEMENTS
from shutong.standards.numbers import (
    check_boolean,
    check_decimal,
    check_integer,
    check_money,
    check_percent,
    column_decimal,
    column_money,
)


@pytest.mark.parametrize(
    ("text", "unit", "yuan"),
    [
        ("1234.5", None, "1234.50"), ("1,234.50", None, "1234.50"), ("１，２３４．５０", None, "1234.50"),
        ("￥1,234.50", None, "1234.50"), ("¥ 3", None, "3.00"), ("3.5万元", None, "35000.00"), ("3.5万元", "yuan", "35000.00"),
        ("3.5", "10k-yuan", "35000.00"), ("0.05", "10k-yuan", "500.00"), ("500元", "10k-yuan", "500.00"),
        ("1.2亿元", None, "120000000.00"), ("50万", None, "500000.00"), ("5千元", None, "5000.00"), ("人民币3元整", None, "3.00"),
        ("叁万伍仟元整", None, "35000.00"), ("壹佰贰拾元伍角陆分", None, "120.56"), ("一亿零三百万元", None, "103000000.00"),
        ("(1,200.005)", None, "-1200.01"), ("-0.001", None, "0.00"), ("0.005", None, "0.01"), ("1.005", None, "1.01"),
        ("1.5E+06", None, "1500000.00"), ("3333.3333333335", "10k-yuan", "33333333.33"),
        ("9999999999999999.99", None, "9999999999999999.99"),
    ],
)  # fmt: skip
def test_amounts(text, unit, yuan):
    assert check_money(text, unit).canonical == yuan
    assert column_money(pa.array([text]), unit).canonical.to_pylist() == [Decimal(yuan)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12,34", "money.format"), ("万元", "money.format"), ("三万", "money.format"), ("1.2.3", "money.format"),
        ("约3万元", "money.format"), ("USD 5", "money.currency"), ("5美元", "money.currency"), ("1e17", "money.range"),
        ("99999999999999999", "money.range"), ("无", "empty"), ("9" * 100, "money.format"), ("1\x002", "text.control"),
    ],
)  # fmt: skip
def test_refused_amounts(text, reason):
    assert check_money(text).reason == reason
    assert column_money(pa.array([text])).reason_at(0) == reason


def test_halves_of_a_fen_are_rounded_up_exactly_in_columns():
    texts = [f"{k}.{k % 100:02d}5" for k in range(2000)] + [f"{10**11 + k}.125" for k in range(50)]
    amounts = column_money(pa.array(texts)).canonical.to_pylist()
    assert [str(amount) for amount in amounts] == [check_money(text).canonical for text in texts]


def test_numbers():
    assert check_integer("1,234").canonical == "1234"
    assert check_integer("12.0").canonical == "12"
    assert check_integer("12.5").reason == "integer.fraction"
    assert check_integer("9223372036854775808").reason == "integer.range"
    assert check_integer("-9223372036854775808").canonical == "-9223372036854775808"
    assert check_decimal("007.50").canonical == "7.5"
    assert check_decimal("0.123456789").reason == "decimal.scale"
    assert column_decimal(pa.array(["0.123456789", "1.5"])).canonical.to_pylist() == [None, Decimal("1.5")]
    assert check_percent("12.5%").canonical == "12.5"
    assert check_percent("0.125", "ratio").canonical == "12.5"
    assert check_percent("５‰").canonical == "0.5"
    assert check_percent("abc").reason == "percent.format"


def test_yes_and_no():
    assert [check_boolean(text).canonical for text in ("是", "y", "１", "否", "N", "0")] == ["true"] * 3 + ["false"] * 3
    assert check_boolean("也许").reason == "boolean.format"


def test_a_unit_that_the_element_does_not_know_is_refused():
    with pytest.raises(ValueError, match="10k-yuan"):
        ELEMENTS["money"].scalar("1", "dollars")
    with pytest.raises(ValueError, match="no unit"):
        ELEMENTS["date"].column(pa.array(["2024-01-02"]), "days")
