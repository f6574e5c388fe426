"""The lake: immutable Parquet files, and a manifest that says which of them make up each table.

Tables are named ``area`` or ``area/part`` in lower case (``accepted/penalty``). Readers of the platform take their
file lists from here; see decision 0001 for why a run becomes visible at one moment over all its tables.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
from deltalake.exceptions import DeltaError

from shutong.engine import tablelog
from shutong.engine.errors import ConflictError, LakeError
from shutong.engine.home import Home
from shutong.engine.manifest import Change, Entry, Manifest, encode_schema, numbered
from shutong.engine.storage import FolderStorage, Storage, storage_of
from shutong.engine.tablefiles import TableFiles, build

_TABLE_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
_RUN_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_RESERVED: Final = frozenset({"manifest", "scopes", "running"})
_LOG: Final = logging.getLogger(__name__)
_ATTEMPTS: Final = 20
_PUBLISHED: Final = "published.json"


def check_table_name(name: str) -> str:
    """Return ``name`` when it can be a table's. Raises LakeError."""
    if not _TABLE_NAME.fullmatch(name) or name.split("/")[0] in _RESERVED or len(name) > 200:
        raise LakeError(
            f"{name!r} 不能作表名：只用小写字母、数字、_、-，以 / 分段",
            f"{name!r} cannot name a table: lower-case letters, digits, _ and -, parts separated by /",
            table=name,
        )
    return name


def check_run_id(run_id: str) -> str:
    """Return ``run_id`` when it can be a run's. Raises LakeError."""
    if not _RUN_ID.fullmatch(run_id):
        raise LakeError(
            f"{run_id!r} 不能作运行号：只用小写字母、数字和 -，至多 64 个字符",
            f"{run_id!r} cannot name a run: lower-case letters, digits and -, at most 64 characters",
            run=run_id,
        )
    return run_id


@dataclass(frozen=True)
class StagedRun:
    """A finished run whose files are written and wait for the commit.

    Args:
        run_id: committing the same id twice is a no-op.
        kind: what the run was (``collect``, ``daily``, ``full``, ``compact``).
        changes: per table, in the order of the run; a table may appear more than once.
        read_seq: ``Lake.last`` when the run began.
    """

    run_id: str
    kind: str
    changes: tuple[Change, ...]
    read_seq: int
    business_day: dt.date | None = None


@dataclass(frozen=True)
class Run:
    """One committed run: its number, id, kind, business day, moment of commit, and the tables it changed."""

    seq: int
    run_id: str
    kind: str
    read_seq: int
    business_day: dt.date | None
    committed_at: dt.datetime
    tables: tuple[str, ...]


@dataclass(frozen=True)
class _Index:
    """The manifest's entries with the ways to find them: per table, and the number of each run."""

    entries: tuple[Entry, ...]
    by_table: dict[str, list[Entry]]
    seq_of_run: dict[str, int]


