"""What became of an id: merged, separated again, vanished, returned; so that a link once published leads somewhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from shutong.pipeline.answers.store import AnswerStore, Row

from .subjects import public_records


@dataclass(frozen=True)
class EventView:
    """One event of a subject, seen from it.

    Args:
        event: merged, separated, vanished or returned.
        own: whether it befell the subject itself; else the other one was merged into it or separated from it.
        other_id: the other subject, None where there is none; ``other_name`` is empty where it has no page of its own.
        redirected: the other subject's address leads to a survivor, often this very page.
        record_id: the record that explains it, where that has a public page.
        cause: row, withdrawn or dropped; empty where nothing is known.
    """

    event: str
    own: bool
    on_day: str
    subject_id: str
    other_id: str | None
    other_name: str
    redirected: bool
    record_id: str | None
    cause: str

    @property
    def text(self) -> str:
        """The event in words; the other subject is named beside it."""
        texts = {
            ("merged", True): _("并入另一主体"),
            ("merged", False): _("另一主体并入本主体"),
            ("separated", True): _("从另一主体分出"),
            ("separated", False): _("另一主体从本主体分出"),
            ("vanished", True): _("各部门的记录中不再有这一主体"),
            ("returned", True): _("记录中重新有了这一主体"),
        }
        return texts.get((self.event, self.own), self.event)

    @property
    def why(self) -> str:
        """Why it vanished, in words; empty for other events and where nothing is known."""
        if self.event != "vanished":
            return ""
        texts = {
            "row": _("提供部门更正了它的记录，更正后的记录不再指向它。"),
            "withdrawn": _("提供部门撤回了它的记录。"),
            "dropped": _("提供部门最近一次全量报送中已没有它。"),
        }
        return texts.get(self.cause, "")

    @property
    def leads_to(self) -> str:
        """The other party as its id: whom the line is about besides the subject of the page."""
        return (self.other_id or "") if self.own else self.subject_id


@dataclass(frozen=True)
class Gone:
    """A subject that had a page and has none now: its events, oldest first, and where its records are, if anywhere."""

    subject_id: str
    events: tuple[EventView, ...]
    successors: tuple[Row, ...]

    @property
    def last(self) -> EventView:
        """The event that ended it, or the last of those that are known."""
        ended = [one for one in self.events if one.event == "vanished"]
        return (ended or self.events)[-1]


def events_of(answers: AnswerStore, subject_id: str, as_of: dt.date | None = None) -> tuple[EventView, ...]:
    """The events of a subject, and of those merged into it or separated from it, oldest first.

    Args:
        as_of: only those up to this day.
    """
    rows = answers.fetch(
        "SELECT e.*, s.name AS other_name, s.redirect_to FROM answer_event e LEFT JOIN answer_subject s"
        " ON s.subject_id = CASE WHEN e.subject_id = :id THEN e.other_id ELSE e.subject_id END"
        " WHERE (e.subject_id = :id OR e.other_id = :id) AND e.on_day <= :day ORDER BY e.position",
        {"id": subject_id, "day": str(as_of or "9999-12-31")},
    )
    public = public_records(answers, {row["record_id"] for row in rows if row["record_id"]})
    return tuple(
        EventView(
            row["event"],
            row["subject_id"] == subject_id,
            row["on_day"],
            row["subject_id"],
            row["other_id"],
            "" if row["redirect_to"] else row["other_name"] or "",
            bool(row["redirect_to"]),
            row["record_id"] if row["record_id"] in public else None,
            row["cause"] or "",
        )
        for row in rows
    )


def gone_subject(answers: AnswerStore, subject_id: str) -> Gone | None:
    """What is known of an id that leads to no subject; None for one that never had a page.

    The record that explains the end may be about somebody else by now: they are where its records are, and so is the
    subject from which it was separated at last.
    """
    for _step in range(5):
        row = answers.one("SELECT redirect_to FROM answer_subject WHERE subject_id = ?", [subject_id])
        if row is None or not row["redirect_to"]:
            break
        subject_id = row["redirect_to"]
    events = tuple(one for one in events_of(answers, subject_id) if one.own)
    if not events:
        return None
    found = [one.record_id for one in events[-1:] if one.record_id]
    others = [one.other_id for one in events[-2:] if one.event == "separated" and one.other_id]
    marks = ", ".join("?" * len(others))
    successors = answers.fetch(
        "SELECT s.subject_id, s.name FROM answer_subject s WHERE s.redirect_to IS NULL AND (s.subject_id IN"
        f" (SELECT subject_id FROM answer_record WHERE record_id = ?) OR s.subject_id IN ({marks})) ORDER BY s.doc",
        [*(found or [""]), *others],
    )
    return Gone(subject_id, events, tuple(row for row in successors if row["subject_id"] != subject_id))
