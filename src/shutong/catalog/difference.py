"""What an upgrade changes, key by key, and how it is merged with what was changed here meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Action = Literal["new", "changed", "merged", "kept", "withdrawn", "conflict"]
Prefer = Literal["file", "here"]


class _Missing:
    """Stands for a key that is not there; None is a value of its own."""

    def __repr__(self) -> str:
        return "(missing)"


MISSING: Final = _Missing()

Path = tuple[str, ...]


@dataclass(frozen=True)
class KeyChange:
    """One key of a declaration: in the pack file known so far, as published here, and in the new pack file."""

    path: Path
    known: Any
    here: Any
    file: Any

    @property
    def conflict(self) -> bool:
        """Both sides changed it, and not to the same."""
        return bool(self.here != self.known and self.file not in (self.known, self.here))


@dataclass(frozen=True)
class Change:
    """What an installation does to one declaration.

    ``new``, ``changed`` (only the file changed), ``merged`` (both changed, different keys), ``kept`` (only changed here),
    ``withdrawn`` (the file is gone), ``conflict`` (both changed the same key).
    """

    kind: str
    name: str
    action: Action
    keys: tuple[KeyChange, ...] = ()

    @property
    def conflicts(self) -> tuple[KeyChange, ...]:
        """The keys that both sides changed."""
        return tuple(key for key in self.keys if key.conflict)


def compare(known: Mapping[str, Any], here: Mapping[str, Any], file: Mapping[str, Any]) -> tuple[KeyChange, ...]:
    """The keys in which the three differ, deepest keys, in the order of the file. Lists count as one value."""
    return tuple(_compare((), known, here, file))


def merge(
    known: Mapping[str, Any], here: Mapping[str, Any], file: Mapping[str, Any], prefer: Prefer = "file"
) -> dict[str, Any]:
    """The file's content with the changes that were made here; ``prefer`` decides keys that both changed."""
    merged: dict[str, Any] = {}
    for key in [*file, *(key for key in here if key not in file)]:
        before, ours, theirs = known.get(key, MISSING), here.get(key, MISSING), file.get(key, MISSING)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            value: Any = merge(before if isinstance(before, Mapping) else {}, ours, theirs, prefer)
        elif ours in (before, theirs):
            value = theirs
        elif theirs == before or prefer == "here":
            value = ours
        else:
            value = theirs
        if value is not MISSING:
            merged[key] = value
    return merged


def _compare(path: Path, known: Any, here: Any, file: Any) -> list[KeyChange]:
    if not (isinstance(here, Mapping) and isinstance(file, Mapping)):
        return [] if known == here == file else [KeyChange(path, known, here, file)]
    before = known if isinstance(known, Mapping) else {}
    found = []
    for key in [*file, *(key for key in here if key not in file)]:
        inner = before.get(key, MISSING), here.get(key, MISSING), file.get(key, MISSING)
        found += _compare((*path, str(key)), *inner)
    gone = [key for key in before if key not in here and key not in file]
    found += [KeyChange((*path, str(key)), before[key], MISSING, MISSING) for key in gone]
    return found
