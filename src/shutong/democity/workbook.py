"""Workbooks as an office saves them, written as XML from whole columns: a library that sets cell by cell is too slow here.

One sheet, an optional merged title row above the header, texts as inline strings, readable dates as dates (ISO/IEC 29500,
SpreadsheetML). The bytes depend on the content only.
"""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shutong.democity.text import Text, join, matches, plain, where

_EPOCH = datetime.date(1899, 12, 30)
_STILL = (2026, 1, 1, 0, 0, 0)
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets>'
        "</workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" xfId="0"/>'
        '<xf numFmtId="164" xfId="0" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}


def write_workbook(
    path: Path, title: str | None, headers: list[str], dates: list[bool], parts: list[list[Text]]
) -> None:
    """Write one sheet.

    Args:
        title: text of the merged row above the header, or None for no such row.
        headers: one per column.
        dates: per column, whether readable ISO dates in it become dates; other texts stay as they are.
        parts: the columns, in runs of rows.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in _PARTS.items():
            book.writestr(_entry(name), _HEAD + content)
        with book.open(_entry("xl/worksheets/sheet1.xml"), "w") as sheet:
            sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            above = [[title], headers] if title else [headers]
            for number, texts in enumerate(above, 1):
                sheet.write(_row(number, texts).encode())
            number = len(above)
            for cells in parts:
                sheet.write("".join(_rows(number + 1, cells, dates).to_pylist()).encode())  # type: ignore[arg-type]
                number += len(cells[0])
            sheet.write(b"</sheetData>")
            if title and len(headers) > 1:
                sheet.write(
                    f'<mergeCells count="1"><mergeCell ref="A1:{_letters(len(headers) - 1)}1"/></mergeCells>'.encode()
                )
            sheet.write(b"</worksheet>")


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _STILL)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _row(number: int, texts: list[str]) -> str:
    cells = (
        f'<c r="{_letters(place)}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
        for place, text in enumerate(texts)
    )
    return f'<row r="{number}">{"".join(cells)}</row>'


def _rows(first: int, cells: list[Text], dates: list[bool]) -> Text:
    """One XML row per row of the columns."""
    numbers = plain(first + np.arange(len(cells[0]), dtype=np.int64))
    written: list[Text | str] = ['<row r="', numbers, '">']
    for place, (column, dated) in enumerate(zip(cells, dates, strict=True)):
        here = f'<c r="{_letters(place)}'
        text = join(here, numbers, '" t="inlineStr"><is><t xml:space="preserve">', _escaped(column), "</t></is></c>")
        if dated:
            serial = _serials(column)
            there = np.asarray(serial.is_valid())
            text = where(there, join(here, numbers, '" s="1"><v>', serial, "</v></c>"), text)
        written.append(where(np.asarray(column.is_valid()), text, ""))
    return join(*written, "</row>")


def _escaped(column: Text) -> Text:
    answer: Any = column
    for character, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        answer = pc.replace_substring(answer, character, name)
    return cast(Text, answer)


def _serials(column: Text) -> Text:
    """Day numbers of a spreadsheet for cells that hold an existing ISO date; empty for all others."""
    known: dict[str, str | None] = {}
    iso = where(matches(column, _ISO), column, None)
    for text in pc.unique(iso).drop_null().to_pylist():
        try:
            known[str(text)] = str((datetime.date.fromisoformat(str(text)) - _EPOCH).days)
        except ValueError:
            known[str(text)] = None
    return pa.array([known.get(text) if text else None for text in iso.to_pylist()], pa.string())


def _letters(place: int) -> str:
    """Column letters: 0 is A, 26 is AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
