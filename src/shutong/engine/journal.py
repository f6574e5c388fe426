"""What a run is writing, so that the files of a killed run are found and removed.

Each attempt of a run keeps a journal ``running/<attempt>`` in the home's folder of the lake, also when the lake's files
are in a bucket: one line per file, written before the file is.
The operating system's lock on it ends with the process, however it ends; an unlocked journal belongs to a dead run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from shutong.engine.storage import Storage

FOLDER = "running"


def _create_locked(path: Path) -> int:
    """Make a file and lock it; returns its handle.

    A cleaner that meets the file before it is locked removes it, so it is made again until it is locked in its place.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                if os.path.samestat(os.fstat(handle), path.stat()):
                    return handle
            except FileNotFoundError:
                os.close(handle)
                raise
            os.close(handle)


class Journal:
    """The open journal of one attempt; ``attempt`` is the run's id and a random part, so no file is written twice."""

    def __init__(self, root: Path, run_id: str, storage: Storage, drafts: Path) -> None:
        self._storage = storage
        self.attempt = f"{run_id}-{secrets.token_hex(4)}"
        self._drafts = drafts / self.attempt
        self._path = root / FOLDER / self.attempt
        self._handle = _create_locked(self._path)

    def announce(self, path: str) -> Path:
        """Note a file (relative to the lake) that is about to be written; returns where to write its draft."""
        os.write(self._handle, (path + "\n").encode())
        return self._storage.draft(path, self._drafts)

    def close(self, committed: Collection[str]) -> None:
        """End the attempt: files that are not among the committed ones are removed, then the journal."""
        _remove_uncommitted(self._storage, os.pread(self._handle, 1 << 30, 0), committed)
        self._path.unlink(missing_ok=True)
        os.close(self._handle)


class LockedFolder:
    """A temporary folder under ``parent`` that belongs to this process and is removed when it ends or was killed."""

    def __init__(self, parent: Path, prefix: str) -> None:
        self.path = parent / f"{prefix}-{secrets.token_hex(4)}"
        self._handle = _create_locked(self.path / "lock")

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._handle)


def clean_locked(parent: Path, prefix: str) -> None:
    """Remove the locked folders of dead processes."""
    for path in parent.glob(f"{prefix}-*"):
        try:
            handle = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            # Killed before it made its lock, or about to make it: then it makes the folder again.
            with contextlib.suppress(OSError):
                path.rmdir()
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(handle)


def _remove_uncommitted(storage: Storage, lines: bytes, committed: Collection[str]) -> None:
    # A line without its end was cut by the kill before its file was made.
    announced = lines.decode(errors="replace").split("\n")[:-1]
    storage.remove(path for path in announced if path not in committed)


def dead_attempts(root: Path) -> Iterator[tuple[str, int]]:
    """Attempts whose process is gone, with the open and locked handle of the journal (the caller closes it)."""
    folder = root / FOLDER
    if not folder.exists():
        return
    for path in sorted(folder.iterdir()):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        yield path.name, handle


def live_attempts(root: Path) -> set[str]:
    """Names of every attempt that has a journal: those at work, and dead ones not cleaned up yet."""
    folder = root / FOLDER
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def clean_dead(root: Path, storage: Storage, temp: Path, committed: Callable[[], Collection[str]]) -> list[str]:
    """Remove what dead attempts left: files that no run committed, temporary folders, journals.

    Args:
        root: the folder of this machine that holds the journals.
        storage: where the files are.
        temp: the folder in which each attempt has a temporary folder of its name.
        committed: gives the paths of every file the manifest names; asked once an attempt is known to be dead, so
            that its own commit is among them.

    Returns the attempts.
    """
    cleaned = []
    for attempt, handle in dead_attempts(root):
        try:
            _remove_uncommitted(storage, os.pread(handle, 1 << 30, 0), committed())
            shutil.rmtree(temp / attempt, ignore_errors=True)
            (root / FOLDER / attempt).unlink(missing_ok=True)
            cleaned.append(attempt)
        finally:
            os.close(handle)
    return cleaned
