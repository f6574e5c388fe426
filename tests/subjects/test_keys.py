"""Matching keys: which spellings meet, and which names never do."""

from __future__ import annotations

import pyarrow as pa
import pytest

from shutong.subjects.keys import ADDRESS_KEYS, NAME_KEYS, address_keys, name_keys, variant_key

FIRM = "澜川市青禾食品有限公司"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (FIRM, "澜川青禾食品有限公司"),
        (FIRM, "青禾食品有限公司"),
        (FIRM, "青禾食品公司"),
        (FIRM, "澜川市 青禾　食品有限责任公司"),
        ("澜川市白杨（集团）有限公司", "白杨集团公司"),
        ("澜川市白杨集团股份有限公司", "白杨集团公司"),
        ("澜川市丰收水稻专业合作社", "丰收水稻合作社"),
    ],
)
def test_spellings_of_one_name_meet(one: str, other: str) -> None:
    assert variant_key(one) == variant_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (FIRM, FIRM + "白石分公司"),
        (FIRM + "白石分公司", FIRM + "青屏分公司"),
        (FIRM, "澜川市青禾商贸有限公司"),
        ("澜川市第一小学", "澜川市第二小学"),
        ("澜川市白杨集团有限公司", "澜川市白杨有限公司"),
    ],
)
def test_different_organisations_never_meet(one: str, other: str) -> None:
    assert variant_key(one) != variant_key(other)


def test_a_name_that_says_too_little_has_no_variant() -> None:
    assert variant_key("店") is None


def test_columns() -> None:
    names = name_keys(pa.RecordBatch.from_pydict({"raw": [FIRM, "　"]}))
    assert names.schema == NAME_KEYS
    assert names.column("name_key").to_pylist() == [FIRM, None]
    addresses = address_keys(pa.RecordBatch.from_pydict({"raw": ["青石路 8 号"]}))
    assert addresses.schema == ADDRESS_KEYS
    assert addresses.column("address_key").to_pylist() == ["青石路8号"]
