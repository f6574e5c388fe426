"""Addresses: parts and comparable form."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shutong.standards.addresses import AddressParts, column_normalise_address, normalise_address, split_address

PARTS = [
    (
        "云安省澜川市澜东区中山街道解放路12号3幢401室",
        ("云安省", "澜川市", "澜东区", "中山街道", "解放路", "12号", "3幢", "401室", None),
    ),
    (
        "浙江省杭州市西湖区文三路 391 号西湖国际科技大厦A座1502室",
        ("浙江省", "杭州市", "西湖区", None, "文三路", "391号", "西湖国际科技大厦A座", "1502室", None),
    ),
    ("澜川市望湖区滨江大道８８号", (None, "澜川市", "望湖区", None, "滨江大道", "88号", None, None, None)),
    ("北京市朝阳区建国路93号院6号楼1205", ("北京市", None, "朝阳区", None, "建国路", "93号院", "6幢", "1205", None)),
    ("广东省东莞市长安镇振安中路319号", ("广东省", "东莞市", None, "长安镇", "振安中路", "319号", None, None, None)),
    (
        "深圳市南山区高新南一道TCL大厦B座3层302室",
        (None, "深圳市", "南山区", None, "高新南一道", None, "TCL大厦B座", "3层302室", None),
    ),
    (
        "澜川市临浦区工业园兴业路3号1号厂房",
        (None, "澜川市", "临浦区", "工业园", "兴业路", "3号", None, "1号", "厂房"),
    ),
    ("", (None,) * 9),
]


@pytest.mark.parametrize(("address", "parts"), PARTS)
def test_parts(address, parts):
    assert split_address(address) == AddressParts(*parts)


def test_spellings_of_one_address_compare_equal():
    one = normalise_address("澜川市 望湖区滨江大道８８号，３栋402房间")
    assert one == normalise_address("澜川市望湖区濱江大道88号3号楼402室")


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.sampled_from([a for a, _ in PARTS]),
            st.text(st.sampled_from("路号栋楼1２房间室-—, ，a東"), max_size=15),
        ),
        max_size=20,
    )
)
def test_column_agrees_with_single_addresses(rows):
    expected = [None if row is None else normalise_address(row) for row in rows]
    assert column_normalise_address(pa.array(rows, pa.string())).to_pylist() == expected
    for row in rows:
        split_address(row or "")
