"""Scalar and column are the same check: on right, mutated and nasty input they give the same answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shutong.standards.elements import ELEMENTS

SEEDS = [
    "91350100M000100Y43", "M000100Y-4", "110108000000016", "350100M000100Y4", "11010519491231002X", "13800138000",
    "010-12345678", "2024-01-02", "2024/1/2", "20240102", "2024年1月2日", "二〇二四年十二月三十一日", "2024-01-02 03:04:05",
    "45293", "1,234.50", "3.5万元", "叁万伍仟元整", "-12.5%", "是", "Y", "0", "https://example.com/a?b=1", "a.b@example.com",
    "澜川市云帆科技有限公司", "上海某某（集团）有限公司第3分公司", "张三", "欧阳·娜娜", "980101", "110101", "A0111", "0111", "C",
    "云安省澜川市江湾区中山路12号3幢401室", "澜川市市场监督管理局罚字（2024）第12号", "澜川市“云帆”、【云舟】联合体。",
    "澜市监处〔2024〕12号", "CNY", "人民币", "9.135E+17", "0.005", "1e5",
    "113.264385", "113°15′51.8″", "北纬23度06分32秒", "23.12911E", "134.012345678901", "-180", "90.00000001",
]  # fmt: skip
NASTY = [
    None,
    "",
    " ",
    "　",
    "— —",
    "无",
    "/",
    "NULL",
    "N/A",
    "\x00",
    "a\x00b",
    "\u200b",
    "😀",
    "😀" * 9,
    "é",
    "\u202eabc",
    "ﬀ",
]
ALPHABET = "0123456789ABXYZxyz-/.:,+ 　０９Ｘ（）年月日万元一二十零。\x00\x7f\x85\u00a0\u1680\u200b\u202e\ufeff\ufffd\t\n[张市é😀％¥"


def mutated(seed: str) -> st.SearchStrategy[str]:
    """The seed with one character changed, added or removed, or with blanks, full width or case changed."""
    place = st.integers(0, max(len(seed) - 1, 0))
    letter = st.sampled_from(ALPHABET)
    return st.one_of(
        st.just(seed),
        st.builds(lambda k, c: seed[:k] + c + seed[k + 1 :], place, letter),
        st.builds(lambda k, c: seed[:k] + c + seed[k:], place, letter),
        st.builds(lambda k: seed[:k] + seed[k + 1 :], place),
        st.builds(lambda k: " " * k + seed.lower() + "　" * k, st.integers(0, 3)),
        st.just("".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in seed)),
    )


VALUES = st.one_of(
    st.sampled_from(SEEDS).flatmap(mutated),
    st.sampled_from(NASTY),
    st.text(st.sampled_from(ALPHABET), max_size=24),
    st.text(max_size=12),
    st.integers(0, 10**20).map(str),
    st.dates().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12).map(str),
)
CASES = [(name, unit) for name, element in ELEMENTS.items() for unit in element.units]


def written(value: object) -> str | None:
    """The canonical text of a typed value."""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def assert_agrees(name: str, unit: str | None, rows: list[str | None]) -> None:
    element = ELEMENTS[name]
    column = element.column(pa.array(rows, pa.string()), unit)
    assert column.canonical.type == element.type
    assert len(column.canonical) == len(column.fault) == len(rows)
    for k, row in enumerate(rows):
        verdict = element.scalar(row, unit)
        assert column.reason_at(k) == verdict.reason, (name, unit, row)
        value = column.canonical[k].as_py()
        if isinstance(value, Decimal):
            assert value == Decimal(verdict.canonical or "nan"), (name, unit, row)
        else:
            assert written(value) == verdict.canonical, (name, unit, row)


@pytest.mark.parametrize(("name", "unit"), CASES)
@given(rows=st.lists(VALUES, max_size=30))
def test_scalar_and_column_agree(name, unit, rows):
    assert_agrees(name, unit, rows)


@pytest.mark.parametrize(("name", "unit"), CASES)
def test_scalar_and_column_agree_on_the_known_spellings(name, unit):
    rows = [
        *SEEDS,
        *NASTY,
        *(f" {seed.lower()}　" for seed in SEEDS),
        "一" * 500,
        "1" * 5000,
        " " * 100_000,
        "x" * 100_000,
    ]
    assert_agrees(name, unit, rows * 2)


@pytest.mark.parametrize("name", sorted(ELEMENTS))
def test_every_canonical_value_is_its_own_canonical_value(name):
    element = ELEMENTS[name]
    for seed in SEEDS:
        verdict = element.scalar(seed, element.units[0])
        if verdict.valid and name not in ("money", "percent"):
            assert element.scalar(verdict.canonical, element.units[0]) == verdict
