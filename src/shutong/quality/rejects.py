"""The rejected rows of a batch as a spreadsheet for the clerk: correct in place, deliver again.

The columns are those of the delivery, before them the row id and the reasons; a row that a later correction brought
right is no longer in it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import openpyxl
import pyarrow as pa
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from shutong.collect.header import REASON_HEADERS, ROW_ID_HEADERS
from shutong.collect.intake import SEALED_ROW
from shutong.collect.receipt import from_text
from shutong.collect.tables import BATCHES, REJECTED
from shutong.engine.engine import Engine
from shutong.engine.keys import Keys

NOTE = (
    "请在原单元格中改正后，把本表直接重新报送；不要改动“回执行号”列，不再报送的行可以删除。"
    " / Correct the cells in place and deliver this sheet again; leave the first column as it is."
)

_CELL_CHARS = 32_000
"""A spreadsheet cell holds 32,767 characters."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Rejects:
    """Rejected rows that are still to be corrected: delivered headers, and per row its id, reasons and cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, str, dict[str, str]], ...]


def open_rejects(keys: Keys, engine: Engine, batch: str, without: Collection[str] = ()) -> Rejects:
    """The rejected rows of a batch that no correction has brought right, as they were delivered last.

    Args:
        batch: id of the batch; unknown ids give no rows.
        without: row ids left out (rows that were given up).
    """
    if not batch.isalnum() or not engine.lake.table(REJECTED).segments:
        return Rejects((), ())
    views = {"rejected": REJECTED, "batches": BATCHES}
    family = f"SELECT batch_id, seq, receipt FROM batches WHERE state = 'in' AND '{batch}' IN (batch_id, corrects)"
    receipts = engine.query(f"{family} ORDER BY seq", views)
    settled = {row for text in map(str, receipts.column("receipt").to_pylist()) for row in from_text(text)["corrected"]}
    settled.update(without)
    table = engine.query(
        f"SELECT r.row_id, r.reasons, r.sealed_row, b.seq, r.row_no FROM rejected r JOIN ({family}) b USING (batch_id) "
        "QUALIFY row_number() OVER (PARTITION BY r.row_id ORDER BY b.seq DESC, r.row_no) = 1 ORDER BY b.seq, r.row_no",
        views,
    )
    cells = keys.unseal(SEALED_ROW, table.column("sealed_row")).cast(pa.string()).to_pylist()
    header: dict[str, None] = {}
    rows = []
    for row, delivered in zip(table.select(["row_id", "reasons"]).to_pylist(), cells, strict=True):
        if row["row_id"] in settled:
            continue
        values = {name: cell for name, cell in json.loads(str(delivered)).items() if name not in _OWN}
        header |= dict.fromkeys(values)
        reasons = "；".join(reason["zh"] for reason in row["reasons"])
        rows.append((row["row_id"], reasons, values))
    return Rejects(tuple(header), tuple(rows))


_OWN = {*ROW_ID_HEADERS, *REASON_HEADERS}


def rejects_workbook(rejects: Rejects) -> bytes:
    """The rows as an XLSX file: a note how to correct, the header, then every cell as text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("退回数据")
    widths = [24, 48, *(18 for _ in rejects.header)]
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(number)].width = width
    sheet.freeze_panes = "C3"
    note = _cell(sheet, NOTE)
    note.font = Font(italic=True, color="9A3412")
    sheet.append([note])
    titles = [_cell(sheet, title) for title in _titles(rejects)]
    for title in titles:
        title.font = Font(bold=True, color="FFFFFF")
        title.fill = PatternFill("solid", fgColor="1D4ED8")
        title.alignment = Alignment(vertical="center")
    sheet.append(titles)
    for row in _lines(rejects):
        sheet.append([_cell(sheet, text) for text in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def rejects_csv(rejects: Rejects) -> bytes:
    """The rows as UTF-8 CSV with a byte order mark; a cell that a spreadsheet would run as a formula is escaped."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([escape_formula(title) for title in _titles(rejects)])
    writer.writerows([escape_formula(text) for text in row] for row in _lines(rejects))
    return file.getvalue().encode("utf-8-sig")


def escape_formula(text: str) -> str:
    """A cell for a CSV file that people open in a spreadsheet (OWASP: CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _titles(rejects: Rejects) -> list[str]:
    return [ROW_ID_HEADERS[0], REASON_HEADERS[0], *rejects.header]


def _lines(rejects: Rejects) -> Sequence[list[str]]:
    return [[row, reasons, *(cells.get(name, "") for name in rejects.header)] for row, reasons, cells in rejects.rows]


def _cell(sheet: WriteOnlyWorksheet, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=_UNWRITABLE.sub("\ufffd", text)[:_CELL_CHARS])
    # otherwise a text that begins with an equals sign would become a formula
    cell.data_type = "s"
    cell.number_format = "@"
    return cell
