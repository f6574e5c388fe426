"""The first thing that ``shutong`` runs: what is imported is large, and Ctrl-C must not end in a traceback meanwhile."""

from __future__ import annotations

import _thread
import importlib
import os
import signal
import sys
import threading
from typing import Final

INTERRUPTED: Final = 130


def _not_lost(told: sys.UnraisableHookArgs) -> None:
    """Ctrl-C that comes while Python tidies up behind the program is ignored by it: it is given again."""
    if told.exc_type is KeyboardInterrupt:
        # In a moment: here it would be lost once more.
        threading.Timer(0.05, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(told)


def main() -> None:
    """Entry point of the command."""
    sys.unraisablehook = _not_lost
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Nothing has been begun that would have to be put away.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
        command = importlib.import_module("shutong.cli.main")
        signal.signal(signal.SIGINT, signal.default_int_handler)
    else:
        command = importlib.import_module("shutong.cli.main")
    sys.exit(command.execute())
