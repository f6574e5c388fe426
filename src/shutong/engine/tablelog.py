"""The Delta log of each table: for other engines, derived from the manifest, never read by the platform.

A log shows its table as of its last whole version: appends and replacements at once, patches when they are folded
(decision 0001b). It is brought in line by comparing what it lists with what it should list, so doing it twice, or
after a kill in between, changes nothing.
"""

from __future__ import annotations

import json
import time
from typing import Any, cast

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from shutong.engine import sqltext
from shutong.engine.manifest import DataFile
from shutong.engine.tablefiles import TableFiles

_TRANSACTION = "shutong"


def publish(table: TableFiles, seq: int) -> bool:
    """Bring one table's log in line with ``table`` (which has no patches); returns whether anything changed."""
    wanted = {file.path.rpartition("/")[2]: file for file in table.files}
    delta = _open(table)
    if delta is None:
        create_table_with_add_actions(
            table.storage.address(table.name),
            schema=Schema.from_arrow(table.schema),
            add_actions=[_add(name, file) for name, file in wanted.items()],
            mode="error",
            name=table.name,
            commit_properties=_properties(seq),
            storage_options=_options(table),
        )
        return True
    listed = {uri.rpartition("/")[2] for uri in delta.file_uris()}
    same_schema = _columns(delta) == {field.name: sqltext.type_name(field.type) for field in table.schema}
    if listed == set(wanted) and same_schema:
        return False
    added: list[AddAction | RemoveAction] = [_add(name, file) for name, file in wanted.items() if name not in listed]
    if not same_schema and listed & set(wanted):
        # The log holds nothing the manifest does not, so it is made anew instead of altered.
        table.storage.remove_folder(_log(table))
        return publish(table, seq)
    if same_schema:
        now = int(time.time() * 1000)
        removed = [RemoveAction(path=name, data_change=True, deletion_timestamp=now) for name in listed - set(wanted)]
        delta.create_write_transaction(
            [*added, *removed], "append", Schema.from_arrow(table.schema), commit_properties=_properties(seq)
        )
    else:
        delta.create_write_transaction(
            added, "overwrite", Schema.from_arrow(table.schema), commit_properties=_properties(seq)
        )
    return True


def _open(table: TableFiles) -> DeltaTable | None:
    if next(iter(table.storage.listed(_log(table))), None) is None:
        return None
    try:
        return DeltaTable(table.storage.address(table.name), storage_options=_options(table))
    except (DeltaError, OSError, ValueError):
        # A half-made or damaged log is made anew: it is derived.
        table.storage.remove_folder(_log(table))
        return None


def _log(table: TableFiles) -> str:
    return f"{table.name}/_delta_log"


def _options(table: TableFiles) -> dict[str, str] | None:
    options = table.storage.options
    return None if options is None else dict(options)


def _columns(delta: DeltaTable) -> dict[str, str]:
    schema = pa.schema(cast(Any, delta.schema().to_arrow()))
    return {field.name: sqltext.type_name(field.type) for field in schema}


def _properties(seq: int) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(_TRANSACTION, seq)], custom_metadata={"run": str(seq)})


def _add(name: str, file: DataFile) -> AddAction:
    return AddAction(
        path=name,
        size=file.bytes,
        partition_values={},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=json.dumps({"numRecords": file.rows}),
    )
