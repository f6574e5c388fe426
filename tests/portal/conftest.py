"""A served home with realistic answers, made once for all portal tests."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from django.utils import translation


def _fixtures() -> ModuleType:
    """``fixtures.py`` beside this file (tests are no package)."""
    name = "portal_fixtures"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("fixtures.py"))
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """A request in English leaves its language to the thread; no test begins with that of another."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def answers_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[dict[str, Any]]]]:
    """A folder with ready answers, and the rows in it."""
    home = tmp_path_factory.mktemp("home")
    return home, _fixtures().fill(home / "answers")


@pytest.fixture
def rows(answers_home: tuple[Path, dict[str, list[dict[str, Any]]]], settings: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows of the answers that the site serves during the test."""
    settings.SHUTONG_HOME = answers_home[0]
    return answers_home[1]


@pytest.fixture
def site(rows: dict[str, list[dict[str, Any]]], db: None) -> Client:
    """A reader who is not signed in."""
    return Client()
