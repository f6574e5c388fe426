"""Reading ahead: the next tables' rows are computed while those that came are written and indexed."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

Source = Iterable[pa.RecordBatch]


@dataclass(frozen=True)
class _Came:
    """What the reading thread has to say: a batch of a table, the end of it, or what went wrong."""

    table: str
    batch: pa.RecordBatch | None = None
    failure: BaseException | None = None


@dataclass
class _Room:
    """How many bytes may wait to be taken; one batch always may."""

    limit: int
    used: int = 0
    closed: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, size: int) -> bool:
        """Wait for room; False when nobody takes anything any more."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self.used == 0 or self.used + size <= self.limit)
            self.used += size
            return not self.closed

    def give(self, size: int) -> None:
        with self.changed:
            self.used -= size
            self.changed.notify()

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify()


@contextlib.contextmanager
def reading_ahead(tables: Mapping[str, Sequence[Source]], limit: int) -> Iterator[Mapping[str, Source]]:
    """The batches of each table, read in the order of the tables by a thread of its own and to be taken in that order.

    Args:
        tables: per table the streams that follow each other; each is opened, read and closed by that thread.
        limit: bytes that may wait to be taken.

    An error of a stream is raised where its batch would have been taken. Who leaves early stops the reading.
    """
    came: queue.SimpleQueue[_Came] = queue.SimpleQueue()
    room = _Room(limit)
    reader = threading.Thread(target=_read, args=(tables, room, came), name="answers-ahead")
    reader.start()
    try:
        yield {name: _taken(name, came, room) for name in tables}
    finally:
        room.close()
        reader.join()


def _read(tables: Mapping[str, Sequence[Source]], room: _Room, came: queue.SimpleQueue[_Came]) -> None:
    name = ""
    try:
        for name, sources in tables.items():
            for source in sources:
                with contextlib.closing(_generator(source)) as batches:
                    for batch in batches:
                        if not room.take(batch.nbytes):
                            return
                        came.put(_Came(name, batch))
            came.put(_Came(name))
    except BaseException as error:
        came.put(_Came(name, failure=error))


def _generator(source: Source) -> Generator[pa.RecordBatch, None, None]:
    yield from source


def _taken(table: str, came: queue.SimpleQueue[_Came], room: _Room) -> Iterator[pa.RecordBatch]:
    while True:
        one = came.get()
        if one.failure is not None:
            raise one.failure
        if one.table != table:
            raise ValueError(f"{table} was asked for before {one.table} was taken")
        if one.batch is None:
            return
        room.give(one.batch.nbytes)
        yield one.batch
