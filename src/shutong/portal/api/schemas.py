"""What the JSON interface answers. Field names are stable: a field is added, never renamed, within a version.

Dates are ISO 8601 text, amounts text in yuan, ids opaque text. ``null`` means not known or not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from ninja import Field, Schema

T = TypeVar("T")


class Problem(Schema):
    """An error, as problem details (RFC 9457)."""

    type: str = Field(description="stable name of the kind of problem")
    title: str
    status: int
    detail: str = Field(description="what was wrong and what to do, in Chinese and English")
    errors: list[dict[str, Any]] | None = Field(None, description="for 422: each parameter that was wrong")


class Page(Schema, Generic[T]):
    """A page of a list."""

    count: int = Field(description="how many there are in all; a search counts to 1,000 only")
    limit: int
    offset: int
    items: list[T]


class Title(Schema):
    """A text in Chinese and English."""

    zh: str
    en: str


class Hit(Schema):
    """A subject found by a search."""

    subject_id: str
    name: str
    uscc: str | None
    status: str | None = Field(description="code of the code set enterprise-status")
    category: str | None = Field(description="code of the code set market-subject-type")
    area: str | None = Field(description="GB/T 2260 code")
    facts: int
    negative_facts: int
    listings: int
    found_by: str = Field(description="code, code-slip, name, prefix, fragment or similar")
    matched: str | None = Field(description="the code that led to it, where it is not the unified code that was asked")


class SearchAnswer(Page[Hit]):
    """The answer of a search."""

    query: str = Field(description="the text as read; empty where it was a personal number, which is never repeated")
    capped: bool = Field(description="whether there are more than 1,000")
    note: str = Field(description="empty, short, personal, slip or similar")


class SourceValue(Schema):
    """One source's value of an attribute."""

    value: str | None
    chosen: bool
    masked: bool
    valid_from: str | None
    valid_to: str | None
    resource: str
    department: str
    record_id: str
    batch_id: str
    received_on: str | None


class Attribute(Schema):
    """An attribute with every source's value; the first is the one that counts."""

    library: str
    name: str
    title: str
    values: list[SourceValue]


class Clock(Schema):
    """A legal term in working days, seen from the business day."""

    rule: str
    due: str
    met_on: str | None
    state: str = Field(description="running, done, late or overdue")
    workdays: int = Field(description="working days left, to spare, or behind")


class Fact(Schema):
    """A dated thing known of a subject. ``shows`` are its shown items, masked as declared."""

    fact_id: str
    subject_id: str
    kind: str
    title: str
    on_date: str
    until_date: str | None
    weight: str
    shows: dict[str, str | None]
    resource: str
    department: str
    record_id: str
    batch_id: str
    received_on: str
    publicity: Clock | None


class Listing(Schema):
    """Membership of a list, with its ground and basis."""

    listing_id: str
    list: str
    subject_id: str
    subject_name: str
    uscc: str | None
    ground: str
    ground_title: str
    basis: str
    ground_basis: str
    since: str
    entered_on: str | None
    ends_on: str | None
    record_ids: Sequence[str]
    rule_version: str


class SubjectEvent(Schema):
    """What became of a subject's id: ``subject_id`` was merged into or separated from ``other_id``, vanished or returned."""

    event: str = Field(description="merged, separated, vanished or returned")
    on_day: str = Field(description="business day of the run that found it")
    subject_id: str
    other_id: str | None
    record_id: str | None = Field(description="the record that explains it, where that is known and public")
    cause: str | None = Field(description="row (a new row or version), withdrawn, or dropped from a snapshot")


class Gone(Problem):
    """A subject that had a page and has none now: what became of it, and who its records are about now."""

    subject_id: str
    events: list[SubjectEvent]
    successors: list[str] = Field(description="ids of subjects")


class Subject(Schema):
    """An organisation: identity with provenance, listings, and how many facts of each kind."""

    subject_id: str
    kind: str
    name: str
    former_names: list[str]
    uscc: str | None
    codes: dict[str, list[str]]
    status: str | None
    category: str | None
    area: str | None
    industry: str | None
    established_on: str | None
    attributes: list[Attribute]
    listings: list[Listing]
    fact_counts: dict[str, int]
    events: list[SubjectEvent] = Field(description="mergers and separations of its id, oldest first")
    business_day: str


