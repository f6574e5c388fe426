"""``shutong keys``: the list shows no key, and after a change everything of before still opens and verifies."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shutong.engine.home import Home
from shutong.spec.scaffold import new_pack
from tests.cli.shell import Shell


@pytest.fixture(scope="module")
def water(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A home with one batch that has a rejected row."""
    folder = tmp_path_factory.mktemp("keys")
    new_pack("water", folder)
    shell = Shell(folder / "home")
    shell("init", "--pack", folder / "water")
    given = next((folder / "water").rglob("input-*.csv")).read_text(encoding="utf-8")
    (folder / "water.csv").write_text(given.replace("2024-03-05", "2024-02-30"), encoding="utf-8")
    shell("collect", "water-record", folder / "water.csv")
    yield shell
    shell.close()


def test_the_list_tells_of_every_key_and_shows_none(water: Shell) -> None:
    assert water.home
    found = water("keys", "list", "--json")
    assert [(one["key"], one["in_use"]) for one in found.json] == [
        (kind, True) for kind in ("master", "site", "matching", "data", "signing")
    ]
    today = datetime.now(UTC).date().isoformat()
    assert all(one["since"].startswith(today) and one["purpose_zh"] and one["purpose_en"] for one in found.json)
    keys = Home.open(water.home).keys
    assert found.json[-1]["id"] == keys.key_id
    said = found.out + water("keys", "list").out
    secrets = re.findall(
        r'"(?:django|matching|private|1)": "([^"]+)"', (water.home / "keys" / "keyring.json").read_text()
    )
    assert len(secrets) == 4
    for secret in (*secrets, next((water.home / "keys").glob("master-*.key")).read_text(), keys.django_secret):
        assert secret not in said


def test_what_was_sealed_and_signed_before_opens_after_every_change(water: Shell, tmp_path: Path) -> None:
    assert water.home
    before = {one["key"]: one["id"] for one in water("keys", "list", "--json").json}
    assert Home.open(water.home).keys.data_version == 1
    for kind in ("master", "data", "signing"):
        changed = water("keys", "rotate", kind, "--json").json
        assert changed["key"] == kind and changed["id"] not in {before[kind], ""} and changed["in_use"]
    after = water("keys", "list", "--json").json
    assert [(one["key"], one["in_use"]) for one in after] == [
        ("master", True), ("site", True), ("matching", True), ("data", False), ("data", True), ("signing", False), ("signing", True),
    ]  # fmt: skip
    told = water("keys", "list").out
    assert "只开旧件" in told and "只验旧件" in told
    assert "backup" in water("keys", "rotate", "signing").err
    with closing(sqlite3.connect(water.home / "state.sqlite3")) as state:
        [(batch_id, receipt)] = state.execute("SELECT batch_id, receipt FROM collect_batch").fetchall()
        actions = [row[0] for row in state.execute("SELECT action FROM audit_entry WHERE action LIKE '%rotate_key'")]
        bodies = " ".join(row[0] for row in state.execute("SELECT body FROM audit_entry"))
    assert len(actions) == 4
    assert all(one["id"] in bodies for one in after if one["key"] == "signing" and one["id"] != before["signing"])
    assert Home.open(water.home).keys.verify(receipt)["batch"] == batch_id
    water("rejects", batch_id, tmp_path / "rejects.csv")
    assert len((tmp_path / "rejects.csv").read_text(encoding="utf-8-sig").splitlines()) == 2
    assert "2024-02-30" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    water("audit")


def test_a_home_that_is_served_keeps_its_keys(water: Shell) -> None:
    assert water.home
    ring = (water.home / "keys" / "keyring.json").read_bytes()
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(water.home / "state.sqlite3")) as state, state:
        state.execute("INSERT INTO jobs_worker VALUES ('w', ?, ?, ?, ?)", (socket.gethostname(), os.getpid(), now, now))
    try:
        refused = water("keys", "rotate", "data", code=3)
        assert "shutong serve" in refused.err
    finally:
        with closing(sqlite3.connect(water.home / "state.sqlite3")) as state, state:
            state.execute("DELETE FROM jobs_worker")
    assert (water.home / "keys" / "keyring.json").read_bytes() == ring


@pytest.mark.parametrize("kind", ["matching", "site", "nonsense"])
def test_other_keys_cannot_be_changed(water: Shell, kind: str) -> None:
    assert "master" in water("keys", "rotate", kind, code=2).err


def test_a_keyring_of_an_earlier_version_has_no_moments(water: Shell) -> None:
    assert water.home
    path = water.home / "keys" / "keyring.json"
    ring = json.loads(path.read_text())
    del ring["made"]
    path.write_text(json.dumps(ring))
    assert {one["since"] for one in water("keys", "list", "--json").json} == {None}
    assert "未记录" in water("keys", "list").out
    water("keys", "rotate", "master")
    since = {one["key"]: one["since"] for one in water("keys", "list", "--json").json}
    assert since["master"] and since["data"] is None
