"""The transaction of collect: files become batches with receipts, all of them in one commit, or nothing at all.

The checks are passed in (``judge_for``), because they belong to the floor above. Files are read outside the lock;
only giving out sequence numbers and committing is done one delivery at a time, so two at once do not mix.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from shutong.collect.ids import batch_id
from shutong.collect.intake import Delivery, Desk, Read
from shutong.collect.judging import JudgeFor
from shutong.collect.problems import problem
from shutong.collect.readers import Limits
from shutong.collect.receipt import Receipt, as_dict, sign
from shutong.collect.receipt import read as read_receipt
from shutong.collect.spool import Budget
from shutong.collect.tables import (
    BATCHES,
    BATCHES_SCHEMA,
    REJECTED,
    accepted_rows,
    accepted_table,
    batch_rows,
    rejected_rows,
)
from shutong.engine.engine import Engine
from shutong.engine.errors import LeaseError
from shutong.engine.home import Home
from shutong.engine.run import LakeRun
from shutong.engine.settings import Settings
from shutong.spec.catalog import Catalog
from shutong.spec.models import Resource

_HELD_SHARE = 0.1
"""Of the memory setting, the share that rows may take while they wait for the commit."""

_WAIT_SECONDS = 600.0
"""How long a delivery waits for another one to commit; a commit takes seconds."""

Progress = Callable[[int, int], None]
Elsewhere = Callable[[Path, Sequence[Delivery]], Iterator[Read] | None]


@dataclass(frozen=True)
class Intake:
    """Where deliveries go: a home, its engine, the declarations in force, and who checks the rows.

    ``elsewhere`` may read deliveries in other processes; it says None to those that are better read here.
    """

    home: Home
    engine: Engine
    catalog: Catalog
    judge_for: JudgeFor
    elsewhere: Elsewhere = lambda _folder, _deliveries: None

    def deliver(self, delivery: Delivery, received_at: dt.datetime | None = None) -> Receipt:
        """Take one file; see ``deliver_many``."""
        return self.deliver_many([delivery], received_at)[0]

    def deliver_many(
        self,
        deliveries: Sequence[Delivery],
        received_at: dt.datetime | None = None,
        progress: Progress | None = None,
    ) -> list[Receipt]:
        """Take files, in their order, in one commit; returns a receipt for each, refused ones included.

        A file that is in already gives its receipt of then (``repeated``), and nothing is added.

        Args:
            received_at: the moment of receipt; now where it is not said.
            progress: told (files read, files in all) after each file.

        Raises:
            KeyError: no such resource is declared.
            EngineError: the commit was not possible; nothing is in.
            OSError: the disk is full or failing; nothing is in.
        """
        moment = received_at or dt.datetime.now(dt.UTC)
        resources = [self.catalog.resources[delivery.resource] for delivery in deliveries]
        with self._folder() as folder, self.engine.run(_run_id(), "collect") as run:
            reads: list[Read] = []
            for read in self.elsewhere(folder, deliveries) or self._read_here(folder, deliveries, resources):
                reads.append(read)
                if progress is not None:
                    progress(len(reads), len(deliveries))
            with _one_at_a_time(self.home):
                return self._commit(run, reads, moment)

    def _read_here(self, folder: Path, deliveries: Sequence[Delivery], resources: Sequence[Resource]) -> Iterator[Read]:
        settings = self.home.settings
        budget = Budget(int(settings.memory_bytes * _HELD_SHARE))
        desk = Desk(self.home.keys, limits_of(settings), folder, budget, self.judge_for)
        for number, (delivery, resource) in enumerate(zip(deliveries, resources, strict=True)):
            yield desk.read(number, delivery, resource)

    @contextlib.contextmanager
    def _folder(self) -> Iterator[Path]:
        """A folder for what waits, beside the sealed files so that they can be renamed; freed of dead ones' first."""
        for old in self.home.files.glob("incoming-*"):
            if not _alive(old.name.split("-")[1]):
                shutil.rmtree(old, ignore_errors=True)
        folder = self.home.files / f"incoming-{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _commit(self, run: LakeRun, reads: Sequence[Read], moment: dt.datetime) -> list[Receipt]:
        ids = [batch_id(read.resource.resource, read.sha256) if read.sha256 else "" for read in reads]
        known = self._known({*ids, *(read.delivery.corrects or "" for read in reads)} - {""})
        wholes = self._last_wholes(reads)
        known |= {whole.batch: whole for whole in wholes.values() if whole is not None}
        seq = self._last_seq()
        receipts: list[Receipt] = []
        fresh: list[tuple[str, int, Read]] = []
        entries: list[tuple[int, dt.datetime, str, Receipt]] = []
        for content, read in zip(ids, reads, strict=True):
            batch = content
            if content in known and read.resource.delivery == "snapshot":
                batch = _after_another(content, read, wholes.get(read.resource.resource))
            before = known.get(batch)
            if before is None or before.state != "in":
                self._refuse_unknown_correction(read, known)
            if before is not None and (before.state == "in" or _same_refusal(before, read)):
                read.forget()
                receipts.append(read_receipt(before.text, repeated=True))
                continue
            receipt = sign(self.home.keys, self._content(batch, read, moment))
            receipts.append(receipt)
            if not batch:
                continue  # there was no file, so there is no batch to remember
            seq += 1
            known[batch] = receipt
            if receipt.state == "in" and receipt.corrects is None and receipt.resource in wholes:
                wholes[receipt.resource] = receipt
            fresh.append((batch, seq, read))
            declaration = self.catalog.hash_of("resource", read.resource.resource)
            entries.append((seq, moment, declaration, receipt))
        if entries:
            self._stage(run, fresh)
            run.stage_table(BATCHES, batch_rows(entries))
            self._keep_files(fresh)
            run.commit()
        return receipts

    def _stage(self, run: LakeRun, fresh: Sequence[tuple[str, int, Read]]) -> None:
        """One file per table, whatever the number of batches."""
        by_resource: dict[str, list[tuple[str, int, Read]]] = {}
        for batch, seq, read in fresh:
            if read.accepted.rows:
                by_resource.setdefault(read.resource.resource, []).append((batch, seq, read))
        for name, reads in by_resource.items():
            rows = accepted_rows(self.catalog.resources[name], reads)
            identity = self.judge_for(self.catalog.resources[name], reads[0][2].delivery.received_on, 0).identity
            run.stage_table(accepted_table(name), rows, stage=identity)
        rejecting = [(batch, seq, read) for batch, seq, read in fresh if read.rejected.rows]
        if rejecting:
            run.stage_table(REJECTED, rejected_rows(rejecting))

    def _keep_files(self, fresh: Sequence[tuple[str, int, Read]]) -> None:
        for batch, _, read in fresh:
            if read.copy.exists():
                target = sealed_file(self.home, batch)
                target.parent.mkdir(exist_ok=True)
                read.copy.replace(target)

    def _content(self, batch: str, read: Read, moment: dt.datetime) -> dict[str, Any]:
        rejected = read.rejected.rows
        return {
            "batch": batch,
            "resource": read.resource.resource,
            "title": read.resource.title.zh,
            "state": "refused" if read.refusal else "in",
            "file_name": read.delivery.name,
            "sha256": read.sha256,
            "bytes": read.bytes,
            "format": read.format,
            "encoding": read.encoding,
            "received_on": read.delivery.received_on.isoformat(),
            "received_at": moment.isoformat(timespec="seconds"),
            "received": read.received,
            "accepted": read.received - rejected,
            "rejected": rejected,
            "flagged": read.flagged,
            "reasons": read.reasons.listed(),
            "warnings": [as_dict(warning) for warning in read.warnings],
            "refusal": as_dict(read.refusal) if read.refusal else None,
            "corrects": read.delivery.corrects,
            "corrected": read.corrected,
        }

    def _refuse_unknown_correction(self, read: Read, known: dict[str, Receipt]) -> None:
        wanted = read.delivery.corrects
        if wanted is None or read.refusal:
            return
        corrected = known.get(wanted)
        if corrected is None or corrected.state != "in" or corrected.resource != read.resource.resource:
            read.forget()
            read.refusal = problem("corrects.unknown", batch=wanted[:40])

    def _known(self, ids: set[str]) -> dict[str, Receipt]:
        """The latest receipts of these batches."""
        receipts = [
            read_receipt(text) for text in map(str, known_batches(self.engine, ids).column("receipt").to_pylist())
        ]
        return {receipt.batch: receipt for receipt in receipts}

    def _last_wholes(self, reads: Sequence[Read]) -> dict[str, Receipt | None]:
        """The last whole delivery of each resource among the reads that is delivered as snapshots."""
        found: dict[str, Receipt | None] = {
            read.resource.resource: None for read in reads if read.resource.delivery == "snapshot"
        }
        if found and self.engine.lake.table(BATCHES).segments:
            names = ", ".join(f"'{name}'" for name in sorted(found))
            table = self.engine.query(
                f"SELECT receipt FROM batches WHERE state = 'in' AND corrects IS NULL AND resource IN ({names})"
                " QUALIFY row_number() OVER (PARTITION BY resource ORDER BY seq DESC) = 1",
                {"batches": BATCHES},
            )
            for receipt in map(read_receipt, map(str, table.column("receipt").to_pylist())):
                found[receipt.resource] = receipt
        return found

    def _last_seq(self) -> int:
        if not self.engine.lake.table(BATCHES).segments:
            return 0
        table = self.engine.query("SELECT max(seq) AS last FROM batches", {"batches": BATCHES})
        return int(table.column("last")[0].as_py() or 0)


