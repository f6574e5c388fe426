"""Looking after a home: backup while it works, restore that is whole or nothing, upgrade, and personal data sealed."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shutong import __version__
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from tests.cli.demohome import demo_home
from tests.cli.shell import Shell
from tests.services import require_postgres

COMMAND = [sys.executable, "-m", "shutong.cli.main"]


@pytest.fixture(scope="module")
def saved(city: Shell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the demo home."""
    target = tmp_path_factory.mktemp("backup") / "备份 1.tar"
    city("backup", target)
    return target


def tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of a home's lake; the moment of a delivery too."""
    engine = engine_of(Home.open(folder))
    try:
        names = engine.lake.tables()
        return {name: engine.query("SELECT * FROM t ORDER BY ALL", {"t": name}).to_pylist() for name in names}
    finally:
        engine.close()


def findings(shell: Shell, folder: Path) -> dict[str, dict[str, str]]:
    lines = shell("doctor", "--home", folder, "--json", code=None).lines
    return {line["name"]: line for line in lines}


# --- backup and restore -------------------------------------------------------------------------------------------


def test_a_restored_home_is_the_home(city: Shell, saved: Path, tmp_path: Path) -> None:
    assert city.home
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    folder = tmp_path / "恢复 1"
    shell = Shell(folder)
    assert "核对无误" in shell("restore", saved).err
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o700
    assert tables(folder) == tables(city.home)
    assert not list(folder.glob("restoring-*"))
    assert findings(shell, folder)["answers"]["state"] == "warn"
    assert shell("run", "--json").json["kind"] == "nothing"
    assert {one["state"] for one in findings(shell, folder).values()} == {"ok"}
    assert shell("audit", "--json").json["ok"]
    found = [one("query", "有限", "--json").json for one in (shell, city)]
    assert found[0] == found[1]
    shell.close()


def test_a_backup_is_not_put_where_it_does_harm(city: Shell, saved: Path, tmp_path: Path) -> None:
    assert city.home
    before = saved.read_bytes()
    assert "已存在" in city("backup", saved, code=1).err
    assert saved.read_bytes() == before
    assert (
        "outside" in city("backup", city.home / "x.tar", code=1).err
        or "elsewhere" in city("backup", city.home / "x.tar", code=1).err
    )
    assert "没有文件夹" in city("backup", tmp_path / "nowhere" / "x.tar", code=1).err
    assert not (city.home / "x.tar").exists() and not (tmp_path / "nowhere").exists()


def test_a_backup_of_a_home_at_work_is_sound(copied: Path, shutong: Shell, tmp_path: Path) -> None:
    """Backups that are made while a run recomputes everything and files come in all restore to a sound home."""
    work = subprocess.Popen([*COMMAND, "run", "--full", "--home", str(copied)], stderr=subprocess.DEVNULL)
    shell = Shell(copied)
    made: list[Path] = []
    while work.poll() is None or len(made) < 2:
        made.append(tmp_path / f"{len(made)}.tar")
        shell("backup", made[-1])
        shell("collect", "penalty", _delivery(tmp_path, len(made)), code=3)
    shell.close()
    assert work.returncode == 0
    for number, target in enumerate((made[0], made[-1])):
        folder = tmp_path / f"restored-{number}"
        shutong("restore", target, "--home", folder)
        rows = tables(folder)
        assert rows["subjects"] and rows["ways"]


def _delivery(folder: Path, number: int) -> Path:
    path = folder / f"{number}.csv"
    path.write_text(f"甲,乙\n{number},2\n", encoding="utf-8")
    return path


