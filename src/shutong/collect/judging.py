"""What collect asks of whoever checks the rows (the area quality): a judge per resource and delivery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from shutong.collect.chunks import Chunk, Numbers
from shutong.collect.header import Headers
from shutong.collect.problems import Problem
from shutong.spec.models import Resource

REASONS = pa.list_(pa.struct([("code", pa.string()), ("item", pa.string()), ("zh", pa.string()), ("en", pa.string())]))
"""Arrow type of the reasons of a rejected row."""


@dataclass(frozen=True)
class Told:
    """One reason and the rows it was told: whether they were rejected for it or flagged, and their numbers."""

    problem: Problem
    rejects: bool
    rows: Numbers


@dataclass(frozen=True)
class Judged:
    """A chunk after its checks.

    ``kept``: the accepted rows, items typed in declared order, not yet sealed; ``row_no``, ``operation`` (None: all
    upserts), ``flags`` (list of ``code:item``) and ``row_ids`` (as delivered, None where the file has none) belong to
    them. ``refused_*``: the rejected rows: numbers, reasons (type ``REASONS``), the delivered cells as JSON text, and
    their row ids. ``told``: every reason with its rows. ``repeats``: the typed rows rejected as repeats of a key, for keys
    are compared by a short hash while rows stream by and collect compares the keys themselves at the end.
    """

    kept: pa.RecordBatch
    row_no: Numbers
    operation: pa.Array[Any] | None
    flags: pa.Array[Any]
    row_ids: pa.Array[Any] | None
    refused_row_no: Numbers
    refused_reasons: pa.Array[Any]
    refused_cells: list[str]
    refused_row_ids: list[str] | None
    told: tuple[Told, ...]
    repeats: pa.RecordBatch | None

    @property
    def received(self) -> int:
        """Rows of the chunk."""
        return len(self.row_no) + len(self.refused_row_no)


class Judge(Protocol):
    """Checks the rows of one delivery. Used once; chunks are given in the order of the file."""

    @property
    def headers(self) -> Headers:
        """The headers that the resource accepts."""
        ...

    @property
    def identity(self) -> str:
        """Canonical hash of the declaration and the code that check."""
        ...

    def judge(self, header: Sequence[str], chunks: Iterable[Chunk]) -> Iterator[Judged]:
        """Check the chunks of a file with this header.

        Raises:
            Refusal: the header does not fit, or, at the end, the delivery is not what was agreed.
        """
        ...

    @property
    def warnings(self) -> list[Problem]:
        """What is worth telling about a delivery that is in; complete once the chunks are through."""
        ...


JudgeFor: TypeAlias = "Callable[[Resource, dt.date, int], Judge]"
"""Makes the judge of a resource for the day of delivery. The number is the salt of its key hashes: another one is
tried in the rare case that two different keys had the same hash."""
