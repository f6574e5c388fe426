"""Database addresses for Django, and where each model's table lives.

Two aliases: ``default`` holds the state that people decide on, ``answers`` what screens and APIs read by key. The
second is rebuilt from the lake at will, so nothing that was decided may ever be stored there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.db.models import Model

ANSWERS = "answers"
ANSWER_TABLE = "answer_"
"""Models whose table name begins so are ready answers and live in the database ``answers`` only."""

SQLITE_SESSION = (
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"  # an audit entry that was answered for must survive a power cut, not only a kill
    "PRAGMA busy_timeout=20000;"
    "PRAGMA cache_size=-32768;"
    "PRAGMA temp_store=MEMORY;"
)
SQLITE_READER = "PRAGMA busy_timeout=20000;PRAGMA cache_size=-65536;PRAGMA mmap_size=1073741824;PRAGMA query_only=ON;"


class DatabaseUrlError(ValueError):
    """A database address that cannot be understood; names what was wrong and an example of a right one."""

    def __init__(self, url: str, problem: str) -> None:
        self.problem = problem
        scheme = url.split(":", 1)[0]
        super().__init__(
            f"数据库地址无法识别（{scheme}…）：{problem}。/ The database address ({scheme}...) is not understood: "
            f"{problem}. "
            "Write sqlite:///path/to/file or postgresql://user:password@host:5432/name."
        )


def database_config(url: str, *, reader: bool = False) -> dict[str, Any]:
    """The Django entry for a database address.

    Args:
        url: ``sqlite:///relative``, ``sqlite:////absolute`` or ``postgresql://user:password@host:port/name?option=value``.
        reader: the connection only reads (ready answers in the web process).

    Raises:
        DatabaseUrlError: another scheme, or no database name.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        name = unquote(parts.path)[1:]
        if not name:
            raise DatabaseUrlError(url, "no file is named")
        return sqlite_config(Path(name), reader=reader)
    if parts.scheme not in ("postgres", "postgresql"):
        raise DatabaseUrlError(url, f"unknown scheme {parts.scheme or '(none)'}")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise DatabaseUrlError(url, "no database is named")
    try:
        port = parts.port
    except ValueError as error:
        raise DatabaseUrlError(url, "the port is not a number") from error
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    if reader:
        options["options"] = f"{options.get('options', '')} -c default_transaction_read_only=on".strip()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def sqlite_config(path: Path, *, reader: bool = False) -> dict[str, Any]:
    """The Django entry for a SQLite file: write-ahead log, and write locks taken at the start of a transaction.

    Without IMMEDIATE a transaction that reads first and writes later fails at once when another wrote in between.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "transaction_mode": "DEFERRED" if reader else "IMMEDIATE",
            "timeout": 20,
            "init_command": SQLITE_READER if reader else SQLITE_SESSION,
        },
    }


class Router:
    """Sends answer models to ``answers`` and everything else to ``default``."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str | None:
        """The alias to read ``model`` from."""
        return ANSWERS if _is_answer(model) else None

    def db_for_write(self, model: type[Model], **_hints: Any) -> str | None:
        """The alias to write ``model`` to."""
        return ANSWERS if _is_answer(model) else None

    def allow_relation(self, one: Model, other: Model, **_hints: Any) -> bool | None:
        """No relation crosses the two databases."""
        return _is_answer(type(one)) == _is_answer(type(other))

    def allow_migrate(self, db: str, _app: str, **hints: Any) -> bool | None:
        """Answer tables are migrated in ``answers`` only, all others in ``default`` only."""
        model = hints.get("model")
        answer = _is_answer(model) if model is not None else False
        return answer == (db == ANSWERS)


def _is_answer(model: type[Model]) -> bool:
    return model._meta.db_table.startswith(ANSWER_TABLE)
