"""From delivered bytes to UTF-8: the encoding is detected, stated, and decoded in a stream.

Python's own decoders are used because an engine's CSV encodings fail on valid GB18030. A few broken characters
mark their rows; more than that means the encoding is not what it seems, and the file is refused.
"""

from __future__ import annotations

import codecs
import io

import numpy as np

from shutong.collect.problems import Refusal, refuse
from shutong.collect.source import BLOCK_BYTES, HEAD_BYTES, Stream

REPLACEMENT = "\ufffd"

_BROKEN_SHARE = 0.001
"""A larger share of characters that cannot be decoded refuses the file: then it is another encoding, not a slip."""

_BROKEN_FREE = 20
"""As many broken characters are a slip in any file, however short."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def detect_encoding(head: bytes, whole: bool) -> str:
    """The encoding of a text, from its first bytes.

    A byte order mark decides; else NULs in every second byte mean UTF-16; else UTF-8 where it decodes, else GB18030.
    A head of ASCII alone gives ``ascii``: the decision is put off until the first other byte.

    Args:
        head: the first bytes of the file.
        whole: they are the whole file, so a character cut off at the end is a fault.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if wide := _wide(head):
        return wide
    if head.isascii():
        return "ascii"
    return "utf-8" if _decodes(head, "utf-8", whole) else "gb18030"


def _wide(head: bytes) -> str | None:
    sample = np.frombuffer(head[: len(head) & ~1], np.uint8)[:4096].reshape(-1, 2)
    if len(sample) < 4:
        return None
    zeros = (sample == 0).mean(axis=0)
    # Latin digits, delimiters and line ends make a good part of any table, so one side has many zeros
    # (the other has some: the character 一 ends in a zero byte).
    if zeros[1] > max(0.08, 2 * zeros[0]):
        return "utf-16-le"
    if zeros[0] > max(0.08, 2 * zeros[1]):
        return "utf-16-be"
    return None


def _decodes(data: bytes, encoding: str, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, whole)
    except UnicodeDecodeError:
        return False
    return True


class Utf8Stream(io.RawIOBase):
    """A delivered text as UTF-8 bytes without a byte order mark, readable by Arrow and by Python.

    Afterwards ``encoding`` names what it was, ``broken`` counts characters that could not be decoded (they stand as
    U+FFFD), ``controls`` counts control characters other than tab and line ends.

    Raises:
        Refusal: file.encoding, when too much cannot be decoded.
    """

    def __init__(self, source: Stream) -> None:
        super().__init__()
        self._source = source
        head = source.peek(HEAD_BYTES)
        self.encoding = detect_encoding(head, len(head) < HEAD_BYTES)
        self._decoder = self._make_decoder("strict")
        self._pending = memoryview(b"")
        self._ended = False
        self._first = True
        self.failure: Refusal | None = None
        self.broken = 0
        self.controls = 0
        self.lines = 0
        self._characters = 0

    def _make_decoder(self, errors: str) -> codecs.IncrementalDecoder:
        return codecs.getincrementaldecoder(self.encoding.removesuffix("-sig"))(errors)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill ``buffer`` with the next UTF-8 bytes; 0 at the end."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        block = self.read(len(view))
        view[: len(block)] = block
        return len(block)

    def read(self, size: int = -1) -> bytes:
        """The next UTF-8 bytes, at most ``size``; empty at the end.

        Arrow turns an exception in here into its own, so a refusal is kept in ``failure`` as well.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK_BYTES), b""))
        while not self._pending and not self._ended:
            try:
                self._pending = memoryview(self._decode_block())
            except Refusal as refusal:
                self.failure = refusal
                raise
        block, self._pending = bytes(self._pending[:size]), self._pending[size:]
        return block

    def unread(self, block: bytes) -> None:
        """Put UTF-8 bytes back in front of what comes next."""
        self._pending = memoryview(block + bytes(self._pending))

    def _decode_block(self) -> bytes:
        raw = self._source.read(BLOCK_BYTES)
        self._ended = not raw
        if self._first:
            self._first = False
            for mark, name in _MARKS:
                if self.encoding == name:
                    raw = raw.removeprefix(mark)
        if self.encoding == "ascii" and not raw.isascii():
            self.encoding = "utf-8" if _decodes(raw, "utf-8", False) else "gb18030"
            self._decoder = self._make_decoder("strict")
        out = self._to_utf8(raw)
        self._count(out)
        return out

    def _to_utf8(self, raw: bytes) -> bytes:
        state = self._decoder.getstate()
        try:
            text = self._decoder.decode(raw, self._ended)
        except UnicodeDecodeError:
            tolerant = self._make_decoder("replace")
            tolerant.setstate(state)
            text = tolerant.decode(raw, self._ended)
            self._decoder.setstate(tolerant.getstate())
            self._note_broken(text)
        self._characters += len(text)
        # UTF-16 text may hold half of a pair; it counts as broken like any other.
        return text.encode("utf-8", "replace")

    def _note_broken(self, text: str) -> None:
        found = text.count(REPLACEMENT)
        self.broken += found
        if self.broken > max(_BROKEN_FREE, _BROKEN_SHARE * (self._characters + len(text))):
            line = self.lines + 1 + text[: text.index(REPLACEMENT)].count("\n")
            raise refuse("file.encoding", line=line, encoding=self.encoding.upper())

    def _count(self, out: bytes) -> None:
        feeds = out.count(b"\n")
        self.lines += feeds
        low = int(np.count_nonzero(np.frombuffer(out, np.uint8) < 0x20))
        self.controls += low - feeds - out.count(b"\r") - out.count(b"\t")
