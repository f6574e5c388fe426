"""Errors that a person reads: what was wrong, where, and what to do, in Chinese first and English second."""

from __future__ import annotations

from typing import Any, ClassVar


class EngineError(Exception):
    """Base of every error of the engine.

    Args:
        zh: the whole message in Chinese: what was wrong, where, what to do.
        en: the same in English.
        values: what the message speaks of (paths, names), for programs.

    ``transient`` says whether the same call may succeed later without anyone changing anything.
    """

    transient: ClassVar[bool] = False

    def __init__(self, zh: str, en: str, **values: Any) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
        self.values = values

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors of other processes come back as they were.
        return _again, (type(self), self.zh, self.en, self.values)


def _again(kind: type[EngineError], zh: str, en: str, values: dict[str, Any]) -> EngineError:
    return kind(zh, en, **values)


class SettingsError(EngineError):
    """A setting is unknown, has the wrong type, or is out of range."""


class HomeError(EngineError):
    """A folder is not a home, is damaged, or has a format that this version does not read."""


class LeaseError(EngineError):
    """Another run holds the home; ``values`` has ``pid`` and ``since``."""

    transient = True


class KeysError(EngineError):
    """Keys are missing, readable by others, or do not open what was sealed."""


class SignatureError(EngineError):
    """A signed text was changed, or its key is not known."""


class LakeError(EngineError):
    """The lake's manifest or a file it names is missing or damaged."""


class ConflictError(LakeError):
    """Another run changed the same table in the meantime; the run must be done again."""

    transient = True


class StageError(EngineError):
    """A stage cannot run: a name is used twice, a step fails, or its result is not what it promised."""


class SpaceError(EngineError):
    """The disk or the allowed file size is exhausted; nothing of the run became visible."""

    transient = True