class Batch(Schema):
    """A delivery, as far as everybody may know it."""

    batch_id: str
    resource: str
    received_on: str
    sha256: str
    state: str
    rows: int
    accepted: int
    rejected: int
    flagged: int


class Chain(Schema):
    """The way of a record: its masked items, batch, source, check flags, link to the subject with evidence, rules."""

    record_id: str | None
    subject_id: str
    subject_name: str
    resource: str
    department: str
    basis: str
    items: dict[str, str | None]
    hidden_items: list[str]
    batch: Batch | None
    flags: list[str]
    link_method: str | None
    link_score: int | None = Field(description="per mille")
    link_evidence: dict[str, str] = Field(description="what was found, by piece of evidence")
    link_explanation: list[Title] = Field(description="the same in words, the decision first")
    facts: list[Fact]
    listings: list[Listing]


class Ground(Schema):
    """A ground of a list, with the rule that finds it."""

    name: str
    title: Title
    basis: str
    sql: str


class ListView(Schema):
    """A list with its law and how many subjects are on it."""

    name: str
    title: Title
    basis: str
    weight: str
    entry: str
    department: str
    members: int
    grounds: list[Ground]


class Figure(Schema):
    """One figure of a statistic."""

    dimension: str | None
    series: str | None
    value: float


class StatisticName(Schema):
    """A statistic that can be asked for."""

    name: str
    figures: int


class Statistic(Schema):
    """A pre-computed statistic."""

    name: str
    business_day: str
    figures: list[Figure]


class Indicator(Schema):
    """An open indicator."""

    name: str
    title: Title
    unit: str


class Observation(Schema):
    """A figure of an indicator with (at most 20 of) the records it comes from."""

    period: str
    area: str | None
    series: str | None
    value: float | None
    record_ids: list[str]
    records: int | None
    rule_version: str | None


class Lateness(Schema):
    """Publicity of a department."""

    department: str
    title: str
    due: int
    late: int
    average_days_late: float


class Item(Schema):
    """An item of a resource."""

    name: str
    title: Title
    element: str
    codes: str | None
    required: bool
    grade: str
    published: str = Field(description="open, masked or hidden")


class Resource(Schema):
    """A resource of the data catalog."""

    name: str
    title: Title
    department: str
    basis: str
    cycle: str
    share: str
    share_condition: str | None
    open: str
    open_condition: str | None
    records: int
    latest: str | None
    items: list[Item]


class Department(Schema):
    """A department of the catalog."""

    name: str
    title: Title
    level: str


class Health(Schema):
    """Whether the interface can answer, and of which day."""

    ready: bool
    business_day: str | None
    answers_built_at: str | None


class WorkBatch(Batch):
    """A delivery as its department sees it."""

    department: str
    file_name: str
    received_at: str
    corrects: str | None
    refusal: str | None


class Receipt(Schema):
    """A delivery with its signed receipt."""

    batch: WorkBatch
    receipt: dict[str, Any]
    signed: str


class TicketLine(Schema):
    """A row of a ticket."""

    row_id: str
    reasons: str
    state: str
    settled_by: str | None
    note: str | None
    left: str | None
    right: str | None
    records: list[str]


class Ticket(Schema):
    """A question to a department."""

    id: int
    kind: str
    batch_or_verification: str
    resource: str | None
    department: str
    state: str
    opened_on: str
    closed_on: str | None
    rows: int
    open_rows: int


class TicketView(Ticket):
    """A ticket with its rows."""

    lines: list[TicketLine]


class Run(Schema):
    """One run of the way over the home."""

    run_id: str
    kind: str = Field(description="full, increment or nothing")
    business_day: str
    state: str = Field(description="running, done, failed or killed")
    started_at: str
    ended_at: str | None
    upto_seq: int = Field(description="the last batch that the run took in")
    subjects: int = Field(description="subjects computed again")
    error: str | None


class Stage(Schema):
    """One stage of a run."""

    stage: str
    seconds: float
    peak_bytes: int = Field(description="peak memory of the process tree")
    rows: dict[str, int] = Field(description="rows written, by table")


class RunView(Run):
    """A run with its stages in the order they ran."""

    stages: list[Stage]