@dataclass
class Lake:
    """A lake. Safe to keep open: it notices new commits.

    Args:
        root: the home's folder of the lake (made when it does not exist): journals of runs at work, and the files too
            where no other storage is given.
        given: where the files are.
    """

    root: Path
    given: InitVar[Storage | None] = None
    storage: Storage = field(init=False)
    _manifest: Manifest = field(init=False, repr=False)
    _index: _Index = field(init=False, repr=False, default_factory=lambda: _Index((), {}, {}))

    def __post_init__(self, given: Storage | None) -> None:
        self.root = self.root.absolute()
        self.root.mkdir(parents=True, exist_ok=True)
        self.storage = given or FolderStorage(self.root)
        self._manifest = Manifest(self.storage)

    @property
    def last(self) -> int:
        """The number of the last committed run; 0 in an empty lake."""
        return self._manifest.last

    def _indexed(self) -> _Index:
        entries = self._manifest.entries()
        if entries is not self._index.entries:
            by_table: dict[str, list[Entry]] = defaultdict(list)
            for entry in entries:
                by_table[entry.change.table].append(entry)
            # Replaced as one value, so that threads never see entries without their index.
            self._index = _Index(entries, dict(by_table), {entry.run_id: entry.seq for entry in entries})
        return self._index

    def tables(self) -> list[str]:
        """Names of every table that was ever written and not dropped, sorted."""
        by_table = self._indexed().by_table
        return sorted(name for name, entries in by_table.items() if not _is_drop(entries[-1].change))

    def table(self, name: str, at: int | None = None) -> TableFiles:
        """The files of a table now, or as of run number ``at`` (as long as vacuum has spared them).

        A table that was never written has no segments.
        """
        return build(name, self.storage, (entry.change for entry in self.history(name, at)))

    def history(self, name: str, at: int | None = None) -> list[Entry]:
        """What each run did to a table, oldest first, up to run number ``at``."""
        entries = self._indexed().by_table.get(name, [])
        return [entry for entry in entries if at is None or entry.seq <= at]

    def runs(self) -> list[Run]:
        """Every committed run, oldest first."""
        by_seq: dict[int, list[Entry]] = defaultdict(list)
        for entry in self._manifest.entries():
            by_seq[entry.seq].append(entry)
        return [_run_of(entries) for entries in by_seq.values()]

    def run(self, run_id: str) -> Run | None:
        """The committed run of that id, or None."""
        index = self._indexed()
        seq = index.seq_of_run.get(run_id)
        return None if seq is None else _run_of([entry for entry in index.entries if entry.seq == seq])

    def commit(self, run: StagedRun) -> int:
        """Make a run visible over all its tables at once; returns its number.

        The files are brought to the disk first. Afterwards the tables' Delta logs are brought in line.

        Raises:
            ConflictError: a table that this run replaces or patches was changed by another run since it began.
        """
        check_run_id(run.run_id)
        known = self.run(run.run_id)
        if known is not None:
            return known.seq
        for change in run.changes:
            check_table_name(change.table)
        self._bring_to_disk(run.changes)
        seq = self._append(run)
        self.reconcile_quietly({change.table for change in run.changes})
        return seq

    def reconcile_quietly(self, names: Iterable[str] | None = None) -> None:
        """``reconcile``, with a failure logged: what is committed stays committed, and the next start tries again."""
        try:
            self.reconcile(names)
        except (DeltaError, OSError) as error:
            _LOG.warning("table logs are behind the manifest: %s", error)

    def _append(self, run: StagedRun) -> int:
        for _ in range(_ATTEMPTS):
            self._refuse_stale(run)
            seq = self._manifest.last + 1
            entries = numbered(
                run.changes, run_id=run.run_id, seq=seq, kind=run.kind, read_seq=run.read_seq, day=run.business_day
            )
            if not entries:
                return self._manifest.last
            try:
                self._manifest.append(entries)
            except ConflictError:
                known = self.run(run.run_id)
                if known is not None:
                    return known.seq
                continue
            return seq
        raise ConflictError("提交冲突过多，请稍后重试", "too many commits at once: try again later", run=run.run_id)

    def _refuse_stale(self, run: StagedRun) -> None:
        for change in run.changes:
            if change.mode == "append":
                continue
            since = [entry for entry in self.history(change.table) if entry.seq > run.read_seq]
            if since:
                raise ConflictError(
                    f"表 {change.table} 在本次运行期间被 {since[-1].run_id} 改动，请重新运行",
                    f"table {change.table} was changed by {since[-1].run_id} during this run: run again",
                    table=change.table,
                    run=since[-1].run_id,
                )

    def _bring_to_disk(self, changes: Sequence[Change]) -> None:
        try:
            self.storage.sync(file.path for change in changes for file in change.files + change.key_files)
        except OSError as error:
            raise LakeError(
                f"运行写出的文件 {error.filename} 不见了，未提交",
                f"the file {error.filename} that the run wrote is gone; nothing was committed",
                path=str(error.filename),
            ) from error

    def drop_derived(self, names: Iterable[str], run_id: str) -> int:
        """Empty tables before a rebuild, in one commit; their files stay until vacuum. Returns the run's number."""
        changes = tuple(
            Change(table=name, mode="replace", files=(), schema=encode_schema(pa.schema([])), stage="")
            for name in names
            if self.table(name).segments
        )
        return self.commit(StagedRun(run_id, "drop", changes, self.last))

    def reconcile(self, names: Iterable[str] | None = None) -> list[str]:
        """Bring the Delta logs of the tables in line with the manifest; returns those that were behind.

        Idempotent; called after every commit and when an engine opens the lake, so a kill in between heals.
        """
        marks = self._marks()
        # The marks were read first: what they show was in the manifest by then.
        if max(marks.values(), default=0) > self.last:
            place = self.storage.address("manifest")
            raise LakeError(
                f"湖的清单 {place} 缺少最近的运行。请从备份恢复该文件夹；数据文件未被改动",
                f"the lake's manifest {place} lacks the latest runs. Restore this folder from a "
                "backup; no data file was touched",
                path=place,
            )
        before = dict(marks)
        changed = []
        for name in sorted(self._indexed().by_table if names is None else names):
            whole = self._last_whole(name)
            if whole is None or marks.get(name) == whole:
                continue
            if tablelog.publish(self.table(name, whole), whole):
                changed.append(name)
            marks[name] = whole
        if marks != before:
            self.storage.write(_PUBLISHED, json.dumps(marks).encode())
        return changed

    def _marks(self) -> dict[str, int]:
        """Which run each log shows, remembered beside them so that opening need not read every log."""
        try:
            marks: dict[str, int] = json.loads(self.storage.read(_PUBLISHED))
        except (OSError, ValueError):
            return {}
        return marks

    def _last_whole(self, name: str) -> int | None:
        """The last run after which the table has no open patches and columns to show."""
        whole = None
        patched = False
        for entry in self.history(name):
            change = entry.change
            patched = change.mode == "patch" or (patched and change.mode != "replace")
            if not patched and not _is_drop(change):
                whole = entry.seq
        return whole

    def named_paths(self) -> set[str]:
        """Paths of every file that any row of the manifest names, relative to the lake."""
        return {file.path for entry in self._manifest.entries() for file in entry.change.files + entry.change.key_files}

    def published_paths(self) -> set[str]:
        """Files that the tables' Delta logs list when they are in line with the manifest."""
        whole = {name: self._last_whole(name) for name in self._indexed().by_table}
        return {file.path for name, seq in whole.items() if seq is not None for file in self.table(name, seq).files}

    def fold_manifest(self) -> None:
        """Merge the manifest's small files when there are many."""
        self._manifest.fold()

    def entries(self) -> tuple[Entry, ...]:
        """Every row of the manifest in order of commit."""
        return self._manifest.entries()


def lake_of(home: Home) -> Lake:
    """The lake of a home, in its folder or where the setting ``lake_location`` says. Raises SettingsError."""
    return Lake(home.lake, storage_of(home.settings, home.lake.absolute()))


def _run_of(entries: Sequence[Entry]) -> Run:
    first = entries[0]
    return Run(
        seq=first.seq,
        run_id=first.run_id,
        kind=first.kind,
        read_seq=first.read_seq,
        business_day=first.business_day,
        committed_at=first.committed_at,
        tables=tuple(dict.fromkeys(entry.change.table for entry in entries)),
    )


def _is_drop(change: Change) -> bool:
    return change.mode == "replace" and not change.files and change.schema == encode_schema(pa.schema([]))
