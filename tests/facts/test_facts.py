"""Facts: provenance, masking, publicity deadlines, and what is nobody's fact."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from shutong.facts.compute import facts_stage
from shutong.spec.catalog import FACTS_VIEW
from tests.subjects.runner import Tables
from tests.subjects.test_identify import CODE_A, FIRM_A, LATE, identified, link
from tests.subjects.town import PENALTY, REGISTRATION, REPORT, catalog

PENALTY_ROW = {
    "doc_no": '澜市监"罚"〔2026〕\\8号',
    "code": CODE_A,
    "decided_on": dt.date(2026, 6, 17),
    "fine": Decimal("1500.00"),
    "officer": "王小明",
}


def with_facts(*batches: tuple[Any, list[dict[str, Any]]]) -> Tables:
    tables = identified(*batches)
    tables.run(facts_stage(catalog()), LATE)
    return tables


def test_a_fact_says_whom_when_and_from_which_record() -> None:
    tables = with_facts((REGISTRATION, [FIRM_A]), (PENALTY, [PENALTY_ROW]))
    assert tables["facts"].schema.equals(FACTS_VIEW)
    (fact,) = tables["facts"].to_pylist()
    assert fact["subject_id"] == link(tables, "r001x001")["subject_id"]
    assert (fact["fact_id"], fact["record_id"], fact["batch_id"]) == ("r002x001:subject", "r002x001", "b002")
    assert (fact["kind"], fact["weight"], fact["on_date"]) == ("penalty", "negative", dt.date(2026, 6, 17))
    assert fact["public"]


def test_what_it_shows_is_masked_and_valid_json() -> None:
    tables = with_facts((PENALTY, [PENALTY_ROW]))
    (fact,) = tables["facts"].to_pylist()
    assert json.loads(fact["shows"]) == {"doc_no": PENALTY_ROW["doc_no"], "fine": "1500.00", "officer": "王**"}
    assert list(json.loads(fact["shows"])) == ["doc_no", "fine", "officer"]


def test_publicity_is_due_seven_working_days_after_the_decision() -> None:
    tables = with_facts(
        (PENALTY, [PENALTY_ROW]), (REPORT, [{"uscc": CODE_A, "year": 2025, "filed_on": dt.date(2026, 3, 2)}])
    )
    due = {fact["kind"]: (fact["publicity_due"], fact["publicity_rule"]) for fact in tables["facts"].to_pylist()}
    # 17 June is a Wednesday; 19 to 21 June 2026 is the dragon boat festival.
    assert due == {"penalty": (dt.date(2026, 6, 29), "double-publicity"), "annual-report": (None, None)}


def test_withdrawn_replaced_and_unidentified_rows_are_nobodys_fact() -> None:
    tables = with_facts(
        (PENALTY, [PENALTY_ROW, {**PENALTY_ROW, "doc_no": "2"}, {**PENALTY_ROW, "doc_no": "3", "code": None}]),
        (PENALTY, [{**PENALTY_ROW, "fine": Decimal(2)}, {"doc_no": "2", "op": "withdraw"}]),
    )
    assert tables["facts"].column("record_id").to_pylist() == ["r002x001"]
