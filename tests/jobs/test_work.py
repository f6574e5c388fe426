"""Work is done at least once, tried again by the type of its error, and queued once per key."""

from __future__ import annotations

import os
import socket
import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import OperationalError, transaction
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from shutong.accounts.actions import create_account
from shutong.accounts.actors import SYSTEM
from shutong.audit.models import Chain, Checkpoint, Entry
from shutong.engine.home import Home
from shutong.jobs.models import Worker
from shutong.jobs.schedule import Daily, start_due
from shutong.jobs.work import (
    MAX_ATTEMPTS,
    enqueue,
    enqueue_unless_waiting,
    forget_finished,
    is_transient,
    retry_now,
    retry_transient,
)
from shutong.jobs.worker import bury_dead, register_worker, run_worker, seal_log, waiting_work
from tests.jobs.work_for_tests import calls, fall, remember, stumble

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    calls.clear()


def work_until_idle() -> int:
    return run_worker({}, once=True)


def result(task_id: str) -> DBTaskResult:  # type: ignore[type-arg]
    return DBTaskResult.objects.get(pk=task_id)


def test_queued_work_is_done_in_order() -> None:
    for word in ("a", "b", "c"):
        enqueue(remember, word)
    assert work_until_idle() == 3
    assert calls == ["a", "b", "c"]
    assert waiting_work() == 0
    assert not Worker.objects.exists()


def test_work_of_a_rolled_back_transaction_is_not_queued() -> None:
    with pytest.raises(ValueError, match="no"), transaction.atomic():
        enqueue(remember, "a")
        raise ValueError("no")
    assert work_until_idle() == 0


def test_a_key_queues_the_same_work_once() -> None:
    first = enqueue(remember, "a", key="day 1")
    assert enqueue(remember, "a", key="day 1") == first
    work_until_idle()
    assert enqueue(remember, "a", key="day 1") == first
    assert enqueue(remember, "b", key="day 2") != first
    work_until_idle()
    assert calls == ["a", "b"]


def test_work_that_takes_in_everything_waits_once_and_is_queued_again_after_its_start() -> None:
    first = enqueue_unless_waiting(remember, "all")
    assert enqueue_unless_waiting(remember, "all") == first
    assert enqueue_unless_waiting(remember, "other") != first
    result(first).claim("somebody")
    assert enqueue_unless_waiting(remember, "all") != first


def test_a_worker_seals_the_log_when_it_ends(home: Home) -> None:
    create_account("li", None, acting=SYSTEM)
    stop = threading.Event()
    stop.set()
    run_worker({}, stop=stop)
    assert Checkpoint.objects.count() == 1
    Entry.objects.update(actor="u2")
    create_account("wang", None, acting=SYSTEM)
    assert seal_log()
    Entry.objects.filter(position=3).delete()
    Chain.objects.update(position=9)
    assert not seal_log()


def test_work_for_later_waits() -> None:
    enqueue(remember, "a", run_after=datetime.now(UTC) + timedelta(hours=1))
    assert work_until_idle() == 0


def test_a_transient_failure_is_tried_again_later_and_not_for_ever() -> None:
    task_id = enqueue(stumble, "x")
    for attempt in range(1, MAX_ATTEMPTS):
        assert work_until_idle() == 1
        assert len(calls) == attempt
        row = result(task_id)
        assert row.status == TaskResultStatus.READY
        assert row.run_after > datetime.now(UTC) + timedelta(seconds=5)
        DBTaskResult.objects.update(run_after=datetime.now(UTC))
    assert work_until_idle() == 1
    assert result(task_id).status == TaskResultStatus.FAILED
    assert retry_transient() == 0


def test_a_final_failure_stays_until_somebody_tries_again() -> None:
    task_id = enqueue(fall, "secret-name")
    work_until_idle()
    assert retry_transient() == 0
    assert result(task_id).exception_class_path.endswith("FinalJobError")
    assert retry_now(task_id)
    work_until_idle()
    assert len(calls) == 2


def test_the_text_of_an_error_is_not_stored() -> None:
    task_id = enqueue(fall, "secret-name")
    work_until_idle()
    traceback = result(task_id).traceback
    assert "secret-name" not in traceback
    assert "ValueError at" in traceback
    assert "work_for_tests.py" in traceback


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (OperationalError("database is locked"), True),
        (ValueError(), False),
        (FileNotFoundError(), False),
    ],
)
def test_which_errors_pass_by_themselves(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


def test_the_work_of_a_killed_worker_is_done_by_another() -> None:
    task_id = enqueue(remember, "a")
    gone = Worker.objects.create(
        name="gone", host=socket.gethostname(), pid=2**22 + 1, started_at=NOW, seen_at=datetime.now(UTC)
    )
    row = result(task_id)
    row.claim(gone.name)
    assert run_worker({}, once=True) == 1
    assert calls == ["a"]


def test_the_work_of_a_living_worker_is_left_alone() -> None:
    task_id = enqueue(remember, "a")
    name = register_worker()
    result(task_id).claim(name)
    assert Worker.objects.get(pk=name).pid == os.getpid()
    assert bury_dead() == 0
    assert bury_dead(datetime.now(UTC) + timedelta(minutes=5)) == 1


def test_work_that_kills_its_workers_is_given_up() -> None:
    task_id = enqueue(remember, "a")
    for _ in range(MAX_ATTEMPTS):
        result(task_id).claim("gone")
        bury_dead()
    assert result(task_id).status == TaskResultStatus.FAILED


def test_daily_work_is_queued_once_a_day_when_its_time_has_come() -> None:
    schedule = [Daily("run", time(9, 30), remember)]
    assert start_due(schedule, datetime(2026, 3, 2, 1, 29, tzinfo=UTC)) == []  # 09:29 in Shanghai
    first = start_due(schedule, datetime(2026, 3, 2, 1, 30, tzinfo=UTC))
    assert start_due(schedule, datetime(2026, 3, 2, 15, 59, tzinfo=UTC)) == first
    assert start_due(schedule, datetime(2026, 3, 3, 15, 59, tzinfo=UTC)) != first
    work_until_idle()
    assert calls == ["2026-03-02", "2026-03-03"]


def test_old_results_are_forgotten() -> None:
    enqueue(remember, "a")
    work_until_idle()
    assert forget_finished() == 0
    assert forget_finished(datetime.now(UTC) + timedelta(days=31)) == 1
