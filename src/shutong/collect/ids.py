"""Ids of batches, records and keys: derived from content, so that the same delivery gives the same ids.

Form: a letter and the first bits of a SHA-256 in lower-case base32 (RFC 4648 alphabet) or hexadecimal.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.collect.chunks import Numbers, pc

SEPARATOR = "\x1f"
"""Stands between the parts of a hashed text; no checked value holds it."""

_LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)
_LENGTH = 26
_BLOCK = 1 << 14


def batch_id(resource: str, sha256: str) -> str:
    """``b`` and 24 hex digits over the resource and the file's hash: the same file twice is the same batch."""
    return "b" + hashlib.sha256(f"{resource}{SEPARATOR}{sha256}".encode()).hexdigest()[:24]


def row_id(batch: str, row_no: int) -> str:
    """What a clerk sees of a rejected row and sends back with its correction."""
    return f"{batch[:13]}-{row_no}"


def record_id(batch: str, row_no: int) -> str:
    """``r`` and 26 base32 characters over batch and row number."""
    return "r" + _one(f"{batch}{SEPARATOR}{row_no}".encode())


def record_ids(batch: str, row_no: Numbers) -> pa.Array[Any]:
    """``record_id`` of many rows."""
    start, sha256 = f"{batch}{SEPARATOR}".encode(), hashlib.sha256
    return _texts(b"r", [sha256(start + b"%d" % number).digest() for number in row_no.tolist()])


def key_id(resource: str, values: Sequence[str]) -> str:
    """``k`` and 26 base32 characters over the resource and the canonical texts of the key items, in declared order.

    The text of a sealed item is its matching key, so no id derives from a personal number.
    """
    return "k" + _one(SEPARATOR.join([resource, *values]).encode())


def key_ids(resource: str, columns: Sequence[Any]) -> pa.Array[Any]:
    """``key_id`` of many rows; the an empty cell counts as the empty text, which is no checked value."""
    texts = [column.cast(pa.string()).fill_null("") for column in columns]
    joined = pc.binary_join_element_wise(resource, *texts, SEPARATOR).cast(pa.binary())
    sha256 = hashlib.sha256
    return _texts(b"k", [sha256(value).digest() for value in joined.to_pylist()])


def _one(content: bytes) -> str:
    return base64.b32encode(hashlib.sha256(content).digest())[:_LENGTH].decode().lower()


def _texts(letter: bytes, digests: list[bytes]) -> pa.Array[Any]:
    """Digests as a text column of the letter and 26 base32 characters each."""
    rows = len(digests)
    bits = np.frombuffer(b"".join(digests), np.uint8).reshape(rows, 32)
    out = np.empty((rows, _LENGTH + 1), np.uint8)
    out[:, 0] = letter[0]
    for start in range(0, rows, _BLOCK):
        _spell(bits[start : start + _BLOCK], out[start : start + _BLOCK, 1:])
    offsets = np.arange(rows + 1, dtype=np.int32) * (_LENGTH + 1)
    buffers: Any = [None, _buffer(offsets), _buffer(out)]
    return pa.Array.from_buffers(pa.string(), rows, buffers)


def _buffer(array: Any) -> pa.Buffer:
    return pa.py_buffer(array)


def _spell(digests: npt.NDArray[np.uint8], out: npt.NDArray[np.uint8]) -> None:
    wide = np.ascontiguousarray(digests[:, :18].T).astype(np.uint16)
    for place in range(_LENGTH):
        bit = 5 * place
        byte, shift = bit >> 3, 11 - (bit & 7)
        out[:, place] = _LETTERS[((wide[byte] << 8 | wide[byte + 1]) >> shift) & 31]
