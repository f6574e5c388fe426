"""Answers for the command line, reasons, contacts and texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shutong.standards
from shutong.standards import kinds
from shutong.standards.elements import ELEMENTS
from shutong.standards.verdict import REASONS, fault


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_an_empty_line_gets_an_answer(kind):
    answer = kinds.check_kind(kind, "")
    assert (answer["value"], answer["valid"], answer["reason"], answer["canonical"]) == ("", False, "empty", None)


def test_answers_have_parts():
    answer = kinds.check_kind("uscc", "91350100M000100Y43")
    assert answer["valid"]
    assert answer["parts"]["org_code"] == "M000100Y4"
    assert answer["parts"]["area_name"] == "福建省福州市"
    assert kinds.check_kind("org-name", "澜川市云帆科技有限公司")["parts"]["brand"] == "云帆"
    assert kinds.check_kind("address", "澜川市望湖区滨江大道88号")["parts"]["road"] == "滨江大道"
    assert kinds.check_kind("area", "980101")["parts"] == {
        "name": "澜东区",
        "full_name": "云安省澜川市澜东区",
        "fictional": True,
    }
    assert kinds.check_kind("industry", "A0111")["parts"]["section_name"] == "农、林、牧、渔业"
    assert kinds.check_kind("money", "3.5", "10k-yuan")["canonical"] == "35000.00"
    wrong = kinds.check_kind("uscc", "x")
    assert wrong["parts"] is None
    assert wrong["message"]["zh"]
    with pytest.raises(ValueError, match="known kinds"):
        kinds.check_kind("nothing", "x")


def test_workday_answers():
    assert kinds.workday_add("2026/9/30", 1)["result"] == "2026-10-08"
    assert kinds.workday_is("2026年10月1日")["name"] == "国庆节"
    assert kinds.workday_add("2026-12-31", 5)["provisional"]
    assert kinds.workday_between("2026-09-30", "2026-10-08")["workdays"] == 1
    with pytest.raises(ValueError, match="2024-01-02"):
        kinds.workday_is("01/02/2024")


def test_every_reason_in_the_code_is_listed_and_every_listed_reason_is_used():
    source = "\n".join(path.read_text(encoding="utf-8") for path in Path(shutong.standards.__path__[0]).glob("*.py"))
    body = re.sub(r"_TEXTS.*?\n\)\n", "", source, flags=re.DOTALL)
    quoted = set(re.findall(r'"([a-z-]+\.[a-z0-9-]+)"', body))
    known_prefixes = {name.partition(".")[0] for name in REASONS}
    assert {name for name in quoted if name.partition(".")[0] in known_prefixes and not name.endswith(".csv")} == set(
        REASONS
    ) - {"empty"}
    for reason in REASONS.values():
        assert reason.zh
        assert reason.en
    with pytest.raises(KeyError):
        fault("no.such-reason")


@pytest.mark.parametrize(
    ("name", "text", "canonical"),
    [
        ("mobile", "+86 138-0013-8000", "13800138000"), ("mobile", "008613800138000", "13800138000"),
        ("telephone", "010-12345678", "010-12345678"), ("telephone", "01062345678", "010-62345678"),
        ("telephone", "(0571)87654321-12", "0571-87654321-12"), ("telephone", "87654321", "87654321"),
        ("telephone", "0571-8765 4321 转 12", "0571-87654321-12"), ("telephone", "400-123-4567", "4001234567"),
        ("telephone", "12315", "12315"), ("telephone", "13800138000", "13800138000"),
        ("email", "A.b@Example.COM", "A.b@example.com"), ("url", "www.Example.com/A", "http://www.example.com/A"),
        ("url", "https://例子.中国/", "https://例子.中国/"), ("text", " 一 二　", "一 二"),
        ("org-name", " 云帆  科技\n有限公司\u200b", "云帆 科技 有限公司"), ("person-name", "张　三", "张三"),
        ("person-name", "买买提•艾力", "买买提·艾力"), ("person-name", "John O'Neil", "John O'Neil"),
        ("address", "澜川市望湖区 1 号", "澜川市望湖区 1 号"),
    ],
)  # fmt: skip
def test_canonical_texts(name, text, canonical):
    assert ELEMENTS[name].scalar(text).canonical == canonical


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("mobile", "12800138000", "mobile.format"), ("telephone", "abc", "telephone.format"), ("email", "a@b", "email.format"),
        ("url", "javascript:alert(1)", "url.format"), ("url", "http://a@b.com", "url.format"), ("url", "http://[::1", "url.format"),
        ("org-name", "12345", "org-name.not-a-name"), ("org-name", "2024-01-02", "org-name.not-a-name"),
        ("org-name", "澜市监处〔2024〕12号", "org-name.document-number"), ("org-name", "一" * 101, "org-name.length"),
        ("org-name", "云帆\x00公司", "text.control"), ("org-name", "云帆\u202e公司", "text.control"),
        ("person-name", "张3", "person-name.not-a-name"), ("person-name", "张", "person-name.length"),
        ("address", "123", "address.too-short"), ("address", "一" * 201, "address.length"), ("text", "a\x00", "text.control"),
    ],
)  # fmt: skip
def test_refused_texts(name, text, reason):
    assert ELEMENTS[name].scalar(text).reason == reason
