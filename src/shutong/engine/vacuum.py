"""Removal of files that no reader needs any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from shutong.engine import journal
from shutong.engine.lake import Lake
from shutong.engine.storage import Stored

# Folders of the lake that are not tables: the manifest keeps its own files, journals are no data.
_OTHER: Final = frozenset({"manifest", journal.FOLDER})


@dataclass(frozen=True)
class Removed:
    """What a vacuum removed."""

    files: int
    bytes: int


def _needed(lake: Lake, since: dt.datetime) -> set[str]:
    """Files of every table as it is now, and as it was at any moment after ``since``."""
    needed: set[str] = set()
    states: dict[str, set[str]] = {}
    for entry in lake.entries():
        change = entry.change
        state = states.setdefault(change.table, set())
        if change.mode == "replace":
            if entry.committed_at >= since:
                needed |= state
            state.clear()
        state.update(file.path for file in change.files + change.key_files)
    for state in states.values():
        needed |= state
    return needed | lake.published_paths()


def _data_files(lake: Lake) -> Iterator[Stored]:
    for stored in lake.storage.listed():
        folders = stored.path.split("/")[:-1]
        if folders and folders[0] not in _OTHER and "_delta_log" not in folders and stored.path.endswith(".parquet"):
            yield stored


def vacuum(lake: Lake, keep: dt.timedelta = dt.timedelta(days=1), pins: Collection[str] = ()) -> Removed:
    """Remove files that replaced and folded tables left, and orphans of killed runs.

    Args:
        keep: files that were part of a table within this time stay, for readers that are still at work.
        pins: paths relative to the lake that stay whatever happens (a pinned release's files).
    """
    # This order spares a run that ends meanwhile: its files are either guarded by its journal or in the manifest.
    found = list(_data_files(lake))
    live = journal.live_attempts(lake.root)
    needed = _needed(lake, dt.datetime.now(dt.UTC) - keep) | set(pins)
    unneeded = [
        stored
        for stored in found
        if stored.path not in needed and stored.path.rpartition("/")[2].rpartition("-")[0] not in live
    ]
    lake.storage.remove(stored.path for stored in unneeded)
    return Removed(len(unneeded), sum(stored.bytes for stored in unneeded))
