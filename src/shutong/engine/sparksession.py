"""The one Spark session of this process: where it runs, how much memory it has, and what it must not do by itself.

Spark is an extra (``pip install 'shutong[spark]'``, and Java 17 from the system), so nothing here is imported before
a stage runs.
"""

from __future__ import annotations

import atexit
import importlib.util
import logging
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shutong.engine import journal
from shutong.engine.errors import SettingsError
from shutong.engine.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FOLDER: Final = "spark"
"""Prefix of the temporary folder of a process's session."""

_SHARE_OF_HEAP: Final = 0.6
_LEAST_HEAP: Final = 600_000_000  # Spark refuses less than 450 MiB.
_BATCH_ROWS: Final = 65_536

_LOG: Final = """rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = spark %p %c{1}: %m%n
"""

_ALWAYS: Final = {
    # One meaning of errors: what DuckDB refuses (a bad cast, an overflow), Spark refuses too.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.hadoop.parquet.compression.codec.zstd.level": "1",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    # Without files of checksums (Parquet has its own), for each of which Hadoop starts a process.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    # Files are named by the manifest; Spark need not look for them with a job of its own.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
    # Partitions follow the size of the data, so that little data makes few tasks and one file.
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(_BATCH_ROWS),
    "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}

_lock = threading.Lock()
_session: tuple[SparkSession, journal.LockedFolder] | None = None


def missing() -> str | None:
    """What Spark lacks on this machine, in one sentence; None where it can run."""
    absent = [name for name in ("pyspark", "pandas") if importlib.util.find_spec(name) is None]
    if absent:
        return f"没有安装 {' 和 '.join(absent)} / not installed: {' and '.join(absent)} (pip install 'shutong[spark]')"
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        return "没有 Java / no Java (Debian: apt install openjdk-17-jre-headless)"
    return None


def shared_session(settings: Settings, temp: Path) -> SparkSession:
    """The session of this process, started when it is first asked for; it ends with the process.

    A Java machine's memory and folder cannot be changed later, so the settings of the first home count.

    Raises:
        SettingsError: Spark's packages or Java are missing.
    """
    global _session  # noqa: PLW0603
    with _lock:
        if _session is not None and not _session[1].path.exists():
            # The home in which it began is gone, and with it the folder that it spills to.
            _session[0].stop()
            _session = None
        if _session is None:
            lacking = missing()
            if lacking is not None:
                zh, _, en = lacking.partition(" / ")
                raise SettingsError(f'设置 engine = "spark"，但{zh}', f'the setting engine = "spark": {en}')
            _session = _start(settings, temp)
        return _session[0]


def _start(settings: Settings, temp: Path) -> tuple[SparkSession, journal.LockedFolder]:
    from pyspark.sql import SparkSession

    # Removed by the next process when this one is killed.
    folder = journal.LockedFolder(temp, FOLDER)
    # The connection to the Java machine tells of its end when the process is ending.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    log = folder.path / "log4j2.properties"
    log.write_text(_LOG, encoding="utf-8")
    # Workers must be the interpreter that has the platform's functions.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    heap = max(_LEAST_HEAP, int(settings.memory_bytes * _SHARE_OF_HEAP)) // 1_000_000
    options = {
        **_ALWAYS,
        "spark.driver.memory": f"{heap}m",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile=file:{log} -Djava.io.tmpdir={folder.path}",
        "spark.local.dir": str(folder.path),
        "spark.sql.warehouse.dir": str(folder.path / "warehouse"),
        # Adaptive execution joins small ones; many make each of them small enough for the memory of a task.
        "spark.sql.shuffle.partitions": str(16 * settings.threads),
    }
    builder = SparkSession.builder.appName("shutong")
    master = settings.spark_master
    if master is None:
        master = f"local[{settings.threads}]"
        options |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    session = builder.master(master).config(map=options).getOrCreate()
    atexit.register(_end, session, folder)
    return session, folder


def _end(session: SparkSession, folder: journal.LockedFolder) -> None:
    session.stop()
    folder.close()
