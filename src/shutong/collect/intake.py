"""Reading one delivery: bytes to checked rows that wait in a spool, the hash and the sealed copy made on the way."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from shutong.collect.chunks import pc
from shutong.collect.ids import key_ids
from shutong.collect.judging import Judge, Judged
from shutong.collect.problems import Problem, Refusal, problem
from shutong.collect.readers import Limits, Source, open_reading
from shutong.collect.receipt import Reasons
from shutong.collect.sealed_copy import SealedCopy
from shutong.collect.spool import Budget, Spool
from shutong.engine.keys import Keys
from shutong.spec.catalog import key_column, sealed, sealed_column
from shutong.spec.columns import REPLACED, faulty_column, repairable
from shutong.spec.models import Resource

SEALED_ROW = "rejected.sealed_row"
"""Column name under which the cells of rejected rows are sealed."""


@dataclass(frozen=True)
class Delivery:
    """A file that a department delivers.

    Args:
        resource: name of the declared resource.
        path: the file; its name is kept, its place is not.
        received_on: the day of delivery (legal day).
        corrects: the batch whose rejected rows this file brings corrected.
        file_name: another name to keep, for files that were uploaded.
    """

    resource: str
    path: Path
    received_on: dt.date
    corrects: str | None = None
    file_name: str | None = None

    @property
    def name(self) -> str:
        """The name that is kept: no folders, at most 200 characters, nothing unprintable."""
        plain = (self.file_name or self.path.name).replace("\\", "/").rsplit("/", 1)[-1]
        return "".join(ch for ch in plain if ch.isprintable())[:200]


@dataclass
class Read:
    """What reading a delivery gave. ``refusal`` is None when its rows may go in."""

    delivery: Delivery
    resource: Resource
    accepted: Spool
    rejected: Spool
    copy: Path
    repeats: list[Any] = field(default_factory=list)
    sha256: str = ""
    bytes: int = 0
    received: int = 0
    flagged: int = 0
    reasons: Reasons = field(default_factory=Reasons)
    warnings: list[Problem] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)
    format: str | None = None
    encoding: str | None = None
    refusal: Problem | None = None

    def forget(self) -> None:
        """Drop the rows: the batch is refused, or was in before."""
        self.accepted.clear()
        self.rejected.clear()
        self.received = self.flagged = 0
        self.corrected = []


@dataclass(frozen=True)
class Desk:
    """What reading needs: keys to seal with, limits, a folder for what waits, and the memory it may take."""

    keys: Keys
    limits: Limits
    folder: Path
    budget: Budget
    judge_for: Callable[[Resource, dt.date, int], Judge]

    def read(self, number: int, delivery: Delivery, resource: Resource) -> Read:
        """Read a delivery to its end. A refusal is in the answer, not raised.

        Raises:
            OSError: the disk is full or failing.
        """
        for salt in range(3):
            read = self._read_once(number, delivery, resource, salt)
            if read.refusal or read.accepted.rows == 0 or self._confirmed(read):
                return read
            read.forget()
        raise AssertionError("three hashes of keys collided: this cannot happen by chance")

    def _read_once(self, number: int, delivery: Delivery, resource: Resource, salt: int) -> Read:
        copy = self.folder / f"{number}.sealed"
        read = Read(
            delivery,
            resource,
            accepted=Spool(self.folder / f"{number}-accepted.arrow", self.budget),
            rejected=Spool(self.folder / f"{number}-rejected.arrow", self.budget),
            copy=copy,
        )
        digest = hashlib.sha256()
        sealer = SealedCopy(self.keys, copy)

        def observe(block: bytes) -> None:
            sealer.write(block)
            digest.update(block)

        try:
            with delivery.path.open("rb", buffering=0) as raw:
                source = Source(raw, self.limits, observe)
                self._take(source, read, salt)
                read.sha256, read.bytes = digest.hexdigest(), source.bytes
            sealer.finish()
        except FileNotFoundError as error:
            if error.filename != str(delivery.path):
                raise
            sealer.discard()
            read.refusal = problem("file.missing")
        except (IsADirectoryError, PermissionError):
            sealer.discard()
            read.refusal = problem("file.missing")
        except BaseException:
            sealer.discard()
            raise
        return read

    def _take(self, source: Source, read: Read, salt: int) -> None:
        judge = self.judge_for(read.resource, read.delivery.received_on, salt)
        reading = None
        try:
            reading = open_reading(source, judge.headers, self.limits)
            for judged in judge.judge(reading.header, reading.chunks()):
                self._spool(judged, read)
            source.drain()
        except Refusal as refusal:
            read.forget()
            read.reasons = Reasons()
            read.refusal = _drained(source, refusal.problem)
        read.warnings = judge.warnings
        if reading is not None:
            read.format, read.encoding = reading.format, reading.encoding

    def _spool(self, judged: Judged, read: Read) -> None:
        read.received += judged.received
        if read.received > self.limits.rows:
            raise Refusal(problem("file.too-many-rows", limit=f"{self.limits.rows:,}"))
        read.reasons.add(judged.told)
        read.flagged += int(np.count_nonzero(np.asarray(pc.list_value_length(judged.flags))))
        read.accepted.add(self.seal(judged, read.resource))
        if judged.repeats is not None:
            read.repeats.append(self._key_ids(self._sealed(judged.repeats, read.resource), read.resource))
        if len(judged.refused_row_no):
            cells = pa.array(judged.refused_cells, pa.string())
            columns: list[Any] = [
                pa.array(judged.refused_row_no),
                pa.array(judged.refused_row_ids or [""] * len(cells), pa.string()),
                judged.refused_reasons,
                self.keys.seal(SEALED_ROW, cells),
            ]
            names = ["row_no", "row_id", "reasons", "sealed_row"]
            read.rejected.add(pa.RecordBatch.from_arrays(columns, names=names))
        if read.delivery.corrects and judged.row_ids is not None:
            read.corrected += [text.strip() for text in judged.row_ids.to_pylist() if text and text.strip()]

    def seal(self, judged: Judged, resource: Resource) -> pa.RecordBatch:
        """The accepted rows as they wait: row number, key id, operation, flags, and the items as they are stored."""
        items = self._sealed(judged.kept, resource)
        rows = judged.kept.num_rows
        operation = judged.operation if judged.operation is not None else pa.array(["upsert"] * rows, pa.string())
        before = {
            "row_no": pa.array(judged.row_no),
            "key_id": self._key_ids(items, resource),
            "operation": operation,
            "flags": judged.flags,
        }
        if resource.replaces:
            items[REPLACED] = self._replaced_keys(items, resource, resource.replaces)
        columns: list[Any] = [*before.values(), *items.values()]
        return pa.RecordBatch.from_arrays(columns, names=[*before, *items])

    def _sealed(self, rows: pa.RecordBatch, resource: Resource) -> dict[str, Any]:
        stored: dict[str, Any] = {}
        for name, item in resource.items.items():
            column: Any = rows.column(name)
            if sealed(item):
                text = column.cast(pa.string())
                stored[key_column(name)] = self.keys.match(text)
                stored[sealed_column(name)] = self.keys.seal(seal_context(resource.resource, name), text)
            else:
                stored[name] = column
        stored |= {faulty_column(name): rows.column(faulty_column(name)) for name in repairable(resource)}
        return stored

    def _key_ids(self, items: dict[str, Any], resource: Resource) -> Any:
        names = [key_column(name) if sealed(resource.items[name]) else name for name in resource.key]
        return key_ids(resource.resource, [items[name] for name in names])

    def _replaced_keys(self, items: dict[str, Any], resource: Resource, item: str) -> Any:
        """The key id that the row named by ``replaces`` has; empty where none is named."""
        column = items[key_column(item) if sealed(resource.items[item]) else item]
        return pc.if_else(column.is_valid(), key_ids(resource.resource, [column]), pa.scalar(None, pa.string()))

    def _confirmed(self, read: Read) -> bool:
        """Whether every row rejected as a repeat has the key of an accepted row, by the keys and not their hashes."""
        if not read.repeats:
            return True
        wanted = pc.unique(pa.chunked_array(read.repeats))
        met = np.zeros(len(wanted), np.bool_)
        for batch in read.accepted.batches():
            met |= np.asarray(pc.is_in(wanted, value_set=batch.column("key_id")))
        return bool(met.all())


def _drained(source: Source, refused: Problem) -> Problem:
    """Why a file is refused, once the rest of it has been read for its hash and copy; it may prove too large on the way."""
    if refused.code != "file.too-large":
        try:
            source.drain()
        except Refusal as larger:
            refused = larger.problem
        else:
            return refused
    source.stop()
    return refused


def seal_context(resource: str, item: str) -> str:
    """The column name under which a resource's item is sealed: ``resource.item``, as libraries name their sources."""
    return f"{resource}.{item}"
