"""From a candidate to a listing and off the list again: the same verbs for people and the platform."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from shutong.accounts.actors import SYSTEM, Actor, NotAllowedError
from shutong.audit.models import Entry
from shutong.rules.actions import (
    Candidate,
    ListingError,
    Reconciled,
    decline_listing,
    end_listings,
    enter_listings,
    propose_listings,
    reconcile_listings,
    release_listing,
)
from shutong.rules.models import Listing
from shutong.spec.catalog import Catalog
from shutong.spec.models import SubjectList
from shutong.standards.terms import deadline, term

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 7, 2)
FOUND = Candidate("c1", "abnormal", "no-report", "o1", dt.date(2026, 7, 1), ("r1",), "1-abc")


def declared(**keys: Any) -> Catalog:
    """A catalog with one list."""
    ground = {"no-report": {"title": "未报", "basis": "第八条", "sql": "SELECT 1"}}
    usual = {
        "list": "abnormal", "title": "名录", "basis": "条例", "entry": "automatic", "department": "market-supervision",
        "enter_within": {"rule": "abnormal-listing"}, "release_within": {"rule": "abnormal-removal"}, "grounds": ground,
    }  # fmt: skip
    return Catalog(lists={"abnormal": SubjectList.model_validate(usual | keys)})


def by_a_person(**keys: Any) -> SubjectList:
    return declared(entry="decision", **keys).lists["abnormal"]


def run(catalog: Catalog, day: dt.date, *found: Candidate) -> Reconciled:
    return reconcile_listings(catalog, found, day)["abnormal"]


def later(days: int) -> dt.date:
    return DAY + dt.timedelta(days=days)


@pytest.fixture
def regulator() -> Actor:
    return Actor(id="u-regulator", name="监管员", department="market-supervision", roles=frozenset({"regulator"}))


def test_the_platform_enters_where_the_law_lets_it_and_a_rerun_changes_nothing() -> None:
    assert run(declared(), DAY, FOUND) == Reconciled(proposed=1, entered=1)
    listing = Listing.objects.get()
    assert (listing.state, listing.entered_on, listing.entered_by) == ("listed", DAY, SYSTEM.id)
    assert (listing.subject_id, listing.record_ids, listing.rule_version) == ("o1", ["r1"], "1-abc")
    assert listing.enter_due_on == deadline(term("abnormal-listing", DAY), DAY)
    assert run(declared(), DAY, FOUND) == Reconciled()
    assert run(declared(), later(1), FOUND) == Reconciled()
    assert Listing.objects.get().entered_on == DAY
    assert Entry.objects.filter(action="rules.enter_listings").count() == 1


def test_a_person_decides_by_the_same_verb_where_a_decision_is_needed(regulator: Actor) -> None:
    catalog = declared(entry="decision")
    assert run(catalog, DAY, FOUND) == Reconciled(proposed=1)
    listing = Listing.objects.get()
    assert listing.state == "proposed"
    with pytest.raises(ListingError):
        enter_listings(catalog.lists["abnormal"], [listing], DAY, "规则自动列入", acting=SYSTEM)
    stranger = Actor(id="u-2", name="别处", department="taxation", roles=frozenset({"regulator"}))
    with pytest.raises(NotAllowedError):
        enter_listings(catalog.lists["abnormal"], [listing], DAY, "核实", acting=stranger)
    enter_listings(catalog.lists["abnormal"], [listing], later(1), "经核实", acting=regulator)
    found = Listing.objects.get()
    assert (found.state, found.entered_by, found.entry_reason) == ("listed", regulator.id, "经核实")
    assert run(catalog, later(2), FOUND) == Reconciled()


def test_what_was_declined_is_not_proposed_again(regulator: Actor) -> None:
    catalog = declared(entry="decision")
    run(catalog, DAY, FOUND)
    with pytest.raises(ListingError):
        decline_listing(catalog.lists["abnormal"], Listing.objects.get(), DAY, " ", acting=regulator)
    decline_listing(catalog.lists["abnormal"], Listing.objects.get(), DAY, "不属实", acting=regulator)
    assert run(catalog, later(1), FOUND) == Reconciled()
    assert run(catalog, later(2)) == Reconciled()
    assert run(catalog, later(3), FOUND) == Reconciled()
    assert Listing.objects.get().state == "declined"


def test_a_ground_that_went_is_released_by_a_person_within_the_term(regulator: Actor) -> None:
    run(declared(), DAY, FOUND)
    assert run(declared(), later(5)) == Reconciled(gone=1)
    listing = Listing.objects.get()
    assert (listing.state, listing.ground_gone_on) == ("listed", later(5))
    assert listing.release_due_on == deadline(term("abnormal-removal", later(5)), later(5))
    assert run(declared(), later(6)) == Reconciled()
    release_listing(declared().lists["abnormal"], listing, later(6), "已补报年报", acting=regulator)
    assert Listing.objects.get().released_on == later(6)
    with pytest.raises(ListingError):
        release_listing(declared().lists["abnormal"], Listing.objects.get(), later(7), "再次", acting=regulator)


def test_a_ground_that_comes_back_before_the_release_takes_the_release_away() -> None:
    run(declared(), DAY, FOUND)
    run(declared(), later(5))
    assert run(declared(), later(6), FOUND) == Reconciled(back=1)
    listing = Listing.objects.get()
    assert (listing.state, listing.ground_gone_on, listing.release_due_on) == ("listed", None, None)
    assert run(declared(), later(7), FOUND) == Reconciled()


def test_a_ground_that_comes_back_after_the_release_is_a_new_listing(regulator: Actor) -> None:
    """The report that ended the ground was withdrawn: the firm is listed anew, and the first listing stays written."""
    for number in (0, 10):
        assert run(declared(), later(number), FOUND) == Reconciled(proposed=1, entered=1)
        assert run(declared(), later(number + 1)) == Reconciled(gone=1)
        open_ = Listing.objects.get(state="listed")
        release_listing(declared().lists["abnormal"], open_, later(number + 2), "已补报", acting=regulator)
        assert run(declared(), later(number + 3)) == Reconciled()
    assert run(declared(), later(20), FOUND) == Reconciled(proposed=1, entered=1)
    ids = list(Listing.objects.order_by("pk").values_list("candidate_id", "state"))
    assert ids == [("c1", "released"), ("c1-2", "released"), ("c1-3", "listed")]
    assert run(declared(), later(21), FOUND) == Reconciled()


def test_a_proposal_falls_with_its_ground_and_returns_with_it() -> None:
    catalog = declared(entry="decision")
    run(catalog, DAY, FOUND)
    assert run(catalog, later(1)) == Reconciled(gone=1)
    assert Listing.objects.get().state == "declined"
    assert run(catalog, later(2), FOUND) == Reconciled(proposed=1)
    assert [row.state for row in Listing.objects.order_by("pk")] == ["declined", "proposed"]


def test_a_listing_ends_with_its_term() -> None:
    catalog = declared(term={"rule": "serious-violation-listing"})
    run(catalog, DAY, FOUND)
    last = dt.date(2029, 7, 2)
    assert Listing.objects.get().ends_on == last
    assert run(catalog, last, FOUND) == Reconciled()
    with pytest.raises(ListingError):
        end_listings(catalog.lists["abnormal"], [Listing.objects.get()], last, acting=SYSTEM)
    assert run(catalog, last + dt.timedelta(days=1), FOUND) == Reconciled(ended=1)
    listing = Listing.objects.get()
    assert (listing.state, listing.released_on) == ("released", last + dt.timedelta(days=1))
    assert run(catalog, last + dt.timedelta(days=2), FOUND) == Reconciled(), "the same ground lists only once"


RESTING = {"no-report": {"title": "未报", "basis": "第八条", "sql": "SELECT 1", "absence": ["annual-report"]}}
OPEN_CASE = {"annual-report": {"o1": ["r9", "r8"]}}


def test_a_ground_that_rests_on_an_absence_waits_for_the_review_and_is_entered_after_it() -> None:
    catalog = declared(grounds=RESTING)
    held = reconcile_listings(catalog, [FOUND], DAY, OPEN_CASE)["abnormal"]
    assert held == Reconciled(proposed=1, waiting=1)
    listing = Listing.objects.get()
    assert (listing.state, listing.waits_for) == ("proposed", ["r8", "r9"])
    assert reconcile_listings(catalog, [FOUND], later(1), OPEN_CASE)["abnormal"] == Reconciled(waiting=1)
    assert Entry.objects.filter(action="rules.note_waiting").count() == 1, "a rerun notes nothing new"
    with pytest.raises(ListingError, match="wait for review"):
        enter_listings(catalog.lists["abnormal"], [listing], later(1), "规则自动列入", acting=SYSTEM)
    assert run(catalog, later(2), FOUND) == Reconciled(entered=1), "the records were somebody else's"
    listing = Listing.objects.get()
    assert (listing.entered_on, listing.entered_by, listing.waits_for) == (later(2), SYSTEM.id, [])


def test_a_candidate_whose_absence_was_filled_is_dropped_and_never_entered() -> None:
    catalog = declared(grounds=RESTING)
    reconcile_listings(catalog, [FOUND], DAY, OPEN_CASE)
    assert run(catalog, later(1)) == Reconciled(gone=1)
    assert (Listing.objects.get().state, Listing.objects.get().entered_on) == ("declined", None)


def test_a_person_may_enter_what_waits(regulator: Actor) -> None:
    catalog = declared(grounds=RESTING)
    reconcile_listings(catalog, [FOUND], DAY, OPEN_CASE)
    enter_listings(catalog.lists["abnormal"], [Listing.objects.get()], DAY, "已向企业核实", acting=regulator)
    assert reconcile_listings(catalog, [FOUND], later(1), OPEN_CASE)["abnormal"] == Reconciled()
    listing = Listing.objects.get()
    assert (listing.entered_by, listing.waits_for) == (regulator.id, ["r8", "r9"]), "what was known stays written"


def test_only_records_of_the_named_resources_about_the_subject_itself_hold_it_up() -> None:
    catalog = declared(grounds=RESTING)
    others = {"annual-report": {"o2": ["r9"]}, "penalty": {"o1": ["r8"]}}
    assert reconcile_listings(catalog, [FOUND], DAY, others)["abnormal"] == Reconciled(proposed=1, entered=1)
    # What comes to wait after the entry does not undo it.
    assert reconcile_listings(catalog, [FOUND], later(1), OPEN_CASE)["abnormal"] == Reconciled()


def test_a_ground_that_rests_on_no_absence_does_not_wait() -> None:
    assert reconcile_listings(declared(), [FOUND], DAY, OPEN_CASE)["abnormal"] == Reconciled(proposed=1, entered=1)


def test_the_log_says_who_did_what_to_which_listing(regulator: Actor) -> None:
    propose_listings(by_a_person(), [FOUND], DAY, acting=regulator)
    enter_listings(by_a_person(), [Listing.objects.get()], DAY, "经核实", acting=regulator)
    entries = list(Entry.objects.values_list("action", "actor"))
    assert entries == [("rules.propose_listings", regulator.id), ("rules.enter_listings", regulator.id)]
    assert FOUND.candidate_id in Entry.objects.last().body
