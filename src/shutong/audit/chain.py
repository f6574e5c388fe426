"""The chain of audit entries: what an entry says, as canonical text, and the hash that binds it to the one before.

Entries carry ids, never personal values: ``AuditValueError`` refuses what is no id, number, day or short code.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

Outcome = Literal["done", "denied", "failed", "read"]
Plain = str | int | bool | None
Detail = Mapping[str, "Plain | Sequence[Plain]"]

START = "0" * 64
"""What the first entry of the first chain is bound to."""

MAX_OBJECTS = 1000
MAX_TEXT = 200

# Bounded by neither digit nor letter, so that hashes pass; the birth date keeps unified codes of digits apart.
_PERSONAL = re.compile(r"(?<![0-9A-Za-z])([1-8]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])\d{5}[\dXx]|1[3-9]\d{9})(?![0-9A-Za-z])")


class AuditValueError(ValueError):
    """A value that may not stand in the audit log; names the field, not the value."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(
            f"审计记录 {where} 不合规：{problem}，请改记编号。/ Audit field {where}: {problem}; record an id instead."
        )


@dataclass(frozen=True)
class ActorValues:
    """Who did it, as values: the log stays readable when the account is gone. ``id`` is the account's, not a name."""

    id: str
    department: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """What one entry is to say.

    Args:
        action: dotted name of the verb, for instance ``quality.close_ticket``.
        objects: ids of what it was done to (at most 1,000; more belong into a departure's own list).
        detail: further ids, numbers, days and codes.
        context: run, batch and request ids.
    """

    action: str
    outcome: Outcome
    actor: ActorValues
    objects: tuple[str, ...] = ()
    detail: Detail = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


def body_of(record: Record, *, segment: str, position: int, at: datetime) -> str:
    """Canonical text of an entry: JSON with sorted keys, no spaces, instants in UTC to the microsecond.

    Raises:
        AuditValueError: a value that is too long, of another type, or looks like an identity or telephone number.
    """
    if len(record.objects) > MAX_OBJECTS:
        raise AuditValueError("objects", f"more than {MAX_OBJECTS} ids")
    detail = {key: _checked(f"detail.{key}", value) for key, value in record.detail.items()}
    body = {
        "segment": segment,
        "position": position,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "action": record.action,
        "outcome": record.outcome,
        "actor": {"id": record.actor.id, "department": record.actor.department, "roles": sorted(record.actor.roles)},
        "objects": [_text("objects", item) for item in record.objects],
        "detail": detail,
        "context": {key: _text(f"context.{key}", value) for key, value in record.context.items()},
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def link(previous: str, body: str) -> str:
    """The hash of an entry: SHA-256 over the previous entry's hash and its own text (64 hex digits)."""
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def _checked(where: str, value: object) -> Plain | list[Plain]:
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_plain(where, item) for item in items]
    return _plain(where, value)


def _plain(where: str, value: object) -> Plain:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return _text(where, value)
    raise AuditValueError(where, f"a {type(value).__name__} is not an id")


def _text(where: str, value: str) -> str:
    if len(value) > MAX_TEXT:
        raise AuditValueError(where, f"longer than {MAX_TEXT} characters")
    if _PERSONAL.search(value):
        raise AuditValueError(where, "looks like an identity or telephone number")
    return value
