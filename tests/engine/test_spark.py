"""Spark keeps the contract of engines, and what is particular to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shutong.engine.engine import Engine
from shutong.engine.home import Home
from tests.engine.contract import EngineContract
from tests.engine.sparks import spark_engine

pytestmark = pytest.mark.services


class TestSpark(EngineContract):
    """The contract on Spark."""

    @pytest.fixture
    def engine(self, home: Home) -> Iterator[Engine]:
        opened = spark_engine(home)
        yield opened
        opened.close()
