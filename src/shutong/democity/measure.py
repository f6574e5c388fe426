"""How well the platform read the city, measured against its truth: rejection per kind, identification per evidence.

Pure functions over the tables of docs/developers/tables.md. A row of the truth and a row of the platform are the same
when they have the same file name and row number; a link is right when its subject is the one that the registers' own
rows established for the truth's number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from shutong.democity.truth import read_truth

pc: Any = pyarrow.compute
# The stubs know fewer combinations of arguments than the kernels do.

CODES = ("uscc", "old-number", "citizen-id")
"""Kinds of evidence that are codes."""
KINDS = ("subject", "person", "place")


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
    """Links of accepted rows outside registers that have the same kind of evidence (or of all of them)."""

    evidence: str
    rows: int
    identifiable: int
    linked: int
    right: int
    found: int

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
    """What the measurement found; ``unread`` are rows of the truth that no batch of the platform holds."""

    rows: int
    unread: int
    rejection: tuple[Rejection, ...]
    identification: tuple[Identification, ...]
    by_method: tuple[Identification, ...]
    codes: Identification
    overall: Identification

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
        lines += ["", "| evidence | rows | identifiable | linked | right | precision | recall |", "|---|" + "---:|" * 6]
        groups = [*self.identification, self.codes, self.overall]
        lines += [
            f"| {i.evidence} | {i.rows:,} | {i.identifiable:,} | {i.linked:,} | {i.right:,} | {i.precision:.4f} | "
            f"{i.recall:.4f} |"
            for i in groups
        ]
        lines += ["", "| method | linked | right | precision |", "|---|---:|---:|---:|"]
        lines += [f"| {i.evidence} | {i.linked:,} | {i.right:,} | {i.precision:.4f} |" for i in self.by_method]
        return "\n".join(lines) + "\n"


def measure(truth: Path, batches: pa.Table, accepted: pa.Table, rejected: pa.Table, links: pa.Table) -> Report:
    """Compare what the platform did with what is true.

    Args:
        truth: the city's ``truth`` folder.
        batches: ``batch_id``, ``file_name``, ``state``; of repeated files only those that are in count.
        accepted: ``record_id``, ``batch_id``, ``row_no`` of every resource's accepted rows.
        rejected: ``batch_id``, ``row_no``, ``reasons`` (list of struct with ``code``).
        links: ``record_id``, ``subject_id``, ``method``; with ``principal`` only rows where it is true count.
    """
    records = _with_batches(read_truth(truth, "records"), batches)
    records = _with_rejections(records, rejected)
    records = _with_links(records, accepted, links)
    good = _mask(records, "bad_reason")
    unread = int(np.count_nonzero(_mask(records, "batch_id")))
    outside = records.filter(pa.array(good & ~_is(records, "evidence", "register") & ~_mask(records, "evidence")))
    judged = _judge(outside, _numbers_of(records))
    evidence = np.asarray(judged["evidence"].to_pylist(), object)
    lines = [_line(name, judged, evidence == name) for name in sorted(set(evidence.tolist()))]
    method = np.asarray(judged["method"].to_pylist(), object)
    methods = [_line(name, judged, method == name) for name in sorted(set(method.tolist()) - {None})]
    return Report(
        rows=records.num_rows,
        unread=unread,
        rejection=tuple(_rejections(records)),
        identification=tuple(lines),
        by_method=tuple(methods),
        codes=_line("all codes", judged, np.isin(evidence.astype(str), CODES)),
        overall=_line("all", judged, np.ones(len(evidence), np.bool_)),
    )


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


def measure_pattern(
    truth: Path, pattern: str, candidates: pa.Table, batches: pa.Table, accepted: pa.Table, links: pa.Table
) -> PatternLine:
    """Whether a ground found who it should.

    Args:
        pattern: ``no-annual-report`` or ``unreachable``.
        candidates: ``subject_id`` of the ground's candidates.
        batches, accepted, links: as for :func:`measure`.
    """
    records = _with_links(_with_batches(read_truth(truth, "records"), batches), accepted, links)
    numbers = _numbers_of(records)["subject"]
    table = read_truth(truth, "patterns")
    table = table.filter(pc.equal(table["pattern"], pattern))
    planted = set(table.filter(pc.equal(table["because"], "planted"))["subject"].to_pylist())
    shown = set(table["subject"].to_pylist()) - planted
    known = dict(zip(numbers["subject_id"].to_pylist(), numbers["number"].to_pylist(), strict=True))
    found = {known.get(name, -1) for name in candidates["subject_id"].to_pylist()}
    return PatternLine(
        pattern, len(planted), len(shown), len(found), len(found & planted), len(planted - found),
        len(found - planted - shown),
    )  # fmt: skip


def _with_batches(records: pa.Table, batches: pa.Table) -> pa.Table:
    """Add the batch of each row, by the last part of the file's path."""
    if "state" in batches.column_names:
        batches = batches.filter(pc.equal(batches["state"], "in"))
    found = pa.table({"name": _names(batches["file_name"]), "batch_id": batches["batch_id"]})
    # A file that was collected twice is one batch; a corrected one has another name.
    found = found.group_by("name").aggregate([("batch_id", "min")]).rename_columns(["name", "batch_id"])
    role: Any = pa.scalar(None, pa.string())
    for kind in reversed(KINDS):
        role = pc.if_else(pc.greater_equal(records[kind], 0), kind, role)
    records = records.append_column("role", role).append_column("name", _names(records["file"]))
    return records.join(found, "name").combine_chunks()


