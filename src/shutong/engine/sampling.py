"""How much memory a piece of work took: the largest resident size of the process and its children, sampled."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_EVERY: Final = 0.05


def resident_bytes(pid: int | None = None) -> int:
    """Resident bytes of a process and all its descendants; 0 where the system has no ``/proc``."""
    pid = os.getpid() if pid is None else pid
    total = 0
    waiting = [pid]
    while waiting:
        each = waiting.pop()
        try:
            total += int(Path(f"/proc/{each}/statm").read_bytes().split()[1]) * _PAGE
            for task in Path(f"/proc/{each}/task").iterdir():
                children = (task / "children").read_text()
                waiting += [int(child) for child in children.split()]
        except (OSError, IndexError, ValueError):
            continue
    return total


class Peak:
    """The largest size seen so far, in bytes."""

    def __init__(self) -> None:
        self.bytes = 0

    def look(self) -> None:
        self.bytes = max(self.bytes, resident_bytes())


@contextlib.contextmanager
def watch_memory() -> Iterator[Peak]:
    """Sample the process tree every 50 ms while the block runs."""
    peak = Peak()
    done = threading.Event()

    def sample() -> None:
        peak.look()
        while not done.wait(_EVERY):
            peak.look()

    thread = threading.Thread(target=sample, name="memory-watch", daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()
        peak.look()
