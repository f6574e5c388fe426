"""Rows on their way into the lake: held in memory while they are few, else in a temporary Arrow file.

A batch's id is known only when its file has been read to the end, so accepted rows wait here, personal items sealed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc


class Budget:
    """Bytes that all spools of a run may hold in memory together."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def take(self, size: int) -> bool:
        """Whether ``size`` more bytes may be held."""
        self._left -= size
        return self._left >= 0

    def give(self, size: int) -> None:
        """Bytes that are held no longer."""
        self._left += size


class Spool:
    """A run of record batches of one schema, written once and read in order (more than once, if asked)."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self._path = path
        self._budget = budget
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._writer: pa.ipc.RecordBatchFileWriter | None = None
        self._on_disk = False
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if not batch.num_rows:
            return
        self.rows += batch.num_rows
        if self._writer is None and self._budget.take(batch.nbytes):
            self._held.append(batch)
            self._held_bytes += batch.nbytes
            return
        if self._writer is None:
            self._budget.give(batch.nbytes)
            self._open(batch.schema)
        assert self._writer is not None  # noqa: S101 - opened just above
        self._writer.write_batch(batch)

    def _open(self, schema: pa.Schema) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pa.ipc.new_file(str(self._path), schema)
        self._on_disk = True
        for batch in self._held:
            self._writer.write_batch(batch)
        self._let_go()

    def _let_go(self) -> None:
        self._budget.give(self._held_bytes)
        self._held, self._held_bytes = [], 0

    def finish(self) -> None:
        """End writing."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in order."""
        self.finish()
        if not self._on_disk:
            yield from self._held
            return
        with pa.memory_map(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)

    def clear(self) -> None:
        """Let everything go."""
        self.finish()
        self._let_go()
        if self._on_disk:
            self._path.unlink(missing_ok=True)
            self._on_disk = False
        self.rows = 0
