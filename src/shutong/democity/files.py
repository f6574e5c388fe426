"""The files that departments deliver, written block by block: each day's file of a resource grows until its limit."""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv

from shutong.democity.text import Ints, Text
from shutong.democity.workbook import write_workbook
from shutong.spec.models import DemoFile, Resource

MAX_ROWS = {"csv": 200_000, "json": 50_000, "xlsx": 50_000}
"""Rows after which a day's delivery goes on in another file."""


@dataclass(frozen=True)
class Delivery:
    """One delivered file, in the order of delivery. ``path`` is relative to the city's folder."""

    resource: str
    department: str
    received_on: datetime.date
    path: str
    rows: int


@dataclass
class _Open:
    path: Path
    relative: str
    rows: int = 0
    spool: list[list[Text]] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """Where a run of rows went: the file and the number of its first row (1 = first data row)."""

    relative: str
    first_row: int
    rows: int


class ResourceFiles:
    """Writer of all files of one resource."""

    def __init__(self, target: Path, resource: Resource, form: DemoFile) -> None:
        self._target = target
        self._resource = resource
        self._form = form
        self._headers = [_header(name, resource, form) for name in resource.items]
        self._open: dict[int, list[_Open]] = {}

    def add(self, day: int, cells: list[Text]) -> list[Piece]:
        """Append rows to the day's file; they go on in a second file when it is full."""
        rows, done, pieces = len(cells[0]), 0, []
        while done < rows:
            current = self._current(day)
            count = min(rows - done, MAX_ROWS[self._form.format] - current.rows)
            part = [column.slice(done, count) for column in cells]
            self._append(current, part)
            pieces.append(Piece(current.relative, current.rows + 1, count))
            current.rows += count
            done += count
        return pieces

    def close(self) -> list[Delivery]:
        """Finish every file and say what was delivered."""
        found = []
        for day in sorted(self._open):
            received = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
            for current in self._open[day]:
                if self._form.format == "json":
                    with current.path.open("ab") as file:
                        file.write(b"\n]\n")
                elif self._form.format == "xlsx":
                    title = f"{self._resource.title.zh}明细表" if self._form.title_row else None
                    dates = [item.element == "date" for item in self._resource.items.values()]
                    write_workbook(current.path, title, self._headers, dates, current.spool)
                    current.spool.clear()
                department = self._resource.department
                found.append(Delivery(self._resource.resource, department, received, current.relative, current.rows))
        return found

    def _current(self, day: int) -> _Open:
        files = self._open.setdefault(day, [])
        if not files or files[-1].rows >= MAX_ROWS[self._form.format]:
            files.append(self._begin(day, len(files) + 1))
        return files[-1]

    def _begin(self, day: int, number: int) -> _Open:
        date = (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
        name = f"{self._resource.resource}-{date}{f'-{number}' if number > 1 else ''}.{self._form.format}"
        relative = f"deliveries/{date}/{self._resource.department}/{name}"
        path = self._target / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        if self._form.format == "csv":
            head = ",".join(_quoted(header) for header in self._headers) + "\n"
            mark = b"\xef\xbb\xbf" if self._form.encoding == "utf-8-sig" else b""
            path.write_bytes(mark + self._encode(head.encode()))
        elif self._form.format == "json":
            path.write_bytes(b"[")
        return _Open(path, relative)

    def _append(self, current: _Open, cells: list[Text]) -> None:
        if self._form.format == "xlsx":
            current.spool.append(cells)
            return
        with current.path.open("ab") as file:
            if self._form.format == "json":
                file.write(_json_rows(self._headers, cells, first=current.rows == 0))
            else:
                file.write(self._encode(_csv_rows(cells)))

    def _encode(self, text: bytes) -> bytes:
        if self._form.encoding == "gb18030":
            # Departments that write GB18030 use Windows, so their lines end with CR LF.
            return text.replace(b"\n", b"\r\n").decode().encode("gb18030")
        return text


def _header(name: str, resource: Resource, form: DemoFile) -> str:
    item = resource.items[name]
    if form.header == "name":
        return name
    if form.header == "column" and item.columns:
        return item.columns[0]
    return item.title.zh


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text or '"' in text else text


def _csv_rows(cells: list[Text]) -> bytes:
    table = pa.table({str(place): column for place, column in enumerate(cells)})
    try:
        return _csv(table, "none")
    except pa.ArrowInvalid:
        # A cell holds a comma or a quote; then every text of the block stands in quotes, as some exports do.
        return _csv(table, "needed")


def _csv(table: pa.Table, quoting: Literal["none", "needed"]) -> bytes:
    sink = io.BytesIO()
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(include_header=False, quoting_style=quoting))
    return sink.getvalue()


def _json_rows(headers: list[str], cells: list[Text], *, first: bool) -> bytes:
    lines = [
        orjson.dumps(dict(zip(headers, row, strict=True)))
        for row in zip(*(column.to_pylist() for column in cells), strict=True)
    ]
    return (b"\n" if first else b",\n") + b",\n".join(lines)


def split_days(delivered: Ints) -> tuple[Ints, list[tuple[int, int, int]]]:
    """The order by day (stable) and, per day, its number and the rows from and to in that order."""
    order = np.argsort(delivered, kind="stable")
    days, starts = np.unique(delivered[order], return_index=True)
    ends = [*starts[1:].tolist(), len(delivered)]
    return order, [(int(day), int(start), int(end)) for day, start, end in zip(days, starts, ends, strict=True)]
