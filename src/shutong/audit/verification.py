"""Verifies the whole log: every entry, every segment, every checkpoint, every departure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shutong.audit.chain import START, link
from shutong.audit.departures import ENTRY, departure_seal
from shutong.audit.log import WRITES
from shutong.audit.models import Chain, Checkpoint, Departure, Entry, Segment
from shutong.audit.sealing import CHECKPOINTS, Head, heads_of, is_belated, split_line, text_hash
from shutong.engine.errors import EngineError
from shutong.engine.home import Home


@dataclass(frozen=True)
class Fault:
    """Something in the log that is not as it was written.

    ``code`` is one of changed, removed, moved, added, unsigned, unsealed, missing-segment, departure.
    """

    code: str
    where: str
    position: int
    zh: str
    en: str


@dataclass
class Report:
    """What was read and what was found. ``ok`` is true where nothing was."""

    entries: int = 0
    segments: int = 0
    checkpoints: int = 0
    departures: int = 0
    sealed_at: datetime | None = None
    unsealed: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the log is as it was written."""
        return not self.faults

    def fault(self, code: str, where: str, position: int, zh: str, en: str) -> None:
        """Adds a fault."""
        self.faults.append(Fault(code, where, position, zh, en))


@dataclass(frozen=True)
class _Sealed:
    """What the checkpoints say: per chain the sealed positions, and every hash a segment may begin at."""

    heads: Mapping[str, Mapping[int, Head]]
    starts: frozenset[str]


def verify(home: Home, anchor: str | None = None) -> Report:
    """Reads the whole log and reports every entry that was changed, removed, moved or added.

    What was removed from the end after the last checkpoint, together with the stored head, cannot be known; ``unsealed``
    tells how many entries stand after it, and the worker seals every minute.

    Args:
        anchor: text of a checkpoint that was kept elsewhere; finds a log that was set back as a whole.
    """
    report = Report()
    sealed = _verify_checkpoints(home, report, anchor)
    departures = _verify_writes(report, sealed)
    _verify_segments(home.path / "audit", report, sealed)
    _verify_departures(report, departures)
    return report


def _verify_checkpoints(home: Home, report: Report, anchor: str | None) -> _Sealed:
    heads: dict[str, dict[int, Head]] = defaultdict(dict)
    starts, previous, number = {START}, START, 0
    rows = list(Checkpoint.objects.order_by("number"))
    for row in rows:
        number += 1
        try:
            payload = home.keys.verify(row.text)
        except EngineError as error:
            report.fault("unsigned", "checkpoints", row.number, error.zh, error.en)
            continue
        if row.number != number or payload["number"] != row.number or payload["previous"] != previous:
            report.fault("removed", "checkpoints", number, "检查点缺失或次序不对", "a checkpoint is missing or moved")
            number = row.number
        if row.hash != text_hash(row.text):
            report.fault(
                "changed", "checkpoints", row.number, "检查点的摘要被改动", "the checkpoint's hash was changed"
            )
        previous = text_hash(row.text)
        starts.add(previous)
        for name, head in heads_of(payload).items():
            heads[name][head.position] = head
        report.checkpoints += 1
        report.sealed_at = row.at
    texts = {row.text for row in rows}
    path = home.path / "audit" / CHECKPOINTS
    copies = path.read_text("utf-8").splitlines() if path.exists() else []
    for position, copy in enumerate([*copies, *([anchor.strip()] if anchor else [])], 1):
        if copy not in texts:
            report.fault(
                "removed",
                "checkpoints",
                position,
                "数据库中没有留存的检查点",
                "a kept checkpoint is not in the database",
            )
    return _Sealed(heads, frozenset(starts))