def _names(paths: pa.ChunkedArray[Any]) -> Any:
    return pc.replace_substring_regex(paths, r"^.*[/\\]", "")


def _with_rejections(records: pa.Table, rejected: pa.Table) -> pa.Table:
    reasons: Any = rejected["reasons"].combine_chunks()
    codes = pc.struct_field(reasons.flatten(), "code")
    parents = pc.list_parent_indices(reasons)
    each = pa.table(
        {
            "batch_id": rejected["batch_id"].take(parents),
            "row_no": rejected["row_no"].cast(pa.int64()).take(parents),
            "bad_reason": codes.cast(pa.string()),
            "told": pa.repeat(pa.scalar(True), len(codes)),
        }
    )
    each = each.group_by(["batch_id", "row_no", "bad_reason"]).aggregate([("told", "any")])
    rows = pa.table({"batch_id": rejected["batch_id"], "row_no": rejected["row_no"].cast(pa.int64())})
    rows = rows.group_by(["batch_id", "row_no"]).aggregate([([], "count_all")])
    records = records.join(rows, ["batch_id", "row_no"])
    return records.join(each, ["batch_id", "row_no", "bad_reason"])


def _with_links(records: pa.Table, accepted: pa.Table, links: pa.Table) -> pa.Table:
    if "principal" in links.column_names:
        links = links.filter(links["principal"])
    links = links.select(["record_id", "subject_id", "method"])
    rows = accepted.select(["record_id", "batch_id", "row_no"])
    rows = rows.set_column(2, "row_no", rows["row_no"].cast(pa.int64()))
    return records.join(rows, ["batch_id", "row_no"]).join(links, "record_id")


def _numbers_of(records: pa.Table) -> dict[str, pa.Table]:
    """Per kind, the truth's number of each subject_id.

    The registers' own rows say it. A subject that the platform knows from other rows only, since its register row was
    rejected, is the number most of its rows are about, provided no other subject_id stands for that number.
    """
    linked = records.filter(pa.array(~_mask(records, "subject_id")))
    answer = {}
    for kind in KINDS:
        own = linked.filter(pc.equal(linked["role"], kind))
        known = _majority(own.filter(pa.array(_is(own, "evidence", "register"))), "subject_id", kind)
        others = own.filter(pc.invert(pc.is_in(own["subject_id"], known["subject_id"])))
        others = _majority(others, "subject_id", kind)
        others = others.filter(pc.invert(pc.is_in(others["number"], known["number"])))
        first = others.group_by("number", use_threads=False).aggregate([("subject_id", "min")])
        rest = pa.table({"subject_id": first["subject_id_min"], "number": first["number"]})
        answer[kind] = pa.concat_tables([known, rest])
    return answer


def _majority(rows: pa.Table, key: str, value: str) -> pa.Table:
    """The most frequent value per key, as ``key`` and ``number``."""
    counted = rows.group_by([key, value]).aggregate([([], "count_all")])
    ordered = counted.sort_by([(key, "ascending"), ("count_all", "descending"), (value, "ascending")])
    first = ordered.group_by(key, use_threads=False).aggregate([(value, "first")])
    return pa.table({key: first[key], "number": first[f"{value}_first"]})


def _judge(rows: pa.Table, numbers: dict[str, pa.Table]) -> pa.Table:
    """Add ``right``: the linked subject is the true one."""
    known = pa.concat_tables(
        [table.append_column("role", pa.repeat(pa.scalar(kind), table.num_rows)) for kind, table in numbers.items()]
    )
    rows = rows.join(known, ["subject_id", "role"])
    # Each row's true number, of whichever kind of subject it is about.
    own = np.stack([np.asarray(rows[kind]) for kind in KINDS])
    place = np.asarray(pc.index_in(rows["role"], pa.array(KINDS)))
    linked = np.asarray(pc.fill_null(rows["number"], -2))
    return rows.append_column("right", pa.array(own[place, np.arange(rows.num_rows)] == linked))


def _line(name: str, rows: pa.Table, chosen: Any) -> Identification:
    linked = ~_mask(rows, "subject_id") & chosen
    right = np.asarray(rows["right"]) & linked
    identifiable = np.asarray(rows["identifiable"]) & chosen
    counts = (int(np.count_nonzero(part)) for part in (chosen, identifiable, linked, right, right & identifiable))
    return Identification(name, *counts)


def _rejections(records: pa.Table) -> Iterable[Rejection]:
    counted = records.filter(pc.is_valid(records["batch_id"]))
    label = pc.coalesce(counted["dirt"], counted["readable"], pa.scalar("clean"))
    counted = counted.append_column("label", label)
    groups = counted.group_by(["label", "bad_reason"]).aggregate(
        [([], "count_all"), ("count_all", "count"), ("told_any", "count")]
    )
    for row in groups.sort_by([("bad_reason", "ascending"), ("label", "ascending")]).to_pylist():
        yield Rejection(
            row["label"], row["bad_reason"], row["count_all"], row["count_all_count"], row["told_any_count"]
        )


def _mask(table: pa.Table, column: str) -> Any:
    """Rows in which the column is empty."""
    return np.asarray(pc.is_null(table[column]))


def _is(table: pa.Table, column: str, value: str) -> Any:
    return np.asarray(pc.fill_null(pc.equal(table[column], value), False))
