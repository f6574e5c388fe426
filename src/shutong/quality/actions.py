"""The verbs of tickets: open one for rejects or for disagreements, correct, give up; it closes by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shutong.accounts.actions import action, note, send
from shutong.accounts.actors import Actor
from shutong.quality.models import Ticket, TicketRow

MOST_ROWS = 20_000
"""A ticket with more rows is settled as a whole: nobody corrects so many by hand."""

_CHUNK = 500
_KEY_LENGTH = 100


class TicketError(ValueError):
    """A verb that does not fit where the ticket stands. Carries a text in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class RejectedRow:
    """What a ticket keeps of a rejected row: its id and the codes of its reasons; no values."""

    row_id: str
    reasons: str


@action(permission="quality.open", department="department", audited=("batch", "resource", "department"))
def open_reject_ticket(
    batch: str,
    resource: str,
    title: str,
    department: str,
    rejected: int,
    rows: Iterable[RejectedRow],
    day: dt.date,
    *,
    acting: Actor,
) -> Ticket:
    """Open the ticket of a batch with rejected rows; opening it again gives the one there is.

    Args:
        title: the resource's title.
        rejected: how many rows were rejected; beyond ``MOST_ROWS`` ``rows`` is not looked at.
        day: business day.
    """
    ticket, new = Ticket.objects.get_or_create(
        kind=Ticket.Kind.REJECTS,
        subject=batch,
        department=department,
        defaults={
            "resource": resource,
            "title": title,
            "opened_on": day,
            "rows": rejected,
            "open_rows": rejected,
            "whole": rejected > MOST_ROWS,
        },
    )
    if new:
        if not ticket.whole:
            lines = [TicketRow(ticket=ticket, row_id=row.row_id, reasons=row.reasons) for row in rows]
            TicketRow.objects.bulk_create(lines, batch_size=_CHUNK, ignore_conflicts=True)
        send("ticket.opened", ticket=str(ticket.pk), department=department, kind=ticket.kind)
    note(f"t{ticket.pk}", rows=rejected)
    return ticket


@action(permission="quality.answer", department="ticket.department", audited=("ticket.pk", "batch"))
def note_correction(
    ticket: Ticket, batch: str, row_ids: Sequence[str], rejected: int, day: dt.date, *, acting: Actor
) -> Ticket:
    """A correcting batch is in: settle the rows it brought right; the ticket closes with the last one.

    Args:
        row_ids: row ids that the batch's accepted rows carried.
        rejected: rows that the correcting batch rejected again (they stay open).
    """
    if ticket.whole:
        if rejected == 0:
            ticket.open_rows = 0
    else:
        for start in range(0, len(row_ids), _CHUNK):
            ticket.lines.filter(row_id__in=row_ids[start : start + _CHUNK], state=TicketRow.State.OPEN).update(
                state=TicketRow.State.CORRECTED, settled_by=batch, settled_on=day
            )
    return _close_if_settled(ticket, day)


@action(permission="quality.answer", department="ticket.department", audited=("ticket.pk", "row_ids"))
def give_up_rows(ticket: Ticket, row_ids: Sequence[str] | None, reason: str, day: dt.date, *, acting: Actor) -> Ticket:
    """Say that rows will not be corrected, and why. ``row_ids`` None gives up all that are open.

    Raises:
        TicketError: no reason is given, the ticket is closed, or a row is not an open row of it.
    """
    if not reason.strip():
        raise TicketError("请填写放弃更正的原因", "Say why the rows are given up")
    if ticket.state != Ticket.State.OPEN:
        raise TicketError("工单已办结", "The ticket is closed")
    lines = ticket.lines.filter(state=TicketRow.State.OPEN)
    if row_ids is not None:
        lines = lines.filter(row_id__in=list(row_ids))
        missing = set(row_ids) - set(lines.values_list("row_id", flat=True))
        if missing:
            shown = "、".join(sorted(missing)[:5])
            raise TicketError(f"工单中没有待处理的行：{shown}", f"Not open rows of the ticket: {shown}")
    elif ticket.whole:
        ticket.open_rows = 0
    lines.update(state=TicketRow.State.GIVEN_UP, settled_by=acting.id[:32], settled_on=day, note=reason.strip()[:500])
    return _close_if_settled(ticket, day)


