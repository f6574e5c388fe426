"""A home and an engine of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.create(tmp_path / "home")


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    opened = engine_of(home)
    yield opened
    opened.close()