def _verify_writes(report: Report, sealed: _Sealed) -> dict[str, str]:
    """Follows the write chain; returns the departures it tells of, with their seals."""
    position, head = 0, START
    seals = sealed.heads.get(WRITES, {})
    departures: dict[str, str] = {}
    for entry in Entry.objects.filter(chain=WRITES).order_by("position").iterator():
        if entry.position != position + 1:
            report.fault("removed", WRITES, position + 1, "缺少记录", "entries are missing")
        elif link(head, entry.body) != entry.hash:
            report.fault("changed", WRITES, entry.position, "记录与链不符", "the entry does not fit the chain")
        body = _body(entry.body)
        if body is None or not _columns_fit(entry, body):
            report.fault("changed", WRITES, entry.position, "索引列与正文不符", "columns and text of the entry differ")
        elif body["action"] == ENTRY:
            departures[body["objects"][0]] = body["detail"]["seal"]
        position, head = entry.position, entry.hash
        if position in seals and seals[position].head != head:
            report.fault("changed", WRITES, position, "与已签名的检查点不符", "differs from the signed checkpoint")
        report.entries += 1
    chain = Chain.objects.filter(name=WRITES).first()
    end = (chain.position, chain.head) if chain else (0, START)
    last_sealed = max(seals, default=0)
    if end != (position, head) or last_sealed > position:
        report.fault("removed", WRITES, position + 1, "末尾的记录被删除", "entries at the end were removed")
    report.unsealed += max(position - last_sealed, 0)
    return departures


def _verify_segments(folder: Path, report: Report, sealed: _Sealed) -> None:
    links = dict(Segment.objects.values_list("name", "link"))
    paths = {path.stem: path for path in sorted(folder.glob("*.log"))}
    for name in sorted({*links, *(set(sealed.heads) - {WRITES})} - set(paths)):
        report.fault("missing-segment", name, 1, "读取日志文件不见了", "the file of read entries is gone")
    for name, path in paths.items():
        report.segments += 1
        _verify_segment(name, path, links.get(name), report, sealed)


def _verify_segment(name: str, path: Path, start: str | None, report: Report, sealed: _Sealed) -> None:
    seals = sealed.heads.get(name, {})
    position, head = 0, start
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            try:
                digest, text = split_line(line)
            except ValueError:
                digest, text = "", ""
            if head is None:
                head = next((one for one in sealed.starts if link(one, text) == digest), START)
            body = _body(text)
            position += 1
            if position == 1 and start is None and report.sealed_at and is_belated(line, report.sealed_at):
                report.fault("added", name, 1, "该文件不在检查点之内", "the file is older than a checkpoint without it")
            if body is None or body["segment"] != name or link(head, text) != digest:
                report.fault("changed", name, position, "读取记录与链不符", "the read entry does not fit the chain")
            elif body["position"] != position:
                report.fault("removed", name, position, "缺少读取记录", "read entries are missing")
            head = digest
            if position in seals and seals[position].head != head:
                report.fault("changed", name, position, "与已签名的检查点不符", "differs from the signed checkpoint")
            report.entries += 1
    if max(seals, default=0) > position:
        report.fault("removed", name, position + 1, "末尾的读取记录被删除", "read entries at the end were removed")
    if start is not None and start not in sealed.starts:
        report.fault("changed", name, 0, "读取日志的起点不是任何检查点", "the segment begins at no checkpoint")
    report.unsealed += max(position - max(seals, default=0), 0)


def _verify_departures(report: Report, told: Mapping[str, str]) -> None:
    found = set()
    for row in Departure.objects.order_by("at", "departure").iterator():
        report.departures += 1
        found.add(row.departure)
        if told.get(row.departure) != departure_seal(row):
            report.fault("departure", row.departure, 0, "去向记录被改动或添加", "the departure was changed or added")
    for missing in sorted(set(told) - found):
        report.fault("departure", missing, 0, "去向记录被删除", "the departure was removed")


def _columns_fit(entry: Entry, body: dict[str, Any]) -> bool:
    return (
        body["position"] == entry.position
        and body["segment"] == entry.chain
        and datetime.fromisoformat(body["at"]) == entry.at
        and (body["action"], body["outcome"]) == (entry.action, entry.outcome)
        and (body["actor"]["id"], body["actor"]["department"]) == (entry.actor, entry.department)
    )


def _body(text: str) -> dict[str, Any] | None:
    try:
        body = json.loads(text)
        _ = body["segment"], body["position"], body["actor"]["id"], body["detail"], body["objects"]
    except (ValueError, KeyError, TypeError):
        return None
    return dict(body)
