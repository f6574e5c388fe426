"""Backup and restore of a home: database first, then the manifest, then the files it names; every hash verified.

That order makes a backup of a running home sound: whatever the database or the manifest speaks of was on the disk
before it was spoken of. The ready answers and temporary files are left out, they are made again.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from shutong import __version__
from shutong.engine.errors import HomeError
from shutong.engine.home import Home
from shutong.engine.lake import Lake

CONTENTS: Final = "contents.json"
_STATE: Final = "state.sqlite3"
_DUMP: Final = "state.pgdump"
_LEFT_OUT: Final = ("tmp", "answers", "lake", "run.lock", _STATE, _STATE + "-wal", _STATE + "-shm")


class BackupError(HomeError):
    """A backup that could not be made, or that is damaged."""


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds: files, bytes, and the lake's last run."""

    files: int
    bytes: int
    last_run: int


def backup(home: Home, target: Path) -> BackupReport:
    """Write a backup of ``home`` to the tar file ``target``, which appears only when it is complete.

    Raises:
        BackupError: the target exists, or the database could not be copied.
    """
    if target.exists():
        raise BackupError(
            f"{target} 已存在，请换一个文件名", f"{target} exists already: name another file", path=str(target)
        )
    draft = target.with_name(target.name + ".part")
    sums: dict[str, str] = {}
    try:
        with tarfile.open(draft, "w") as archive:
            _add_bytes(archive, *_database(home), sums)
            lake = Lake(home.lake)
            for path in _manifest_files(home):
                _add_file(archive, home.path, path, sums)
            last = Lake(home.lake).last
            for path in _other_files(home, lake):
                _add_file(archive, home.path, path, sums)
            contents = {"version": __version__, "home": home.mark, "last_run": last, "sha256": sums}
            _add_bytes(archive, CONTENTS, json.dumps(contents, indent=1).encode(), {})
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return BackupReport(len(sums), target.stat().st_size, last)


def restore(source: Path, folder: Path) -> BackupReport:
    """Unpack a backup into a new folder and compare every file with the hash taken when it was written.

    Raises:
        BackupError: the folder is not empty, the file is no backup, or a hash differs; nothing is left behind then.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(
            f"{folder} 不是空文件夹", f"{folder} is not empty: restore into a new folder", path=str(folder)
        )
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, str] = {}
    contents: dict[str, object] = {}
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                data = archive.extractfile(member)
                if data is None:
                    continue
                if member.name == CONTENTS:
                    contents = json.load(data)
                    continue
                archive.extract(member, folder, filter="data")
                found[member.name] = _sum((folder / member.name).open("rb"))
    except (tarfile.TarError, ValueError, OSError) as error:
        raise BackupError(f"{source} 不是完整的备份：{error}", f"{source} is not a whole backup: {error}") from error
    expected = contents.get("sha256")
    if expected != found:
        wrong = sorted(set(found.items()) ^ set(dict(expected or {}).items()))  # type: ignore[call-overload]
        names = ", ".join(dict.fromkeys(name for name, _ in wrong[:5]))
        raise BackupError(f"备份内容与记录的哈希不符：{names}", f"the backup differs from its hashes: {names}")
    if _DUMP in found:
        _restore_postgres(Home.open(folder), folder / _DUMP)
    return BackupReport(len(found), source.stat().st_size, int(str(contents.get("last_run", 0))))


def _database(home: Home) -> tuple[str, bytes | Path]:
    """The state database as one file: SQLite's own snapshot, or pg_dump."""
    if home.database_url.startswith("sqlite"):
        copy = home.tmp / "backup-state.sqlite3"
        copy.unlink(missing_ok=True)
        source, target = sqlite3.connect(home.state_database), sqlite3.connect(copy)
        try:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
        finally:
            target.close()
            source.close()
        return _STATE, copy
    command = ["pg_dump", "--format=custom", "--no-owner", f"--dbname={home.database_url}"]
    return _DUMP, _postgres(command)


def _restore_postgres(home: Home, dump: Path) -> None:
    _postgres(["pg_restore", "--clean", "--if-exists", "--no-owner", f"--dbname={home.database_url}", str(dump)])
    dump.unlink()


def _postgres(command: list[str]) -> bytes:
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout
    except FileNotFoundError as error:
        raise BackupError(
            f"找不到命令 {command[0]}，请安装 PostgreSQL 客户端",
            f"{command[0]} is missing: install the PostgreSQL client",
        ) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[:500]
        host = urlsplit(command[-1].removeprefix("--dbname=")).hostname
        raise BackupError(f"{command[0]} 失败（{host}）：{said}", f"{command[0]} failed ({host}): {said}") from error


def _manifest_files(home: Home) -> Iterator[Path]:
    folder = home.lake / "manifest"
    # The log comes last: a log entry that is copied then names only files that are copied too.
    yield from sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: ("_delta_log" in p.parts, str(p)))


def _other_files(home: Home, lake: Lake) -> Iterator[Path]:
    named = {Path(name) for name in lake.named_paths()}
    # Vacuum has removed files that only old rows of the manifest name.
    yield from (home.lake / relative for relative in sorted(named) if (home.lake / relative).exists())
    for path in sorted(home.lake.rglob("*")):
        relative = path.relative_to(home.lake)
        if path.is_file() and relative not in named and relative.parts[0] != "manifest" and path.suffix != ".parquet":
            yield path
    for path in sorted(home.path.rglob("*")):
        if path.is_file() and path.relative_to(home.path).parts[0] not in _LEFT_OUT:
            yield path


def _add_file(archive: tarfile.TarFile, root: Path, path: Path, sums: dict[str, str]) -> None:
    name = str(path.relative_to(root))
    if name not in sums:
        sums[name] = _sum(path.open("rb"))
        archive.add(path, name, recursive=False)


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes | Path, sums: dict[str, str]) -> None:
    if isinstance(data, Path):
        sums[name] = _sum(data.open("rb"))
        archive.add(data, name, recursive=False)
        data.unlink()
        return
    sums[name] = hashlib.sha256(data).hexdigest()
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    archive.addfile(info, io.BytesIO(data))


def _sum(stream: io.BufferedReader) -> str:
    with stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
