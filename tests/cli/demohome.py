"""A small demo home, made once per process by the command that a newcomer types."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from tests.cli.shell import Shell

SUBJECTS, DAYS, SEED = 60, 3, 5


@functools.cache
def demo_home() -> Path:
    """The folder of the finished home; only read it, or copy it."""
    home = Path(tempfile.mkdtemp(prefix="shutong-demo-")) / "home"
    words = ("--subjects", str(SUBJECTS), "--days", str(DAYS), "--seed", str(SEED), "--no-serve")
    shell = Shell(home)
    try:
        shell("demo", *words)
    finally:
        shell.close()
    return home
