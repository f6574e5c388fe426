"""Every kind of file is read into text, and every kind of bad file is refused with a reason."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile

import openpyxl
import pyarrow as pa
import pytest

from shutong.collect.problems import TEXTS, Refusal
from shutong.collect.source import Limits, Source
from tests.collect.samples import HEADER, bad_of, open_bytes, read_all, rows_of, workbook

TWO = HEADER + "甲公司,一号,1\n乙公司,二号,2\n"
TWO_ROWS = [(1, ["甲公司", "一号", "1"]), (2, ["乙公司", "二号", "2"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding_is_found_and_stated(encoding: str) -> None:
    reading, chunks = read_all(TWO.encode(encoding))
    assert rows_of(chunks) == TWO_ROWS
    assert reading.encoding == {"utf-16": "utf-16-le"}.get(encoding, encoding)


def test_an_encoding_that_shows_late_is_still_found() -> None:
    plain = "party_name,doc_no,fine\n" + "a,1,2\n" * 100_000
    reading, chunks = read_all((plain + "甲公司,二号,2\n").encode("gb18030"))
    assert reading.encoding == "gb18030"
    assert rows_of(chunks)[-1] == (100_001, ["甲公司", "二号", "2"])


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_delimiters(delimiter: str) -> None:
    assert rows_of(read_all(TWO.replace(",", delimiter).encode())[1]) == TWO_ROWS


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends(end: str) -> None:
    assert rows_of(read_all(TWO.replace("\n", end).encode())[1]) == TWO_ROWS


def test_title_rows_stand_above_the_header_in_csv_too() -> None:
    _, chunks = read_all(("行政处罚信息\n导出日期,2026-07-01\n" + TWO).encode())
    assert rows_of(chunks) == TWO_ROWS
    assert chunks[0].line.tolist() == [4, 5]


def test_quoted_line_ends_and_blank_lines_keep_numbers_and_lines_right() -> None:
    text = HEADER + '甲,1,1\n\n乙,2\n"丙\n丙",3,3\n,,\n丁,4,4,4\n戊,5,5\n'
    _, chunks = read_all(text.encode())
    assert [number for number, _ in rows_of(chunks)] == [1, 3, 5]
    assert chunks[0].line.tolist() == [2, 5, 9]
    assert bad_of(chunks) == [(2, 4, "row.columns"), (4, 8, "row.columns")]


def test_a_quote_that_is_not_closed_loses_no_row() -> None:
    _, chunks = read_all((HEADER + '甲,1,1\n乙,"2,2\n丙,3,3\n丁,4,4\n').encode())
    assert rows_of(chunks) == [(1, ["甲", "1", "1"])]
    assert bad_of(chunks) == [(2, 3, "row.quotes"), (3, 4, "row.quotes"), (4, 5, "row.quotes")]


def test_many_bad_rows_keep_their_numbers_over_blocks() -> None:
    lines = [f"甲,{n},1" if n % 3 else f"{n}" for n in range(1, 30_001)]
    _, chunks = read_all((HEADER + "\n".join(lines)).encode(), block_bytes=1 << 15)
    assert len(chunks) > 5
    assert all(number == int(cells[1]) for number, cells in rows_of(chunks))
    assert [number for number, _, _ in bad_of(chunks)] == list(range(3, 30_001, 3))
    assert all(line == number + 1 for number, line, _ in bad_of(chunks))


def test_control_characters_long_cells_and_broken_characters_reject_their_row_only() -> None:
    good = "甲,1,1\n".encode("gb18030")
    data = HEADER.encode("gb18030") + good + b"a\x00b,2,2\n" + b"x" * 1_000_000 + b",3,3\n" + b"\xff\xfe,4,4\n" + good
    _, chunks = read_all(data)
    assert [number for number, _ in rows_of(chunks)] == [1, 5]
    assert bad_of(chunks) == [(2, 3, "cell.control"), (3, 4, "cell.too-long"), (4, 5, "cell.encoding")]
    assert max(len(cell) for chunk in chunks for row in chunk.bad for cell in row.cells) < 1_100


def test_a_cell_that_looks_like_a_formula_stays_text() -> None:
    _, chunks = read_all((HEADER + '=1+1,@x,-3\n+甲,"=HYPERLINK(""x"")",1\n').encode())
    assert rows_of(chunks) == [(1, ["=1+1", "@x", "-3"]), (2, ["+甲", '=HYPERLINK("x")', "1"])]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file.empty"),
        (b"%PDF-1.7 ...", "file.kind"),
        (b"\x89PNG\r\n\x1a\n", "file.kind"),
        (bytes(range(32)) * 40, "file.kind"),
        (b"<html><table><tr><td>1</td></tr></table>", "file.kind"),
        (b"<?xml version='1.0'?><a/>", "file.kind"),
        (b"a,b,c\n1,2,3\n", "header.unknown"),
        (b"\n\n\n", "header.none"),
        (gzip.compress(TWO.encode() * 500)[:-30], "file.truncated"),
        (gzip.compress(gzip.compress(TWO.encode())), "file.kind"),
        (gzip.compress((HEADER + "甲,1,1\n" * 9_000_000).encode(), 9), "file.bomb"),
        (HEADER.encode() + bytes(range(128, 256)) * 40, "file.encoding"),
        (HEADER.encode() + b'a,"b,c\n' + b"d,e,f\n" * 100_000, "file.quotes"),
        (b'{"a": 1', "file.truncated"),
        (b'[{"party_name": 1,, "b": 2}, {"party_name": 2}]', "json.syntax"),
        (b'[{"party_name": "a"}, {"party_name', "file.truncated"),
        (b"[" * 100_000, "json.syntax"),
        (",".join(["party_name", *map(str, range(3000))]).encode(), "header.too-many"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_all(data, block_bytes=1 << 18)
    assert refusal.value.problem.code == code
    assert refusal.value.problem.zh and "{" not in refusal.value.problem.zh.replace('{"', "")


def test_a_file_over_the_limit_is_refused_while_it_is_read() -> None:
    with pytest.raises(Refusal, match=r"file\.too-large"):
        read_all((HEADER + "甲,1,1\n" * 100_000).encode(), file_bytes=500_000)


def test_every_text_is_complete() -> None:
    for code, (zh, en) in TEXTS.items():
        assert zh and en, code
        assert zh.count("{") == zh.count("}") and en.count("{") == en.count("}"), code


# --- workbooks ----------------------------------------------------------------------------------------------------


def test_a_workbook_gives_the_text_a_clerk_sees() -> None:
    rows = [
        ["2026 年行政处罚"],
        ["行政相对人名称", "决定书文号", "罚款金额（万元）"],
        ["甲", dt.date(2026, 7, 1), 1.50],
        [],
        ["乙", dt.datetime.fromisoformat("2026-07-01T08:30"), 12],
        [True, "'=1+1", 0.00001],
        ["丙", "x", "1e3"],
    ]
    reading, chunks = read_all(workbook(rows, ["A1:C1"], ["说明"]))
    assert reading.format == "workbook"
    assert rows_of(chunks) == [
        (1, ["甲", "2026-07-01", "1.5"]),
        (2, ["乙", "2026-07-01 08:30:00", "12"]),
        (3, ["TRUE", "'=1+1", "0.00001"]),
        (4, ["丙", "x", "1e3"]),
    ]
    assert chunks[0].line.tolist() == [3, 5, 6, 7]


def test_a_long_code_stored_as_a_number_is_rejected_not_guessed() -> None:
    header = HEADER.strip().split(",")
    _, chunks = read_all(workbook([header, ["甲", 123456789012345678, 1], ["乙", 1, 1, None, "多"], ["丙", 2, 2]]))
    assert bad_of(chunks) == [(1, 2, "cell.precision"), (2, 3, "row.columns")]
    assert rows_of(chunks) == [(3, ["丙", "2", "2"])]


def test_leading_blank_rows_and_columns_do_not_shift_the_table() -> None:
    header = [None, *HEADER.strip().split(",")]
    _, chunks = read_all(workbook([[], [], header, [None, "甲", "1", "1"]]))
    assert rows_of(chunks) == [(1, ["甲", "1", "1"])]
    assert chunks[0].line.tolist() == [4]


def test_bad_workbooks() -> None:
    header = HEADER.strip().split(",")
    good = workbook([header, ["甲", "1", 1]])
    merged = workbook([header, ["甲", "1", 1]], ["B1:C1"])
    cases = {"header.merged": merged, "file.truncated": good[: len(good) // 2]}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("表.csv", "a")
    cases["file.kind"] = archive.getvalue()
    cases["file.damaged"] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
    for code, data in cases.items():
        with pytest.raises(Refusal) as refusal:
            open_bytes(data)
        assert refusal.value.problem.code == code


def test_two_sheets_of_data_are_refused() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([HEADER.strip().split(","), ["甲", "1", 1]], [], ["二"])))
    book["二"].append(HEADER.strip().split(","))
    file = io.BytesIO()
    book.save(file)
    with pytest.raises(Refusal, match=r"file\.sheets"):
        open_bytes(file.getvalue())


def zip_bomb(declared: int | None) -> bytes:
    """A workbook whose sheet unfolds to 100 MB; ``declared`` is what its index says instead."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000_000)
        if declared is not None:
            archive.infolist()[1].file_size = declared
    return file.getvalue()


