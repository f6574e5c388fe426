"""The worker: takes work from the queue, hands events on, starts what is due, takes back what dead workers held, seals the log."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import close_old_connections, connection
from django_tasks_db.management.commands.db_worker import Worker as Queue
from django_tasks_db.models import DBTaskResult

from shutong.audit.sealing import BrokenLogError, seal
from shutong.engine.home import Home
from shutong.jobs.models import Worker
from shutong.jobs.outbox import Handlers, deliver_events, forget_delivered
from shutong.jobs.schedule import Daily, start_due
from shutong.jobs.work import forget_finished, release_lost, retry_transient

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
SEAL_SECONDS = 60.0
DEAD_AFTER = timedelta(seconds=60)


def run_worker(
    handlers: Handlers,
    schedule: Sequence[Daily] = (),
    *,
    stop: threading.Event | None = None,
    once: bool = False,
    interval: float = 1.0,
) -> int:
    """Works until ``stop`` is set, or with ``once`` until nothing is left to do now; returns how much work was done.

    Several may run at once, also on several machines. What a job throws is recorded, never raised.

    Args:
        handlers: per event name who hears of it.
        schedule: work of every day.
        interval: seconds between looks at an empty queue.
    """
    stop = stop or threading.Event()
    name = register_worker()
    sealed = time.monotonic()
    heart_stops = threading.Event()
    heart = threading.Thread(target=_beat, args=(name, heart_stops), daemon=True)
    if not once:
        heart.start()
    total = 0
    try:
        while not stop.is_set():
            close_old_connections()
            done = _tick(name, handlers, schedule)
            total += done
            if not once and time.monotonic() - sealed >= SEAL_SECONDS:
                sealed = time.monotonic()
                seal_log()
            if done == 0:
                if once:
                    break
                stop.wait(interval)
    finally:
        heart_stops.set()
        if heart.is_alive():
            heart.join(timeout=5)
        Worker.objects.filter(pk=name).delete()
        if not once:
            seal_log()
    return total


def register_worker() -> str:
    """Writes down that a worker of this process lives, and returns its name."""
    now = datetime.now(UTC)
    name = f"{os.getpid()}-{secrets.token_hex(6)}"
    Worker.objects.create(name=name, host=socket.gethostname(), pid=os.getpid(), started_at=now, seen_at=now)
    return name


def bury_dead(now: datetime | None = None) -> int:
    """Forgets workers that are no longer alive and gives their work back to the queue; returns how much work."""
    now = now or datetime.now(UTC)
    alive = set()
    for worker in Worker.objects.all():
        if _is_alive(worker, now):
            alive.add(worker.name)
        else:
            worker.delete()
    return release_lost(alive)


def living_workers() -> int:
    """How many workers are at work, as far as they said so lately."""
    now = datetime.now(UTC)
    return sum(_is_alive(worker, now) for worker in Worker.objects.all())


def _is_alive(worker: Worker, now: datetime) -> bool:
    here = worker.host == socket.gethostname()
    return now - worker.seen_at < DEAD_AFTER and (not here or _process_lives(worker.pid))


def seal_log() -> bool:
    """Seals the audit log of the home that this process serves; False where it serves none or the log is broken.

    A broken log is logged at every attempt and stays unsealed: somebody must look at it.
    """
    if settings.SHUTONG_HOME is None:
        return False
    try:
        seal(Home.open(settings.SHUTONG_HOME))
    except BrokenLogError as error:
        logger.error("the audit log is broken at %s:%s", error.where, error.position)
        return False
    return True


def waiting_work() -> int:
    """How much queued work could start now."""
    return DBTaskResult.objects.ready().count()


def _tick(name: str, handlers: Handlers, schedule: Sequence[Daily]) -> int:
    bury_dead()
    retry_transient()
    start_due(schedule, datetime.now(UTC))
    done = deliver_events(handlers)
    if DBTaskResult.objects.ready().exists():
        queue = Queue(
            queue_names=["*"],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=1,
            worker_id=name,
            excluded_queue_names=[],
        )
        queue.run()
        done += queue._run_tasks
    else:
        forget_delivered()
        forget_finished()
    return done


def _beat(name: str, stops: threading.Event) -> None:
    while not stops.wait(HEARTBEAT_SECONDS):
        try:
            Worker.objects.filter(pk=name).update(seen_at=datetime.now(UTC))
        except Exception:
            logger.exception("worker %s: the heartbeat failed", name)
        finally:
            connection.close()


def _process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
