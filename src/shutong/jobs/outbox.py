"""The outbox: an event is a row of the transaction that caused it, handed to the handlers after the commit."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from shutong.jobs.models import Event

Payload = dict[str, str | int | bool | list[str] | None]


def send(name: str, payload: Payload) -> Event:
    """Writes an event into the current transaction; it is delivered only if that commits.

    Args:
        name: dotted name in the past tense, for instance ``collect.batch_delivered``.
        payload: ids and codes, no personal values.

    Raises:
        RuntimeError: no transaction is open.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event must be sent inside a transaction (use the action wrapper)")
    now = datetime.now(UTC)
    return Event.objects.create(name=name, payload=payload, made_at=now, next_attempt_at=now)
