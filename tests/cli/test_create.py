"""A home that is made with a database address in the environment keeps it, so that later commands find the database."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from shutong.cli.work.create import create_home
from shutong.engine.settings import load_settings
from shutong.spec.scaffold import new_pack

ADDRESS = "postgresql://shutong:secret@127.0.0.1:5432/shutong"


def test_the_database_address_is_kept_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_pack("water", tmp_path)
    monkeypatch.setenv("SHUTONG_DATABASE_URL", ADDRESS)
    made = create_home(tmp_path / "home", [tmp_path / "water"])
    settings_file = made / "home.toml"
    assert load_settings(settings_file, {}).database_url == ADDRESS
    assert stat.S_IMODE(settings_file.stat().st_mode) == 0o600


def test_without_one_nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_pack("water", tmp_path)
    monkeypatch.delenv("SHUTONG_DATABASE_URL", raising=False)
    made = create_home(tmp_path / "home", [tmp_path / "water"])
    assert load_settings(made / "home.toml", {}).database_url is None
