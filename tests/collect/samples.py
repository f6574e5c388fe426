"""A small resource and files for it, made by hand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import openpyxl

from shutong.collect.readers import Chunk, Headers, Limits, Reading, Source, open_reading
from shutong.spec.models import Resource

PENALTY = Resource.model_validate(
    {
        "resource": "penalty",
        "title": {"zh": "行政处罚决定", "en": "Administrative penalty decisions"},
        "department": "market-supervision",
        "basis": "行政处罚法",
        "key": ["doc_no"],
        "items": {
            "party_name": {
                "element": "org-name",
                "title": "行政相对人名称",
                "required": True,
                "columns": ["CF_XDR_MC"],
            },
            "doc_no": {"title": {"zh": "决定书文号", "en": "Document number"}, "required": True},
            "fine": {"element": "money", "title": "罚款金额（万元）", "unit": "10k-yuan"},
        },
    }
)

HEADER = "行政相对人名称,决定书文号,罚款金额（万元）\n"


def open_bytes(data: bytes, resource: Resource = PENALTY, **limits: int) -> Reading:
    """Open delivered bytes as a reading of ``resource``."""
    bounds = Limits(**limits)
    return open_reading(Source(io.BytesIO(data), bounds), Headers(resource), bounds)


def read_all(data: bytes, resource: Resource = PENALTY, **limits: int) -> tuple[Reading, list[Chunk]]:
    """Open and read to the end."""
    reading = open_bytes(data, resource, **limits)
    return reading, list(reading.chunks())


def rows_of(chunks: Sequence[Chunk]) -> list[tuple[int, list[str]]]:
    """Row number and cells of every readable row."""
    return [
        (int(number), list(row.values()))
        for chunk in chunks
        for number, row in zip(chunk.row_no, chunk.cells.to_pylist(), strict=True)
    ]


def bad_of(chunks: Sequence[Chunk]) -> list[tuple[int, int, str]]:
    """Row number, line and code of every row that could not be read."""
    return [(row.row_no, row.line, row.problem.code) for chunk in chunks for row in chunk.bad]


def workbook(rows: Sequence[Sequence[Any]], merge: Sequence[str] = (), sheets: Sequence[str] = ()) -> bytes:
    """An XLSX file with these rows, merged ranges and further empty sheets."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for area in merge:
        sheet.merge_cells(area)
    for name in sheets:
        book.create_sheet(name)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
