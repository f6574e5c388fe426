"""What measuring a platform against the truth of its city found, as values and as tables for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rejection:
    """One kind of planted row. ``reason`` is None for rows that are good, however dirty."""

    dirt: str
    reason: str | None
    rows: int
    rejected: int
    for_the_reason: int

    @property
    def rate(self) -> float:
        """Share rejected for the planted reason; of good rows the share rejected at all."""
        return (self.for_the_reason if self.reason else self.rejected) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Identification:
    """What became of accepted rows outside registers that have something in common, ``label`` says what.

    ``found`` are right links of rows that can be identified; ``review`` are rows that wait for a clerk, with the right
    candidate in ``review_right`` of them.
    """

    label: str
    rows: int
    identifiable: int
    linked: int
    right: int
    found: int
    review: int
    review_right: int

    @property
    def precision(self) -> float:
        """Right links among links; 1 where there is none."""
        return self.right / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """Right links among rows that can be identified; 1 where there is none."""
        return self.found / self.identifiable if self.identifiable else 1.0


@dataclass(frozen=True)
class Report:
    """What the measurement found; ``unread`` are rows of the truth that no batch of the platform holds.

    ``by_evidence`` is by what the row holds, ``by_dirt`` by what was planted in it, ``by_variant`` by the way in which
    its name or code is written, ``by_likeness`` by what makes its subject easy to confuse (rows without a good code only).
    ``branch_links`` are records of a branch linked to its head office or the other way round, ``merged`` are rows of
    registers under the subject of somebody else: both must be none.
    """

    rows: int
    unread: int
    rejection: tuple[Rejection, ...]
    by_evidence: tuple[Identification, ...]
    by_method: tuple[Identification, ...]
    by_dirt: tuple[Identification, ...]
    by_variant: tuple[Identification, ...]
    by_likeness: tuple[Identification, ...]
    codes: Identification
    overall: Identification
    branch_links: int
    merged: int

    @property
    def good_rejected(self) -> int:
        """Good rows that were rejected; should be none."""
        return sum(line.rejected for line in self.rejection if line.reason is None)

    @property
    def bad_missed(self) -> int:
        """Bad rows that were not rejected for the planted reason; should be none."""
        return sum(line.rows - line.for_the_reason for line in self.rejection if line.reason is not None)

    def markdown(self) -> str:
        """The report as tables for the documentation."""
        lines = ["| planted | reason | rows | rejected | for the reason | rate |", "|---|---|---:|---:|---:|---:|"]
        lines += [
            f"| {r.dirt} | {r.reason or 'good'} | {r.rows:,} | {r.rejected:,} | {r.for_the_reason:,} | {r.rate:.4f} |"
            for r in self.rejection
        ]
        lines += _table("evidence", [*self.by_evidence, self.codes, self.overall])
        lines += _table("dirt", self.by_dirt)
        lines += _table("written", self.by_variant)
        lines += _table("easy to confuse", self.by_likeness)
        lines += ["", "| method | linked | right | precision |", "|---|---:|---:|---:|"]
        lines += [f"| {i.label} | {i.linked:,} | {i.right:,} | {i.precision:.4f} |" for i in self.by_method]
        review, right = self.overall.review, self.overall.review_right
        lines += [
            "",
            f"In review: {review:,} rows, {right:,} with the right candidate, {review - right:,} with a wrong one or none.",
            f"Links between a branch and its head office: {self.branch_links:,}.",
            f"Rows of registers under the subject of somebody else: {self.merged:,}.",
        ]
        return "\n".join(lines) + "\n"


def _table(title: str, lines: Sequence[Identification]) -> list[str]:
    head = f"| {title} | rows | identifiable | linked | right | precision | recall | in review | right candidate |"
    rows = [
        f"| {i.label} | {i.rows:,} | {i.identifiable:,} | {i.linked:,} | {i.right:,} | {i.precision:.4f} | "
        f"{i.recall:.4f} | {i.review:,} | {i.review_right:,} |"
        for i in lines
    ]
    return ["", head, "|---|" + "---:|" * 8, *rows]


@dataclass(frozen=True)
class PatternLine:
    """Candidates of one ground against the planted subjects; ``shown`` are those the data shows without planting."""

    pattern: str
    planted: int
    shown: int
    candidates: int
    hits: int
    missed: int
    unexpected: int


def patterns_markdown(lines: Iterable[PatternLine]) -> str:
    """The planted patterns as a table for the documentation."""
    head = (
        "| pattern | planted | shown by the data too | candidates | found | missed | unexpected |\n|---|" + "---:|" * 6
    )
    rows = [
        f"| {one.pattern} | {one.planted:,} | {one.shown:,} | {one.candidates:,} | {one.hits:,} | {one.missed:,} | "
        f"{one.unexpected:,} |"
        for one in lines
    ]
    return "\n".join([head, *rows]) + "\n"
