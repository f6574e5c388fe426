"""Processes that help another one and are of no use without it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final

_LOOKS: Final = 0.5
"""Seconds between two looks."""


def end_with(parent: int, end: Callable[[], object] = lambda: os._exit(1)) -> None:
    """Watch the process that started this one, and ``end`` when it is gone, however it went.

    Args:
        parent: its id, taken before this process was started: it may be gone already.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOKS)
        end()

    threading.Thread(target=watch, name="end-with", daemon=True).start()
