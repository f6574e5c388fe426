"""PostgreSQL's own commands for a backup: what they are given, and what is said when they fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from shutong.engine.errors import HomeError


class BackupError(HomeError):
    """A backup that could not be made, or that is damaged."""


def dump(url: str) -> bytes:
    """The whole database as pg_dump's own format.

    Raises:
        BackupError: the command is missing or failed.
    """
    return _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges"], url).stdout


def load(url: str, dumped: Path) -> None:
    """Fill an empty database from a dump.

    Raises:
        BackupError: the database holds tables already (they are left as they are), or the command is missing or failed.
    """
    if holds_tables(url):
        where = _without_password(url)[0]
        raise BackupError(
            f"数据库 {where} 中已有数据表，不会覆盖。请新建一个空库，并以 SHUTONG_DATABASE_URL 指明",
            f"the database {where} holds tables already and is left alone: make an empty one and name it by "
            "SHUTONG_DATABASE_URL",
        )
    _run(["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", str(dumped)], url)


def holds_tables(url: str) -> bool:
    """Whether the database has tables of anybody."""
    asked = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    return (
        _run(["psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--command={asked}"], url).stdout.strip() != b"0"
    )


def _run(command: Sequence[str], url: str) -> subprocess.CompletedProcess[bytes]:
    address, password = _without_password(url)
    # Not on the command line: everybody on the machine can read those.
    environment = {**os.environ, "PGPASSWORD": password} if password else None
    whole = [command[0], f"--dbname={address}", *command[1:]]
    try:
        return subprocess.run(whole, check=True, capture_output=True, env=environment)
    except FileNotFoundError as error:
        raise BackupError(
            f"找不到命令 {command[0]}，请安装 PostgreSQL 客户端",
            f"{command[0]} is missing: install the PostgreSQL client",
        ) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[:500]
        raise BackupError(
            f"{command[0]} 失败（{address}）：{said}", f"{command[0]} failed ({address}): {said}"
        ) from error


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(scheme="postgresql", netloc=f"{name}{at}{host}")), unquote(password)
