"""The bytes of a delivered file: read once, in blocks, and shown to an observer (hash, sealed copy) as they pass.

What a file is, is read from its first bytes, never from its name: a ``.xls`` may be a web page, a ``.csv`` a workbook.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal

from shutong.collect.problems import refuse

BLOCK_BYTES = 1 << 22
"""Bytes read at a time: large enough for fast hashing, small beside the memory of one parsed block."""

HEAD_BYTES = 1 << 18
"""Bytes looked at to tell the kind, encoding, delimiter and header of a file."""

Kind = Literal["text", "json", "workbook", "gzip"]


@dataclass(frozen=True)
class Limits:
    """How large a delivery may be. The defaults are those of a home's settings.

    ``block_bytes`` bounds the memory of the CSV reader (a row may not be longer); ``unpacked_bytes`` and ``zip_ratio``
    bound what a compressed file may unfold to, checked before it is unpacked.
    """

    file_bytes: int = 20 << 30
    rows: int = 200_000_000
    cell_chars: int = 100_000
    columns: int = 2_000
    zip_ratio: int = 200
    unpacked_bytes: int = 1 << 30
    block_bytes: int = 8 << 20
    whole_bytes: int = 256 << 20


Observer = Callable[[bytes], None]


class Source:
    """A file read from its start in blocks; every byte passes ``observe`` exactly once, in order.

    ``peek`` looks ahead without consuming. Raises ``Refusal`` (file.too-large) as soon as the limit is passed.
    A parser may read ahead in a thread of its own, also after it has given up: ``stop`` ends the file for it.
    """

    def __init__(self, raw: BinaryIO, limits: Limits, observe: Observer | None = None) -> None:
        self._raw = raw
        self._limits = limits
        self._observe = observe
        self._ahead = b""
        self._turn = threading.Lock()
        self._stopped = False
        self.bytes = 0

    def _next(self, size: int) -> bytes:
        block = self._raw.read(size)
        if block:
            self.bytes += len(block)
            if self.bytes > self._limits.file_bytes:
                raise refuse("file.too-large", limit=human_bytes(self._limits.file_bytes))
            if self._observe is not None:
                self._observe(block)
        return block

    def peek(self, size: int = HEAD_BYTES) -> bytes:
        """The next ``size`` bytes (fewer at the end of the file), which stay to be read."""
        while len(self._ahead) < size:
            block = self._next(size - len(self._ahead))
            if not block:
                break
            self._ahead += block
        return self._ahead[:size]

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """The next block of at most ``size`` bytes; empty at the end."""
        with self._turn:
            if self._stopped:
                return b""
            if self._ahead:
                block, self._ahead = self._ahead[:size], self._ahead[size:]
                return block
            return self._next(size)

    def unread(self, block: bytes) -> None:
        """Put bytes back in front of what comes next."""
        self._ahead = block + self._ahead

    def read_all(self, most: int) -> bytes:
        """The rest of the file, for formats that cannot be streamed; refused when longer than ``most`` bytes."""
        blocks: list[bytes] = []
        held = 0
        while block := self.read():
            held += len(block)
            if held > most:
                raise refuse("file.too-large", limit=human_bytes(most))
            blocks.append(block)
        return b"".join(blocks)

    def stop(self) -> None:
        """Wait for a read that is under way; from now on every reader finds the file at its end."""
        with self._turn:
            self._stopped = True

    def drain(self) -> None:
        """Read on to the end for the observer's sake, after the parser has stopped early."""
        self.stop()
        self._ahead = b""
        while self._next(BLOCK_BYTES):
            pass


