"""Why a record is linked to a subject, or to nobody, in words for the person who reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Words:
    """A text in Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True)
class Explanation:
    """What was decided, and each piece of evidence for or against it.

    ``score`` is the certainty in per mille, None for a record that is linked to nobody.
    """

    headline: Words
    evidence: tuple[Words, ...]
    score: int | None


METHODS = {
    "registry": Words("登记机关的登记记录", "the register's own row"),
    "uscc": Words("统一社会信用代码相符", "the unified social credit code agrees"),
    "org_code": Words("组织机构代码相符", "the organisation code agrees"),
    "registration_no": Words("注册号经登记簿查得", "the registration number was found in a register"),
    "taxpayer_no": Words("纳税人识别号查得", "the taxpayer number leads to it"),
    "certificate_no": Words("登记证号经登记簿查得", "the certificate number was found in a register"),
    "uscc_repaired": Words(
        "统一社会信用代码有一处笔误，改正后相符", "the unified code has one slip and agrees when it is put right"
    ),
    "similar": Words("名称相近，其他信息相符", "the name is similar and the other evidence agrees"),
    "decision": Words("由人工核对认定", "decided by a person who compared both sides"),
    "person_key": Words("身份证件号码相符（以密钥比对）", "the identity number agrees (compared by its key)"),
    "place": Words("地址和区划相符", "address and area agree"),
    "name_area": Words("名称在该区划内唯一相符", "the name agrees and is unique in its area"),
    "name": Words("名称在全市唯一相符", "the name agrees and is unique in the city"),
    "name_variant": Words("名称的另一种写法在该区划内唯一", "a spelling variant of the name, unique in its area"),
}
"""Each method of ``links.method``."""

REASONS = {
    "no-identifier": Words("记录里没有可用的代码、证件或名称", "the record has no usable code, certificate or name"),
    "no-match": Words("各登记簿中没有找到相应主体", "no register holds such a subject"),
    "ambiguous": Words("有不止一个主体相符，不能判定", "more than one subject fits, so none is chosen"),
    "conflict": Words("记录里的证据指向不同主体", "the evidence in the record points to different subjects"),
    "review": Words("有相近的主体，待人工核对", "a similar subject was found and waits for a person to compare"),
    "ruled-out": Words("人工核对后认定不是该主体", "a person compared and ruled the subject out"),
}
"""Each reason of ``unidentified.reason``."""

_FIELDS = {
    "uscc": Words("统一社会信用代码", "unified code"),
    "org_code": Words("组织机构代码", "organisation code"),
    "registration_no": Words("注册号", "registration number"),
    "taxpayer_no": Words("纳税人识别号", "taxpayer number"),
    "certificate_no": Words("登记证号", "certificate number"),
    "name": Words("名称", "name"),
    "brand": Words("字号", "brand"),
    "trade": Words("行业", "trade"),
    "legal_rep": Words("法定代表人", "legal representative"),
    "phone": Words("联系电话", "telephone"),
    "area": Words("区划", "area"),
    "person_key": Words("身份证件号码", "identity number"),
    "address": Words("地址", "address"),
}

_FINDINGS = {
    "equal": Words("一致", "agrees"),
    "variant": Words("为另一种写法", "is a spelling variant"),
    "near": Words("仅一字之差或互相包含", "differs by one character, or one holds the other"),
    "near-short": Words("仅一字之差", "differs by one character"),
    "part": Words("互相包含", "one holds the other"),
    "repaired": Words("改正一处笔误后一致", "agrees after one slip is put right"),
    "other": Words("属于另一主体", "belongs to another subject"),
    "shared": Words("为多个主体共有", "is shared by several subjects"),
    "unknown": Words("在登记簿中查不到", "is in no register"),
    "open": Words("为全市范围，不矛盾", "is the whole city, which contradicts nothing"),
}


_DIFFERS = Words("不同", "differs")
"""``other`` where two similar names are compared: it says nothing of a third subject."""


def explain(row: Mapping[str, Any]) -> Explanation:
    """The explanation of one row of ``links`` or ``unidentified``.

    Args:
        row: its columns; ``evidence`` is the JSON text, ``method`` or ``reason`` says which of the two tables.

    Raises:
        ValueError: the evidence is not a JSON object.
    """
    evidence = json.loads(row["evidence"] or "{}")
    if not isinstance(evidence, dict):
        raise ValueError(f"the evidence of record {row.get('record_id')} is no JSON object: {row['evidence']!r}")
    method, reason = row.get("method"), row.get("reason")
    if method:
        known = METHODS.get(str(method), Words(str(method), str(method)))
        headline = Words(f"认定依据：{known.zh}", f"Identified: {known.en}")
    else:
        known = REASONS.get(str(reason), Words(str(reason), str(reason)))
        headline = Words(f"未能认定：{known.zh}", f"Not identified: {known.en}")
    score = row.get("score")
    return Explanation(headline, tuple(_said(evidence)), int(score) if score is not None else None)


def _said(evidence: Mapping[str, Any]) -> Iterator[Words]:
    similar = "similar" in evidence
    for field, words in _FIELDS.items():
        found = str(evidence.get(field))
        finding = _DIFFERS if similar and found == "other" else _FINDINGS.get(found)
        if finding:
            yield Words(f"{words.zh}{finding.zh}", f"{words.en} {finding.en}")
    if evidence.get("weight"):
        bits = int(evidence["weight"]) / 100
        model = evidence.get("model", 0)
        yield Words(
            f"证据合计 {bits:.1f} 比特（匹配模型第 {model} 版）",
            f"evidence of {bits:.1f} bits (matching model {model})",
        )
    if evidence.get("candidate"):
        yield Words(f"曾考虑的主体：{evidence['candidate']}", f"subject considered: {evidence['candidate']}")
    if evidence.get("name_of"):
        yield Words(f"该名称登记于：{evidence['name_of']}", f"the name is registered to: {evidence['name_of']}")
