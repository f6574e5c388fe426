"""What the web process takes from the home it serves: one value, read once when Django starts."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shutong.engine.home import Home
from shutong.portal.databases import database_config, sqlite_config

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
ANSWERS_FILE = "answers.sqlite3"


@dataclass(frozen=True)
class Deployment:
    """The settings of a home that Django needs.

    ``home`` is None without a home; the database files then lie in the temporary folder and are nobody's.
    """

    home: Path | None
    demo: bool
    secret_key: str = field(repr=False)
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    https: bool
    default: dict[str, Any] = field(repr=False)
    answers: dict[str, Any] = field(repr=False)
    temp_folder: Path | None
    language: str
    log_level: str
    log_format: str
    source: Path = Path(__file__).resolve().parent.parent


def deployment() -> Deployment:
    """The deployment of the home named by ``SHUTONG_HOME``, or the throw-away one where none is named.

    Raises:
        HomeError, SettingsError, KeysError: the folder is no home, or its settings or keys are wrong.
        DatabaseUrlError: a database address is not understood.
    """
    named = os.environ.get("SHUTONG_HOME")
    return _of(Home.open(Path(named).resolve())) if named else _throw_away()


def _of(home: Home) -> Deployment:
    settings = home.settings
    public = urlsplit(settings.public_url) if settings.public_url else None
    hosts = [*LOOPBACK, settings.host]
    if settings.host not in LOOPBACK:
        hosts.append(socket.gethostname())
    if public and public.hostname:
        hosts.append(public.hostname)
    return Deployment(
        home=home.path,
        demo=settings.demo,
        secret_key=home.keys.django_secret,
        allowed_hosts=tuple(dict.fromkeys(hosts)),
        trusted_origins=(f"{public.scheme}://{public.netloc}",) if public else (),
        https=bool(public and public.scheme == "https"),
        default=database_config(settings.database_url) if settings.database_url else sqlite_config(home.state_database),
        answers=sqlite_config(home.answers / ANSWERS_FILE, reader=True),
        temp_folder=home.tmp,
        language=settings.locale,
        log_level=settings.log_level.upper(),
        log_format=settings.log_format,
    )


def _throw_away() -> Deployment:
    folder = Path(tempfile.gettempdir()) / f"shutong-no-home-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    url = os.environ.get("SHUTONG_DATABASE_URL")
    return Deployment(
        home=None,
        demo=False,
        secret_key=secrets.token_urlsafe(48),
        allowed_hosts=(*LOOPBACK, "testserver"),
        trusted_origins=(),
        https=False,
        default=database_config(url) if url else sqlite_config(folder / "state.sqlite3"),
        answers=sqlite_config(folder / ANSWERS_FILE, reader=True),
        temp_folder=None,
        language="zh-hans",
        log_level="INFO",
        log_format="json",
    )
