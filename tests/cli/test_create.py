"""A home that is made with a database or a bucket in the environment keeps it, so that later commands find the data."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from shutong.cli.work.create import create_home
from shutong.engine.settings import load_settings
from shutong.spec.scaffold import new_pack
from tests.cli.shell import Shell
from tests.engine.buckets import KEY, SECRET, endpoint, new_bucket

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operators" / "operations.md"
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


def as_documented(values: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The variables that the section on buckets sets, with values of a test, and the command that follows them."""
    section = OPERATIONS.read_text(encoding="utf-8").split("## A lake in a bucket", 1)[1].split("\n## ", 1)[0]
    block = re.search(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert block
    *exports, command = block[1].splitlines()
    named = [line.removeprefix("export ").split("=")[0] for line in exports]
    assert all(line.startswith("export ") for line in exports) and command.startswith("shutong ")
    return {name: values[name] for name in named}, command.split()[1:]


@pytest.mark.services
def test_a_lake_in_a_bucket_as_the_operations_page_says(tmp_path: Path) -> None:
    bucket = new_bucket()
    variables, words = as_documented(
        {
            "SHUTONG_LAKE_LOCATION": bucket.address(),
            "SHUTONG_S3_ENDPOINT": endpoint(),
            "SHUTONG_S3_ACCESS_KEY_ID": KEY,
            "SHUTONG_S3_SECRET_ACCESS_KEY": SECRET,
        }
    )
    new_pack("water", tmp_path)
    first = Shell(tmp_path / "home", **variables)
    first(*words, "--pack", tmp_path / "water")
    first.close()
    settings_file = tmp_path / "home" / "home.toml"
    kept = load_settings(settings_file, {})
    assert (kept.lake_location, kept.s3.endpoint, kept.s3.access_key_id) == (bucket.address(), endpoint(), KEY)
    assert SECRET not in settings_file.read_text(encoding="utf-8")
    assert stat.S_IMODE(settings_file.stat().st_mode) == 0o600
    # From now on the secret alone is enough; without it a command says what it needs.
    later = Shell(tmp_path / "home", SHUTONG_S3_SECRET_ACCESS_KEY=SECRET)
    given = next((tmp_path / "water").rglob("input-*.csv"))
    later("collect", "water-record", given)
    later.close()
    assert bucket.holds_lake()
    assert not [path for path in (tmp_path / "home" / "lake").rglob("*") if path.is_file()]
    forgetful = Shell(tmp_path / "home")
    assert "s3.secret_access_key" in forgetful("collect", "water-record", given, code=1).err
    forgetful.close()
    second = Shell(tmp_path / "second", **variables)
    assert "another home" in second(*words, "--pack", tmp_path / "water", code=3).err
    second.close()
    lost = Shell(tmp_path / "third", **variables | {"SHUTONG_LAKE_LOCATION": "s3://no-such-bucket/lake"})
    assert "no-such-bucket" in lost(*words, "--pack", tmp_path / "water", code=3).err
    lost.close()
    assert not (tmp_path / "second").exists() and not (tmp_path / "third").exists()
