"""The verbs of lists: propose, enter, decline, note that the ground is gone, release.

A person and the platform use the same verbs; the platform enters a candidate by itself only where the list's
declaration says that the law allows automatic entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from shutong.accounts.actions import action, note
from shutong.accounts.actors import SYSTEM, Actor
from shutong.rules.models import Listing
from shutong.spec.catalog import Catalog
from shutong.spec.models import RuleRef, SubjectList
from shutong.standards import terms

_CHUNK = 500


class ListingError(ValueError):
    """A verb that does not fit where the listing stands. Carries a text in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class Candidate:
    """What a rule found: one row of the lake's table ``candidates``."""

    candidate_id: str
    list: str
    ground: str
    subject_id: str
    since: date
    record_ids: tuple[str, ...]
    rule_version: str


@dataclass(frozen=True)
class Reconciled:
    """What one run changed about the listings of a list, and how many proposals wait for the review of records."""

    proposed: int = 0
    entered: int = 0
    gone: int = 0
    back: int = 0
    ended: int = 0
    waiting: int = 0


Waiting = Mapping[str, Mapping[str, Sequence[str]]]
"""Resource to subject to the records of it that may be the subject's own and wait for a person."""


@action(permission="rules.list", department="declaration.department", audited=("declaration.list",))
def propose_listings(declaration: SubjectList, candidates: Sequence[Candidate], day: date, *, acting: Actor) -> int:
    """Write down new candidates as proposed listings, each with the term in which it is to be decided.

    Returns the number of new ones; a candidate that was written before is left as it is.
    """
    rows = [
        Listing(
            candidate_id=one.candidate_id,
            list=one.list,
            ground=one.ground,
            subject_id=one.subject_id,
            since=one.since,
            record_ids=list(one.record_ids),
            rule_version=one.rule_version,
            found_on=day,
            enter_due_on=_due(declaration.enter_within, day),
        )
        for one in candidates
    ]
    known = _existing(one.candidate_id for one in candidates)
    fresh = [row for row in rows if row.candidate_id not in known]
    Listing.objects.bulk_create(fresh, batch_size=_CHUNK)
    note(proposed=len(fresh), by=acting.id)
    return len(fresh)


@action(permission="rules.list", department="declaration.department", audited=("declaration.list", "reason"))
def enter_listings(
    declaration: SubjectList, listings: Sequence[Listing], day: date, reason: str, *, acting: Actor
) -> int:
    """Enter proposed listings on the list, from ``day`` on and for the list's term where it has one.

    Raises:
        ListingError: the platform acts although the list needs a person's decision or the listing waits for the review of
            records, or a listing is not proposed.
    """
    if acting.id == SYSTEM.id and declaration.entry != "automatic":
        raise ListingError(
            f"名单 {declaration.list} 须由人作出决定，平台不能自动列入",
            f"list {declaration.list} needs a person's decision; the platform may not enter it by itself",
        )
    if acting.id == SYSTEM.id and any(listing.waits_for for listing in listings):
        raise ListingError(
            "可能属于该主体的记录正待核对，平台不能自动列入",
            "records that may be the subject's own wait for review; the platform may not enter it by itself",
        )
    for listing in listings:
        _expect(listing, Listing.State.PROPOSED)
        listing.state = Listing.State.LISTED
        listing.entered_on = day
        listing.entered_by = acting.id
        listing.entry_reason = reason
        listing.ends_on = _due(declaration.term, day)
    fields = ["state", "entered_on", "entered_by", "entry_reason", "ends_on"]
    Listing.objects.bulk_update(listings, fields, batch_size=_CHUNK)
    note(*(listing.candidate_id for listing in listings[:_CHUNK]), entered=len(listings))
    return len(listings)


@action(permission="rules.list", department="declaration.department", audited=("listing.candidate_id", "reason"))
def decline_listing(declaration: SubjectList, listing: Listing, day: date, reason: str, *, acting: Actor) -> Listing:
    """Decide that a candidate is not entered; the reason is kept and the same finding is not proposed again."""
    _expect(listing, Listing.State.PROPOSED)
    _need(reason)
    listing.state = Listing.State.DECLINED
    listing.released_on, listing.released_by, listing.release_reason = day, acting.id, reason
    listing.save()
    note(list=declaration.list)
    return listing


