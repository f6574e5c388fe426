"""How well the platform read the city, measured against its truth: rejection per kind, identification in every way.

Pure functions over the tables of docs/developers/tables.md. A row of the truth and a row of the platform are the same
when they have the same file name and row number; a link is right when its subject is the one that the registers' own
rows established for the truth's number.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from shutong.democity.report import Identification, PatternLine, Rejection, Report
from shutong.democity.truth import read_truth

pc: Any = pyarrow.compute
# The stubs know fewer combinations of arguments than the kernels do.

CODES = ("uscc", "old-number", "citizen-id")
"""Kinds of evidence that are codes."""
NAMES = ("bad-code", "name-area", "name-variant")
"""Kinds of evidence that need the name."""
KINDS = ("subject", "person", "place")


def measure(
    truth: Path, batches: pa.Table, accepted: pa.Table, rejected: pa.Table, links: pa.Table, unidentified: pa.Table
) -> Report:
    """Compare what the platform did with what is true.

    Args:
        truth: the city's ``truth`` folder.
        batches: ``batch_id``, ``file_name``, ``state``; of repeated files only those that are in count.
        accepted: ``record_id``, ``batch_id``, ``row_no`` of every resource's accepted rows.
        rejected: ``batch_id``, ``row_no``, ``reasons`` (list of struct with ``code``).
        links: ``record_id``, ``subject_id``, ``method``; with ``principal`` only rows where it is true count.
        unidentified: ``record_id``, ``reason``, ``evidence`` (JSON); with ``principal`` as for links.
    """
    subjects = read_truth(truth, "subjects")
    batches, accepted, rejected = _keyed(batches, accepted, rejected)
    records = _with_rejections(_with_keys(read_truth(truth, "records"), batches), rejected)
    records, names = _with_review(*_with_links(records, accepted, links), accepted, unidentified)
    unread = int(np.count_nonzero(_mask(records, "key")))
    good = records.filter(pa.array(_mask(records, "bad_reason") & ~_mask(records, "evidence")))
    judged = _judge(good, _numbers_of(records), len(names))
    register = _is(judged, "evidence", "register")
    outside = judged.filter(pa.array(~register))
    by_name = outside.filter(pc.is_in(outside["evidence"], pa.array(NAMES)))
    by_name = by_name.append_column("likeness", _likeness(by_name, subjects))
    dirt = pc.coalesce(outside["dirt"], outside["readable"], pa.scalar("clean"))
    every = np.ones(outside.num_rows, np.bool_)
    return Report(
        rows=records.num_rows,
        unread=unread,
        rejection=tuple(_rejections(records)),
        by_evidence=tuple(_lines(outside, outside["evidence"])),
        by_method=tuple(_lines(outside, outside["method"])),
        by_dirt=tuple(_lines(outside, dirt)),
        by_variant=tuple(_lines(outside, outside["variant"])),
        by_likeness=tuple(_lines(by_name, by_name["likeness"])),
        codes=_line("all codes", outside, np.asarray(pc.is_in(outside["evidence"], pa.array(CODES)))),
        overall=_line("all", outside, every),
        branch_links=_branch_links(judged, subjects),
        merged=int(np.count_nonzero(register & ~_mask(judged, "subject_id") & ~np.asarray(judged["right"]))),
    )


def measure_pattern(
    truth: Path, pattern: str, candidates: pa.Table, batches: pa.Table, accepted: pa.Table, links: pa.Table
) -> PatternLine:
    """Whether a ground found who it should.

    Args:
        pattern: ``no-annual-report`` or ``unreachable``.
        candidates: ``subject_id`` of the ground's candidates.
        batches, accepted, links: as for :func:`measure`.
    """
    batches, accepted = _keyed(batches, accepted)
    records, names = _with_links(_with_keys(read_truth(truth, "records"), batches), accepted, links)
    numbers = _numbers_of(records)["subject"]
    table = read_truth(truth, "patterns")
    table = table.filter(pc.equal(table["pattern"], pattern))
    planted = set(table.filter(pc.equal(table["because"], "planted"))["subject"].to_pylist())
    shown = set(table["subject"].to_pylist()) - planted
    known = dict(zip(names.take(numbers["subject_id"]).to_pylist(), numbers["number"].to_pylist(), strict=True))
    found = {known.get(name, -1) for name in candidates["subject_id"].to_pylist()}
    return PatternLine(
        pattern, len(planted), len(shown), len(found), len(found & planted), len(planted - found),
        len(found - planted - shown),
    )  # fmt: skip


# Ten million rows are looked up by whole numbers, never joined by texts: a join carries every column along.


def _key(batch: Any, row: Any) -> Any:
    """One whole number for the row of a numbered batch; none where the batch is none."""
    return pc.add(pc.shift_left(batch.cast(pa.int64()), pa.scalar(32, pa.int64())), row.cast(pa.int64()))


def _keyed(batches: pa.Table, *tables: pa.Table) -> list[pa.Table]:
    """The batches that are in, by ``name`` of their file; and tables by ``batch_id`` and ``row_no`` with their ``key``."""
    if "state" in batches.column_names:
        batches = batches.filter(pc.equal(batches["state"], "in"))
    found = pa.table({"name": _last_part(batches["file_name"]), "batch_id": batches["batch_id"]})
    # A file that was collected twice is one batch; a corrected one has another name.
    found = found.group_by("name").aggregate([("batch_id", "min")]).rename_columns(["name", "batch_id"])
    keys = [_key(pc.index_in(table["batch_id"], found["batch_id"]), table["row_no"]) for table in tables]
    return [found, *(table.append_column("key", key) for table, key in zip(tables, keys, strict=True))]


def _with_keys(records: pa.Table, batches: pa.Table) -> pa.Table:
    """Add each row's ``key``, by the last part of the file's path, and its ``role``: the kind it is about."""
    role: Any = pa.scalar(None, pa.string())
    for kind in reversed(KINDS):
        role = pc.if_else(pc.greater_equal(records[kind], 0), kind, role)
    files = pc.dictionary_encode(records["file"]).combine_chunks()
    batch = pc.index_in(_last_part(files.dictionary), batches["name"]).take(files.indices)
    records = records.append_column("role", role).append_column("key", _key(batch, records["row_no"].combine_chunks()))
    return records.drop_columns(["resource", "file", "row_no", "received_on", "bad_item"])


def _last_part(paths: Any) -> Any:
    return pc.replace_substring_regex(paths, r"^.*[/\\]", "")


def _with_rejections(records: pa.Table, rejected: pa.Table) -> pa.Table:
    """Add whether a row was ``rejected``, and whether it was ``told`` the reason planted in it."""
    reasons: Any = rejected["reasons"].combine_chunks()
    told: Any = pc.struct_field(reasons.flatten(), "code").cast(pa.string())
    codes: Any = pc.unique(pa.concat_arrays([told, records["bad_reason"].combine_chunks()]).drop_null())

    def with_code(keys: Any, code: Any) -> Any:
        return pc.add(pc.multiply(keys, max(1, len(codes))), pc.index_in(code, codes).cast(pa.int64()))

    each = with_code(rejected["key"].take(pc.list_parent_indices(reasons)), told)
    wanted = with_code(records["key"], records["bad_reason"])
    records = records.append_column("rejected", _among(records["key"], rejected["key"]))
    return records.append_column("told", _among(wanted, each))


def _among(keys: Any, known: Any) -> Any:
    return pc.and_(pc.is_valid(keys), pc.is_in(keys, known))


def _place(rows: Any, records: pa.Table, accepted: pa.Table) -> Any:
    """Where each row of the truth stands in a table by ``record_id``, ``rows``; none where it does not."""
    place: Any = pc.index_in(accepted["record_id"], rows)
    return place.combine_chunks().take(pc.index_in(records["key"], accepted["key"], skip_nulls=True))


def _with_links(records: pa.Table, accepted: pa.Table, links: pa.Table) -> tuple[pa.Table, Any]:
    """Add ``subject_id``, by its number in the names that are answered too, and ``method``."""
    if "principal" in links.column_names:
        links = links.filter(links["principal"])
    names: Any = pc.unique(links["subject_id"])
    names = names.take(pc.sort_indices(names))
    place = _place(links["record_id"], records, accepted)
    linked: Any = pc.index_in(links["subject_id"], names)
    records = records.append_column("subject_id", linked.combine_chunks().take(place))
    return records.append_column("method", links["method"].combine_chunks().take(place)), names


def _numbers_of(records: pa.Table) -> dict[str, pa.Table]:
    """Per kind, the truth's number of each subject_id.

    The registers' own rows say it. A subject that the platform knows from other rows only, since its register row was
    rejected, is the number most of its rows are about, provided no other subject_id stands for that number.
    """
    linked = records.filter(pc.is_valid(records["subject_id"])).select(["subject_id", "role", "evidence", *KINDS])
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


def _with_review(records: pa.Table, names: Any, accepted: pa.Table, unidentified: pa.Table) -> tuple[pa.Table, Any]:
    """Add ``candidate`` to rows that wait for a clerk: the subject that he is shown, by its number in the names."""
    if "principal" in unidentified.column_names:
        unidentified = unidentified.filter(unidentified["principal"])
    waiting = unidentified.filter(pc.equal(unidentified["reason"], "review"))
    found = pc.extract_regex(waiting["evidence"], r'"candidate":"(?P<candidate>[^"]*)"')
    candidate: Any = pc.fill_null(pc.struct_field(found, "candidate"), "")
    names = pc.unique(pa.chunked_array([names, *candidate.chunks], pa.string()))
    place = _place(waiting["record_id"], records, accepted)
    shown: Any = pc.index_in(candidate, names)
    return records.append_column("candidate", shown.combine_chunks().take(place)), names


def _judge(rows: pa.Table, numbers: dict[str, pa.Table], names: int) -> pa.Table:
    """Add ``linked`` (the truth's number of the linked subject), ``right`` and ``candidate_right``: it is the true one.

    Args:
        names: how many subject ids there are.
    """
    # The truth's number by kind of subject and number of the subject_id.
    known = np.full((len(KINDS), names), -2, np.int64)
    for place, kind in enumerate(KINDS):
        known[place, np.asarray(numbers[kind]["subject_id"])] = np.asarray(numbers[kind]["number"])
    role = np.asarray(pc.index_in(rows["role"], pa.array(KINDS)))
    # Each row's true number, of whichever kind of subject it is about.
    true = np.stack([np.asarray(rows[kind]) for kind in KINDS])[role, np.arange(rows.num_rows)]
    for name, column in (("right", "subject_id"), ("candidate_right", "candidate")):
        given = np.asarray(pc.fill_null(rows[column], -1))
        number = np.where(given >= 0, known[role, given], -2)
        rows = rows.append_column(name, pa.array(true == number))
        if column == "subject_id":
            rows = rows.append_column("linked", pa.array(number, mask=number == -2))
    return rows


def _branch_links(rows: pa.Table, subjects: pa.Table) -> int:
    """Rows about a branch under its head office, or about a head office under its branch."""
    rows = rows.filter(pc.and_(pc.equal(rows["role"], "subject"), pc.is_valid(rows["linked"])))
    head = np.full(subjects.num_rows, -1, np.int64)
    head[np.asarray(subjects["subject"])] = np.asarray(subjects["head"])
    true, linked = np.asarray(rows["subject"]), np.asarray(rows["linked"])
    return int(np.count_nonzero((head[true] == linked) | (head[linked] == true)))


def _likeness(rows: pa.Table, subjects: pa.Table) -> Any:
    """What makes each row's subject easy to confuse; the first that applies."""
    head = np.asarray(subjects["head"])
    parent = np.isin(np.asarray(subjects["subject"]), head[head >= 0])
    kinds = {
        "twin": np.asarray(subjects["twin"]),
        "legal form": np.asarray(subjects["lookalike"]),
        "one character": np.asarray(subjects["near"]) >= 0,
        "branch": head >= 0,
        "group": np.asarray(subjects["group"]) >= 0,
        "head office": parent,
    }
    kind = np.full(int(subjects.num_rows), len(kinds))
    number = np.asarray(subjects["subject"])
    for place, mask in reversed(list(enumerate(kinds.values()))):
        kind[number[mask]] = place
    return pa.array([*kinds, "nothing"]).take(pa.array(kind[np.asarray(rows["subject"])]))


def _lines(rows: pa.Table, labels: Any) -> Iterable[Identification]:
    """A line for each label; rows without one count nowhere."""
    for name in sorted(label for label in pc.unique(labels).to_pylist() if label):
        yield _line(name, rows, np.asarray(pc.fill_null(pc.equal(labels, name), False)))


def _line(name: str, rows: pa.Table, chosen: Any) -> Identification:
    linked = ~_mask(rows, "subject_id") & chosen
    right = np.asarray(rows["right"]) & linked
    identifiable = np.asarray(rows["identifiable"]) & chosen
    review = ~_mask(rows, "candidate") & chosen
    reviewed = review & np.asarray(rows["candidate_right"])
    parts = (chosen, identifiable, linked, right, right & identifiable, review, reviewed)
    return Identification(name, *(int(np.count_nonzero(part)) for part in parts))


def _rejections(records: pa.Table) -> Iterable[Rejection]:
    counted = records.filter(pc.is_valid(records["key"])).select(["dirt", "readable", "bad_reason", "rejected", "told"])
    label = pc.coalesce(counted["dirt"], counted["readable"], pa.scalar("clean"))
    counted = counted.append_column("label", label)
    groups = counted.group_by(["label", "bad_reason"]).aggregate(
        [([], "count_all"), ("rejected", "sum"), ("told", "sum")]
    )
    for row in groups.sort_by([("bad_reason", "ascending"), ("label", "ascending")]).to_pylist():
        yield Rejection(row["label"], row["bad_reason"], row["count_all"], row["rejected_sum"], row["told_sum"])


def _mask(table: pa.Table, column: str) -> Any:
    """Rows in which the column is empty."""
    return np.asarray(pc.is_null(table[column]))


def _is(table: pa.Table, column: str, value: str) -> Any:
    return np.asarray(pc.fill_null(pc.equal(table[column], value), False))
