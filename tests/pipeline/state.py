"""The state of a home as hashes: lake tables, decisions, tickets and ready answers. Needs Django set up on the home."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shutong.collect.models import Batch
from shutong.engine.home import Home
from shutong.pipeline.answers.schema import TABLES
from shutong.pipeline.answers.store import current_file
from shutong.quality.models import Ticket, TicketRow
from shutong.rules.models import Listing
from tests.pipeline.cities import digests

# What a record says stands in any order, so it is looked at value by value.
_ANSWERS = ("answer_value", *(table.name for table in TABLES if table.name not in {"answer_meta", "answer_source"}))
_OF_THE_MOMENT = {"doc", "received_at"}
"""Columns that say when something happened, or in which order subjects came to the index."""


def state_of(folder: Path) -> dict[str, Any]:
    """Hashes of everything that a killed and repeated run must leave as an undisturbed one does."""
    home = Home.open(folder)
    batches = sorted(Batch.objects.values_list("batch_id", "state", "rows", "accepted"))
    listings = sorted(Listing.objects.values_list("candidate_id", "state", "entered_on", "ground_gone_on", "waits_for"))
    tickets = sorted(Ticket.objects.values_list("subject", "department", "state", "open_rows"))
    rows = sorted(TicketRow.objects.values_list("row_id", "state"))
    return {
        "tables": digests(home),
        "batches": _hash(batches),
        "listings": _hash(listings),
        "tickets": _hash(tickets),
        "ticket_rows": _hash(rows),
        "answers": _answers(home.answers),
    }


def _answers(folder: Path) -> dict[str, str]:
    path = current_file(folder)
    if path is None:
        return {}
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return {table: _hash(_rows(connection, table)) for table in _ANSWERS}
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, table: str) -> list[list[str]]:
    # A bigram that no name has any more stays behind an increment with a count of nothing.
    left = " WHERE docs <> 0" if table == "answer_bigram" else ""
    rows = connection.execute(f"SELECT * FROM {table}{left}").fetchall()
    return sorted([f"{key}={row[key]}" for key in row.keys() if key not in _OF_THE_MOMENT] for row in rows)  # noqa: SIM118


def _hash(rows: Iterable[Any]) -> str:
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()[:16]