@pytest.mark.parametrize("declared", [None, 1_000])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(declared: int | None) -> None:
    with pytest.raises(Refusal, match=r"file\.bomb"):
        open_bytes(zip_bomb(declared), zip_ratio=200)


# --- JSON ---------------------------------------------------------------------------------------------------------

OBJECTS = [
    {"party_name": "甲", "doc_no": 1, "fine": 1.50},
    {"party_name": "乙", "doc_no": None, "fine": True, "x": {"a": [1]}},
]
JSON_ROWS = [(1, ["甲", "1", "1.5", ""]), (2, ["乙", "", "true", '{"a": ["1"]}'])]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OBJECTS, ensure_ascii=False, indent=1),
        "\n".join(json.dumps(row, ensure_ascii=False) for row in OBJECTS),
        json.dumps({"code": 0, "data": OBJECTS, "total": 2}, ensure_ascii=False),
    ],
)
def test_the_three_shapes_of_json(text: str) -> None:
    for encoding in ("utf-8", "gb18030", "utf-16"):
        assert rows_of(read_all(text.encode(encoding))[1]) == JSON_ROWS


def test_json_rows_that_are_no_objects_are_rejected_and_numbers_keep_their_digits() -> None:
    _, chunks = read_all(b'[{"doc_no": 12345678901234567890123, "fine": 1e3}, 5, [1], {"doc_no": 1e999999999}]')
    assert rows_of(chunks) == [(1, ["12345678901234567890123", "1000"]), (4, ["1e999999999", ""])]
    assert bad_of(chunks) == [(2, 1, "row.json"), (3, 1, "row.json")]


def test_json_streams_over_blocks() -> None:
    rows = [{"party_name": f"公司{n}", "doc_no": n} for n in range(50_000)]
    _, chunks = read_all(json.dumps(rows, ensure_ascii=False).encode("gb18030"))
    assert len(chunks) == 3
    assert [cells[1] for _, cells in rows_of(chunks)] == [str(n) for n in range(50_000)]


def test_a_long_file_is_never_held_in_memory() -> None:
    data = (HEADER + "澜川市云帆商贸有限公司,二〇二六第一号,1.25\n" * 400_000).encode("gb18030")
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for chunk in open_bytes(data, block_bytes=1 << 18).chunks():
        most = max(most, pa.total_allocated_bytes() - before)
        rows += chunk.received
    assert rows == 400_000
    assert most < 4 << 20 < len(data)


def test_a_parser_that_reads_ahead_finds_the_end_once_the_rest_is_drained() -> None:
    seen: list[bytes] = []
    source = Source(io.BytesIO(b"x" * 100), Limits(), seen.append)
    assert source.read(40) == b"x" * 40
    source.drain()
    assert source.read(10) == b""
    assert b"".join(seen) == b"x" * 100
