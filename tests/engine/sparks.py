"""Spark in tests: one session for the whole test process, and what is said where it cannot run."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

from shutong.engine.engine import Engine
from shutong.engine.home import Home
from shutong.engine.lake import Lake
from shutong.engine.settings import Settings
from shutong.engine.spark import SparkComputing
from shutong.engine.sparksession import missing

_MEMORY = "1500MB"


def require_spark() -> None:
    """Skip the test with the reason where Spark cannot run; with ``SHUTONG_REQUIRE_SERVICES=1`` it fails."""
    reason = missing()
    if reason is None:
        # The compiler that starts fastest: a test's queries are short. It counts when the session starts.
        os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
        return
    if os.environ.get("SHUTONG_REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def spark_computing() -> SparkComputing:
    """Stages on Spark, with a temporary folder that outlives the homes of single tests."""
    settings = Settings(memory_limit=_MEMORY, threads=2, engine="spark")
    return SparkComputing(settings, Path(tempfile.mkdtemp(prefix="shutong-spark-")))


def spark_engine(home: Home) -> Engine:
    """An engine over a home's lake whose stages run on Spark."""
    require_spark()
    return Engine(home.settings, Lake(home.lake), home.tmp, computing=spark_computing())
