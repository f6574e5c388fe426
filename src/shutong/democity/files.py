"""The files that departments deliver, written block by block: each day's file of a resource grows until its limit."""

from __future__ import annotations

import datetime
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openpyxl
import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv

from shutong.democity.text import Ints, Text
from shutong.spec.models import DemoFile, Resource

MAX_ROWS = {"csv": 200_000, "json": 50_000, "xlsx": 50_000}
"""Rows after which a day's delivery goes on in another file."""
_STILL = datetime.datetime(2026, 1, 1)  # noqa: DTZ001 - a spreadsheet has no zone; one moment makes files repeatable
_ISO = 10


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
                    _write_workbook(current.path, self._resource, self._form, self._headers, current.spool)
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


def _write_workbook(
    path: Path, resource: Resource, form: DemoFile, headers: list[str], parts: list[list[Text]]
) -> None:
    """A workbook as an office makes it: a merged title row above the header, dates as dates."""
    book = openpyxl.Workbook(write_only=True)
    sheet: Any = book.create_sheet("Sheet1")
    if form.title_row:
        sheet.merged_cells.add(f"A1:{openpyxl.utils.get_column_letter(len(headers))}1")
        sheet.append([f"{resource.title.zh}明细表"])
    sheet.append(headers)
    dates = [item.element == "date" for item in resource.items.values()]
    for cells in parts:
        for row in zip(*(column.to_pylist() for column in cells), strict=True):
            sheet.append([_dated(text) if is_date else text for text, is_date in zip(row, dates, strict=True)])
    content = io.BytesIO()
    book.save(content)
    _freeze(content, path)


def _dated(text: str | None) -> Any:
    if text and len(text) == _ISO and text[4] == text[7] == "-":
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            return text
    return text


def _freeze(content: io.BytesIO, path: Path) -> None:
    """Copy a workbook with one fixed time everywhere, so that the same city gives the same bytes."""
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            data = source.read(name)
            if name == "docProps/core.xml":
                data = _without_times(data)
            info = zipfile.ZipInfo(name, _STILL.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, data)


def _without_times(core: bytes) -> bytes:
    text = core.decode()
    for tag in ("created", "modified"):
        start = text.find(f"<dcterms:{tag}")
        if start >= 0:
            begin, end = text.index(">", start) + 1, text.index(f"</dcterms:{tag}>", start)
            text = f"{text[:begin]}{_STILL.isoformat()}Z{text[end:]}"
    return text.encode()


def split_days(delivered: Ints) -> tuple[Ints, list[tuple[int, int, int]]]:
    """The order by day (stable) and, per day, its number and the rows from and to in that order."""
    order = np.argsort(delivered, kind="stable")
    days, starts = np.unique(delivered[order], return_index=True)
    ends = [*starts[1:].tolist(), len(delivered)]
    return order, [(int(day), int(start), int(end)) for day, start, end in zip(days, starts, ends, strict=True)]
