"""A home: the one folder that holds an installation's lake, files, keys, state and settings."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from shutong.engine.errors import HomeError, LeaseError
from shutong.engine.keys import Keys
from shutong.engine.settings import Settings, change_setting, load_settings, settings_template

FORMAT: Final = 1
MARK_FILE: Final = "home.json"
SETTINGS_FILE: Final = "home.toml"


@dataclass(frozen=True)
class Home:
    """A home folder of this version's format. Make one by ``Home.create`` or ``Home.open``, not directly.

    Paths are absolute; ``lake``, ``files`` (raw deliveries, sealed), ``keys`` (mode 0700), ``tmp`` and ``answers``
    are folders in it, ``state_database`` the default SQLite file.
    """

    path: Path

    @classmethod
    def create(cls, path: Path | str, *, demo: bool = False) -> Home:
        """Make a home in a new or empty folder, with its keys and a settings file of comments.

        Raises:
            HomeError: the folder is a home already, or holds other files.
        """
        root = _usable(path)
        if (root / MARK_FILE).exists():
            raise HomeError(f"{root} 已经是一个数据之家，不再初始化", f"{root} is a home already", path=str(root))
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise HomeError(
                f"{root} 不是空文件夹，请换一个位置", f"{root} is not an empty folder: choose another", path=str(root)
            )
        # What is in it is nobody's business but the platform's; a folder that was there keeps its rights.
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        home = cls(root)
        draft = home.settings_file.with_suffix(".toml.new")
        draft.write_text(settings_template(), encoding="utf-8")
        if demo:
            change_setting(draft, "demo", True)
        # First, so that a creation that was killed leaves what says what it was to become.
        draft.replace(home.settings_file)
        for folder in (home.path / "tmp", home.lake, home.files, home.answers, home.logs):
            folder.mkdir(exist_ok=True)
        Keys.create(home.keys_folder)
        # The mark comes last: a creation that was killed leaves a folder that is no home.
        mark = {"format": FORMAT, "id": uuid.uuid4().hex, "created_at": dt.datetime.now(dt.UTC).isoformat()}
        draft = root / (MARK_FILE + ".new")
        draft.write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
        draft.replace(root / MARK_FILE)
        return home

    @classmethod
    def open(cls, path: Path | str) -> Home:
        """Open an existing home.

        Raises:
            HomeError: the folder is not a home, or its format is newer or older than this version's.
        """
        root = _usable(path)
        try:
            mark = json.loads((root / MARK_FILE).read_text(encoding="utf-8"))
            found = int(mark["format"])
        except FileNotFoundError:
            raise HomeError(
                f"{root} 不是数据之家（没有 {MARK_FILE}）。请先运行 shutong init --home {root}",
                f"{root} is not a home (no {MARK_FILE}). First run: shutong init --home {root}",
                path=str(root),
            ) from None
        except OSError as error:
            raise HomeError(
                f"{root} 打不开：{error.strerror}。请核对路径和权限",
                f"{root} cannot be opened: {error.strerror}. Check the path and its rights",
                path=str(root),
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise HomeError(
                f"{root / MARK_FILE} 已损坏，请从备份恢复", f"{root / MARK_FILE} is damaged: restore it", path=str(root)
            ) from error
        if found != FORMAT:
            advice_zh = "请运行 shutong upgrade" if found < FORMAT else "请安装更新的版本"
            advice_en = "run: shutong upgrade" if found < FORMAT else "install a newer version"
            raise HomeError(
                f"{root} 的格式是 {found}，本版本读写 {FORMAT}。{advice_zh}",
                f"{root} has format {found}; this version reads {FORMAT}: {advice_en}",
                path=str(root),
                format=found,
            )
        home = cls(root)
        for folder in (home.lake, home.files, home.tmp, home.answers, home.logs):
            folder.mkdir(exist_ok=True)
        return home

    @cached_property
    def mark(self) -> dict[str, str]:
        """Format, id and time of creation of the home."""
        mark: dict[str, str] = json.loads((self.path / MARK_FILE).read_text(encoding="utf-8"))
        return mark

    @cached_property
    def settings(self) -> Settings:
        """The settings as they were when first asked for; open the home again to read changed ones."""
        return load_settings(self.settings_file)

    @cached_property
    def keys(self) -> Keys:
        """The keys of the home, opened when first asked for."""
        return Keys.open(self.keys_folder)

    def change_setting(self, key: str, value: str | float | bool | dt.date) -> None:
        """Store one setting; this object forgets the settings it had read."""
        change_setting(self.settings_file, key, value)
        self.__dict__.pop("settings", None)

    @property
    def settings_file(self) -> Path:
        return self.path / SETTINGS_FILE

    @property
    def lake(self) -> Path:
        return self.path / "lake"

    @property
    def files(self) -> Path:
        return self.path / "files"

    @property
    def keys_folder(self) -> Path:
        return self.path / "keys"

    @property
    def answers(self) -> Path:
        return self.path / "answers"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def lease_file(self) -> Path:
        return self.path / "run.lock"

    @property
    def state_database(self) -> Path:
        return self.path / "state.sqlite3"

    @property
    def tmp(self) -> Path:
        """Folder for temporary files: the setting ``temp_folder``, or ``tmp`` in the home."""
        if "settings" in self.__dict__ or self.settings_file.exists():
            return self.settings.temp_folder or self.path / "tmp"
        return self.path / "tmp"

    @property
    def database_url(self) -> str:
        """Address of the state database: the setting, or the SQLite file in the home."""
        return self.settings.database_url or f"sqlite:///{self.state_database}"

    def today(self) -> dt.date:
        """The business day: the stored one of a demo home, otherwise today in Asia/Shanghai (UTC+8, no summer time)."""
        if self.settings.business_day is not None:
            return self.settings.business_day
        return dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()


def _usable(path: Path | str) -> Path:
    """The absolute path of a home; tables cannot lie under names that addresses escape (``%``), nor under odd bytes."""
    root = Path(path).expanduser().absolute()
    text = str(root)
    if "%" in text or not text.isprintable():
        shown = text.encode("utf-8", "replace").decode()
        raise HomeError(
            f"数据之家的路径不能含 % 或不可显示的字符：{shown}。请换一个位置",
            f"the path of a home must not hold % or unprintable characters: {shown}. Choose another place",
            path=shown,
        )
    return root


@dataclass(frozen=True)
class Holder:
    """Who holds the lease of a home."""

    pid: int
    since: dt.datetime
    purpose: str


def lease_holder(home: Home) -> Holder | None:
    """Who holds the lease now, or None when nobody does."""
    try:
        with home.lease_file.open("r+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_holder(file.read())
            return None
    except FileNotFoundError:
        return None


def _read_holder(text: str) -> Holder:
    try:
        values = json.loads(text)
        return Holder(int(values["pid"]), dt.datetime.fromisoformat(values["since"]), str(values["purpose"]))
    except (ValueError, KeyError, TypeError):
        # The holder has the lock but has not written its name yet.
        return Holder(0, dt.datetime.now(dt.UTC), "")


@contextlib.contextmanager
def lease(home: Home, wait: float = 0, purpose: str = "run") -> Iterator[Holder]:
    """Hold the home for one pipeline run; the operating system frees it when the process ends, however it ends.

    Args:
        wait: seconds to wait for another holder before giving up.
        purpose: shown to whoever is refused.

    Raises:
        LeaseError: another process (or another run of this one) still holds it.
    """
    handle = os.open(home.lease_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise _refusal(home, _read_holder(os.pread(handle, 4096, 0).decode(errors="replace"))) from None
                time.sleep(0.05)
        holder = Holder(os.getpid(), dt.datetime.now(dt.UTC), purpose)
        text = json.dumps({"pid": holder.pid, "since": holder.since.isoformat(), "purpose": purpose})
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
        yield holder
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _refusal(home: Home, holder: Holder) -> LeaseError:
    since = holder.since.isoformat(timespec="seconds")
    return LeaseError(
        f"{home.path} 正被进程 {holder.pid} 使用（{holder.purpose}，自 {since}）。请等它结束后再试",
        f"{home.path} is held by process {holder.pid} ({holder.purpose}, since {since}). Try again when it has ended",
        pid=holder.pid,
        since=holder.since,
        purpose=holder.purpose,
    )
