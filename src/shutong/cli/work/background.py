"""The process beside the site: background work and the daily schedule. Ends when the site does."""

from __future__ import annotations

import importlib
import os
import signal
import threading
from pathlib import Path

from shutong.engine.processes import end_with

SITE_FIRST = 4.0
"""Seconds that the site gets to start; who opened it waits, background work does not mind."""


def main() -> None:
    """Work until terminated, or until the process that started it is gone. The site, which starts beside it, comes first."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    end_with(os.getppid(), stop.set)
    if stop.wait(SITE_FIRST):
        return
    importlib.import_module("shutong.portal.django").setup(Path(os.environ["SHUTONG_HOME"]))
    roof = importlib.import_module("shutong.portal.background")
    importlib.import_module("shutong.jobs.worker").run_worker(roof.HANDLERS, roof.SCHEDULE, stop=stop)


if __name__ == "__main__":
    main()
