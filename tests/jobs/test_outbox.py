"""Events are delivered at least once, to every handler, and only when their transaction committed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from shutong.accounts.models import User
from shutong.jobs.models import Event
from shutong.jobs.outbox import MAX_ATTEMPTS, deliver_events, forget_delivered, send

pytestmark = pytest.mark.django_db(transaction=True)

heard: list[str] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    heard.clear()


def listen(payload: Mapping[str, Any]) -> None:
    heard.append(f"listen {payload['batch']}")
    User.objects.create_user(f"seen-{payload['batch']}", None)


def fail(payload: Mapping[str, Any]) -> None:
    heard.append(f"fail {payload['batch']}")
    User.objects.create_user(f"failed-{payload['batch']}", None)
    raise ConnectionError


HANDLERS = {"collect.delivered": [listen]}


def emit(batch: str) -> None:
    with transaction.atomic():
        send("collect.delivered", {"batch": batch})


def test_every_event_is_delivered_once_in_order() -> None:
    emit("b1")
    emit("b2")
    assert deliver_events(HANDLERS) == 2
    assert deliver_events(HANDLERS) == 0
    assert heard == ["listen b1", "listen b2"]


def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        send("collect.delivered", {"batch": "b1"})


def test_an_event_of_a_rollback_never_was() -> None:
    with pytest.raises(ValueError, match="no"), transaction.atomic():
        send("collect.delivered", {"batch": "b1"})
        raise ValueError("no")
    assert deliver_events(HANDLERS) == 0


def test_a_failing_handler_neither_holds_up_nor_repeats_the_others() -> None:
    emit("b1")
    handlers = {"collect.delivered": [fail, listen]}
    assert deliver_events(handlers) == 0
    Event.objects.update(next_attempt_at=datetime.now(UTC))
    assert deliver_events(handlers) == 0
    assert heard == ["fail b1", "listen b1", "fail b1"]
    assert list(User.objects.values_list("username", flat=True)) == ["seen-b1"]
    event = Event.objects.get()
    assert (event.attempts, event.error) == (2, "ConnectionError")
    assert event.next_attempt_at > datetime.now(UTC)


def test_an_event_nobody_can_take_is_given_up_and_kept() -> None:
    emit("b1")
    for _ in range(MAX_ATTEMPTS + 2):
        deliver_events({"collect.delivered": [fail]})
        Event.objects.update(next_attempt_at=datetime.now(UTC))
    assert len(heard) == MAX_ATTEMPTS
    assert Event.objects.get().given_up


def test_delivered_events_are_forgotten_after_a_month() -> None:
    emit("b1")
    deliver_events(HANDLERS)
    emit("b2")
    assert forget_delivered() == 0
    assert forget_delivered(datetime.now(UTC) + timedelta(days=31)) == 1
    assert Event.objects.get().payload == {"batch": "b2"}
