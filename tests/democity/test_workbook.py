"""Workbooks are read by two other programs as they were meant."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path

import openpyxl
import pyarrow as pa
import python_calamine

from shutong.democity.workbook import write_workbook

NAMES = pa.array(["甲 & 乙 <公司>", "=1+1", None])
DAYS = pa.array(["2026-06-15", "2026-02-30", "2026/6/15"])


def test_two_readers_agree(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    parts = [[NAMES, DAYS], [NAMES.slice(0, 1), DAYS.slice(0, 1)]]
    write_workbook(path, "名单", ["名称", "日期"], [False, True], parts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    day = datetime.datetime.fromisoformat("2026-06-15")
    assert rows == [
        ["名单", None],
        ["名称", "日期"],
        ["甲 & 乙 <公司>", day],
        ["=1+1", "2026-02-30"],
        [None, "2026/6/15"],
        ["甲 & 乙 <公司>", day],
    ]
    assert [str(merged) for merged in sheet.merged_cells.ranges] == ["A1:B1"]
    other = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert other[2] == ["甲 & 乙 <公司>", day.date()]
    assert other[3:5] == [["=1+1", "2026-02-30"], ["", "2026/6/15"]]


def test_wide_sheets_and_no_title(tmp_path: Path) -> None:
    path = tmp_path / "wide.xlsx"
    headers = [f"h{n}" for n in range(60)]
    write_workbook(path, None, headers, [False] * 60, [[pa.array([str(n)]) for n in range(60)]])
    rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert rows == [headers, [str(n) for n in range(60)]]
