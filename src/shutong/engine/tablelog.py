"""The Delta log of each table: for other engines, derived from the manifest, never read by the platform.

A log shows its table as of its last whole version: appends and replacements at once, patches when they are folded
(decision 0001b). It is brought in line by comparing what it lists with what it should list, so doing it twice, or
after a kill in between, changes nothing.
"""

from __future__ import annotations

import json
import shutil
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
    folder = table.root / table.name
    wanted = {file.path.rpartition("/")[2]: file for file in table.files}
    delta = _open(table)
    if delta is None:
        folder.mkdir(parents=True, exist_ok=True)
        create_table_with_add_actions(
            str(folder),
            schema=Schema.from_arrow(table.schema),
            add_actions=[_add(name, file) for name, file in wanted.items()],
            mode="error",
            name=table.name,
            commit_properties=_properties(seq),
        )
        return True
    listed = {uri.rpartition("/")[2] for uri in delta.file_uris()}
    same_schema = _columns(delta) == {field.name: sqltext.type_name(field.type) for field in table.schema}
    if listed == set(wanted) and same_schema:
        return False
    added: list[AddAction | RemoveAction] = [_add(name, file) for name, file in wanted.items() if name not in listed]
    if not same_schema and listed & set(wanted):
        # The log holds nothing the manifest does not, so it is made anew instead of altered.
        shutil.rmtree(folder / "_delta_log")
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
    log = table.root / table.name / "_delta_log"
    if not log.exists():
        return None
    try:
        return DeltaTable(str(log.parent))
    except (DeltaError, OSError, ValueError):
        # A half-made or damaged log is made anew: it is derived.
        shutil.rmtree(log)
        return None


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
