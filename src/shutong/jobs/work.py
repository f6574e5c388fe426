"""Background work: what a job is, how it is queued, and which errors are tried again.

    @job
    def rebuild_answers(run: str) -> None: ...

    enqueue(rebuild_answers, "run-7", key="run-7")

Queue, claims and results are django-tasks-db's. Here stands what it lacks: a key that queues the same work once, a
second try by the type of the error, and texts of errors kept out of the database, since they may quote a person's data.
A job runs at least once: a worker that was killed half-way leaves it to the next, so a job must bear a second run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction
from django_tasks import task
from django_tasks.base import Task, TaskResultStatus
from django_tasks_db.models import DBTaskResult

from shutong.audit.logs import error_places
from shutong.jobs.ids import id_of, using_id

P = ParamSpec("P")
R = TypeVar("R")

MAX_ATTEMPTS = 6
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)
KEEP = timedelta(days=30)


class TransientJobError(Exception):
    """The job failed for a reason that may pass by itself; it is tried again."""


class FinalJobError(Exception):
    """The job failed for a reason that somebody must remove first."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later with nobody changing anything.

    An error class says so itself by ``transient``; the connections' own errors and a locked database are transient.
    """
    said = getattr(error, "transient", None)
    if isinstance(said, bool):
        return said
    if isinstance(error, DatabaseError):
        return not isinstance(error, IntegrityError)
    return isinstance(error, ConnectionError | TimeoutError | BlockingIOError | InterruptedError)


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 10 s, 40 s, 160 s, ... at most an hour."""
    factor: int = 4 ** max(attempts - 1, 0)
    return min(FIRST_DELAY * factor, LONGEST_DELAY)


def job(function: Callable[P, R]) -> Task[P, R]:
    """Makes a module's function work that can be queued. Its arguments and result must be JSON."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            kind = TransientJobError if is_transient(error) else FinalJobError
            # The places in the code are enough to mend it; the message may hold a delivered value.
            raise kind(f"{type(error).__name__} at {' < '.join(error_places(error)[-3:])}") from None

    return task(run)


def enqueue(
    work: Task[P, Any], *args: Any, key: str | None = None, run_after: datetime | None = None, **kwargs: Any
) -> str:
    """Queues work, in the current transaction where there is one, and returns its id.

    Args:
        key: work of the same task and key is queued once, for as long as its result is kept (30 days); a second call
            returns the first one's id.
        run_after: earliest start, with a time zone.
    """
    chosen = work.using(run_after=run_after) if run_after else work
    if key is None:
        return str(chosen.enqueue(*args, **kwargs).id)
    task_id = id_of(work.module_path, key)
    if not DBTaskResult.objects.filter(pk=task_id).exists():
        try:
            with using_id(task_id), transaction.atomic():
                chosen.enqueue(*args, **kwargs)
        except IntegrityError:
            # Another process queued it between the look and the insert.
            if not DBTaskResult.objects.filter(pk=task_id).exists():
                raise
    return str(task_id)


def enqueue_unless_waiting(work: Task[P, Any], *args: Any) -> str:
    """Queues work unless the same, with the same arguments, waits already; returns the id of the one that waits.

    For work that takes in everything there is (a run of the stages): what came before it starts is covered by the one that
    waits, what comes after it has started needs another. Two processes at the same instant may queue two.
    """
    ready = DBTaskResult.objects.filter(status=TaskResultStatus.READY, task_path=work.module_path)
    for row in ready:
        if row.args_kwargs == {"args": list(args), "kwargs": {}}:
            return str(row.pk)
    return enqueue(work, *args)


def retry_transient(now: datetime | None = None) -> int:
    """Puts work that failed transiently back into the queue, later each time; returns how much."""
    now = now or datetime.now(UTC)
    path = f"{TransientJobError.__module__}.{TransientJobError.__qualname__}"
    count = 0
    for failed in DBTaskResult.objects.filter(status=TaskResultStatus.FAILED, exception_class_path=path):
        attempts = len(failed.worker_ids)
        if attempts < MAX_ATTEMPTS:
            count += _ready_again(failed, now + delay_after(attempts))
    return count


def retry_now(task_id: str) -> bool:
    """Puts failed work back into the queue, whatever it failed with; False where it had not failed."""
    failed = DBTaskResult.objects.filter(pk=task_id, status=TaskResultStatus.FAILED).first()
    return failed is not None and bool(_ready_again(failed, datetime.now(UTC)))


def failed_work() -> int:
    """How much work failed in the last 30 days and was not tried again with success."""
    return DBTaskResult.objects.filter(status=TaskResultStatus.FAILED).count()


def forget_finished(now: datetime | None = None) -> int:
    """Removes results that are older than 30 days, and with them their keys; returns how many."""
    before = (now or datetime.now(UTC)) - KEEP
    ended = (TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED)
    return DBTaskResult.objects.filter(status__in=ended, finished_at__lt=before).delete()[0]


def release_lost(alive: set[str]) -> int:
    """Puts work back into the queue whose worker is no longer alive; returns how much.

    Work that took as many workers with it as it may be tried stays behind as failed.
    """
    count = 0
    for running in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING):
        if running.worker_ids and running.worker_ids[-1] in alive:
            continue
        if len(running.worker_ids) >= MAX_ATTEMPTS:
            changes: dict[str, Any] = {"status": TaskResultStatus.FAILED, "finished_at": datetime.now(UTC)}
            changes["exception_class_path"] = f"{FinalJobError.__module__}.{FinalJobError.__qualname__}"
            changes["traceback"] = "its workers were killed"
            DBTaskResult.objects.filter(pk=running.pk, status=TaskResultStatus.RUNNING).update(**changes)
            continue
        count += _ready_again(running, datetime.now(UTC))
    return count


def _ready_again(row: Any, when: datetime) -> int:
    return DBTaskResult.objects.filter(pk=row.pk, status=row.status).update(
        status=TaskResultStatus.READY, run_after=when, finished_at=None, exception_class_path="", traceback=""
    )