def _damage(saved: Path, how: str) -> bytes:
    data = bytearray(saved.read_bytes())
    if how == "flipped":
        with tarfile.open(saved) as archive:
            members = [one for one in archive if one.size > 100]
        member = random.Random(3).choice(members)
        data[member.offset_data + member.size // 2] ^= 1
    elif how == "cut":
        del data[len(data) // 2 :]
    elif how == "cut at a file":
        with tarfile.open(saved) as archive:
            del data[archive.getmembers()[5].offset :]
    elif how == "empty":
        data.clear()
    elif how == "text":
        data[:] = b"not a backup\n" * 100
    else:
        stream = io.BytesIO(data)
        with tarfile.open(fileobj=stream, mode="a") as archive:
            info = tarfile.TarInfo({"more": "lake/more.txt", "outside": "../outside.txt", "link": "keys/link"}[how])
            if how == "link":
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            info.size = 0 if how == "link" else 5
            archive.addfile(info, io.BytesIO(b"hello"))
        data = bytearray(stream.getvalue())
    return bytes(data)


@pytest.mark.parametrize("how", ["flipped", "cut", "cut at a file", "empty", "text", "more", "outside", "link"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(shutong: Shell, saved: Path, tmp_path: Path, how: str) -> None:
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(_damage(saved, how))
    place = tmp_path / "place"
    place.mkdir()
    for folder in (tmp_path / "deep" / "new", place):
        done = shutong("restore", damaged, "--home", folder, code=1)
        assert str(damaged) in done.err or "备份已损坏" in done.err
        assert len(done.err.strip().splitlines()) == 2
    assert not (tmp_path / "deep" / "new").exists() and list(place.iterdir()) == []
    assert not (tmp_path / "outside.txt").exists()


def test_a_restore_needs_a_new_folder_and_a_file(shutong: Shell, saved: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert "不是空文件夹" in shutong("restore", saved, "--home", tmp_path, code=1).err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert "没有备份文件" in shutong("restore", tmp_path / "none.tar", "--home", tmp_path / "new", code=1).err
    assert "没有备份文件" in shutong("restore", tmp_path, "--home", tmp_path / "new", code=1).err


def test_a_full_disk_leaves_neither_backup_nor_home(saved: Path, tmp_path: Path) -> None:
    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    for words in (
        ["restore", str(saved), "--home", str(tmp_path / "new")],
        ["backup", str(tmp_path / "b.tar"), "--home", str(demo_home())],
    ):
        done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, preexec_fn=small, timeout=120)
        assert done.returncode == 1, done.stderr
        assert "the disk" in done.stderr or "raise the limit" in done.stderr
        assert "Traceback" not in done.stderr and "debug" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def empty_databases() -> Iterator[list[str]]:
    """Addresses of two empty databases on a PostgreSQL server."""
    url = require_postgres()
    if shutil.which("pg_dump") is None:
        pytest.skip("the PostgreSQL client (pg_dump) is not installed")
    names = [f"shutong_test_{uuid4().hex[:12]}" for _ in range(2)]
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield [urlsplit(url)._replace(path=f"/{name}").geturl() for name in names]
        finally:
            for name in names:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.services
def test_a_home_on_postgresql_comes_back_in_an_empty_database(empty_databases: list[str], tmp_path: Path) -> None:
    first, second = empty_databases
    shutong = Shell()
    shutong("pack", "new", "water", "--target", tmp_path)
    shutong.close()
    shell = Shell(tmp_path / "home", SHUTONG_DATABASE_URL=first)
    shell("init", "--pack", tmp_path / "water")
    shell("account", "add", "zhang", "--role", "auditor")
    shell("backup", tmp_path / "b.tar")
    accounts = shell("account", "list", "--json").json
    shell.close()
    restored = Shell(tmp_path / "new", SHUTONG_DATABASE_URL=first)
    assert "holds tables already" in restored("restore", tmp_path / "b.tar", code=1).err
    assert not (tmp_path / "new").exists()
    restored.close()
    restored = Shell(tmp_path / "new", SHUTONG_DATABASE_URL=second)
    restored("restore", tmp_path / "b.tar")
    restored.close()
    # The restored home remembers its database.
    restored = Shell(tmp_path / "new")
    assert restored("account", "list", "--json").json == accounts != []
    assert restored("audit", "--json").json["ok"]
    restored.close()


# --- upgrade ------------------------------------------------------------------------------------------------------


def test_an_upgrade_brings_the_database_to_this_version(copied: Path, shutong: Shell) -> None:
    back = [sys.executable, "-m", "django", "migrate", "--skip-checks", "--verbosity", "0", "pipeline", "0001"]
    environment = {**os.environ, "SHUTONG_HOME": str(copied), "DJANGO_SETTINGS_MODULE": "shutong.portal.settings"}
    subprocess.run(back, env=environment, check=True, timeout=120)
    shell = Shell(copied)
    found = findings(shell, copied)["database"]
    assert found["state"] == "fail" and "shutong upgrade" in found["zh"] and "shutong upgrade" in found["en"]
    before = tables(copied)
    assert "已升级" in shell("upgrade").err
    assert findings(shell, copied)["database"]["state"] == "ok"
    assert "没有变化" in shell("upgrade").err
    assert tables(copied) == before
    shell.close()


def test_a_declaration_that_both_changed_needs_a_decision(tmp_path: Path, shutong: Shell) -> None:
    shutong("pack", "new", "water", "--target", tmp_path)
    shell = Shell(tmp_path / "home")
    shell("init", "--pack", tmp_path / "water")
    file = tmp_path / "water" / "resources" / "water-record.yml"
    text = file.read_text(encoding="utf-8")
    with sqlite3.connect(tmp_path / "home" / "state.sqlite3") as state:
        (content,) = state.execute(
            "SELECT content FROM catalog_publisheddeclaration WHERE kind = 'resource'"
        ).fetchone()
        here = json.dumps({**json.loads(content), "basis": "本机的依据"}, ensure_ascii=False, separators=(",", ":"))
        state.execute("UPDATE catalog_publisheddeclaration SET content = ? WHERE kind = 'resource'", (here,))
    line = next(one for one in text.splitlines() if one.startswith("basis:"))
    file.write_text(text.replace(line, "basis: 文件的依据"), encoding="utf-8")
    refused = shell("pack", "install", tmp_path / "water", code=3)
    assert "basis" in refused.err and "--prefer" in refused.err
    assert "publication 2" in shell("pack", "install", tmp_path / "water", "--prefer", "here").err
    shell.close()


# --- personal data ------------------------------------------------------------------------------------------------


def _readable(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What can be read in the files of a home: their bytes, and the columns of tables as text."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.relative_to(folder).parts[0] == "city":
            continue
        yield str(path.relative_to(folder)), path.read_bytes()
        if path.suffix == ".parquet":
            for name, column in zip((table := pq.read_table(path)).column_names, table.columns, strict=True):
                yield f"{path.relative_to(folder)}:{name}", _text(column)


def _text(column: pa.ChunkedArray) -> bytes:
    if pa.types.is_binary(column.type):
        return b"\n".join(value for value in column.to_pylist() if value)
    return json.dumps(column.to_pylist(), ensure_ascii=False, default=str).encode()


def test_no_planted_number_stands_in_plain_anywhere_in_a_home(city: Shell) -> None:
    assert city.home
    planted = pq.read_table(city.home / "city" / "truth" / "planted_personal.parquet").column("value").to_pylist()
    numbers = {value.encode() for value in planted}
    assert len(numbers) > 100
    # They were delivered: otherwise it would be no wonder.
    sources = b"".join(path.read_bytes() for path in (city.home / "city" / "deliveries").rglob("*.csv"))
    assert sum(number in sources for number in numbers) > 20
    city("query", "有限", "--json")
    city("doctor")
    read, found = 0, []
    for name, data in _readable(city.home):
        read += 1
        found += [name for number in numbers if number in data]
    assert found == [] and read > 300


HOMES = sorted((Path(__file__).parent / "homes").glob("home-*.tar.gz"))


@pytest.mark.parametrize("saved_home", HOMES, ids=lambda path: path.name.removesuffix(".tar.gz"))
def test_a_home_of_every_release_is_upgraded_and_read(tmp_path: Path, saved_home: Path) -> None:
    shell = Shell(tmp_path / "home")
    shell("restore", saved_home)
    shell("upgrade")
    assert shell("run", "--day", "2026-07-03", "--json").json["kind"] in {"full", "increment"}
    (found,) = shell("query", "青禾食品", "--json").json["subjects"]
    assert (found["name"], found["uscc"]) == ("青禾食品有限公司", "91350100M000100Y43")
    assert [fact["kind"] for fact in found["facts"]] == ["registration"]
    assert shell("account", "list", "--json").json[0]["name"] == "zhang"
    assert shell("audit", "--json").json["ok"]
    assert {one["state"] for one in findings(shell, tmp_path / "home").values()} == {"ok"}
    shell.close()


def test_this_release_has_its_home() -> None:
    assert f"home-{__version__}.tar.gz" in {path.name for path in HOMES}
