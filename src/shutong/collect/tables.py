"""The lake tables that collect and check write (docs/developers/tables.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from shutong.collect.ids import record_ids, row_id
from shutong.collect.intake import Read
from shutong.collect.judging import REASONS
from shutong.collect.receipt import Receipt
from shutong.spec.catalog import stored_columns
from shutong.spec.models import Resource


def _schema(*columns: tuple[str, Any]) -> pa.Schema:
    return pa.schema(list(columns))


BATCHES = "batches"
REJECTED = "rejected"

BATCHES_SCHEMA = _schema(
    ("batch_id", pa.string()),
    ("resource", pa.string()),
    ("seq", pa.int64()),
    ("received_on", pa.date32()),
    ("received_at", pa.timestamp("us", tz="UTC")),
    ("file_name", pa.string()),
    ("sha256", pa.string()),
    ("bytes", pa.int64()),
    ("declaration", pa.string()),
    ("state", pa.string()),
    ("rows", pa.int64()),
    ("accepted", pa.int64()),
    ("rejected", pa.int64()),
    ("flagged", pa.int64()),
    ("corrects", pa.string()),
    ("refusal", pa.string()),
    ("receipt", pa.string()),
)
"""The table ``batches``."""

REJECTED_SCHEMA = _schema(
    ("batch_id", pa.string()),
    ("resource", pa.string()),
    ("row_no", pa.int64()),
    ("row_id", pa.string()),
    ("reasons", REASONS),
    ("sealed_row", pa.binary()),
)
"""The table ``rejected``."""


def accepted_table(resource: str) -> str:
    """The table of a resource's accepted rows."""
    return f"accepted/{resource}"


def accepted_rows(resource: Resource, reads: Iterable[tuple[str, int, Read]]) -> pa.RecordBatchReader:
    """The accepted rows of batches (id, seq, what was read) of one resource, as ``accepted/<resource>`` stores them."""
    schema = stored_columns(resource)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch, seq, read in reads:
            for waiting in read.accepted.batches():
                yield _stored(waiting, batch, seq, read.delivery.received_on, schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _stored(waiting: pa.RecordBatch, batch: str, seq: int, received_on: dt.date, schema: pa.Schema) -> pa.RecordBatch:
    rows = waiting.num_rows
    made: dict[str, Any] = {
        "record_id": lambda: record_ids(batch, waiting.column("row_no").to_numpy()),
        "batch_id": lambda: pa.repeat(pa.scalar(batch), rows),
        "seq": lambda: pa.repeat(pa.scalar(seq, pa.int64()), rows),
        "received_on": lambda: pa.repeat(pa.scalar(received_on, pa.date32()), rows),
    }
    columns = [made[name]() if name in made else waiting.column(name) for name in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def rejected_rows(reads: Iterable[tuple[str, int, Read]]) -> pa.RecordBatchReader:
    """The rejected rows of batches as ``rejected`` stores them.

    A row of a correction that fails again keeps the row id under which the clerk knows it.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        for batch, _, read in reads:
            for waiting in read.rejected.batches():
                numbers: list[Any] = waiting.column("row_no").to_pylist()
                known: list[Any] = [""] * len(numbers)
                if read.delivery.corrects:
                    known = waiting.column("row_id").to_pylist()
                ids = [old.strip() or row_id(batch, number) for old, number in zip(known, numbers, strict=True)]
                columns: list[Any] = [
                    pa.repeat(pa.scalar(batch), len(ids)),
                    pa.repeat(pa.scalar(read.resource.resource), len(ids)),
                    waiting.column("row_no"),
                    pa.array(ids, pa.string()),
                    waiting.column("reasons"),
                    waiting.column("sealed_row"),
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=REJECTED_SCHEMA)

    return pa.RecordBatchReader.from_batches(REJECTED_SCHEMA, batches())


def batch_rows(entries: Iterable[tuple[int, dt.datetime, str, Receipt]]) -> pa.Table:
    """Rows of ``batches`` from (seq, received_at, declaration hash, receipt)."""
    rows = [
        {
            "batch_id": receipt.batch,
            "resource": receipt.resource,
            "seq": seq,
            "received_on": receipt.received_on,
            "received_at": received_at,
            "file_name": receipt.file_name,
            "sha256": receipt.sha256,
            "bytes": receipt.bytes,
            "declaration": declaration,
            "state": receipt.state,
            "rows": receipt.received,
            "accepted": receipt.accepted,
            "rejected": receipt.rejected,
            "flagged": receipt.flagged,
            "corrects": receipt.corrects,
            "refusal": receipt.refusal["code"] if receipt.refusal else None,
            "receipt": receipt.text,
        }
        for seq, received_at, declaration, receipt in entries
    ]
    return pa.Table.from_pylist(rows, schema=BATCHES_SCHEMA)
