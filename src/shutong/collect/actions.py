"""The verbs of collect: keeping the mirror of the lake's batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shutong.accounts.actions import action, note, send
from shutong.accounts.actors import Actor
from shutong.collect.models import Batch

_CHUNK = 500

DELIVERED = "collect.batches_delivered"
"""Sent once for the batches of a department that came in together: department, batches (how many)."""


@action(permission="collect.deliver", department="department")
def mirror_batches(rows: Sequence[Mapping[str, Any]], department: str, *, acting: Actor) -> list[str]:
    """Write down batches of one department that the mirror does not have yet, or has in an earlier state.

    Args:
        rows: rows of the lake's table ``batches``.
        department: whose resources they are of.

    Returns the ids of the new or changed ones, in the order of arrival.
    """
    latest = {str(row["batch_id"]): row for row in sorted(rows, key=lambda row: int(row["seq"]))}
    known: dict[str, int] = {}
    ids = list(latest)
    for start in range(0, len(ids), _CHUNK):
        found = Batch.objects.filter(pk__in=ids[start : start + _CHUNK])
        known |= dict(found.values_list("batch_id", "seq"))
    changed = [row for batch, row in latest.items() if known.get(batch) != row["seq"]]
    Batch.objects.bulk_create(
        [_batch(row, department) for row in changed],
        batch_size=_CHUNK,
        update_conflicts=True,
        unique_fields=["batch_id"],
        update_fields=[field.name for field in Batch._meta.concrete_fields if not field.primary_key],
    )
    names = [str(row["batch_id"]) for row in changed]
    note(*names[:_CHUNK], batches=len(names))
    if any(row["state"] == "in" for row in changed):
        send(DELIVERED, department=department, batches=len(names))
    return names


def _batch(row: Mapping[str, Any], department: str) -> Batch:
    return Batch(
        batch_id=row["batch_id"],
        resource=row["resource"],
        department=department,
        seq=row["seq"],
        received_on=row["received_on"],
        received_at=row["received_at"],
        file_name=row["file_name"],
        sha256=row["sha256"],
        bytes=row["bytes"],
        state=row["state"],
        rows=row["rows"],
        accepted=row["accepted"],
        rejected=row["rejected"],
        flagged=row["flagged"],
        corrects=row["corrects"] or "",
        refusal=row["refusal"] or "",
        receipt=row["receipt"],
    )