@action(permission="rules.release", department="declaration.department", audited=("declaration.list",))
def note_grounds_gone(declaration: SubjectList, listings: Sequence[Listing], day: date, *, acting: Actor) -> int:
    """Write down that the rule no longer finds the ground, and by when the release is to be decided.

    A proposal that was never entered falls away with its ground; a listing stays until somebody releases it.
    """
    for listing in listings:
        listing.ground_gone_on = day
        if listing.state == Listing.State.PROPOSED:
            listing.state = Listing.State.DECLINED
            listing.released_on, listing.released_by = day, acting.id
            listing.release_reason = "列入事由在决定前已经消除"
        else:
            listing.release_due_on = _due(declaration.release_within, day)
    fields = ["ground_gone_on", "state", "released_on", "released_by", "release_reason", "release_due_on"]
    Listing.objects.bulk_update(listings, fields, batch_size=_CHUNK)
    note(gone=len(listings))
    return len(listings)


@action(permission="rules.release", department="declaration.department", audited=("declaration.list",))
def note_grounds_back(declaration: SubjectList, listings: Sequence[Listing], day: date, *, acting: Actor) -> int:
    """Write down that the rule finds the ground again before anybody decided the release: it is due no longer."""
    for listing in listings:
        _expect(listing, Listing.State.LISTED)
        listing.ground_gone_on = listing.release_due_on = None
    Listing.objects.bulk_update(listings, ["ground_gone_on", "release_due_on"], batch_size=_CHUNK)
    note(back=len(listings), day=day.isoformat())
    return len(listings)


@action(permission="rules.release", department="declaration.department", audited=("declaration.list",))
def end_listings(declaration: SubjectList, listings: Sequence[Listing], day: date, *, acting: Actor) -> int:
    """Take those off the list whose term is over.

    Raises:
        ListingError: a listing has no term, or its last day is not over.
    """
    for listing in listings:
        _expect(listing, Listing.State.LISTED)
        if listing.ends_on is None or listing.ends_on >= day:
            raise ListingError("列入期限未满", "the term of the listing is not over")
        listing.state = Listing.State.RELEASED
        listing.released_on, listing.released_by, listing.release_reason = day, acting.id, "列入期限届满"
    fields = ["state", "released_on", "released_by", "release_reason"]
    Listing.objects.bulk_update(listings, fields, batch_size=_CHUNK)
    note(*(listing.candidate_id for listing in listings[:_CHUNK]), ended=len(listings))
    return len(listings)


@action(permission="rules.release", department="declaration.department", audited=("listing.candidate_id", "reason"))
def release_listing(declaration: SubjectList, listing: Listing, day: date, reason: str, *, acting: Actor) -> Listing:
    """Take a subject off the list, with the reason that its page shows."""
    _expect(listing, Listing.State.LISTED)
    _need(reason)
    listing.state = Listing.State.RELEASED
    listing.released_on, listing.released_by, listing.release_reason = day, acting.id, reason
    listing.save()
    note(list=declaration.list)
    return listing


@action(permission="rules.list", department="declaration.department", audited=("declaration.list",))
def note_waiting(declaration: SubjectList, listings: Sequence[Listing], *, acting: Actor) -> int:
    """Write down for which records proposals wait, as ``waits_for`` of each says; returns how many wait.

    A person who enters one in spite of them leaves them written.
    """
    for listing in listings:
        _expect(listing, Listing.State.PROPOSED)
    Listing.objects.bulk_update(listings, ["waits_for"], batch_size=_CHUNK)
    waiting = sum(bool(listing.waits_for) for listing in listings)
    note(*(listing.candidate_id for listing in listings[:_CHUNK]), waiting=waiting, by=acting.id)
    return waiting


def reconcile_listings(
    catalog: Catalog, candidates: Sequence[Candidate], day: date, waiting: Waiting | None = None
) -> dict[str, Reconciled]:
    """Bring the listings in line with what the rules found on ``day``: used at the end of every run, and repeatable.

    Args:
        waiting: records that wait for a person; they hold up grounds that rest on the absence of such records.
    """
    by_list: dict[str, list[Candidate]] = {name: [] for name in catalog.lists}
    for one in candidates:
        by_list.setdefault(one.list, []).append(one)
    return {
        name: _reconcile(catalog.lists[name], found, day, waiting or {})
        for name, found in by_list.items()
        if name in catalog.lists
    }


