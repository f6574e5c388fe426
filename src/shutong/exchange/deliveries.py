"""Deliveries: each use of a grant, written down with a signed receipt before its rows leave."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Sum

from shutong.accounts.actions import action, note, require
from shutong.accounts.actors import Actor
from shutong.audit.departures import note_departure
from shutong.catalog.published import current_catalog
from shutong.engine.engine import Engine
from shutong.engine.keys import Keys
from shutong.exchange.compute import RECORD
from shutong.exchange.grants import version_of
from shutong.exchange.models import Delivery, GrantVersion, SharingGrant
from shutong.exchange.question import MOST_ROWS, Condition, Question
from shutong.exchange.reading import Method, read, verify
from shutong.exchange.refusals import ExchangeError
from shutong.spec.models import Resource

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """Rows that left under a grant, and the receipt that says so; ``more``: there may be others after them."""

    rows: list[dict[str, Any]]
    more: bool
    receipt: str


def used_on(grant: SharingGrant, day: dt.date) -> int:
    """Rows (verifications and counts, each as one) that a grant gave on a day."""
    found = Delivery.objects.filter(version__grant=grant, on=day).aggregate(rows=Sum("rows"))["rows"]
    return int(found or 0)


def take_page(
    grant: SharingGrant, question: Question, day: dt.date, *, engine: Engine, keys: Keys, acting: Actor
) -> Page:
    """Gives a page of rows to the grant's receiver; the delivery is on the books before the rows are handed out.

    Args:
        question: with a limit of at most ``MOST_ROWS`` rows; that many where it has none. A count gives its number.
        day: the business day.

    Raises:
        ExchangeError: the grant does not allow it, or was changed while the rows were read.
        NotAllowedError: the actor is not of the receiver.
    """
    require(acting, "exchange.use", grant.receiver, what="exchange.take_page")
    version, resource = _in_use(grant, day)
    if question.limit is None and not question.count:
        question = replace(question, limit=MOST_ROWS)
    used = used_on(grant, day)
    with read(engine, keys, version.value, resource, question, day, method="api", used=used) as batches:
        rows = [_plain(row) for batch in batches for row in batch.to_pylist()]
    records = [] if question.count else [row[RECORD] for row in rows]
    what = Given("api", 1 if question.count else len(records), digest_of(rows), tuple(records))
    delivery = write_down(grant, version, what, day, keys=keys, acting=acting)
    return Page(rows, len(records) == question.limit, delivery.receipt)


def take_answer(
    grant: SharingGrant,
    key: Mapping[str, str],
    where: tuple[Condition, ...],
    day: dt.date,
    *,
    engine: Engine,
    keys: Keys,
    acting: Actor,
) -> tuple[bool, str]:
    """Whether the row of a key meets conditions, and the receipt; counts as one row of the quota.

    Raises:
        ExchangeError, NotAllowedError: as for ``take_page``.
    """
    require(acting, "exchange.use", grant.receiver, what="exchange.take_answer")
    version, resource = _in_use(grant, day)
    yes = verify(engine, keys, version.value, resource, key, where, day, used=used_on(grant, day))
    what = Given("verify", 1, digest_of([{"yes": yes}]), ())
    return yes, write_down(grant, version, what, day, keys=keys, acting=acting).receipt


def _in_use(grant: SharingGrant, day: dt.date) -> tuple[GrantVersion, Resource]:
    version = version_of(str(grant), day)
    resource = current_catalog().resources.get(grant.resource)
    if version is None or resource is None:
        raise ExchangeError("授权的内容已不再提供", "what was granted is not provided any more")
    return version, resource


@dataclass(frozen=True)
class Given:
    """What is about to leave: rows (a verification or a count is one), their digest, the ids of their records."""

    method: Method
    rows: int
    digest: str
    records: tuple[str, ...]


@action(permission="exchange.use", department="grant.receiver", audited=("grant.pk",))
def write_down(
    grant: SharingGrant, version: GrantVersion, what: Given, day: dt.date, *, keys: Keys, acting: Actor
) -> Delivery:
    """Puts a delivery on the books, with the departure of its records and a signed receipt.

    Rows are read without holding anything; so it is checked here, one delivery of a grant at a time, that the grant is
    still the version they were read under and that the quota still has room.

    Raises:
        ExchangeError: it is not, or has none; nothing may be handed out then.
    """
    SharingGrant.objects.select_for_update().get(pk=grant.pk)
    newest = version_of(str(grant), day)
    if newest is None or newest.pk != version.pk:
        raise ExchangeError("授权在读取期间有变更，请重试", "the grant was changed while the data was read: try again")
    if version.quota is not None and used_on(grant, day) + what.rows > version.quota:
        raise ExchangeError(
            f"今日限额 {version.quota} 不足以提供这些数据",
            f"today's quota of {version.quota} has no room for these rows",
        )
    delivery = f"x{secrets.token_hex(12)}"
    receipt = keys.sign(
        {
            "kind": "delivery", "delivery": delivery, "grant": str(grant), "version": version.number,
            "resource": grant.resource, "owner": grant.owner, "receiver": grant.receiver, "method": what.method,
            "on": day.isoformat(), "rows": what.rows, "digest": what.digest,
        }
    )  # fmt: skip
    made = Delivery.objects.create(
        delivery=delivery, version=version, method=what.method, on=day, rows=what.rows, digest=what.digest,
        departure=_departed(grant, what, acting), receipt=receipt, by=acting.id, by_name=acting.name,
    )  # fmt: skip
    note(delivery, str(grant), rows=what.rows, method=what.method)
    return made


def _departed(grant: SharingGrant, what: Given, acting: Actor) -> str:
    if not what.records:
        return ""
    return note_departure(
        actor=acting.values(),
        channel=what.method,
        receiver=grant.receiver,
        records=what.records,
        purpose=str(grant),
        resource=grant.resource,
    ).departure


def digest_of(rows: Iterable[Plain]) -> str:
    """SHA-256 over rows as they left: each as JSON with sorted keys and without blanks, one a line.

    A receiver computes it again from what it got and compares it with the receipt.
    """
    hashed = hashlib.sha256()
    for row in rows:
        hashed.update(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return hashed.hexdigest()


def _plain(row: Plain) -> dict[str, Any]:
    """A row in JSON's own types: amounts and days as text, so that both sides hash the same."""
    return {
        name: value if value is None or isinstance(value, str | bool | int) else _text(value)
        for name, value in row.items()
    }


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else str(value)
