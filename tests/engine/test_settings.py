"""Settings: defaults, the file, the environment, and errors that name the nearest key."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import pytest

from shutong.engine.errors import SettingsError
from shutong.engine.settings import (
    Bounds,
    Bucket,
    Limits,
    Settings,
    change_setting,
    load_settings,
    machine_memory,
    parse_size,
    settings_reference,
    settings_template,
)


def test_no_file_means_defaults(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "home.toml", {})
    assert settings.host == "127.0.0.1"
    assert settings.memory_bytes <= machine_memory()
    assert settings.limits.max_cell_chars == 100_000
    assert not settings.demo


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    path.write_text("port = 8001\nbusiness_day = 2026-01-05\n[limits]\nmax_columns = 10\nmax_rows = 5\n")
    environment = {"SHUTONG_PORT": "9000", "SHUTONG_LIMITS_MAX_ROWS": "7", "SHUTONG_DEMO": "true", "OTHER": "x"}
    settings = load_settings(path, environment)
    assert (settings.port, settings.demo, settings.business_day) == (9000, True, dt.date(2026, 1, 5))
    assert (settings.limits.max_columns, settings.limits.max_rows) == (10, 7)


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("memory_limt = '1GB'", {}, ["memory_limt", "memory_limit"]),
        ("[limits]\nmax_row = 1", {}, ["limits.max_row", "limits.max_rows"]),
        ("", {"SHUTONG_MEMRY_LIMIT": "1GB"}, ["SHUTONG_MEMRY_LIMIT", "SHUTONG_MEMORY_LIMIT"]),
        ("port = 'many'", {}, ["port", "many"]),
        ("", {"SHUTONG_PORT": "99999"}, ["SHUTONG_PORT", "99999"]),
        ("memory_limit = '1MB'", {}, ["memory_limit", "64MB"]),
        ("memory_limit = 'lots'", {}, ["memory_limit", "lots"]),
        ("port = ", {}, ["home.toml", "TOML"]),
        ("limits = 3", {}, ["limits"]),
        ("[serve]\nport = 1", {}, ["serve"]),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, environment: dict[str, str], words: list[str]) -> None:
    path = tmp_path / "home.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environment)
    assert all(word in caught.value.en for word in words)
    assert caught.value.zh
    assert not caught.value.transient


def test_variables_of_tests_and_homes_are_no_settings(tmp_path: Path) -> None:
    load_settings(tmp_path / "none", {"SHUTONG_HOME": "/x", "SHUTONG_TEST_DEPTH": "ci", "SHUTONG_REFERENCE_DATA": "/y"})


def test_sizes() -> None:
    assert [parse_size(each) for each in ("4GB", "1.5 MiB", "100", "2kb")] == [4 * 10**9, 3 * 2**19, 100, 2000]
    for bad in ("", "GB", "-1GB", "4 XB"):
        with pytest.raises(ValueError, match="size"):
            parse_size(bad)


def test_the_reference_lists_every_setting_with_a_description() -> None:
    rows = settings_reference()
    assert all(row.description for row in rows)
    keys = {row.key for row in rows}
    assert {"memory_limit", "limits.max_file_bytes", "business_day"} <= keys
    sections = (Limits, Bounds, Bucket)
    inner = sum(len(section.model_fields) for section in sections)
    assert len(rows) == len(Settings.model_fields) - len(sections) + inner
    assert all(row.variable.startswith("SHUTONG_") for row in rows)


def test_the_template_holds_only_comments_and_valid_examples(tmp_path: Path) -> None:
    text = settings_template()
    path = tmp_path / "home.toml"
    path.write_text(text)
    assert load_settings(path, {}) == Settings()
    examples = [line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line]
    for line in examples:
        if not line.endswith("= "):
            tomllib.loads(line)


def test_one_setting_is_changed_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    path.write_text(settings_template().replace("[limits]\n", "[limits]\nmax_rows = 9\n"))
    change_setting(path, "business_day", dt.date(2026, 3, 1))
    change_setting(path, "port", 8123)
    change_setting(path, "port", 8124)
    change_setting(path, "public_url", 'https://例"x\\')
    settings = load_settings(path, {})
    assert (settings.port, settings.business_day, settings.limits.max_rows) == (8124, dt.date(2026, 3, 1), 9)
    assert settings.public_url == 'https://例"x\\'
    before = path.read_text()
    with pytest.raises(SettingsError):
        change_setting(path, "port", 70000)
    with pytest.raises(SettingsError, match="port"):
        change_setting(path, "prt", 1)
    assert path.read_text() == before
    plain = tmp_path / "plain.toml"
    plain.write_text("[limits]\nmax_rows = 9")
    plain.chmod(0o600)
    change_setting(plain, "demo", True)
    assert load_settings(plain, {}).demo
    assert plain.stat().st_mode & 0o777 == 0o600


def test_a_setting_of_a_section_is_changed_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    change_setting(path, "s3.region", "north")
    assert path.read_text() == '[s3]\nregion = "north"\n\n'
    path.write_text(settings_template())
    change_setting(path, "bounds.merges_share", 0.5)
    change_setting(path, "s3.endpoint", "https://obs.example.cn")
    change_setting(path, "limits.max_rows", 8)
    change_setting(path, "limits.max_rows", 7)
    change_setting(path, "port", 8123)
    settings = load_settings(path, {})
    assert (settings.port, settings.limits.max_rows, settings.bounds.merges_share) == (8123, 7, 0.5)
    assert settings.s3.endpoint == "https://obs.example.cn"
    with pytest.raises(SettingsError, match=r"s3\.endpoint"):
        change_setting(path, "s3.endpoint", "obs")
    with pytest.raises(SettingsError, match=r"limits\.max_rows"):
        change_setting(path, "limits.max_row", 1)
    changed = [line for line in path.read_text().splitlines() if line and line[0] not in "#["]
    assert changed == [
        "port = 8123", "max_rows = 7", "merges_share = 0.5", 'endpoint = "https://obs.example.cn"',
    ]  # fmt: skip
