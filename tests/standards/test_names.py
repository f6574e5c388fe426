"""Names of organisations: comparable form, key, parts."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shutong.standards.names import (
    NameParts,
    column_name_key,
    column_normalise_name,
    name_key,
    normalise_name,
    simplified,
    split_name,
)

NAMES = [
    ("澜川市云帆网络科技有限公司", NameParts("澜川市", "云帆", "网络科技", "有限公司", None)),
    (
        "云安省澜川市澜东区青禾餐饮管理有限责任公司第三分公司",
        NameParts("云安省澜川市澜东区", "青禾", "餐饮管理", "有限责任公司", "第三分公司"),
    ),
    ("上海宝钢（集团）有限公司", NameParts("上海", "宝钢", None, "(集团)有限公司", None)),
    ("腾讯科技(深圳)有限公司", NameParts("深圳", "腾讯", "科技", "有限公司", None)),
    (
        "云帆（上海）企业管理咨询合伙企业（有限合伙）",
        NameParts("上海", "云帆", "企业管理咨询", "合伙企业(有限合伙)", None),
    ),
    ("杭州市西湖区老王烧烤店", NameParts("杭州市西湖区", "老王", "烧烤", "店", None)),
    ("张三小吃店（个体工商户）", NameParts(None, "张三", None, "小吃店", None)),
    ("好又多超市第3分店", NameParts(None, "好又多", None, "超市", "第3分店")),
    ("中国工商银行股份有限公司澜川支行", NameParts("中国", "工商银行", None, "股份有限公司", "澜川支行")),
    ("澜川禾丰县绿源蔬菜种植农民专业合作社", NameParts("澜川禾丰县", "绿源", "蔬菜种植", "农民专业合作社", None)),
    ("海底捞（澜川）餐饮有限公司望湖店", NameParts("澜川", "海底捞", "餐饮", "有限公司", "望湖店")),
    ("澜川市消费者协会", NameParts("澜川市", "消费者", None, "协会", None)),
    ("ＡＢＣ贸易有限公司", NameParts(None, "ABC", "贸易", "有限公司", None)),
    ("", NameParts(None, None, None, None, None)),
]
SAME = [
    ("澜川市云帆科技有限公司", "澜川市云帆科技有限责任公司"),
    ("云帆（集团）有限公司", "云帆集团有限公司"),
    ("腾讯科技（深圳）有限公司", "腾讯科技(深圳)有限公司"),
    ("ABC·贸易 有限公司", "ａｂｃ贸易有限公司"),
    ("張記餐飲店", "张记餐饮店"),
    ("张三小吃店（个体工商户）", "张三小吃店"),
    ("云帆科技有限公司（已注销）", "云帆科技有限公司"),
    ("云帆科技有限公司【原云舟科技有限公司】", "云帆科技有限公司"),
]
BRANCHES = ["分公司", "第一分公司", "第2分店", "澜东店", "办事处", "（澜东分公司）", "营业部", "分店", "工会"]
LETTERS = "澜川市云帆科技有限责任公司股份分店（）()【】集团原注销个体工商户 　·.&-ABCabcＡ１3張東\u200b\x00😀"


@pytest.mark.parametrize(("name", "parts"), NAMES)
def test_parts(name, parts):
    assert split_name(name) == parts


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_name_share_a_key(one, other):
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize("name", [name for name, _ in NAMES if name])
def test_a_branch_never_has_the_key_of_its_parent(name):
    for branch in BRANCHES:
        assert name_key(name + branch) != name_key(name)


def test_brackets_that_tell_firms_apart_stay_in_the_key():
    assert name_key("云帆（上海）有限公司") != name_key("云帆（北京）有限公司")
    assert name_key("云帆中心（有限合伙）") != name_key("云帆中心（普通合伙）")


def test_simplified_forms_are_final():
    table = simplified()
    assert len(table) > 300
    assert not set(table) & set(table.values())


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.sampled_from([n for n, _ in NAMES]),
            st.text(st.sampled_from(LETTERS), max_size=20),
            st.text(max_size=9),
        ),
        max_size=25,
    )
)
def test_columns_agree_with_single_names(rows):
    column = pa.array(rows, pa.string())
    assert column_normalise_name(column).to_pylist() == [None if row is None else normalise_name(row) for row in rows]
    assert column_name_key(column).to_pylist() == [None if row is None else name_key(row) for row in rows]
    assert column_name_key(column.dictionary_encode()).to_pylist() == column_name_key(column).to_pylist()


@given(st.text(st.sampled_from(LETTERS), max_size=30))
def test_normalising_twice_changes_nothing_and_splitting_never_fails(name):
    assert normalise_name(normalise_name(name)) == normalise_name(name)
    parts = split_name(name)
    assert all(part is None or part for part in (parts.area, parts.brand, parts.trade, parts.form, parts.branch))
