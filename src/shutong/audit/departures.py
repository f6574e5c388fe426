"""What left the platform, to whom, by which channel: so that a correction can follow every copy."""

from __future__ import annotations

import hashlib
import json
import secrets
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from django.db import transaction

from shutong.audit import log
from shutong.audit.chain import ActorValues, Record
from shutong.audit.models import Departure, DepartureRecord

LISTED = 1000
"""Up to so many records each get a row of their own; larger sets are kept packed and searched per resource."""

ENTRY = "audit.departure"


def note_departure(
    *,
    actor: ActorValues,
    channel: str,
    receiver: str,
    records: Iterable[str] | None,
    count: int | None = None,
    purpose: str = "",
    resource: str = "",
    selection: Mapping[str, str | int] | None = None,
) -> Departure:
    """Writes down that records left, in the current transaction or one of its own, with an entry in the audit chain.

    Args:
        actor: who let them go.
        channel: ``download``, ``api``, ``stream``, ``open-release``, ``report``, ...
        receiver: id of the department, account or application that has them now; ``public`` for everybody.
        records: their record ids; None for a bulk set that only ``selection`` and ``count`` describe.
        selection: how the set was chosen (lake sequence, grant, conditions), so that it can be computed again.

    Raises:
        ValueError: neither records nor a count with a selection.
        AuditValueError: an id, purpose or receiver looks like personal data.
    """
    ids = sorted(set(records)) if records is not None else None
    if ids is None and (count is None or not selection):
        raise ValueError("a departure needs its record ids, or a count and the selection they were chosen by")
    packed = "\n".join(ids or ()).encode()
    text = json.dumps(selection or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    with transaction.atomic(), log.gathered():
        departure = Departure.objects.create(
            departure=f"d{secrets.token_hex(12)}",
            at=datetime.now(UTC),
            channel=channel,
            receiver=receiver,
            purpose=purpose,
            resource=resource,
            selection=text,
            count=len(ids) if ids is not None else count or 0,
            digest=hashlib.sha256(packed).hexdigest() if ids is not None else "",
            records=zlib.compress(packed, 6) if ids is not None else None,
        )
        if ids is not None and len(ids) <= LISTED:
            DepartureRecord.objects.bulk_create(DepartureRecord(departure=departure, record=one) for one in ids)
        detail = {"seal": departure_seal(departure), "channel": channel, "receiver": receiver, "purpose": purpose}
        log.append(Record(ENTRY, "done", actor, objects=(departure.departure,), detail=detail))
    return departure


def records_of(departure: Departure) -> list[str] | None:
    """The record ids of a departure, sorted; None where only its selection is known."""
    if departure.records is None:
        return None
    text = zlib.decompress(bytes(departure.records)).decode()
    return text.split("\n") if text else []


def departures_of(records: Iterable[str], resource: str) -> list[Departure]:
    """Which departures of ``resource`` held any of ``records``, oldest first.

    Bulk departures without a list of ids are all returned: whether they held a record follows from their selection.
    """
    wanted = set(records)
    found: dict[str, Departure] = {}
    ids = sorted(wanted)
    for start in range(0, len(ids), 500):
        for row in DepartureRecord.objects.filter(record__in=ids[start : start + 500]).select_related("departure"):
            found[row.departure.departure] = row.departure
    large = Departure.objects.filter(resource=resource).exclude(records__isnull=False, count__lte=LISTED)
    for departure in large.iterator():
        held = records_of(departure)
        if held is None or not wanted.isdisjoint(held):
            found[departure.departure] = departure
    return sorted(found.values(), key=lambda one: (one.at, one.departure))


def departure_seal(departure: Departure) -> str:
    """SHA-256 over everything a departure says; stands in its audit entry, so that a changed row is found."""
    said = [
        departure.departure,
        departure.channel,
        departure.receiver,
        departure.purpose,
        departure.resource,
        departure.selection,
        str(departure.count),
        departure.digest,
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
