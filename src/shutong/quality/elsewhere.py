"""Reading many deliveries at once, in processes of their own: decoding and checking are largely Python's work, of which
one process does only one thing at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from shutong.collect.delivery import limits_of
from shutong.collect.intake import Delivery, Desk, Read
from shutong.collect.spool import Budget
from shutong.engine.errors import StageError
from shutong.engine.home import Home
from shutong.engine.processes import end_with
from shutong.quality.judging import judging
from shutong.spec.catalog import Catalog

WORTH_FILES: Final = 60
WORTH_BYTES: Final = 64_000_000
"""From so many files or bytes on, more is won than the start of the processes costs: they load two seconds of code."""

_MEMORY_OF_ONE: Final = 400_000_000
"""Bytes of the home's memory that a process is counted with: code, a chunk of a file, its checks."""


def processes_for(home: Home, deliveries: Sequence[Delivery]) -> int:
    """How many processes the home's threads and memory allow for so many files."""
    return min(home.settings.threads, len(deliveries), home.settings.memory_bytes // _MEMORY_OF_ONE)


def worth_it(home: Home, deliveries: Sequence[Delivery]) -> bool:
    """Whether these files are read sooner by several processes."""
    if processes_for(home, deliveries) < 2:
        return False
    return len(deliveries) >= WORTH_FILES or sum(map(_size, deliveries)) >= WORTH_BYTES


def _size(delivery: Delivery) -> int:
    # A file that is not there is told by who reads it.
    with contextlib.suppress(OSError):
        return delivery.path.stat().st_size
    return 0


def read_elsewhere(home: Home, catalog: Catalog, folder: Path, deliveries: Sequence[Delivery]) -> Iterator[Read]:
    """What reading each delivery gave, in their order; rows wait in files below ``folder``.

    Raises:
        OSError: the disk is full or failing.
        StageError: a process was ended from outside.
    """
    processes = processes_for(home, deliveries)
    pool = ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        _begin,
        (home.path, dataclasses.replace(catalog), folder, processes, os.getpid()),
    )
    try:
        waiting = [pool.submit(_read, number, delivery) for number, delivery in enumerate(deliveries)]
        for one in waiting:
            yield one.result()
    except BrokenProcessPool as error:
        raise StageError(
            "读取文件的进程被系统终止（多半是内存不足），本次没有收下任何文件。请调低 threads 或增加内存后重试",
            "a process that reads files was ended by the system, most likely for want of memory; nothing was taken "
            "in. Lower threads or add memory, and deliver again",
        ) from error
    except BaseException:
        # What they are at is of no use any more, and a large file may take minutes.
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Own:
    """What a reading process has for itself."""

    desk: Desk
    catalog: Catalog
    open = contextlib.ExitStack()


def _begin(path: Path, catalog: Catalog, folder: Path, processes: int, parent: int) -> None:
    # Who asked is interrupted and says so; what it holds here is of no use then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent)
    home = Home.open(path)
    judge_for = _Own.open.enter_context(judging(home, catalog, threads=1, share=1 / processes))
    _Own.catalog = catalog
    # Nothing is held in memory, so that nothing has to be handed over.
    _Own.desk = Desk(home.keys, limits_of(home.settings), folder, Budget(0), judge_for)


def _read(number: int, delivery: Delivery) -> Read:
    read = _Own.desk.read(number, delivery, _Own.catalog.resources[delivery.resource])
    read.accepted.finish()
    read.rejected.finish()
    return read
