"""Ids of queued work: random, or derived from a key so that the same work is queued once."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextvars import ContextVar

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "jobs.shutong")
_next: ContextVar[uuid.UUID | None] = ContextVar("shutong_job_id", default=None)


def id_of(task_path: str, key: str) -> uuid.UUID:
    """The id of the work ``key`` of a task."""
    return uuid.uuid5(_NAMESPACE, f"{task_path}\n{key}")


@contextlib.contextmanager
def using_id(task_id: uuid.UUID) -> Iterator[None]:
    """Within the block, work that is queued gets ``task_id``."""
    token = _next.set(task_id)
    try:
        yield
    finally:
        _next.reset(token)


def next_task_id() -> uuid.UUID:
    """The id for the work that is being queued; the queue's backend calls it."""
    return _next.get() or uuid.uuid4()
