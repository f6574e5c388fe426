"""``shutong doctor``: each thing that can be wrong is made wrong once, and the finding says what to do."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shutong.engine.home import Home
from tests.cli.demohome import demo_home
from tests.cli.shell import Shell


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, Path]]:
    """A shell on a home that each test damages and that is made whole after it."""
    folder = tmp_path_factory.mktemp("sick") / "home"
    shutil.copytree(demo_home(), folder, ignore=shutil.ignore_patterns("city"))
    shell = Shell(folder)
    yield shell, folder
    shell.close()


@pytest.fixture
def whole(sick: tuple[Shell, Path]) -> Iterator[Path]:
    """The home as it was made, before and after a test."""
    _, folder = sick
    yield folder
    for path in list(folder.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.copytree(demo_home(), folder, ignore=shutil.ignore_patterns("city"), dirs_exist_ok=True)


def state(sql: str) -> Callable[[Path], None]:
    """A statement on the state database."""

    def change(home: Path) -> None:
        with sqlite3.connect(home / "state.sqlite3") as database:
            database.execute(sql)

    return change


def replaced(name: str, content: bytes | None) -> Callable[[Path], None]:
    """A file of the home with other content, or without one."""

    def change(home: Path) -> None:
        for path in home.glob(name):
            if content is None:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)

    return change


def setting(line: str) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        file = home / "home.toml"
        file.write_text(line + "\n" + file.read_text(encoding="utf-8"), encoding="utf-8")

    return change


def loose_keys(home: Path) -> None:
    (home / "keys" / "keyring.json").chmod(0o644)


_FAILED_TASK = (
    "INSERT INTO django_tasks_database_dbtaskresult (id, status, enqueued_at, args_kwargs, priority, task_path, queue_name,"
    " backend_name, exception_class_path, traceback, return_value, run_after, worker_ids) VALUES"
    " ('00000000000000000000000000000001', 'FAILED', '2026-01-01', '{}', 0, 'a.b', 'default', 'default', '', '', 'null',"
    " '2026-01-01', '[]')"
)


def test_a_sound_home_has_nothing_to_say(sick: tuple[Shell, Path]) -> None:
    lines = sick[0]("doctor", "--json").lines
    assert {line["state"] for line in lines} == {"ok"}
    names = {line["name"] for line in lines}
    assert names == {
        "python", "disk", "memory", "folders", "keys", "database", "lake", "catalog", "runs", "answers", "work"
    }  # fmt: skip
    assert all(line["zh"] and line["en"] for line in lines)
    assert "✓" in sick[0]("doctor").out


@pytest.mark.parametrize(
    ("damage", "name", "verdict", "advice"),
    [
        (loose_keys, "home", "fail", "chmod 600"),
        (replaced("keys", None), "home", "fail", "backup"),
        (replaced("keys/keyring.json", b"{"), "home", "fail", "backup"),
        (replaced("home.json", None), "home", "fail", "shutong init"),
        (replaced("home.json", b"{"), "home", "fail", "restore"),
        (replaced("home.json", b'{"format": 2}'), "home", "fail", "newer version"),
        (replaced("home.toml", b"prot = 1"), "home", "fail", "port"),
        (replaced("home.toml", b"port = 99999"), "home", "fail", "99999"),
        (replaced("home.toml", b"\xff\xfe"), "home", "fail", "TOML"),
        (replaced("home.toml", b"database_url = 'mysql://me:secret@db/x'"), "home", "fail", "postgresql://"),
        (setting("memory_limit = '9000GB'"), "memory", "warn", "lower memory_limit"),
        (replaced("state.sqlite3", b"junk" * 1000), "database", "fail", "restore a backup"),
        (
            state("DELETE FROM django_migrations WHERE app = 'pipeline' AND name LIKE '0002%'"),
            "database",
            "fail",
            "shutong upgrade",
        ),
        (
            state("INSERT INTO django_migrations (app, name, applied) VALUES ('pipeline', '0999_later', '2030-01-01')"),
            "database",
            "fail",
            "newer version",
        ),
        (replaced("lake", None), "lake", "fail", "restore"),
        (replaced("lake/subjects/*.parquet", None), "lake", "fail", "restore"),
        (replaced("lake/manifest/*.parquet", b"PAR1"), "lake", "fail", "backup"),
        (state("DELETE FROM catalog_publisheddeclaration"), "catalog", "warn", "shutong pack install"),
        (state("UPDATE pipeline_run SET state = 'killed'"), "runs", "fail", "shutong run"),
        (state("UPDATE pipeline_run SET state = 'failed'"), "runs", "fail", "shutong run"),
        (state("DELETE FROM pipeline_run"), "runs", "warn", "shutong run"),
        (replaced("answers/*", None), "answers", "warn", "shutong run"),
        (state(_FAILED_TASK), "work", "warn", "operations page"),
    ],
)
def test_what_is_wrong_is_found_with_what_to_do(
    sick: tuple[Shell, Path], whole: Path, damage: Callable[[Path], None], name: str, verdict: str, advice: str
) -> None:
    damage(whole)
    # A process that knows the home and its declarations already would not look again.
    shell = Shell(whole) if name in {"home", "catalog"} else sick[0]
    done = shell("doctor", "--json", code=1 if verdict == "fail" else 0)
    found = {line["name"]: line for line in done.lines}[name]
    assert found["state"] == verdict and advice in found["en"], found
    assert any("\u4e00" <= letter <= "\u9fff" for letter in found["zh"])
    assert "secret" not in done.out + done.err
    spoken = shell("doctor", code=done.code)
    assert found["en"].split()[0] in spoken.out + spoken.err
    if shell is not sick[0]:
        shell.close()


def test_ready_answers_that_lag_behind_are_told(sick: tuple[Shell, Path], whole: Path) -> None:
    kept = whole.parent / "answers"
    shutil.copytree(whole / "answers", kept)
    assert sick[0]("run", "--full", "--json").json["kind"] == "full"
    shutil.rmtree(whole / "answers")
    kept.rename(whole / "answers")
    found = {line["name"]: line for line in sick[0]("doctor", "--json").lines}["answers"]
    assert found["state"] == "warn" and "behind" in found["en"]


def test_a_run_on_a_lost_lake_is_refused(sick: tuple[Shell, Path], whole: Path) -> None:
    shutil.rmtree(whole / "lake")
    before = sqlite3.connect(whole / "state.sqlite3").execute("SELECT count(*), max(released_on) FROM rules_listing")
    rows = before.fetchall()
    assert "restore the whole home" in sick[0]("run", code=1).err
    after = sqlite3.connect(whole / "state.sqlite3").execute("SELECT count(*), max(released_on) FROM rules_listing")
    assert after.fetchall() == rows


def test_a_home_that_may_not_be_written_is_found(sick: tuple[Shell, Path], whole: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    whole.chmod(0o500)
    try:
        found = {line["name"]: line for line in sick[0]("doctor", "--json", code=1).lines}["folders"]
    finally:
        whole.chmod(0o700)
    assert found["state"] == "fail" and str(whole) in found["en"]


@pytest.mark.parametrize("command", ["run", "query", "collect", "upgrade", "backup", "account", "audit", "serve"])
def test_every_command_says_what_is_wrong_with_a_home(tmp_path: Path, shutong: Shell, command: str) -> None:
    more = {"query": ["甲乙"], "collect": ["penalty", "/x"], "backup": [str(tmp_path / "b.tar")], "account": ["list"]}
    newer = tmp_path / "newer"
    Home.create(newer)
    mark = newer / "home.json"
    mark.write_text(json.dumps({**json.loads(mark.read_text(encoding="utf-8")), "format": 2}), encoding="utf-8")
    for home, said in (
        (tmp_path / "nowhere", "shutong init"),
        (Path("/etc/passwd"), "cannot be opened"),
        (tmp_path, "shutong init"),
        (newer, "newer version"),
    ):
        done = shutong(command, *more.get(command, []), "--home", home, code=1)
        assert said in done.err and done.out == ""
    assert not (tmp_path / "b.tar").exists()


def test_a_database_that_does_not_answer_is_told_without_its_password(copied: Path) -> None:
    address = "postgresql://shutong:secret@127.0.0.1:1/city"
    for words in (["doctor", "--json"], ["run"], ["account", "list"]):
        done = subprocess.run(
            [sys.executable, "-m", "shutong.cli.main", *words, "--home", str(copied)],
            env={**os.environ, "SHUTONG_DATABASE_URL": address},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert "database_url" in done.stdout or "check its address" in done.stderr.lower()
        assert "secret" not in done.stdout + done.stderr and "Traceback" not in done.stderr