@action(permission="quality.open", audited=("name",))
def open_disagreement_ticket(
    name: str, title: str, rows: Sequence[Mapping[str, Any]], day: dt.date, *, acting: Actor
) -> list[Ticket]:
    """Bring the tickets of a verification in line with what it found today: one ticket per department concerned.

    Each department gets the disagreements that it is a side of. One that is new is added (and opens a closed ticket
    again), one that is gone is resolved on every side.

    Args:
        name: of the verification, or ``library.attribute`` of compared sources.
        rows: rows of the lake's table ``disagreements`` of this name: key, item, left_value, right_value, record_ids,
            subject_id, departments.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        for department in row["departments"]:
            found.setdefault(department, {})[f"{row['key']}|{row['item']}"[:_KEY_LENGTH]] = row
    known = {one.department: one for one in Ticket.objects.filter(kind=Ticket.Kind.DISAGREEMENT, subject=name)}
    tickets = []
    for department in dict.fromkeys([*found, *known]):
        ticket = known.get(department) or Ticket.objects.create(
            kind=Ticket.Kind.DISAGREEMENT,
            subject=name,
            title=title,
            department=department,
            opened_on=day,
            rows=0,
            open_rows=0,
        )
        tickets.append(_compare(ticket, found.get(department, {}), day))
    note(*(f"t{ticket.pk}" for ticket in tickets), found=len(rows))
    return tickets


def _compare(ticket: Ticket, found: Mapping[str, Mapping[str, Any]], day: dt.date) -> Ticket:
    known = {line.row_id: line for line in ticket.lines.all()}
    fresh, changed = [], []
    for key, row in list(found.items())[:MOST_ROWS]:
        left, right = (str(row[side] if row[side] is not None else "")[:100] for side in ("left_value", "right_value"))
        line = known.get(key)
        if line is None:
            line = TicketRow(ticket=ticket, row_id=key, reasons=str(row["item"]), about=row["subject_id"] or "")
            fresh.append(line)
        elif (line.left, line.right) != (left, right) or line.state == TicketRow.State.RESOLVED:
            line.state, line.settled_on = TicketRow.State.OPEN, None
            changed.append(line)
        elif line.records != row["record_ids"]:
            changed.append(line)
        line.left, line.right, line.records = left, right, list(row["record_ids"])
    TicketRow.objects.bulk_create(fresh, batch_size=_CHUNK)
    TicketRow.objects.bulk_update(changed, ["left", "right", "records", "state", "settled_on"], batch_size=_CHUNK)
    gone = [key for key, line in known.items() if key not in found and line.state == TicketRow.State.OPEN]
    for start in range(0, len(gone), _CHUNK):
        ticket.lines.filter(row_id__in=gone[start : start + _CHUNK]).update(
            state=TicketRow.State.RESOLVED, settled_on=day
        )
    was_open = ticket.state == Ticket.State.OPEN and ticket.rows > 0
    ticket.rows = len(known) + len(fresh)
    ticket = _close_if_settled(ticket, day)
    if ticket.state == Ticket.State.OPEN and not was_open:
        send("ticket.opened", ticket=str(ticket.pk), department=ticket.department, kind=ticket.kind)
    return ticket


def _close_if_settled(ticket: Ticket, day: dt.date) -> Ticket:
    if not ticket.whole:
        ticket.open_rows = ticket.lines.filter(state=TicketRow.State.OPEN).count()
    was = ticket.state
    ticket.state = Ticket.State.CLOSED if ticket.open_rows == 0 else Ticket.State.OPEN
    ticket.closed_on = day if ticket.state == Ticket.State.CLOSED else None
    ticket.save()
    if ticket.state == Ticket.State.CLOSED and was != ticket.state:
        send("ticket.closed", ticket=str(ticket.pk), department=ticket.department, kind=ticket.kind)
    note(f"t{ticket.pk}", open_rows=ticket.open_rows)
    return ticket
