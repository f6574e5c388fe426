"""Masking is one thing in Python and in SQL, and never shows what it should hide."""

from typing import get_args

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, strategies

from shutong.spec.masks import mask_sql, masked
from shutong.spec.models import Mask
from tests.spec.conftest import PROFILE

MASKS = list(get_args(Mask))
_CONNECTION = duckdb.connect(":memory:")

TEXTS = strategies.text(
    strategies.sampled_from("张王欧阳a1９8 号路*é🙂\u3000'") | strategies.characters(exclude_categories=["Cs"]),
    max_size=24,
)


@PROFILE
@given(strategies.lists(strategies.none() | TEXTS, min_size=1, max_size=30))
def test_the_scalar_and_the_sql_agree(values: list[str | None]) -> None:
    table = pa.table({"v": pa.array(values, pa.string())})
    _CONNECTION.register("given_values", table)
    listed = ", ".join(f"{mask_sql('v', mask)} AS m_{mask}" for mask in MASKS)
    rows = _CONNECTION.execute(f"SELECT {listed} FROM given_values").fetchall()
    assert rows == [tuple(masked(value, mask) for mask in MASKS) for value in values]


@pytest.mark.parametrize(
    ("value", "mask", "shown"),
    [
        ("张小明", "surname", "张**"),
        ("张", "surname", "**"),
        ("13812345678", "middle", "138****5678"),
        ("11010519491231002X", "middle", "110****002X"),
        ("甲乙丙丁", "middle", "甲***丁"),
        ("甲乙", "middle", "***"),
        ("6222021234567890", "last4", "****7890"),
        ("1234", "last4", "****"),
        ("澜川市云山区青年路12号3栋502室", "address", "澜川市云山区青年路***"),
        ("任何内容", "hide", "***"),
        ("任何内容", "none", "任何内容"),
        ("", "hide", "***"),
        (None, "hide", None),
    ],
)
def test_what_each_mask_shows(value: str | None, mask: Mask, shown: str | None) -> None:
    assert masked(value, mask) == shown


@PROFILE
@given(TEXTS.filter(bool))
def test_no_mask_but_none_shows_a_whole_value(value: str) -> None:
    for mask in MASKS:
        if mask != "none" and value.strip("*"):
            assert masked(value, mask) != value
