"""Fixtures of all areas: a home, and people who act."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from shutong.accounts.actors import Actor
from shutong.engine.home import Home


def pytest_configure(config: pytest.Config) -> None:
    """Makes the test databases writable and signing in quick."""
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    answers = django_settings.DATABASES["answers"]
    if "init_command" in answers.get("OPTIONS", {}):
        # In the web process ready answers are read-only; tests fill them through the same alias.
        answers["OPTIONS"]["init_command"] = answers["OPTIONS"]["init_command"].replace("PRAGMA query_only=ON;", "")


@pytest.fixture
def home(tmp_path: Path, settings: Settings) -> Home:
    """A real, empty home, which Django serves in this test; the state database is the test's own."""
    made = Home.create(tmp_path / "home")
    settings.SHUTONG_HOME = made.path
    return made


@pytest.fixture
def operator() -> Actor:
    """An operator of the data bureau: may deliver, run and install anything."""
    return Actor(id="u-operator", name="运维员", roles=frozenset({"operator"}))


@pytest.fixture
def steward() -> Actor:
    """The data steward of the department ``market-supervision``."""
    return Actor(id="u-steward", name="数据专员", department="market-supervision", roles=frozenset({"steward"}))
