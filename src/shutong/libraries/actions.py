"""The verb of libraries: a public library leaves as a file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from shutong.accounts.actions import action, note
from shutong.accounts.actors import Actor
from shutong.audit.departures import note_departure
from shutong.libraries.geoparquet import write_geoparquet

PUBLIC = "public"


@dataclass(frozen=True)
class Exported:
    """A file that was written: its rows, how many of them have a point, and its SHA-256."""

    path: Path
    rows: int
    points: int
    sha256: str


@action(permission="libraries.export", audited=("library", "known_on"))
def export_library(
    library: str, rows: pa.Table, system: str, target: Path, known_on: dt.date, *, acting: Actor
) -> Exported:
    """Write a placed library as GeoParquet, and write down that its rows left for the public.

    Args:
        library: its name.
        rows: as ``libraries.space.placed`` selects them: public attributes only.
        system: reference system of the points.
        target: the file; one that is there is replaced once the new one is complete.
        known_on: the day as of whose end the rows were known.

    Raises:
        OSError: the file can't be written; nothing has left then.
    """
    digest = write_geoparquet(target, rows, system)
    points = rows.num_rows - rows.column("_x").null_count
    note_departure(
        actor=acting.values(),
        channel="download",
        receiver=PUBLIC,
        records=None,
        count=rows.num_rows,
        resource=f"library/{library}",
        selection={"library": library, "known_on": known_on.isoformat(), "sha256": digest},
    )
    note(library, rows=rows.num_rows, sha256=digest)
    return Exported(target, rows.num_rows, points, digest)
