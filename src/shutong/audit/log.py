"""Appends entries to the write chain, in the transaction of the write they tell of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime

from django.db import transaction

from shutong.audit.chain import START, Record, body_of, link
from shutong.audit.logs import current_context
from shutong.audit.models import Chain, Entry

_waiting: ContextVar[list[Record] | None] = ContextVar("shutong_audit_waiting", default=None)

WRITES = "writes"
"""Name of the chain that holds every write's entry."""


class OutsideTransactionError(RuntimeError):
    """An entry was to be appended outside the transaction of the write it tells of."""

    def __init__(self) -> None:
        super().__init__(
            "审计记录必须与写入同一事务。/ An audit entry must be appended inside the transaction of its write "
            "(use the action wrapper)."
        )


@contextlib.contextmanager
def gathered() -> Iterator[None]:
    """Entries of the block are written at its end, the outermost block's in one go, in order.

    From the first entry to the commit other writers wait for the chain's head; so it is taken last. Entries of a block
    that ends by an exception are dropped, as its savepoint drops what they tell of.
    """
    waiting = _waiting.get()
    if waiting is not None:
        mark = len(waiting)
        try:
            yield
        except BaseException:
            del waiting[mark:]
            raise
        return
    waiting = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    _write(waiting)


def append(*records: Record) -> None:
    """Appends entries to the write chain, in order; at the end of the enclosing ``gathered`` block where there is one.

    Raises:
        OutsideTransactionError: no transaction is open.
        AuditValueError: an entry holds what may not stand in the log.
    """
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransactionError
    context = current_context()
    complete = [replace(record, context={**context, **record.context}) for record in records]
    for record in complete:
        body_of(record, segment=WRITES, position=0, at=datetime.now(UTC))
    waiting = _waiting.get()
    if waiting is None:
        _write(complete)
    else:
        waiting.extend(complete)


def _write(records: Sequence[Record]) -> None:
    if not records:
        return
    # SQLite has the write lock since BEGIN IMMEDIATE; PostgreSQL takes the row's.
    Chain.objects.get_or_create(name=WRITES, defaults={"position": 0, "head": START})
    chain = Chain.objects.select_for_update().get(name=WRITES)
    now = datetime.now(UTC)
    entries = []
    for record in records:
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
