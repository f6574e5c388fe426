"""Opening a delivery of any accepted kind: CSV, XLSX, XLS, JSON, each plain or as gzip.

Pure: takes an open file, gives text columns in Arrow and the reasons of what could not be read.
"""

from __future__ import annotations

from shutong.collect.chunks import BadRow, Chunk, Reading
from shutong.collect.csv_reader import CsvReading
from shutong.collect.decoding import detect_encoding
from shutong.collect.header import Headers
from shutong.collect.json_reader import JsonReading
from shutong.collect.problems import refuse
from shutong.collect.source import Gunzip, Kind, Limits, Observer, Source, Stream, sniff
from shutong.collect.workbook import WorkbookReading

__all__ = ["BadRow", "Chunk", "Headers", "Limits", "Observer", "Reading", "Source", "open_reading"]


def open_reading(source: Source, headers: Headers, limits: Limits) -> Reading:
    """Open a delivered file by what its bytes say it is.

    Raises:
        Refusal: it is empty, not a table, damaged, or has no header that the resource knows.
    """
    stream: Stream = source
    kind = sniff(source.peek())
    if kind == "gzip":
        stream = Gunzip(source, limits)
        kind = sniff(stream.peek())
        if kind == "gzip":
            raise refuse("file.kind", kind_zh="层层压缩的文件", kind_en="a file compressed twice")
    return _reader(kind, stream, headers, limits)


def _reader(kind: Kind, stream: Stream, headers: Headers, limits: Limits) -> Reading:
    if kind == "workbook":
        return WorkbookReading(stream, headers, limits)
    head = stream.peek()
    if kind == "text" and _looks_binary(head):
        raise refuse("file.kind", kind_zh="二进制文件", kind_en="a binary file")
    if kind == "json" or _wide_json(head):
        return JsonReading(stream, headers, limits)
    return CsvReading(stream, headers, limits)


def _looks_binary(head: bytes) -> bool:
    """Many control bytes and no encoding of text that would explain them."""
    sample = head[:65536]
    if detect_encoding(sample, False).startswith("utf-16"):
        return False
    controls = sum(sample.count(bytes([code])) for code in (*range(9), *range(14, 27), *range(28, 32)))
    return controls > max(8, len(sample) // 50)


def _wide_json(head: bytes) -> bool:
    encoding = detect_encoding(head[:64], False)
    text = head[:64].decode(encoding, "ignore").lstrip("\ufeff \t\r\n") if encoding.startswith("utf-16") else ""
    return text[:1] in {"{", "["}