def _reconcile(declaration: SubjectList, found: Sequence[Candidate], day: date, waiting: Waiting) -> Reconciled:
    rows = Listing.objects.filter(list=declaration.list)
    over = list(rows.filter(state=Listing.State.LISTED, ends_on__lt=day))
    if over:
        end_listings(declaration, over, day, acting=SYSTEM)
    latest = {
        _finding(row[0]): row for row in rows.order_by("pk").values_list("candidate_id", "state", "ground_gone_on")
    }
    fresh = list(_fresh(found, latest))
    proposed = propose_listings(declaration, fresh, day, acting=SYSTEM) if fresh else 0
    still = {one.candidate_id for one in found}
    open_ = [row for row in rows.filter(state=Listing.State.PROPOSED) if _finding(row.candidate_id) in still]
    held = _hold(declaration, open_, waiting)
    entered = 0
    ready = [row for row in open_ if not row.waits_for]
    if declaration.entry == "automatic" and ready:
        entered = enter_listings(declaration, ready, day, "规则自动列入", acting=SYSTEM)
    open_states = (Listing.State.PROPOSED, Listing.State.LISTED)
    here = rows.filter(state__in=open_states, ground_gone_on=None)
    gone = [row for row in here if _finding(row.candidate_id) not in still]
    if gone:
        note_grounds_gone(declaration, gone, day, acting=SYSTEM)
    waned = rows.filter(state=Listing.State.LISTED).exclude(ground_gone_on=None)
    back = [row for row in waned if _finding(row.candidate_id) in still]
    if back:
        note_grounds_back(declaration, back, day, acting=SYSTEM)
    return Reconciled(proposed, entered, len(gone), len(back), len(over), held)


def _hold(declaration: SubjectList, listings: Sequence[Listing], waiting: Waiting) -> int:
    """Write down for which records each proposal waits now, where that has changed; returns how many wait."""
    changed = []
    for listing in listings:
        ground = declaration.grounds.get(listing.ground)
        found = {
            record
            for resource in (ground.absence if ground else ())
            for record in waiting.get(resource, {}).get(listing.subject_id, ())
        }
        if listing.waits_for != sorted(found):
            listing.waits_for = sorted(found)
            changed.append(listing)
    if changed:
        note_waiting(declaration, changed, acting=SYSTEM)
    return sum(bool(listing.waits_for) for listing in listings)


def _finding(candidate_id: str) -> str:
    """The id that the rule gave; a listing of a ground that came back has a number behind it."""
    return candidate_id.partition("-")[0]


def _fresh(found: Sequence[Candidate], latest: Mapping[str, tuple[str, str, date | None]]) -> Iterator[Candidate]:
    """The findings to propose: new ones, and those whose last listing was closed because its ground had gone."""
    for one in found:
        last, state, gone_on = latest.get(one.candidate_id, ("", "", None))
        if not last:
            yield one
        elif gone_on is not None and state in {Listing.State.RELEASED, Listing.State.DECLINED}:
            number = int(last.partition("-")[2] or 1)
            yield replace(one, candidate_id=f"{one.candidate_id}-{number + 1}")


def _existing(ids: Iterable[str]) -> set[str]:
    wanted = list(ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        found.update(Listing.objects.filter(candidate_id__in=part).values_list("candidate_id", flat=True))
    return found


def _due(rule: RuleRef | None, day: date) -> date | None:
    return terms.deadline(terms.term(rule.rule, day), day) if rule else None


def _expect(listing: Listing, state: Listing.State) -> None:
    if listing.state != state:
        now = Listing.State(listing.state).label
        raise ListingError(
            f"该条目前是“{now}”，不能这样办理", f"this entry is {listing.state}, not {state.value}: nothing was changed"
        )


def _need(reason: str) -> None:
    if not reason.strip():
        raise ListingError("请写明理由", "a reason is needed")
