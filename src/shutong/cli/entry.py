"""The first thing that ``shutong`` runs: what is imported is large, and Ctrl-C must not end in a traceback meanwhile."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Final

INTERRUPTED: Final = 130


def main() -> None:
    """Entry point of the command."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Nothing has been begun that would have to be put away.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
        command = importlib.import_module("shutong.cli.main")
        signal.signal(signal.SIGINT, signal.default_int_handler)
    else:
        command = importlib.import_module("shutong.cli.main")
    sys.exit(command.execute())
