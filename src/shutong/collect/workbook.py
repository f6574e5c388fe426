"""XLSX and XLS: the sheet and its header are found; every cell becomes the text a clerk sees.

A workbook cannot be streamed (its index stands at its end), so it is bounded instead: what it would unfold to is
measured by unfolding it block by block before it is opened.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

import numpy as np
import python_calamine as calamine

from shutong.collect.chunks import Chunk, columns_of, set_aside, without
from shutong.collect.header import TITLE_ROWS, Headers
from shutong.collect.problems import Refusal, problem, refuse
from shutong.collect.source import Limits, Stream, human_bytes

ROWS_PER_CHUNK = 20_000

LOST_DIGITS = 10**15
"""From here on a workbook's number no longer holds every digit (IEEE double): a long code stored so is damaged."""


def check_archive(data: bytes, limits: Limits) -> None:
    """Refuse a zip file that is not a workbook, is cut off, or unfolds to too much.

    The sizes in a zip's index may lie, so each member is unfolded in blocks and counted, and nothing is kept.

    Raises:
        Refusal: file.kind, file.truncated, file.bomb.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise refuse("file.truncated") from error
    names = set(archive.namelist())
    if "word/document.xml" in names:
        raise refuse("file.kind", kind_zh="Word 文档", kind_en="a Word document")
    if not names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
        raise refuse(
            "file.kind", kind_zh="ZIP 压缩包（请解压后报送其中的表）", kind_en="a ZIP archive (deliver what is in it)"
        )
    if sum(member.file_size for member in archive.infolist()) > limits.unpacked_bytes:
        raise refuse("file.bomb", limit=human_bytes(limits.unpacked_bytes))
    total = 0
    for member in archive.infolist():
        total += _unfolded(data, member, limits, total)


def _unfolded(data: bytes, member: zipfile.ZipInfo, limits: Limits, before: int) -> int:
    """Bytes that a member really unfolds to, counted without trusting its header."""
    start = member.header_offset + 30
    fixed = data[member.header_offset : start]
    if len(fixed) < 30 or fixed[:4] != b"PK\x03\x04":
        raise refuse("file.truncated")
    start += int.from_bytes(fixed[26:28], "little") + int.from_bytes(fixed[28:30], "little")
    packed = data[start : start + member.compress_size]
    if len(packed) < member.compress_size:
        raise refuse("file.truncated")
    if member.compress_type == zipfile.ZIP_STORED:
        return len(packed)
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise refuse("file.damaged")
    inflate = zlib.decompressobj(-15)
    size, tail = 0, packed
    try:
        while tail and not inflate.eof:
            size += len(inflate.decompress(tail, 1 << 20))
            tail = inflate.unconsumed_tail
            ratio = size > (1 << 20) and size > limits.zip_ratio * len(packed)
            if ratio or before + size > limits.unpacked_bytes or size > member.file_size:
                raise refuse(
                    "file.bomb", limit=f"{limits.zip_ratio} : 1" if ratio else human_bytes(limits.unpacked_bytes)
                )
    except zlib.error as error:
        raise refuse("file.truncated") from error
    return size


class WorkbookReading:
    """An opened workbook. See ``chunks.Reading``."""

    format = "workbook"
    encoding: str | None = None

    def __init__(self, source: Stream, headers: Headers, limits: Limits) -> None:
        self._limits = limits
        data = source.read_all(limits.whole_bytes)
        if data.startswith(b"PK"):
            check_archive(data, limits)
        self._sheet, self._at = _find_sheet(_open(data), headers)
        rows = self._sheet.iter_rows()
        self.header = tuple(_header_cell(cell) for cell in next(islice(rows, self._at, None)))
        while self.header and not self.header[-1]:
            self.header = self.header[:-1]
        if len(self.header) > limits.columns:
            raise refuse("header.too-many", limit=limits.columns)
        self._refuse_merged_header()
        self._rows = rows

    def _refuse_merged_header(self) -> None:
        for (top, left), (bottom, right) in self._sheet.merged_cell_ranges or ():
            if top <= self._at <= bottom and (right > left or bottom > top):
                shown = f"{_letters(left)}{top + 1}:{_letters(right)}{bottom + 1}"
                raise refuse("header.merged", range=shown)

    def chunks(self) -> Iterator[Chunk]:
        """The rows in order; ``line`` is the row of the sheet."""
        width = len(self.header)
        count, sheet_row = 0, self._at + 1  # calamine gives the rows from the sheet's first one
        while block := list(islice(self._rows, ROWS_PER_CHUNK)):
            rows: list[tuple[str, ...]] = []
            lines: list[int] = []
            lost: dict[int, Any] = {}
            for row in block:
                sheet_row += 1
                texts = tuple(map(cell_text, row))
                if not any(texts):
                    continue
                if any(isinstance(cell, float) and abs(cell) >= LOST_DIGITS for cell in row[:width]):
                    lost[len(rows)] = problem("cell.precision")
                if any(texts[width:]):
                    lost[len(rows)] = problem("row.columns", found=_last(texts), expected=width)
                rows.append((texts + ("",) * width)[:width])
                lines.append(sheet_row)
            if rows:
                row_no = np.arange(count + 1, count + len(rows) + 1, dtype=np.int64)
                count += len(rows)
                chunk = Chunk(self.header, columns_of(rows, width), row_no, np.array(lines, np.int64))
                yield set_aside(without(chunk, lost) if lost else chunk, self._limits, True, None)


def _open(data: bytes) -> Any:
    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError as error:
        raise refuse("file.password") from error
    except calamine.CalamineError as error:
        raise refuse("file.damaged") from error


def _find_sheet(book: Any, headers: Headers) -> tuple[Any, int]:
    """The visible sheet with a header, and the position of the header in it."""
    found: list[tuple[Any, int]] = []
    refusal: Refusal | None = None
    for index, meta in enumerate(book.sheets_metadata):
        if meta.visible != calamine.SheetVisibleEnum.Visible or meta.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        try:
            sheet = book.get_sheet_by_index(index)
        except calamine.CalamineError as error:
            raise refuse("file.damaged") from error
        rows = [[_header_cell(cell) for cell in row] for row in islice(sheet.iter_rows(), TITLE_ROWS)]
        try:
            found.append((sheet, headers.find(rows)))
        except Refusal as reason:
            refusal = refusal if refusal and not any(map(any, rows)) else reason
    if len(found) > 1:
        raise refuse("file.sheets", count=len(found))
    if not found:
        raise refusal or refuse("file.damaged")
    return found[0]


def _header_cell(cell: Any) -> str:
    return " ".join(cell_text(cell).split())


def cell_text(cell: Any) -> str:
    """A cell as the clerk sees it: ISO dates, numbers without exponent and without a trailing ``.0``."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if cell.is_integer():
            return str(int(cell))
        return format(Decimal(repr(cell)), "f")
    if isinstance(cell, dt.datetime):
        return cell.strftime("%Y-%m-%d") if cell.time() == dt.time.min else cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return "" if cell is None else str(cell)


def _last(texts: tuple[str, ...]) -> int:
    return max(place + 1 for place, text in enumerate(texts) if text)


def _letters(column: int) -> str:
    text = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        text = chr(65 + digit) + text
    return text
