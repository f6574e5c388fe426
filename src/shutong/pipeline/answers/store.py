"""Reading the ready answers: a folder with one current file, swapped by name while readers go on.

A build writes a new file beside the current one and then replaces the small text file ``current`` that names it.
A reader looks at ``current`` (one ``stat``) whenever it starts to read, and opens the new file when the name changed;
so no process keeps a handle on an old file for longer than one request.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from . import schema

CURRENT = "current"
"""Name of the small file that names the current answers file."""

T = TypeVar("T")
Row = dict[str, Any]


class AnswersMissing(Exception):
    """There are no ready answers yet, or they are of another format. Tell the operator to run the pipeline."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"没有可用的现成答案（{reason}）。请先运行 shutong run\nno ready answers ({reason}): first run shutong run"
        )
        self.folder = folder
        self.reason = reason


def current_file(folder: Path) -> Path | None:
    """The current answers file of a folder, or None where nothing was built yet."""
    try:
        name = (folder / CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    path = folder / name
    return path if name and path.exists() else None


def row_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Row:
    """Row factory: column name to value."""
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


class AnswerStore:
    """Read access to the current ready answers; one connection per thread, renewed when the file is swapped.

    Args:
        folder: the answers folder of a home.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._local = threading.local()
        self._lock = threading.Lock()
        self._derived: dict[str, tuple[Any, Any]] = {}

    def _identity(self) -> tuple[int, int, int]:
        try:
            status = (self.folder / CURRENT).stat()
        except FileNotFoundError:
            raise AnswersMissing(self.folder, "尚未生成 / nothing was built") from None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def connection(self) -> sqlite3.Connection:
        """This thread's connection to the current file.

        Raises:
            AnswersMissing: nothing was built, or the file is of another format.
        """
        identity = self._identity()
        if getattr(self._local, "identity", None) != identity:
            self.close()
            path = current_file(self.folder)
            if path is None:
                raise AnswersMissing(self.folder, "the current file is gone / 当前文件不存在")
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            connection.row_factory = row_dict
            for pragma in ("query_only=ON", "mmap_size=1073741824", "cache_size=-16384", "temp_store=MEMORY"):
                connection.execute(f"PRAGMA {pragma}")
            self._check_format(connection)
            self._local.connection, self._local.identity = connection, identity
        current: sqlite3.Connection = self._local.connection
        return current

    def _check_format(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("SELECT value FROM answer_meta WHERE name = 'format'").fetchone()
        if found is None or found["value"] != str(schema.FORMAT):
            connection.close()
            raise AnswersMissing(self.folder, "another format / 格式版本不同")

    def close(self) -> None:
        """Close this thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = self._local.identity = None

    def fetch(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """All rows of a query as dictionaries."""
        return self.connection().execute(sql, parameters).fetchall()

    def one(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """The first row of a query, or None."""
        found: Row | None = self.connection().execute(sql, parameters).fetchone()
        return found

    def scalar(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        """The first value of the first row, or None."""
        row = self.one(sql, parameters)
        return next(iter(row.values())) if row else None

    def derived(self, name: str, make: Callable[[AnswerStore], T]) -> T:
        """A value computed once per build or change (the catalog, the business day), shared by all threads."""
        self.connection()
        identity = self._local.identity
        cached = self._derived.get(name)
        if cached is None or cached[0] != identity:
            with self._lock:
                cached = (identity, make(self))
                self._derived[name] = cached
        value: T = cached[1]
        return value

    def meta(self) -> dict[str, str]:
        """Name to value of ``answer_meta``: business_day, built_at, run_id, totals."""
        return {row["name"]: row["value"] for row in self.fetch("SELECT name, value FROM answer_meta")}
