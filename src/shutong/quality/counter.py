"""The counter where people and programs deliver: permission, the transaction in the lake, then mirror and tickets.

The lake commits first; what the state database keeps of a batch (its mirror, its ticket) follows in a transaction of
its own and is made good by ``reconcile`` if the process died in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction

from shutong.accounts.actions import require
from shutong.accounts.actors import SYSTEM, Actor
from shutong.collect.actions import mirror_batches
from shutong.collect.delivery import Progress, known_batches
from shutong.collect.models import Batch
from shutong.collect.receipt import Receipt, read
from shutong.collect.tables import BATCHES, REJECTED
from shutong.engine.engine import Engine
from shutong.engine.home import Home
from shutong.quality.actions import MOST_ROWS, RejectedRow, note_correction, open_reject_ticket
from shutong.quality.delivery import Delivery, deliver_many
from shutong.quality.models import Ticket, TicketRow
from shutong.quality.rejects import Rejects, open_rejects
from shutong.spec.catalog import Catalog


def take_in(
    home: Home,
    engine: Engine,
    catalog: Catalog,
    deliveries: Sequence[Delivery],
    *,
    acting: Actor,
    progress: Progress | None = None,
) -> list[Receipt]:
    """Take files in on somebody's behalf: one commit in the lake, then mirror and tickets.

    Raises:
        KeyError: no such resource is declared.
        NotAllowedError: the actor may not deliver for the department of a resource; nothing is taken.
        EngineError, OSError: nothing is in.
    """
    departments = {catalog.resources[delivery.resource].department for delivery in deliveries}
    for department in sorted(departments):
        require(acting, "collect.deliver", department, what="collect.deliver")
    receipts = deliver_many(home, engine, catalog, deliveries, progress=progress)
    reconcile(engine, catalog, acting=acting, only={receipt.batch for receipt in receipts if receipt.batch})
    return receipts


def reconcile(engine: Engine, catalog: Catalog, *, acting: Actor = SYSTEM, only: set[str] | None = None) -> list[str]:
    """Bring mirror and tickets in line with the lake; returns the ids of batches that were new to them.

    At the beginning of a pipeline run it makes good what a kill left; twice changes nothing. A department's batches and
    their tickets are written in one transaction.

    Args:
        only: look at these batches only; all that the mirror is behind with where it is None.
    """
    rows = known_batches(engine, batches_behind(engine) if only is None else only).to_pylist()
    by_department: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        resource = catalog.resources.get(row["resource"])
        if resource is not None:
            by_department.setdefault(resource.department, []).append(row)
    changed: list[str] = []
    for department, own in sorted(by_department.items()):
        with transaction.atomic():
            new = mirror_batches(own, department, acting=acting)
            changed += new
            for row in own:
                if row["batch_id"] in new and row["state"] == "in":
                    _ticket(engine, catalog, row, department)
    return changed


def batches_behind(engine: Engine) -> set[str]:
    """Batches that the mirror lacks, or has in an earlier state: a kill came after their commit in the lake."""
    if not engine.lake.table(BATCHES).segments:
        return set()
    latest = engine.query("SELECT batch_id, max(seq) AS seq FROM batches GROUP BY batch_id", {"batches": BATCHES})
    mirror = dict(Batch.objects.values_list("batch_id", "seq"))
    return {row["batch_id"] for row in latest.to_pylist() if mirror.get(row["batch_id"]) != row["seq"]}


def _ticket(engine: Engine, catalog: Catalog, row: Mapping[str, Any], department: str) -> None:
    day = row["received_on"]
    if row["corrects"]:
        ticket = Ticket.objects.filter(kind=Ticket.Kind.REJECTS, subject=row["corrects"]).first()
        if ticket is not None:
            note_correction(
                ticket, row["batch_id"], read(row["receipt"]).corrected, row["rejected"], day, acting=SYSTEM
            )
    elif row["rejected"]:
        title = catalog.resources[row["resource"]].title.zh
        rows = _rejected_rows(engine, row["batch_id"]) if row["rejected"] <= MOST_ROWS else iter(())
        open_reject_ticket(
            row["batch_id"], row["resource"], title, department, row["rejected"], rows, day, acting=SYSTEM
        )


def _rejected_rows(engine: Engine, batch: str) -> Iterator[RejectedRow]:
    table = engine.query(
        "SELECT row_id, list_transform(reasons, x -> concat_ws(':', x.code, x.item)) AS reasons "
        "FROM rejected WHERE batch_id = :batch ORDER BY row_no",
        {"rejected": REJECTED},
        {"batch": batch},
    )
    for row in table.to_pylist():
        yield RejectedRow(row["row_id"], " ".join(row["reasons"]))


def rejects_of_batch(home: Home, engine: Engine, batch: Batch, *, acting: Actor) -> Rejects:
    """The rejected rows of a batch that are still to be corrected, for ``rejects_workbook`` or ``rejects_csv``.

    Raises:
        NotAllowedError: the actor may not see the batches of that department.
    """
    require(acting, "collect.read", batch.department, what="quality.rejects")
    given_up = TicketRow.objects.filter(
        ticket__kind=Ticket.Kind.REJECTS, ticket__subject=batch.batch_id, state=TicketRow.State.GIVEN_UP
    ).values_list("row_id", flat=True)
    return open_rejects(home.keys, engine, batch.batch_id, set(given_up))
