"""Typed values that queries return and pages show; each says where it comes from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

from shutong.standards.workdays import workdays_between
from shutong.subjects.explain import Explanation

ClockState = Literal["done", "late", "running", "overdue"]


@dataclass(frozen=True)
class Clock:
    """A legal term in working days, seen from the stored business day.

    Args:
        due: last day of the term.
        done: the day on which it was met, None while it runs.
        today: the business day.
        rule: name of the term.
    """

    due: dt.date
    done: dt.date | None
    today: dt.date
    rule: str = ""

    @property
    def state(self) -> ClockState:
        """``done`` in time, ``late``, ``running``, or ``overdue`` (not met and the term is over)."""
        if self.done is not None:
            return "done" if self.done <= self.due else "late"
        return "running" if self.today <= self.due else "overdue"

    @property
    def workdays(self) -> int:
        """Working days between: left while running, to spare where done, behind where late or overdue."""
        end = self.done or self.today
        first, last = sorted((end, self.due))
        return workdays_between(first, last)


@dataclass(frozen=True)
class SourceValue:
    """One source's value of an attribute, as text to read."""

    text: str
    chosen: bool
    masked: bool
    valid_from: str | None
    valid_to: str | None
    resource: str
    resource_title: str
    department: str
    record_id: str
    batch_id: str
    received_on: str | None
    record_public: bool = True


@dataclass(frozen=True)
class AttributeView:
    """An attribute of a subject with the value that counts first and every other source's value behind it."""

    library: str
    name: str
    title: str
    value: SourceValue
    others: tuple[SourceValue, ...] = ()
    code: bool = False
    """Whether the value is the unified code of another organisation, which can be looked up."""
    instance: str = ""
    """Which licence or case of the subject the value is of, where its library keeps them apart."""

    @property
    def sources(self) -> int:
        """How many sources say something, the one that counts included."""
        return 1 + len(self.others)


@dataclass(frozen=True)
class AttributeGroup:
    """The attributes of one library, by instance where it keeps several apart; hidden ones are named with no value."""

    library: str
    title: str
    instances: tuple[tuple[AttributeView, ...], ...]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A titled value."""

    title: str
    text: str
    name: str = ""
    masked: bool = False
    grade: str = ""


@dataclass(frozen=True)
class FactView:
    """A fact ready to be shown on a timeline."""

    fact_id: str
    subject_id: str
    kind: str
    title: str
    headline: str
    lines: tuple[Line, ...]
    on_date: str
    until_date: str | None
    weight: str
    resource: str
    resource_title: str
    department: str
    record_id: str
    batch_id: str
    received_on: str
    clock: Clock | None
    flags: tuple[str, ...] = ()
    subject_name: str = ""


@dataclass(frozen=True)
class ListingView:
    """A listing with its grounds, basis and terms."""

    listing_id: str
    subject_id: str
    subject_name: str
    uscc: str
    list: str
    list_title: str
    weight: str
    basis: str
    ground: str
    ground_title: str
    ground_basis: str
    since: str
    entered_on: str | None
    ends_on: str | None
    ground_gone_on: str | None
    entry_reason: str
    department: str
    record_ids: tuple[str, ...]
    rule_version: str
    release_term: str = ""
    """How long the deciding department has to release it once its ground is gone; empty where nothing says."""
    release_clock: Clock | None = None


@dataclass(frozen=True)
class SubjectView:
    """Everything the subject page shows."""

    subject: dict[str, Any]
    codes: tuple[Line, ...]
    former_names: tuple[str, ...]
    attributes: tuple[AttributeView, ...]
    listings: tuple[ListingView, ...]
    facts: tuple[FactView, ...]
    kinds: tuple[tuple[str, str, int], ...]
    """Kind, title and number of facts of the kind."""
    today: dt.date
    fact_count: int = 0


@dataclass(frozen=True)
class Chain:
    """The way of one record behind a fact: from the delivery to the rule."""

    fact: FactView | None
    subject: dict[str, Any]
    record: dict[str, Any] | None
    items: tuple[Line, ...]
    batch: dict[str, Any] | None
    resource: str
    resource_title: str
    department: str
    basis: str
    flags: tuple[str, ...]
    method: str
    score: int | None
    explanation: Explanation | None
    """Why the record is linked to the subject, in words."""
    former_name: str = ""
    """The name in the record, where it is one the subject had before."""
    facts: tuple[FactView, ...] = ()
    listings: tuple[ListingView, ...] = ()
    checks: tuple[Line, ...] = field(default_factory=tuple)
    flag_lines: tuple[Line, ...] = ()
    """The flags in words."""

    @property
    def shown(self) -> list[Line]:
        """Items with a public value."""
        return [one for one in self.items if one.text]

    @property
    def hidden(self) -> list[str]:
        """Titles of the items that are not public."""
        return [one.title for one in self.items if one.masked and not one.text]
