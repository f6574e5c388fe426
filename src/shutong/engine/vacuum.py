"""Removal of files that no reader needs any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shutong.engine import journal
from shutong.engine.lake import Lake

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


def _data_files(root: Path) -> Iterator[Path]:
    for folder in root.iterdir():
        if folder.is_dir() and folder.name not in _OTHER:
            yield from (path for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts)


def vacuum(lake: Lake, keep: dt.timedelta = dt.timedelta(days=1), pins: Collection[str] = ()) -> Removed:
    """Remove files that replaced and folded tables left, and orphans of killed runs.

    Args:
        keep: files that were part of a table within this time stay, for readers that are still at work.
        pins: paths relative to the lake that stay whatever happens (a pinned release's files).
    """
    # This order spares a run that ends meanwhile: its files are either guarded by its journal or in the manifest.
    found = list(_data_files(lake.root))
    live = journal.live_attempts(lake.root)
    needed = _needed(lake, dt.datetime.now(dt.UTC) - keep) | set(pins)
    files, size = 0, 0
    for path in found:
        attempt = path.stem.rpartition("-")[0]
        if path.relative_to(lake.root).as_posix() in needed or attempt in live:
            continue
        size += path.stat().st_size
        files += 1
        path.unlink()
    return Removed(files, size)
