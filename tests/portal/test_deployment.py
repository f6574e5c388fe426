"""What Django takes from a home, and database addresses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from shutong.engine.home import Home
from shutong.portal.databases import DatabaseUrlError, Router, database_config
from shutong.portal.deployment import deployment


def test_a_home_is_served_with_its_own_secret_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.create(tmp_path / "home", demo=True)
    monkeypatch.setenv("SHUTONG_HOME", str(home.path))
    found = deployment()
    assert (found.home, found.demo, found.https) == (home.path, True, False)
    assert found.secret_key == home.keys.django_secret
    assert found.secret_key not in repr(found)
    assert found.default["NAME"] == str(home.state_database)
    assert "query_only" in found.answers["OPTIONS"]["init_command"]


def test_a_public_address_makes_cookies_secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.create(tmp_path / "home")
    monkeypatch.setenv("SHUTONG_HOME", str(home.path))
    monkeypatch.setenv("SHUTONG_PUBLIC_URL", "https://data.example.gov.cn:8443")
    monkeypatch.setenv("SHUTONG_DATABASE_URL", "postgresql://shutong:pa%40ss@db:5433/city")
    found = deployment()
    assert found.https
    assert "data.example.gov.cn" in found.allowed_hosts
    assert found.trusted_origins == ("https://data.example.gov.cn:8443",)
    assert "pa@ss" not in repr(found)


def test_two_processes_without_a_home_have_different_secrets() -> None:
    assert deployment().secret_key != deployment().secret_key


def test_addresses_of_databases() -> None:
    found = database_config("postgresql://me:p%40s@db.example:5433/city?sslmode=require")
    assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("city", "me", "p@s")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("db.example", "5433", {"sslmode": "require"})
    assert database_config("sqlite:////var/lib/state.sqlite3")["NAME"] == "/var/lib/state.sqlite3"
    reader = database_config("postgres://me@db/city", reader=True)
    assert "read_only" in reader["OPTIONS"]["options"]


@pytest.mark.parametrize(
    "url", ["mysql://me:secret@db/x", "postgresql://me:secret@db", "sqlite://", "city", "postgres://db:secret/x"]
)
def test_other_addresses_are_refused_without_repeating_the_password(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        database_config(url)
    assert "secret" not in str(caught.value)


def test_tables_that_were_decided_on_never_go_to_the_answers() -> None:
    router = Router()
    assert router.allow_migrate("default", "accounts") is True
    assert router.allow_migrate("answers", "accounts") is False


def test_django_finds_nothing_wrong_and_no_migration_is_missing(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home")
    environment = {**os.environ, "SHUTONG_HOME": str(home.path), "DJANGO_SETTINGS_MODULE": "shutong.portal.settings"}
    command = [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WARNINGS" not in ran.stderr


@pytest.mark.django_db
@pytest.mark.urls("django.conf.urls.i18n")
def test_every_answer_carries_the_security_headers(client: Client) -> None:
    answer = client.post("/setlang/", {"language": "en"})
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert (answer["X-Frame-Options"], answer["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer.cookies["language"].value == "en"
    assert client.post("/setlang/", HTTP_HOST="evil.example").status_code == 400
