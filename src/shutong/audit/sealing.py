"""Checkpoints: signed statements of how far every chain had come, bound to one another.

A checkpoint is refused while the log does not check out since the one before, so a signature never covers a lie. Its
text is also appended to ``HOME/audit/checkpoints.jsonl`` and its hash logged; a copy kept elsewhere proves later that the
whole was not set back to an earlier state.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import transaction

from shutong.audit.chain import START, link
from shutong.audit.log import WRITES
from shutong.audit.models import Chain, Checkpoint, Entry, Segment
from shutong.audit.reads import register
from shutong.engine.home import Home

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints.jsonl"
SLACK = timedelta(minutes=1)


@dataclass(frozen=True)
class Head:
    """How far a chain had come: number of entries, hash of the last, and for files the bytes up to it."""

    position: int
    head: str
    bytes: int = 0


class BrokenLogError(Exception):
    """The log does not check out, so it is not sealed; ``shutong audit verify`` tells more."""

    def __init__(self, where: str, position: int) -> None:
        self.where = where
        self.position = position
        super().__init__(
            f"审计日志 {where} 第 {position} 条与链不符，未封存。请运行审计核验。/ "
            f"Audit log {where}: entry {position} does not fit the chain; not sealed. Run the audit verification."
        )


def seal(home: Home) -> Checkpoint | None:
    """Makes a checkpoint over everything since the last one; None where nothing was added.

    Raises:
        BrokenLogError: an entry since the last checkpoint was changed, removed or moved.
    """
    with transaction.atomic():
        Chain.objects.get_or_create(name=WRITES, defaults={"position": 0, "head": START})
        chain = Chain.objects.select_for_update().get(name=WRITES)
        last = Checkpoint.objects.order_by("-number").first()
        known = known_heads()
        now = datetime.now(UTC)
        writes = _follow_writes(chain, known.get(WRITES, Head(0, START)))
        segments = _follow_segments(home.path / "audit", known, last.at if last else None)
        if last is not None and writes == known.get(WRITES) and not segments:
            return None
        number = last.number + 1 if last else 1
        text = home.keys.sign(
            {
                "kind": "audit-checkpoint",
                "number": number,
                "at": now.isoformat(timespec="microseconds"),
                "previous": last.hash if last else START,
                "heads": {name: vars(head) for name, head in sorted({WRITES: writes, **segments}.items())},
            }
        )
        checkpoint = Checkpoint.objects.create(number=number, at=now, text=text, hash=text_hash(text))
        transaction.on_commit(lambda: _keep_copy(home.path / "audit", checkpoint))
    return checkpoint


def known_heads() -> dict[str, Head]:
    """The latest sealed head of every chain; a segment that did not grow stands only in an earlier checkpoint."""
    heads: dict[str, Head] = {}
    for text in Checkpoint.objects.order_by("number").values_list("text", flat=True):
        heads.update(heads_of(json.loads(text)))
    return heads


def heads_of(payload: dict[str, dict[str, dict[str, int | str]]]) -> dict[str, Head]:
    """The heads that a checkpoint's text states."""
    return {
        name: Head(int(head["position"]), str(head["head"]), int(head["bytes"]))
        for name, head in payload["heads"].items()
    }


def text_hash(text: str) -> str:
    """The hash by which a checkpoint is bound to the next."""
    return hashlib.sha256(text.encode()).hexdigest()


def split_line(line: bytes) -> tuple[str, str]:
    """Hash and body of a segment's line. Raises ValueError for a line of another form."""
    digest, body = line.rstrip(b"\n").decode().split(" ", 1)
    if len(digest) != len(START):
        raise ValueError("no hash at the line's beginning")
    return digest, body


def is_belated(line: bytes, sealed_at: datetime) -> bool:
    """Whether a segment that nobody registered begins before a checkpoint that would have seen it: it was slipped in.

    A minute is allowed for, since a file may be opened while a checkpoint is made.
    """
    try:
        began = datetime.fromisoformat(json.loads(split_line(line)[1])["at"])
    except (ValueError, KeyError, TypeError):
        return True
    return began < sealed_at - SLACK


def _follow_writes(chain: Chain, since: Head) -> Head:
    position, head = since.position, since.head
    rows = Entry.objects.filter(chain=WRITES, position__gt=position).order_by("position")
    for number, body, digest in rows.values_list("position", "body", "hash").iterator():
        if number != position + 1 or link(head, body) != digest:
            raise BrokenLogError(WRITES, position + 1)
        position, head = number, digest
    if (chain.position, chain.head) != (position, head):
        raise BrokenLogError(WRITES, position + 1)
    return Head(position, head)


def _follow_segments(folder: Path, known: dict[str, Head], sealed_at: datetime | None) -> dict[str, Head]:
    """The heads of the segments that grew since they were last sealed."""
    heads = {}
    links = dict(Segment.objects.values_list("name", "link"))
    for path in sorted(folder.glob("*.log")):
        name = path.stem
        before = known.get(name)
        if before is not None and path.stat().st_size <= before.bytes:
            continue
        with path.open("rb") as file:
            if before is None:
                first = file.readline()
                if not first.endswith(b"\n"):
                    # Another process opened it this instant, or was killed before its first entry.
                    continue
                start = links.get(name) or _link_of(first, name)
                if name not in links and sealed_at is not None and is_belated(first, sealed_at):
                    raise BrokenLogError(name, 1)
                if name not in links:
                    register(name, datetime.now(UTC), start)
                before = Head(0, start)
            file.seek(before.bytes)
            position, head, size = before.position, before.head, before.bytes
            for line in file:
                if not line.endswith(b"\n"):
                    break
                position += 1
                head = _next_head(name, position, head, line)
                size += len(line)
            os.fsync(file.fileno())
        if position > before.position:
            heads[name] = Head(position, head, size)
    return heads


def _next_head(name: str, position: int, head: str, line: bytes) -> str:
    try:
        digest, body = split_line(line)
    except ValueError:
        raise BrokenLogError(name, position) from None
    if link(head, body) != digest:
        raise BrokenLogError(name, position)
    return digest


def _link_of(line: bytes, name: str) -> str:
    """What an unregistered segment's first line is bound to: the start, or a checkpoint."""
    try:
        digest, body = split_line(line)
    except ValueError:
        raise BrokenLogError(name, 1) from None
    for start in (START, *Checkpoint.objects.order_by("-number").values_list("hash", flat=True)):
        if link(start, body) == digest:
            return start
    raise BrokenLogError(name, 1)


def _keep_copy(folder: Path, checkpoint: Checkpoint) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / CHECKPOINTS
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, f"{checkpoint.text}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    logger.info("audit checkpoint %s %s", checkpoint.number, checkpoint.hash)
