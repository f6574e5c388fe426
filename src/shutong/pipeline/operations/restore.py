"""The restoring of a backup into a new folder: every file against its hash, and all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import tarfile
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from shutong.engine.home import MARK_FILE, Home
from shutong.engine.settings import load_settings
from shutong.pipeline.operations.backup import CONTENTS, DUMP, STATE, BackupReport
from shutong.pipeline.operations.postgres import BackupError, load

_BLOCK: Final = 1 << 20


def restore(source: Path, folder: Path) -> BackupReport:
    """Unpack a backup into a new folder and compare every file with the hash taken when it was written.

    A database of PostgreSQL is filled from the backup; it must be empty, and is the one of the setting ``database_url``
    or of ``SHUTONG_DATABASE_URL``, which the restored home then keeps.

    Raises:
        BackupError: the folder is not empty, the file is no whole backup, a hash differs, or the database is not
            empty; nothing is left behind then.
        HomeError: the backup is of a newer version; nothing is left behind.
        OSError: the disk is full or failing; nothing is left behind.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(
            f"{folder} 不是空文件夹，请恢复到新文件夹",
            f"{folder} is not empty: restore into a new folder",
            path=str(folder),
        )
    if not source.is_file():
        raise BackupError(f"没有备份文件 {source}，请核对路径", f"there is no backup {source}: check the path")
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    # Within the folder, which may be a disk of its own.
    draft = folder / f"restoring-{secrets.token_hex(4)}"
    draft.mkdir(mode=0o700)
    try:
        report = _unpack(source, draft)
        _settle(draft, folder)
        # The mark of a home goes last: until then the folder is none.
        for path in sorted(draft.iterdir(), key=lambda path: path.name == MARK_FILE):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if made and not (folder / MARK_FILE).exists():
            shutil.rmtree(folder, ignore_errors=True)
    return report


def _unpack(source: Path, folder: Path) -> BackupReport:
    found: dict[str, str] = {}
    contents: dict[str, Any] | None = None
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                data = _content(archive, member, folder)
                if member.name == CONTENTS:
                    contents = dict(json.load(data))
                elif member.name in found:
                    raise tarfile.ReadError(f"{member.name} is in it twice")
                else:
                    found[member.name] = _write(data, folder / member.name, member.mode)
    except (tarfile.TarError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise BackupError(f"{source} 不是完整的备份：{reason}", f"{source} is not a whole backup: {reason}") from error
    if contents is None:
        raise BackupError(
            f"{source} 不是完整的备份：没有内容清单",
            f"{source} is not a whole backup: its list of contents is missing",
        )
    _compare(dict(contents.get("sha256", {})), found)
    return BackupReport(len(found), source.stat().st_size, int(contents.get("last_run", 0)))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> IO[bytes]:
    """The bytes of a member. A backup holds plain files within its folder only; tarfile's own filter refuses others."""
    tarfile.data_filter(member, str(folder))
    data = archive.extractfile(member) if member.isreg() else None
    if data is None:
        raise tarfile.ReadError(f"{member.name} is no plain file")
    return data


def _write(data: IO[bytes], target: Path, mode: int) -> str:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("xb") as file:
        while block := data.read(_BLOCK):
            digest.update(block)
            file.write(block)
    target.chmod(0o600 | (mode & 0o044))
    return digest.hexdigest()


def _compare(expected: dict[str, str], found: dict[str, str]) -> None:
    if expected != found:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        names = ", ".join(wrong[:5]) + (" …" if len(wrong) > 5 else "")
        raise BackupError(
            f"备份已损坏，{len(wrong)} 个文件与记录的哈希不符：{names}。请改用另一份备份",
            f"the backup is damaged, {len(wrong)} files differ from their hashes: {names}. Use another backup",
        )


def _settle(draft: Path, folder: Path) -> None:
    """Let the restored home use the database that came with it."""
    home = Home.open(draft)
    stored = load_settings(home.settings_file, {}).database_url
    if (draft / DUMP).exists():
        if home.database_url.startswith("sqlite"):
            raise BackupError(
                "备份中的数据库是 PostgreSQL：请新建一个空库，并以 SHUTONG_DATABASE_URL 指明",
                "the backup holds a database of PostgreSQL: make an empty one and name it by SHUTONG_DATABASE_URL",
            )
        load(home.database_url, draft / DUMP)
        (draft / DUMP).unlink()
        if home.database_url != stored:
            home.change_setting("database_url", home.database_url)
    elif stored:
        # It was SQLite at another place, where the backed up home still has it.
        home.change_setting("database_url", f"sqlite:///{quote(str(folder / STATE))}")
