"""A home and an engine of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shutong.engine.duck import DuckEngine
from shutong.engine.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.create(tmp_path / "home")


@pytest.fixture
def engine(home: Home) -> Iterator[DuckEngine]:
    opened = DuckEngine.of_home(home)
    yield opened
    opened.close()
