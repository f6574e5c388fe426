"""What the web process takes from the home it serves: one value, read once when Django starts."""

from __future__ import annotations

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Deployment:
    """The settings of a home that Django needs, with paths made absolute.

    ``home`` is None without a home; the database files then lie in the temporary folder and are nobody's.
    """

    home: Path | None
    demo: bool
    secret_key: str
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    https: bool
    database_url: str
    answers_url: str
    state_file: Path
    answers_file: Path
    temp_folder: Path | None
    language: str
    log_level: str
    log_format: str
    source: Path = Path(__file__).resolve().parent.parent


def deployment() -> Deployment:
    """The deployment of the home named by ``SHUTONG_HOME``, or the throw-away one where none is named."""
    throw_away = Path(tempfile.gettempdir()) / f"shutong-no-home-{os.getuid()}"
    throw_away.mkdir(mode=0o700, exist_ok=True)
    return Deployment(
        home=None,
        demo=False,
        secret_key=secrets.token_urlsafe(48),
        allowed_hosts=("localhost", "127.0.0.1", "[::1]", "testserver"),
        trusted_origins=(),
        https=False,
        database_url=os.environ.get("SHUTONG_DATABASE_URL", ""),
        answers_url=os.environ.get("SHUTONG_ANSWERS_URL", ""),
        state_file=throw_away / "state.sqlite3",
        answers_file=throw_away / "answers.sqlite3",
        temp_folder=None,
        language="zh-hans",
        log_level="INFO",
        log_format="json",
    )