class Gunzip:
    """A gzip file unfolded while it is read, with the same ``peek`` and ``read``; bounded in size and in ratio."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._inflate = zlib.decompressobj(wbits=31)
        self._ahead = b""
        self._ended = False
        self._packed = 0
        self._unpacked = 0

    def _next(self) -> bytes:
        while not self._ended:
            packed = self._inflate.unconsumed_tail or self._source.read(1 << 16)
            if not packed:
                if not self._inflate.eof:
                    raise refuse("file.truncated")
                self._ended = True
                break
            if self._inflate.eof:  # a further member behind the first: gzip files may be joined
                self._inflate = zlib.decompressobj(wbits=31)
            fresh = not self._inflate.unconsumed_tail
            try:
                out = self._inflate.decompress(packed, BLOCK_BYTES)
            except zlib.error as error:
                raise refuse("file.truncated") from error
            self._packed += len(packed) if fresh else 0
            self._unpacked += len(out)
            self._bound()
            if self._inflate.eof and self._inflate.unused_data:
                self._source.unread(self._inflate.unused_data)
            if out:
                return out
        return b""

    def _bound(self) -> None:
        limits = self._limits
        ratio = self._unpacked > (1 << 24) and self._unpacked > limits.zip_ratio * max(self._packed, 1)
        if ratio or self._unpacked > limits.file_bytes:
            raise refuse("file.bomb", limit=f"{limits.zip_ratio} : 1" if ratio else human_bytes(limits.file_bytes))

    def peek(self, size: int = HEAD_BYTES) -> bytes:
        """The next ``size`` unfolded bytes, which stay to be read."""
        while len(self._ahead) < size:
            block = self._next()
            if not block:
                break
            self._ahead += block
        return self._ahead[:size]

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """The next block of at most ``size`` unfolded bytes; empty at the end."""
        if not self._ahead:
            self._ahead = self._next()
        block, self._ahead = self._ahead[:size], self._ahead[size:]
        return block

    def read_all(self, most: int) -> bytes:
        """The rest, unfolded; refused when longer than ``most`` bytes."""
        blocks: list[bytes] = []
        held = 0
        while block := self.read():
            held += len(block)
            if held > most:
                raise refuse("file.bomb", limit=human_bytes(most))
            blocks.append(block)
        return b"".join(blocks)


Stream = Source | Gunzip

_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "PDF 文档", "a PDF document"),
    (b"\x89PNG", "图片", "a picture"),
    (b"\xff\xd8\xff", "图片", "a picture"),
    (b"GIF8", "图片", "a picture"),
    (b"BM\x00", "图片", "a picture"),
    (b"Rar!", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf", "7z 压缩包", "a 7z archive"),
    (b"BZh", "bzip2 压缩包", "a bzip2 archive"),
    (b"\xfd7zXZ", "xz 压缩包", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "zstd 压缩包", "a zstd archive"),
    (b"MZ", "程序文件", "a program"),
    (b"\x7fELF", "程序文件", "a program"),
    (b"SQLite format 3", "数据库文件", "a database file"),
    (b"PAR1", "Parquet 文件", "a Parquet file"),
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def sniff(head: bytes) -> Kind:
    """What the file is, from its first bytes.

    Raises:
        Refusal: file.empty, or file.kind with what it is instead of a table.
    """
    if not head:
        raise refuse("file.empty")
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", _OLE)):
        return "workbook"
    for signature, zh, en in _SIGNATURES:
        if head.startswith(signature):
            raise refuse("file.kind", kind_zh=zh, kind_en=en)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    lowered = text[:512].lower()
    if lowered.startswith((b"<!doctype html", b"<html", b"<table", b"<meta", b"<div")):
        raise refuse(
            "file.kind", kind_zh="网页（有的系统把网页存成 .xls）", kind_en="a web page (some systems call it .xls)"
        )
    if lowered.startswith(b"<?xml"):
        raise refuse("file.kind", kind_zh="XML 文件", kind_en="an XML file")
    if text[:1] in {b"{", b"["}:
        return "json"
    return "text"


def human_bytes(size: int) -> str:
    """A size as people say it: ``20 GB``, ``512 MB``, ``3 KB``."""
    for unit, shift in (("GB", 30), ("MB", 20), ("KB", 10)):
        if size >= 1 << shift:
            return f"{size / (1 << shift):.3g} {unit}"
    return f"{size} B"
