"""The wrapper that makes a function an action: one transaction, permission check and audit entry, events on commit.

    @action(permission="quality.answer", department="ticket.department", audited=("ticket.pk", "reason"))
    def give_up(ticket: Ticket, reason: str, *, acting: Actor) -> Ticket: ...

Views, API, jobs and commands call actions; nothing else writes models.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any, ParamSpec, TypeVar, cast

from django.db import models, transaction

from shutong.accounts.actors import Actor, NotAllowedError
from shutong.accounts.permissions import PERMISSIONS
from shutong.audit import log, reads
from shutong.audit.chain import Plain, Record
from shutong.jobs import outbox

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class ActionInfo:
    """What the wrapper knows of an action; ``action_info`` reads it back."""

    name: str
    permission: str
    department: str | None
    audited: tuple[str, ...]


@dataclass
class _Entry:
    """The entry of an action that runs, filled by ``note`` on the way."""

    objects: list[str] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)


_entry: ContextVar[_Entry | None] = ContextVar("shutong_audit_entry", default=None)


def action(
    *, permission: str, department: str | None = None, audited: tuple[str, ...] = ()
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a function an action. It must take a keyword ``acting: Actor``.

    Args:
        permission: one of ``accounts.permissions.PERMISSIONS``.
        department: path from an argument to the department the thing belongs to (``ticket.department``). Roles that
            hold the permission only for their own department are refused where it is missing or another.
        audited: paths from arguments to the ids and codes that the entry keeps, under the path's name.

    Raises:
        ValueError: at import, for an unknown permission, a path whose first part is no argument, or no ``acting``.
    """
    if permission not in PERMISSIONS:
        raise ValueError(f"unknown permission {permission!r}; add it to accounts/permissions.py with its roles")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        _check_signature(function.__qualname__, signature, (*audited, *([department] if department else [])))
        name = f"{_area(function.__module__)}.{function.__name__}"
        info = ActionInfo(name, permission, department, audited)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            actor = bound.arguments["acting"]
            if not isinstance(actor, Actor):
                raise TypeError(f"{name}: acting must be an Actor")
            owner = follow(bound.arguments, department) if department else None
            detail = {path: _plain(follow(bound.arguments, path)) for path in audited}
            record = Record(name, "done", actor.values(), detail=detail)
            if not actor.may(permission, owner):
                reads.note(replace(record, outcome="denied"))
                raise NotAllowedError(actor, permission, owner)
            return _run(function, record, args, kwargs)

        wrapper.__action__ = info  # type: ignore[attr-defined]
        return wrapper

    return decorate


def action_info(function: Callable[..., Any]) -> ActionInfo | None:
    """What the wrapper knows of ``function``; None where it is no action."""
    return cast("ActionInfo | None", getattr(function, "__action__", None))


def note(*objects: str, **detail: Plain | list[Plain]) -> None:
    """Adds ids and details to the audit entry of the action that runs.

    Raises:
        RuntimeError: no action runs.
    """
    entry = _entry.get()
    if entry is None:
        raise RuntimeError("note() was called outside an action")
    entry.objects.extend(objects)
    entry.detail.update(detail)


def send(event: str, **payload: str | int | bool | list[str] | None) -> None:
    """Sends an event when the running action commits; see ``jobs.outbox``."""
    outbox.send(event, payload)


def note_read(what: str, *objects: str, acting: Actor, **detail: Plain | list[Plain]) -> None:
    """Appends a read to the log before its answer leaves; for everything that is not public.

    Raises:
        OSError: the entry could not be written; the answer must not leave then.
    """
    reads.note(Record(what, "read", acting.values(), objects=objects, detail=detail))


def require(acting: Actor, permission: str, department: str | None = None, *, what: str) -> None:
    """Refuses, and notes the refusal of, a read that ``acting`` may not make.

    Raises:
        NotAllowedError: the actor has no such permission there.
    """
    if not acting.may(permission, department):
        reads.note(Record(what, "denied", acting.values()))
        raise NotAllowedError(acting, permission, department)


def _run(function: Callable[P, R], record: Record, args: Any, kwargs: Any) -> R:
    entry = _Entry()
    token = _entry.set(entry)
    try:
        with transaction.atomic(), log.gathered():
            result = function(*args, **kwargs)
            detail = {**record.detail, **entry.detail}
            log.append(replace(record, objects=tuple(entry.objects), detail=detail))
        return result
    except Exception as error:
        # The entry went with the transaction; that it was tried and failed outlives it, by type only.
        failure = {**record.detail, "error": type(error).__name__}
        reads.note(replace(record, outcome="failed", detail=failure))
        raise
    finally:
        _entry.reset(token)


def _check_signature(name: str, signature: inspect.Signature, paths: tuple[str, ...]) -> None:
    acting = signature.parameters.get("acting")
    if acting is None or acting.kind is not inspect.Parameter.KEYWORD_ONLY:
        raise ValueError(f"{name}: an action takes a keyword-only argument `acting: Actor`")
    for path in paths:
        if path.split(".")[0] not in signature.parameters:
            raise ValueError(f"{name}: {path!r} does not begin with one of its arguments")


def _area(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "shutong" and len(parts) > 1 else parts[-1]


def follow(arguments: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path that begins with an argument's name."""
    first, *rest = path.split(".")
    value = arguments[first]
    for name in rest:
        value = value[name] if isinstance(value, Mapping) else getattr(value, name)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | date):
        return value
    return str(value)
