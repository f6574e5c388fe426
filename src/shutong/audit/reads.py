"""Reads, refusals and failures: appended to a file of this process before the answer leaves.

A read must not wait for the database's write lock, and a refusal must outlive the transaction it ended. So every
process writes its own file of chained lines, ``HOME/audit/<segment>.log``; each line is ``hash body`` with the hash
over the line before. Rows in ``audit_segment`` and the checkpoints hold the files' heads, so that a line, an end or
a whole file that is gone is missed.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from shutong.audit.chain import START, Record, body_of, link
from shutong.audit.logs import current_context
from shutong.audit.models import Checkpoint, Segment

MAX_BYTES = 64 * 1024 * 1024
"""A segment is followed by a new one at this size, so that a check of the newest stays short."""


def audit_folder() -> Path:
    """The folder of the segments: in the home, or in the temporary folder without one."""
    home: Path | None = settings.SHUTONG_HOME
    folder = home / "audit" if home else Path(tempfile.gettempdir()) / f"shutong-no-home-{os.getuid()}" / "audit"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class ReadLog:
    """The segment of this process; opened at the first entry, again after a fork, in another home, or when full."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: int | None = None
        self._pid = 0
        self._folder: Path | None = None
        self._name = ""
        self._opened_at = datetime.now(UTC)
        self._link = START
        self._head = START
        self._position = 0
        self._bytes = 0
        self._registered = False

    def append(self, record: Record) -> str:
        """Appends an entry and returns its hash. The bytes are with the system when this returns."""
        record = replace(record, context={**current_context(), **record.context})
        with self._lock:
            folder = audit_folder()
            if self._pid != os.getpid() or self._folder != folder or self._bytes > MAX_BYTES:
                self._open(folder)
            if not self._registered and not transaction.get_connection().in_atomic_block:
                register(self._name, self._opened_at, self._link)
                self._registered = True
            return self._write(record)

    def _open(self, folder: Path) -> None:
        if self._file is not None and self._pid == os.getpid():
            os.close(self._file)
        self._opened_at = datetime.now(UTC)
        self._name = f"{self._opened_at:%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        last = Checkpoint.objects.order_by("-number").first()
        self._link = self._head = last.hash if last else START
        # Inside a transaction the row would vanish with it; then a later append or the next checkpoint writes it.
        self._registered = False
        path = folder / f"{self._name}.log"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._pid, self._folder, self._position, self._bytes = os.getpid(), folder, 0, 0

    def _write(self, record: Record) -> str:
        body = body_of(record, segment=self._name, position=self._position + 1, at=datetime.now(UTC))
        digest = link(self._head, body)
        line = f"{digest} {body}\n".encode()
        if self._file is None:
            raise RuntimeError("the segment is not open")
        written = os.write(self._file, line)
        if written != len(line):
            # A line cut by a full disk ends this segment; the reader must not get its answer.
            self._pid = 0
            raise OSError("audit segment: the disk is full")
        self._head, self._position, self._bytes = digest, self._position + 1, self._bytes + len(line)
        return digest


def register(name: str, opened_at: datetime, link: str) -> None:
    """Writes the row by which a segment's file is missed when it is gone; twice does no harm."""
    Segment.objects.get_or_create(name=name, defaults={"opened_at": opened_at, "link": link})


_log = ReadLog()


def note(record: Record) -> str:
    """Appends a read, refusal or failure to this process's segment and returns the entry's hash.

    Raises:
        OSError: it could not be written; the answer must not leave then.
    """
    return _log.append(record)
