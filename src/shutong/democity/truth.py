"""The truth beside the city: which row is about whom, which rows are bad and why, what was planted.

Tables, each one Parquet file under ``truth/``:

- ``records``: ``resource``, ``file`` (path relative to the city), ``row_no`` (1 = first data row), ``received_on``,
  ``subject``, ``person``, ``place`` (numbers, -1 for nobody), ``bad_reason`` and ``bad_item`` (empty for a good row),
  ``dirt`` (what was planted), ``readable`` (a spelling that must be read without loss), ``evidence`` (uscc, old-number,
  bad-code, name-area, name-variant, register, citizen-id, person-name), ``variant`` (the way in which the name is
  written, ``variants``, or the code, ``slips``), ``identifiable`` (a careful clerk who sees all registers names its
  subject; ``identity`` defines it).
- ``subjects``: ``subject``, ``kind``, ``uscc``, ``org_code``, ``registration_no``, ``taxpayer_no``, ``certificate_no``,
  ``name`` and ``area`` at the end, ``former_name``, ``first_name`` and ``first_area`` as of the first day, ``status``,
  ``established_on``, ``ended_on``, ``event``, ``event_on``, ``head`` and ``merged_into`` (subject numbers, -1 for none),
  ``twin`` (somebody has the same name), ``lookalike`` (somebody has it with another legal form), ``near`` (the subject
  of the same county whose name differs in one character), ``group`` (the first of the group it belongs to),
  ``registered`` (a good row of a register names it), ``owner`` (person number).
- ``patterns``: ``pattern``, ``subject``, ``because`` (planted, or why the data shows it without being planted).
- ``planted_personal``: ``value``, ``kind`` (citizen-id, mobile), ``resource``, ``file``, ``row_no``, ``item``, ``person``.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def _schema(columns: list[Any]) -> pa.Schema:
    return pa.schema(columns)


RECORDS = _schema(
    [
        ("resource", pa.string()), ("file", pa.string()), ("row_no", pa.int64()), ("received_on", pa.date32()),
        ("subject", pa.int64()), ("person", pa.int64()), ("place", pa.int64()), ("bad_reason", pa.string()),
        ("bad_item", pa.string()), ("dirt", pa.string()), ("readable", pa.string()), ("evidence", pa.string()),
        ("variant", pa.string()), ("identifiable", pa.bool_()),
    ]
)  # fmt: skip
SUBJECTS = _schema(
    [
        ("subject", pa.int64()), ("kind", pa.string()), ("uscc", pa.string()), ("org_code", pa.string()),
        ("registration_no", pa.string()), ("taxpayer_no", pa.string()), ("certificate_no", pa.string()),
        ("name", pa.string()), ("area", pa.string()), ("former_name", pa.string()), ("first_name", pa.string()),
        ("first_area", pa.string()), ("status", pa.string()), ("established_on", pa.date32()), ("ended_on", pa.date32()),
        ("event", pa.string()), ("event_on", pa.date32()), ("head", pa.int64()), ("merged_into", pa.int64()),
        ("twin", pa.bool_()), ("lookalike", pa.bool_()), ("near", pa.int64()), ("group", pa.int64()),
        ("registered", pa.bool_()), ("owner", pa.int64()),
    ]
)  # fmt: skip
PATTERNS = _schema([("pattern", pa.string()), ("subject", pa.int64()), ("because", pa.string())])
PERSONAL = _schema(
    [
        ("value", pa.string()), ("kind", pa.string()), ("resource", pa.string()), ("file", pa.string()),
        ("row_no", pa.int64()), ("item", pa.string()), ("person", pa.int64()),
    ]
)  # fmt: skip
TABLES = {"records": RECORDS, "subjects": SUBJECTS, "patterns": PATTERNS, "planted_personal": PERSONAL}


class Truth:
    """Writer of the truth tables; each ``add`` is one row group, so memory holds one block at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._writers = {
            name: pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            for name, schema in TABLES.items()
        }

    def __enter__(self) -> Truth:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, table: str, columns: dict[str, pa.Array[Any]]) -> None:
        """Append rows; the columns are those of :data:`TABLES`, in any order."""
        schema = TABLES[table]
        self._writers[table].write_table(pa.table([columns[name] for name in schema.names], schema=schema))


def read_truth(folder: Path, table: str) -> pa.Table:
    """A truth table of a city: ``folder`` is the city's ``truth`` folder."""
    return pq.read_table(folder / f"{table}.parquet")
