"""The delivered file, sealed while it is read: a thread encrypts the blocks that the parser takes."""

from __future__ import annotations

import contextlib
import queue
import threading
from pathlib import Path
from typing import Any, cast

from shutong.engine.keys import Keys

CONTEXT = "delivery"
"""Context under which delivered files are sealed; to be given when one is opened."""

_WAITING = 4
"""Blocks that may wait for the sealing thread: bounds the memory."""


class _Blocks:
    """The file-like end of a queue of blocks."""

    def __init__(self) -> None:
        self.queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._left = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        while not self._left and not self._ended:
            block = self.queue.get()
            self._ended = block is None
            self._left = block or b""
        part, self._left = self._left[:size], self._left[size:]
        return part

    def drain(self) -> None:
        while not self._ended:
            self._ended = self.queue.get() is None


class SealedCopy:
    """Writes the sealed copy of a file to ``path`` while ``write`` is given its bytes."""

    def __init__(self, keys: Keys, path: Path) -> None:
        self._keys = keys
        self._path = path
        self._blocks = _Blocks()
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None
        self._first: bytes | None = None

    def write(self, block: bytes) -> None:
        """The next bytes of the file."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._seal, name="sealed-copy", daemon=True)
            self._thread.start()
        self._blocks.queue.put(block)

    def _seal(self) -> None:
        try:
            with self._path.open("wb") as file:
                self._keys.seal_stream(cast(Any, self._blocks), file, CONTEXT)
        except Exception as error:
            self._error = error
            self._blocks.drain()  # so that the reader is never held up

    def finish(self) -> None:
        """Wait until the copy is written.

        Raises:
            OSError: it could not be written (disk full).
        """
        if self._thread is None:
            return
        self._blocks.queue.put(None)
        self._thread.join()
        self._thread = None
        if self._error is not None:
            raise self._error

    def discard(self) -> None:
        """Stop and remove what was written."""
        with contextlib.suppress(Exception):
            self.finish()
        self._path.unlink(missing_ok=True)
