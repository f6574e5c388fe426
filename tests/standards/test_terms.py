"""Legal terms: dated, by place, counted as the Civil Code says."""

from __future__ import annotations

import datetime as dt

import pytest

from shutong.standards.terms import add_months, deadline, term, term_names, terms
from shutong.standards.workdays import is_workday

TODAY = dt.date(2026, 4, 20)


@pytest.mark.parametrize(
    ("name", "n", "unit"),
    [
        ("double-publicity", 7, "wd"), ("abnormal-listing", 10, "wd"), ("abnormal-removal", 5, "wd"),
        ("abnormal-objection-accept", 5, "wd"), ("abnormal-objection-check", 20, "wd"), ("penalty-withdrawal", 3, "wd"),
        ("negative-display", 5, "year"), ("credit-negative", 5, "year"), ("share-conditional-reply", 10, "wd"),
        ("share-unconditional-reply", 1, "wd"), ("share-supply", 20, "wd"), ("share-correction", 10, "wd"),
        ("licensing-decision", 20, "wd"), ("licensing-joint", 45, "wd"), ("licensing-missing-material", 5, "wd"),
        ("serious-violation-listing", 3, "year"), ("annual-report-from", 101, "date"), ("annual-report-to", 630, "date"),
    ],
)  # fmt: skip
def test_the_clocks_of_the_rules(name, n, unit):
    found = term(name, TODAY)
    assert (found.n, found.unit) == (n, unit)
    assert found.source


def test_a_rule_changes_on_its_day():
    assert (term("publicity-general-longest", dt.date(2026, 3, 31)).n) == 3
    assert (term("publicity-general-longest", dt.date(2026, 4, 1)).n) == 1
    with pytest.raises(LookupError, match="in force"):
        term("publicity-minor-longest", dt.date(2026, 3, 31))


def test_a_place_has_its_own_rule_or_that_of_the_places_above():
    assert term("objection-decide", TODAY, "330106").jurisdiction == "330000"
    assert term("objection-decide", TODAY, "980101").jurisdiction == "000000"
    assert term("share-review", TODAY, "140581").n == 2
    with pytest.raises(LookupError):
        term("share-review", TODAY)
    with pytest.raises(KeyError, match="double-publicity"):
        term("no-such-term", TODAY)


def test_numbers_from_general_knowledge_are_marked():
    assert term("share-supply", TODAY).verify
    assert term("serious-violation-listing", TODAY).verify
    assert not term("double-publicity", TODAY).verify


def test_deadlines():
    assert deadline(term("double-publicity", TODAY), dt.date(2026, 9, 29)) == dt.date(2026, 10, 14)
    assert deadline(term("negative-display", TODAY), dt.date(2024, 2, 29)) == dt.date(2029, 2, 28)
    assert deadline(term("annual-report-to", TODAY), dt.date(2026, 4, 20)) == dt.date(2026, 6, 30)
    assert deadline(term("annual-report-to", TODAY), dt.date(2026, 7, 1)) == dt.date(2027, 6, 30)
    assert deadline(term("penalty-payment", TODAY), dt.date(2026, 9, 18)) == dt.date(2026, 10, 8)
    assert deadline(term("serious-risk-report", TODAY), dt.date(2026, 10, 1)) == dt.date(2026, 10, 2)
    assert deadline(term("market-penalty-display", TODAY), dt.date(2026, 10, 1)) == dt.date(2029, 10, 1)


def test_months_end_on_the_corresponding_or_the_last_day():
    assert add_months(dt.date(2026, 1, 31), 1) == dt.date(2026, 2, 28)
    assert add_months(dt.date(2026, 12, 15), 1) == dt.date(2027, 1, 15)
    assert add_months(dt.date(2026, 3, 31), -1) == dt.date(2026, 2, 28)


def test_the_table_is_sound():
    for row in terms():
        assert row.zh
        assert row.en
        assert row.unit in ("wd", "day", "month", "year", "hour", "date")
        assert row.n > 0
        last = deadline(row, dt.date(2026, 4, 20))
        assert not row.rolls or row.unit == "hour" or is_workday(last).is_workday
        others = [t for t in terms() if t.name == row.name and t.jurisdiction == row.jurisdiction and t is not row]
        for other in others:
            days = [row.in_force_from, row.in_force_to, other.in_force_from, other.in_force_to]
            assert not any(row.in_force(day) and other.in_force(day) for day in days if day), row.name
    assert len(term_names()) > 50
