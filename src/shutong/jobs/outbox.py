"""The outbox: an event is a row of the transaction that caused it, handed to the handlers after the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from shutong.jobs.models import Event
from shutong.jobs.work import delay_after

logger = logging.getLogger(__name__)

Payload = Mapping[str, str | int | bool | list[str] | None]
Handler = Callable[[Mapping[str, Any]], None]
Handlers = Mapping[str, Sequence[Handler]]
"""Per event name the functions that hear of it; the roof puts it together and passes it down."""

MAX_ATTEMPTS = 12
KEEP = timedelta(days=30)


def send(name: str, payload: Payload) -> Event:
    """Writes an event into the current transaction; it is delivered only if that commits.

    Args:
        name: dotted name in the past tense, for instance ``collect.batches_delivered``.
        payload: ids and codes, no personal values.

    Raises:
        RuntimeError: no transaction is open.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event must be sent inside a transaction (use the action wrapper)")
    now = datetime.now(UTC)
    return Event.objects.create(name=name, payload=dict(payload), made_at=now, next_attempt_at=now)


def handler_name(handler: Handler) -> str:
    """The name under which it is remembered that a handler has heard of an event."""
    return f"{handler.__module__}.{handler.__qualname__}"


def deliver_events(handlers: Handlers, limit: int = 200) -> int:
    """Hands waiting events on, oldest first, and returns how many were delivered to every handler.

    What a handler writes to the database commits together with the note that it has heard, so that is done once; what
    it does elsewhere may be done twice. A handler that fails does not hold up the others; it is called again later,
    at most 12 times in all.
    """
    now = datetime.now(UTC)
    waiting = Event.objects.filter(delivered_at=None, given_up=False, next_attempt_at__lte=now)
    numbers = list(waiting.order_by("id").values_list("id", flat=True)[:limit])
    return sum(_deliver(number, handlers) for number in numbers)


def forget_delivered(now: datetime | None = None) -> int:
    """Removes events that were delivered more than 30 days ago; returns how many."""
    before = (now or datetime.now(UTC)) - KEEP
    return Event.objects.filter(delivered_at__lt=before).delete()[0]


def _deliver(number: int, handlers: Handlers) -> bool:
    failure: Exception | None = None
    event = Event.objects.filter(pk=number, delivered_at=None).first()
    if event is None:
        return False
    for handler in handlers.get(event.name, ()):
        try:
            _hand_on(number, handler)
        except Exception as error:
            logger.exception("event %s: handler %s failed", event.name, handler_name(handler))
            failure = error
    with transaction.atomic():
        event = Event.objects.select_for_update().get(pk=number)
        if failure is None:
            event.delivered_at = datetime.now(UTC)
        else:
            event.attempts += 1
            event.next_attempt_at = datetime.now(UTC) + delay_after(event.attempts)
            event.given_up = event.attempts >= MAX_ATTEMPTS
            event.error = type(failure).__name__
        event.save(update_fields=["delivered_at", "attempts", "next_attempt_at", "given_up", "error"])
    return failure is None


def _hand_on(number: int, handler: Handler) -> None:
    with transaction.atomic():
        # The lock keeps a second worker from handing the same event to the same handler meanwhile.
        event = Event.objects.select_for_update().get(pk=number)
        name = handler_name(handler)
        if event.delivered_at is not None or name in event.done:
            return
        handler(event.payload)
        event.done = [*event.done, name]
        event.save(update_fields=["done"])
