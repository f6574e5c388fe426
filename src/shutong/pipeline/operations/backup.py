"""The backup of a home: database first, then the manifest, then the files it names; the hash of each is noted.

That order makes a backup of a running home sound: whatever the database or the manifest speaks of was on the disk
before it was spoken of. The ready answers and temporary files are left out, they are made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import secrets
import sqlite3
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit

from shutong import __version__
from shutong.engine.home import Home
from shutong.engine.lake import Lake
from shutong.pipeline.operations.postgres import BackupError, dump

CONTENTS: Final = "contents.json"
STATE: Final = "state.sqlite3"
DUMP: Final = "state.pgdump"

_LEFT_OUT: Final = frozenset(
    {"tmp", "answers", "lake", "run.lock", "collect.lock", STATE, f"{STATE}-wal", f"{STATE}-shm"}
)
_ARRIVING: Final = "incoming-"
"""How the folders under ``files`` begin that hold deliveries which are not in yet."""


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds: files, bytes, and the lake's last run."""

    files: int
    bytes: int
    last_run: int


def backup(home: Home, target: Path) -> BackupReport:
    """Write a backup of ``home`` to the tar file ``target``, which appears only when it is complete.

    Raises:
        BackupError: the target exists or lies in the home, its folder is missing, or the database could not be copied.
        OSError: the disk is full or failing; nothing is left.
    """
    target = target.absolute()
    _check_target(home, target)
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with tarfile.open(draft, "w") as archive:
            writer = _Writer(archive)
            _add_database(writer, home)
            _add_manifest(writer, home)
            # Read after the manifest was copied: it knows every file that the copy names.
            lake = Lake(home.lake)
            last = lake.last
            _add_lake(writer, home, lake)
            _add_others(writer, home)
            contents = {"version": __version__, "home": home.mark, "last_run": last, "sha256": writer.sums}
            writer.add_bytes(CONTENTS, json.dumps(contents, indent=1).encode())
        draft.chmod(0o600)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return BackupReport(len(writer.sums) - 1, target.stat().st_size, last)


def _check_target(home: Home, target: Path) -> None:
    if home.settings.lake_location is not None:
        raise BackupError(
            f"湖在 {home.settings.lake_location}，不在数据之家里：用存储桶的版本或复制备份它，用数据库工具备份数据库",
            f"the lake is in {home.settings.lake_location} and not in the home: keep it by the bucket's versions or "
            "replication, and the database by its own tools",
            place=home.settings.lake_location,
        )
    if target.exists():
        raise BackupError(
            f"{target} 已存在，请换一个文件名", f"{target} exists already: name another file", path=str(target)
        )
    if not target.parent.is_dir():
        raise BackupError(
            f"没有文件夹 {target.parent}，请先建立",
            f"there is no folder {target.parent}: make it first",
            path=str(target),
        )
    if target.resolve().is_relative_to(home.path.resolve()):
        raise BackupError(
            f"{target} 在数据之家里面，请放到别处，最好是另一块磁盘",
            f"{target} lies in the home itself: put it elsewhere, best on another disk",
            path=str(target),
        )


@dataclass
class _Writer:
    """Adds files to an archive and notes the hash of what went in."""

    archive: tarfile.TarFile
    sums: dict[str, str] = field(default_factory=dict)

    def add_file(self, path: Path, name: str) -> None:
        """Add a file as long as it is now; one that grows meanwhile (a log) is cut there. One that has gone is left out."""
        if name in self.sums:
            return
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            return
        with stream:
            info = self.archive.gettarinfo(arcname=name, fileobj=stream)
            self._add(info, stream)

    def add_bytes(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self._add(info, io.BytesIO(data))

    def _add(self, info: tarfile.TarInfo, stream: BinaryIO) -> None:
        hashing = _Hashing(stream)
        self.archive.addfile(info, hashing)
        self.sums[info.name] = hashing.digest.hexdigest()


class _Hashing(io.RawIOBase):
    """A stream whose bytes are hashed as they are read."""

    def __init__(self, stream: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data


def _add_database(writer: _Writer, home: Home) -> None:
    """The state database as one file: SQLite's own snapshot, or pg_dump."""
    if not home.database_url.startswith("sqlite"):
        writer.add_bytes(DUMP, dump(home.database_url))
        return
    copy = home.tmp / f"backup-{secrets.token_hex(4)}.sqlite3"
    try:
        with (
            contextlib.closing(sqlite3.connect(sqlite_file(home))) as source,
            contextlib.closing(sqlite3.connect(copy)) as snapshot,
        ):
            source.backup(snapshot)
            snapshot.execute("PRAGMA journal_mode=DELETE")
        writer.add_file(copy, STATE)
    except sqlite3.Error as error:
        raise BackupError(
            f"数据库未能复制：{error}。请检查磁盘空间，并运行 shutong doctor",
            f"the database could not be copied: {error}. Look at the disk's space, and run shutong doctor",
        ) from error
    finally:
        copy.unlink(missing_ok=True)


def sqlite_file(home: Home) -> Path:
    """The file of the state database, where it is SQLite."""
    if home.settings.database_url is None:
        return home.state_database
    return Path(unquote(urlsplit(home.database_url).path)[1:])


def _add_manifest(writer: _Writer, home: Home) -> None:
    folder = home.lake / "manifest"
    # Listed first and copied last: a log entry that is copied then names only files that are copied too.
    log = sorted((folder / "_delta_log").rglob("*"))
    rows = sorted(folder.glob("*.parquet"))
    for path in (*rows, *log):
        if path.is_file():
            writer.add_file(path, path.relative_to(home.path).as_posix())


def _add_lake(writer: _Writer, home: Home, lake: Lake) -> None:
    """The files that the manifest names, and the logs of the tables. What a run is just writing is left out."""
    for relative in sorted(lake.named_paths()):
        # Vacuum has removed files that only old rows of the manifest name; those are left out by the writer.
        writer.add_file(home.lake / relative, f"lake/{relative}")
    for path in sorted(home.lake.rglob("*")):
        within = path.relative_to(home.lake)
        if path.is_file() and within.parts[0] not in {"manifest", "running"} and path.suffix != ".parquet":
            writer.add_file(path, f"lake/{within.as_posix()}")


def _add_others(writer: _Writer, home: Home) -> None:
    for path in _others(home):
        writer.add_file(path, path.relative_to(home.path).as_posix())


def _others(home: Home) -> Iterator[Path]:
    for top in sorted(home.path.iterdir()):
        if top.name in _LEFT_OUT or top.is_symlink():
            continue
        if top.is_file():
            yield top
        for path in sorted(top.rglob("*")):
            arriving = top == home.files and path.relative_to(top).parts[0].startswith(_ARRIVING)
            if path.is_file() and not arriving:
                yield path
