"""Appends entries to the write chain, in the transaction of the write they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from django.db import transaction

from shutong.audit.chain import START, Record, body_of, link
from shutong.audit.logs import current_context
from shutong.audit.models import Chain, Entry

WRITES = "writes"
"""Name of the chain that holds every write's entry."""


class OutsideTransactionError(RuntimeError):
    """An entry was to be appended outside the transaction of the write it tells of."""

    def __init__(self) -> None:
        super().__init__(
            "审计记录必须与写入同一事务。/ An audit entry must be appended inside the transaction of its write "
            "(use the action wrapper)."
        )


def append(records: Sequence[Record]) -> list[Entry]:
    """Appends entries to the write chain, in order.

    Call it as the last thing of a transaction: from here to the commit other writers wait for the head.

    Raises:
        OutsideTransactionError: no transaction is open.
        AuditValueError: an entry holds what may not stand in the log.
    """
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransactionError
    if not records:
        return []
    # SQLite has the write lock since BEGIN IMMEDIATE; PostgreSQL takes the row's.
    Chain.objects.get_or_create(name=WRITES, defaults={"position": 0, "head": START})
    chain = Chain.objects.select_for_update().get(name=WRITES)
    now = datetime.now(UTC)
    context = current_context()
    entries = []
    for record in records:
        record = replace(record, context={**context, **record.context})
        chain.position += 1
        body = body_of(record, segment=WRITES, position=chain.position, at=now)
        chain.head = link(chain.head, body)
        entries.append(
            Entry(
                chain=WRITES,
                position=chain.position,
                at=now,
                action=record.action,
                outcome=record.outcome,
                actor=record.actor.id,
                department=record.actor.department,
                body=body,
                hash=chain.head,
            )
        )
    Entry.objects.bulk_create(entries)
    chain.save(update_fields=["position", "head"])
    return entries
