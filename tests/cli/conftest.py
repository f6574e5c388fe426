"""A shell without a home, and one on a small demo city; both are made once for a file of tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.demohome import demo_home
from tests.cli.shell import Shell


@pytest.fixture(scope="module")
def shutong() -> Iterator[Shell]:
    """Commands that need no home, or find none where they are told to look."""
    shell = Shell()
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Commands on a copy of a small finished demo home, which they may change."""
    home = tmp_path_factory.mktemp("city") / "数据 之家"
    shutil.copytree(demo_home(), home)
    shell = Shell(home)
    yield shell
    shell.close()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the demo home for tests that damage it."""
    home = tmp_path / "home"
    shutil.copytree(demo_home(), home, ignore=shutil.ignore_patterns("city"))
    return home
