"""Which delivered column is which item."""

from __future__ import annotations

import pytest

from shutong.collect.header import Headers
from shutong.collect.problems import Refusal
from tests.collect.samples import PENALTY

HEADERS = Headers(PENALTY)


def test_titles_names_other_headers_and_folding() -> None:
    match = HEADERS.match(["CF_XDR_MC", "决定书 文号*", "罚款金额(万元)"])
    assert match.places == {"party_name": 0, "doc_no": 1, "fine": 2}
    assert HEADERS.match(["party_name", "Document Number", "ｆｉｎｅ"]).places == match.places
    assert match.warnings == ()


def test_extra_and_missing_optional_columns_warn() -> None:
    match = HEADERS.match(["party_name", "多余", "doc_no", "退回原因", "回执行号", ""])
    assert [(warning.code, warning.item) for warning in match.warnings] == [
        ("column.extra", None),
        ("column.missing", "fine"),
    ]
    assert match.row_id == 4


def test_a_missing_required_column_names_the_nearest() -> None:
    with pytest.raises(Refusal) as refusal:
        HEADERS.match(["行政相对人名", "决定书文号"])
    assert refusal.value.problem.code == "header.missing"
    assert "“行政相对人名”" in refusal.value.problem.zh


def test_the_same_item_twice_is_refused() -> None:
    with pytest.raises(Refusal, match=r"header\.duplicate"):
        HEADERS.match(["party_name", "CF_XDR_MC", "doc_no"])