def limits_of(settings: Settings) -> Limits:
    """The bounds of a delivery from a home's settings."""
    bounds = settings.limits
    return Limits(
        file_bytes=bounds.max_file_bytes,
        rows=bounds.max_rows,
        cell_chars=bounds.max_cell_chars,
        columns=bounds.max_columns,
        zip_ratio=bounds.max_zip_ratio,
        unpacked_bytes=bounds.max_unpacked_bytes,
    )


def sealed_file(home: Home, batch: str) -> Path:
    """Where the sealed copy of a delivered file is kept (context ``sealed_copy.CONTEXT``)."""
    return home.files / batch[:3] / f"{batch}.sealed"


def known_batches(engine: Engine, only: Collection[str] | None = None) -> pa.Table:
    """The table ``batches``, or the rows of some batches, in the order of arrival; empty before the first delivery."""
    if not engine.lake.table(BATCHES).segments:
        return BATCHES_SCHEMA.empty_table()
    wanted = "" if only is None else f"WHERE batch_id IN ({_texts(only)})"
    return engine.query(f"SELECT * FROM batches {wanted} ORDER BY seq", {"batches": BATCHES})


def _texts(ids: Collection[str]) -> str:
    """Ids as a list of SQL texts; what is no id of a batch is left out."""
    return ", ".join(f"'{one}'" for one in sorted(ids) if one.isascii() and one.isalnum()) or "NULL"


def _after_another(content: str, read: Read, last: Receipt | None) -> str:
    """The id of a file's batch: of its content, and where a snapshot comes again after another one, of both.

    A snapshot that says on a later day what an earlier one said is no repetition: in between the whole was different. (On
    the same day it counts as one, so that days delivered again after a kill change nothing.)
    """
    if last is None or read.delivery.corrects is not None:
        return content
    if last.sha256 == read.sha256:
        return last.batch
    return batch_id(content, last.batch) if read.delivery.received_on > last.received_on else content


def _same_refusal(before: Receipt, read: Read) -> bool:
    """A refused file that is refused again for the same reason is the same event."""
    return read.refusal is not None and before.refusal is not None and before.refusal["code"] == read.refusal.code


def _run_id() -> str:
    return f"collect-{secrets.token_hex(12)}"


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _one_at_a_time(home: Home) -> Iterator[None]:
    """Deliveries commit one after the other; a process that dies lets the next one in."""
    handle = os.open(home.path / "collect.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise LeaseError(
                        "另一批数据正在入库，等待超时。请稍后再报送",
                        "another delivery is being taken in and did not end in time: deliver again later",
                    ) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(handle)
