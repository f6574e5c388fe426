"""Reading many deliveries at once, in processes of their own: decoding and checking are largely Python's work, of which
one process does only one thing at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import threading
import time
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
from shutong.quality.judging import judging
from shutong.spec.catalog import Catalog

WORTH_FILES: Final = 60
WORTH_BYTES: Final = 64_000_000
"""From so many files or bytes on, more is won than the start of the processes costs: they load two seconds of code."""


def worth_it(deliveries: Sequence[Delivery], threads: int) -> bool:
    """Whether these files are read sooner by several processes."""
    if threads < 2 or len(deliveries) < 2:
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
    processes = home.settings.threads
    with ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        _begin,
        (home.path, dataclasses.replace(catalog), folder, processes, os.getpid()),
    ) as pool:
        waiting = [pool.submit(_read, number, delivery) for number, delivery in enumerate(deliveries)]
        try:
            for one in waiting:
                yield one.result()
        except BrokenProcessPool as error:
            raise StageError(
                "读取文件的进程被系统终止（多半是内存不足），本次没有收下任何文件。请调低 memory_limit 或增加内存后重试",
                "a process that reads files was ended by the system, most likely for want of memory; nothing was taken "
                "in. Lower memory_limit or add memory, and deliver again",
            ) from error
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
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    home = Home.open(path)
    judge_for = _Own.open.enter_context(judging(home, catalog, threads=1, share=1 / processes))
    _Own.catalog = catalog
    # Nothing is held in memory, so that nothing has to be handed over.
    _Own.desk = Desk(home.keys, limits_of(home.settings), folder, Budget(0), judge_for)


def _end_with(parent: int) -> None:
    """End when the process that asked is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _read(number: int, delivery: Delivery) -> Read:
    read = _Own.desk.read(number, delivery, _Own.catalog.resources[delivery.resource])
    read.accepted.finish()
    read.rejected.finish()
    return read
