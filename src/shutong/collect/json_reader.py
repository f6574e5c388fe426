"""JSON deliveries: an array of objects, one object a line, or {"data": [...]}; streamed object by object.

Numbers keep the digits that were delivered; nested values stay as JSON text.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from shutong.collect.chunks import BadRow, Chunk, batch_of, set_aside, shorten
from shutong.collect.decoding import Utf8Stream
from shutong.collect.header import Headers
from shutong.collect.problems import problem, refuse
from shutong.collect.source import BLOCK_BYTES, Limits, Stream

ROWS_PER_CHUNK = 20_000

HOLDERS = ("data", "rows", "records", "items", "list", "result")
"""Keys under which the array of objects may stand, as the interfaces of departments have it."""

_BLANKS = " \t\r\n\ufeff"


def _number(text: str) -> str:
    """A JSON number with its digits and without an exponent (unless it is absurdly large)."""
    if "e" not in text and "E" not in text:
        return text
    value = Decimal(text)
    return format(value, "f") if abs(value.adjusted()) < 40 else text


class _Text:
    """A sliding window over the decoded text, with the line number at its position."""

    def __init__(self, stream: Utf8Stream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._decoder = json.JSONDecoder(parse_float=_number, parse_int=str, parse_constant=str, strict=False)
        self._buffer = ""
        self._at = 0
        self._ended = False
        self.line = 1

    def _more(self) -> bool:
        if self._ended:
            return False
        if len(self._buffer) - self._at > self._limit:
            raise refuse("json.syntax", line=self.line)
        block = self._stream.read(BLOCK_BYTES)
        self._ended = not block
        self._buffer = self._buffer[self._at :] + self._decode(block, self._ended)
        self._at = 0
        return not self._ended

    def _move(self, to: int) -> None:
        self.line += self._buffer.count("\n", self._at, to)
        self._at = to

    def look(self) -> str:
        """The next character that is not blank, which stays to be read; empty at the end."""
        while True:
            at = self._at
            while at < len(self._buffer) and self._buffer[at] in _BLANKS:
                at += 1
            self._move(at)
            if at < len(self._buffer):
                return self._buffer[at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Go past one character."""
        self._move(self._at + 1)

    def value(self) -> Any:
        """Decode the next value.

        Raises:
            Refusal: json.syntax, or file.truncated where the text ends inside the value.
        """
        self.look()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError as error:
                raise refuse("json.syntax", line=self.line) from error
            except json.JSONDecodeError as error:
                if not self._ended:
                    self._more()
                    continue
                at_end = error.pos >= len(self._buffer.rstrip()) or error.msg.startswith("Unterminated")
                raise (refuse("file.truncated") if at_end else refuse("json.syntax", line=self.line)) from error
            # a number that ends where the window ends may go on behind it
            if end == len(self._buffer) and not isinstance(value, dict | list) and self._more():
                continue
            self._move(end)
            return value


class JsonReading:
    """An opened JSON text. See ``chunks.Reading``."""

    format = "json"

    def __init__(self, source: Stream, headers: Headers, limits: Limits) -> None:
        self._limits = limits
        self._stream = Utf8Stream(source)
        self._text = _Text(self._stream, limits.block_bytes)
        self._rows = self._all_rows(headers)
        self._count = 0
        self._first = self._next_chunk()
        self.header = self._first.header if self._first else ()

    @property
    def encoding(self) -> str | None:
        """The encoding found."""
        return self._stream.encoding

    def chunks(self) -> Iterator[Chunk]:
        """The rows in order; a chunk's header has the keys that occur in it."""
        chunk = self._first
        while chunk is not None:
            broken = self._stream.encoding if self._stream.broken else None
            yield set_aside(chunk, self._limits, True, broken)
            chunk = self._next_chunk()

    def _all_rows(self, headers: Headers) -> Iterator[tuple[Any, int]]:
        text = self._text
        if text.look() == "[":
            text.skip()
            return self._array()
        return self._object_first(headers)

    def _object_first(self, headers: Headers) -> Iterator[tuple[Any, int]]:
        """Decide between one object a line and an object that holds the array, by the members of the first object."""
        text = self._text
        start_line = text.line
        text.skip()
        members: dict[str, Any] = {}
        while text.look() not in {"}", ""}:
            key = text.value()
            if not isinstance(key, str) or text.look() != ":":
                raise refuse("json.syntax", line=text.line)
            text.skip()
            if text.look() == "[" and key in HOLDERS and not headers.known(key):
                text.skip()
                return self._array()
            members[key] = text.value()
            if text.look() == ",":
                text.skip()
        if text.look() == "":
            raise refuse("file.truncated")
        text.skip()
        return self._lines(members, start_line)

    def _array(self) -> Iterator[tuple[Any, int]]:
        text = self._text
        while (mark := text.look()) != "]":
            if mark == ",":
                text.skip()
                continue
            if mark == "":
                raise refuse("file.truncated")
            line = text.line
            yield text.value(), line

    def _lines(self, first: dict[str, Any], line: int) -> Iterator[tuple[Any, int]]:
        yield first, line
        text = self._text
        while mark := text.look():
            if mark == ",":
                text.skip()
                continue
            line = text.line
            yield text.value(), line

    def _next_chunk(self) -> Chunk | None:
        rows: list[dict[str, Any]] = []
        row_no: list[int] = []
        lines: list[int] = []
        bad: list[BadRow] = []
        for value, line in self._rows:
            self._count += 1
            if isinstance(value, dict):
                rows.append(value)
                row_no.append(self._count)
                lines.append(line)
            else:
                bad.append(BadRow(self._count, line, problem("row.json"), (shorten(_cell(value)),)))
            if len(rows) + len(bad) == ROWS_PER_CHUNK:
                break
        if not rows and not bad:
            return None
        header = tuple(dict.fromkeys(key for row in rows for key in row))
        if len(header) > self._limits.columns:
            raise refuse("header.too-many", limit=self._limits.columns)
        cells = batch_of([_column([row.get(key) for row in rows]) for key in header] or [pa.array([], pa.string())])
        return Chunk(header, cells, np.array(row_no, np.int64), np.array(lines, np.int64), tuple(bad))


def _column(values: list[Any]) -> Any:
    try:
        return pa.array(values, pa.string()).fill_null("")
    except (pa.ArrowException, UnicodeEncodeError, TypeError):
        return pa.array([_cell(value) for value in values], pa.string())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()
