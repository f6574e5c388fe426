"""Where the processes of the site count their requests, so that whichever is asked for figures can add them up.

Each process writes files of its own into the folder that the variable ``PROMETHEUS_MULTIPROC_DIR`` names; ``serve`` names
it before the site starts. Without the variable (one process, tests) counts are kept in memory.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client reads it when it is imported."""


def begin_counting(home: Path) -> Path:
    """Make the empty folder of a site that starts: figures begin anew, as Prometheus expects of a restart."""
    folder = home / "tmp" / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def counting_folder() -> Path | None:
    """The folder of the site that this process belongs to; None where it counts for itself."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def keep_counts_of(process: int) -> None:
    """Add what a process that has ended counted to what those before it had, so that files do not pile up.

    The site replaces its processes every so many requests. Called by the process that started them.
    """
    folder = counting_folder()
    if folder is None:
        return
    values: Any = importlib.import_module("prometheus_client.mmap_dict").MmapedDict
    with counts_stand_still(folder):
        for path in folder.glob(f"*_{process}.db"):
            kept = values(str(folder / f"{path.name.split('_')[0]}_ended.db"))
            for key, value, _at, _place in values.read_all_values_from_file(str(path)):
                kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
            kept.close()
            path.unlink()


@contextlib.contextmanager
def counts_stand_still(folder: Path) -> Iterator[None]:
    """One at a time: between adding up a file and removing it, its counts stand twice."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
