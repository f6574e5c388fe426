"""Explanations: every method and reason has words, and evidence is told field by field."""

from __future__ import annotations

import pytest

from shutong.subjects.explain import METHODS, REASONS, Words, explain
from shutong.subjects.identify import SCORES


def test_every_method_and_reason_has_words() -> None:
    assert METHODS.keys() == SCORES.keys() | {"similar", "decision"}
    for words in (*METHODS.values(), *REASONS.values()):
        assert words.zh and words.en


def test_a_link_is_explained_with_its_evidence() -> None:
    told = explain(
        {"method": "uscc", "score": 950, "evidence": '{"uscc":"equal","org_code":"absent","name":"unknown"}'}
    )
    assert told.headline == Words("认定依据：统一社会信用代码相符", "Identified: the unified social credit code agrees")
    assert told.evidence == (
        Words("统一社会信用代码一致", "unified code agrees"),
        Words("名称在登记簿中查不到", "name is in no register"),
    )
    assert told.score == 950


def test_an_unidentified_record_is_explained_too() -> None:
    told = explain({"reason": "conflict", "evidence": '{"name":"other","candidate":"o1","name_of":"o2"}'})
    assert told.headline.en.startswith("Not identified: the evidence")
    assert [words.en for words in told.evidence] == [
        "name belongs to another subject",
        "subject considered: o1",
        "the name is registered to: o2",
    ]
    assert told.score is None


def test_evidence_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        explain({"reason": "conflict", "evidence": "[]"})
