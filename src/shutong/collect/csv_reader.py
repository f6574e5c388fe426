"""CSV and its relatives: delimiter and header are found, the rest is streamed through Arrow's reader.

Rows that Arrow cannot split are not lost: they come out as bad rows with their number, their line and their cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from shutong.collect.chunks import BadRow, Chunk, Numbers, batch_of, blank_rows, set_aside, shorten
from shutong.collect.decoding import Utf8Stream
from shutong.collect.header import TITLE_ROWS, Headers
from shutong.collect.problems import Refusal, problem, refuse
from shutong.collect.source import HEAD_BYTES, Limits, Stream, human_bytes

arrow_csv: Any = pyarrow.csv

DELIMITERS = (",", "\t", ";", "|")

_STRAY = 10_000
"""So many bad rows are held back at most before they are passed on in a chunk of their own."""


@dataclass(frozen=True)
class _Head:
    delimiter: str
    header: tuple[str, ...]
    end: int
    lines: int


def _read_head(text: str, delimiter: str) -> list[tuple[list[str], int, int]]:
    """The first rows with the character and the line at which each ends."""
    position = [0, 0]

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            position[0] += len(line)
            position[1] += 1
            yield line

    rows: list[tuple[list[str], int, int]] = []
    try:
        for row in csv.reader(lines(), delimiter=delimiter):
            rows.append((row, position[0], position[1]))
            if len(rows) == TITLE_ROWS:
                break
    except csv.Error:  # a cell longer than the csv module's own limit; the rows before it may hold the header
        pass
    return rows


def _find_head(text: str, headers: Headers) -> _Head:
    best: tuple[int, str, list[tuple[list[str], int, int]], int] | None = None
    refusal: Refusal | None = None
    for delimiter in DELIMITERS:
        rows = _read_head(text, delimiter)
        try:
            place = headers.find([row for row, _, _ in rows])
        except Refusal as reason:
            # of the refusals the one that saw most columns tells the clerk most
            refusal = refusal if refusal and delimiter not in text.partition("\n")[0] else reason
            continue
        known = sum(map(headers.known, rows[place][0]))
        if best is None or known > best[0]:
            best = (known, delimiter, rows, place)
    if best is None:
        raise refusal or refuse("file.empty")
    _, delimiter, rows, place = best
    row, end, lines = rows[place]
    return _Head(delimiter, tuple(cell.strip() for cell in row), end, lines)


@dataclass
class _Unsplit:
    """Rows Arrow could not split, by their number in the file, and how many rows each really is."""

    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def note(self, row: Any) -> str:
        self.numbers.append(row.number or 0)
        self.texts.append(row.text)
        return "skip"

    def take(self, count: int) -> tuple[list[int], list[str]]:
        taken = self.numbers[:count], self.texts[:count]
        del self.numbers[:count], self.texts[:count]
        return taken


class CsvReading:
    """An opened delimited text. See ``chunks.Reading``."""

    format = "csv"

    def __init__(self, source: Stream, headers: Headers, limits: Limits) -> None:
        self._limits = limits
        self._stream = Utf8Stream(source)
        head = b""
        while len(head) < HEAD_BYTES and (block := self._stream.read(HEAD_BYTES - len(head))):
            head += block
        # UTF-8 may be cut inside a character; the cut bytes stay in the stream's way as bytes
        text = head.decode("utf-8", "ignore")
        self._head = _find_head(text, headers)
        self._stream.unread(head[len(text[: self._head.end].encode()) :])
        self.header = self._head.header
        if len(self.header) > limits.columns:
            raise refuse("header.too-many", limit=limits.columns)
        self._unsplit = _Unsplit()
        self._physical = 1
        self._shift = 0
        self._feeds = 0

    @property
    def encoding(self) -> str | None:
        """The encoding found (known for certain only once everything has been read)."""
        return self._stream.encoding

    def chunks(self) -> Iterator[Chunk]:
        """The rows in order. See ``chunks.Reading``."""
        for cells in self._record_batches():
            if chunk := self._number(cells):
                broken = self._stream.encoding if self._stream.broken else None
                yield set_aside(chunk, self._limits, self._stream.controls > 0, broken)
        while self._unsplit.numbers:
            empty = batch_of([pa.array([], pa.string())] * len(self.header))
            yield self._numbered(empty, np.zeros(0, np.int64), *self._unsplit.take(_STRAY))

    def _record_batches(self) -> Iterator[pa.RecordBatch]:
        first = self._stream.read(1)
        if not first:
            return
        self._stream.unread(first)
        names = [str(index) for index in range(len(self.header))]
        try:
            yield from arrow_csv.open_csv(
                pa.PythonFile(self._stream, mode="r"),
                # one thread, so that Arrow knows the numbers of the rows it cannot split
                arrow_csv.ReadOptions(use_threads=False, block_size=self._limits.block_bytes, column_names=names),
                arrow_csv.ParseOptions(
                    delimiter=self._head.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=self._unsplit.note,
                ),
                arrow_csv.ConvertOptions(
                    check_utf8=False,
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            if self._stream.failure:
                raise self._stream.failure from error
            line = self._head.lines + self._physical + self._feeds
            raise refuse("file.quotes", line=line, limit=human_bytes(self._limits.block_bytes)) from error

    def _number(self, cells: pa.RecordBatch) -> Chunk | None:
        bad = np.array(self._unsplit.numbers, np.int64)
        room = np.arange(self._physical, self._physical + cells.num_rows + len(bad), dtype=np.int64)
        physical = np.setdiff1d(room, bad, assume_unique=True)[: cells.num_rows]
        if len(physical):
            before = int(np.searchsorted(bad, physical[-1]))
        else:
            before = int((bad == room[: len(bad)]).sum())
        if not len(physical) and before < _STRAY:
            return None
        return self._numbered(cells, physical, *self._unsplit.take(before))

    def _numbered(self, cells: pa.RecordBatch, physical: Numbers, bad: list[int], texts: list[str]) -> Chunk:
        """Give the rows of one stretch their numbers; ``physical`` and ``bad`` count records from 1, blank ones too."""
        split = [_physical_lines(text) for text in texts]
        everything = np.concatenate([physical, np.array(bad, np.int64)])
        feeds = np.concatenate([_line_feeds(cells), np.array([text.count("\n") for text in texts], np.int64)])
        more = np.zeros(len(everything), np.int64)
        more[len(physical) :] = [len(rows) - 1 for rows in split]
        blank = blank_rows(cells) if cells.num_rows else None
        if blank is not None:
            more[: len(physical)] = -blank.astype(np.int64)
        order = np.argsort(everything, kind="stable")
        row_no, line = np.empty_like(everything), np.empty_like(everything)
        row_no[order] = everything[order] + self._shift + _before(more[order])
        line[order] = everything[order] + self._head.lines + self._feeds + _before(feeds[order])
        self._physical += len(everything)
        self._shift += int(more.sum())
        self._feeds += int(feeds.sum())
        good, where = slice(len(physical)), len(physical)
        aside = tuple(
            row for k, rows in enumerate(split, where) for row in self._bad_rows(int(row_no[k]), int(line[k]), rows)
        )
        if blank is None:
            return Chunk(self.header, cells, row_no[good], line[good], aside)
        return Chunk(self.header, cells.filter(pa.array(~blank)), row_no[good][~blank], line[good][~blank], aside)

    def _bad_rows(self, row_no: int, line: int, texts: list[str]) -> Iterator[BadRow]:
        for offset, text in enumerate(texts):
            if len(texts) > 1 or text.count('"') % 2:
                why = problem("row.quotes")
                cells = text.split(self._head.delimiter)
            else:
                cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=self._head.delimiter), [])
                why = problem("row.columns", found=len(cells), expected=len(self.header))
            kept = tuple(map(shorten, cells[: self._limits.columns]))
            yield BadRow(row_no + offset, line + offset, why, kept)


def _physical_lines(text: str) -> list[str]:
    """The rows that Arrow took for one: behind a quote that is not closed every line is a row of its own."""
    return text.splitlines() if text.count('"') % 2 and "\n" in text.rstrip() else [text]


def _before(counts: Numbers) -> Numbers:
    total: Numbers = np.cumsum(counts)
    return total - counts


def _line_feeds(cells: pa.RecordBatch) -> Numbers:
    """Line feeds inside the cells of each row."""
    found = np.zeros(cells.num_rows, np.int64)
    for column in cells.columns:
        data = column.buffers()[2]
        if data is not None and np.count_nonzero(np.frombuffer(memoryview(data), np.uint8) == 10):
            found += np.array([str(text).count("\n") for text in column.to_pylist()], np.int64)
    return found
