"""Sealing of columns (deterministic, AES-SIV) and of files (streamed, AES-256-GCM in chunks).

A sealed value begins with one byte, the version of the data key. A sealed file is::

    "STS1" | key version (1 byte) | salt (16 bytes) | chunks of (ciphertext + 16 byte tag)

Each file has its own key by HKDF-SHA256 over the data key and the salt; a chunk's nonce is its number and a byte that
says whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so chunks cannot
be reordered, repeated or cut off.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shutong.engine.errors import KeysError

CHUNK: Final = 1 << 20
_MAGIC: Final = b"STS1"
_SALT: Final = 16
_TAG: Final = 16

Column: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"


def _distinct(values: Column) -> tuple[list[bytes | None], pa.Array[Any]]:
    """The distinct values of a column as bytes, and the index of each row among them (NULL for NULL)."""
    array = pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) and values.num_chunks else values
    if isinstance(array, pa.ChunkedArray):
        array = pa.array([], array.type)
    encoded: Any = array if isinstance(array, pa.DictionaryArray) else pc.dictionary_encode(array)
    dictionary = encoded.dictionary
    if not (pa.types.is_binary(dictionary.type) or pa.types.is_large_binary(dictionary.type)):
        dictionary = dictionary.cast(pa.string()).cast(pa.binary())
    return dictionary.to_pylist(), encoded.indices


def map_texts(values: Column, function: Callable[[bytes], str]) -> pa.StringArray:
    """Apply a function of bytes to each distinct text of a column; NULL stays NULL."""
    distinct, index = _distinct(values)
    mapped = pa.array([None if each is None else function(each) for each in distinct], pa.string())
    return mapped.take(index)


def _map_binary(values: Column, function: Callable[[bytes], bytes]) -> pa.BinaryArray:
    distinct, index = _distinct(values)
    mapped = pa.array([None if each is None else function(each) for each in distinct], pa.binary())
    return mapped.take(index)


def seal_column(version: int, key: bytes, column: str, values: Column) -> pa.BinaryArray:
    """Seal each value under ``key``; see ``Keys.seal``."""
    cipher, associated, first = AESSIV(key), [column.encode()], bytes([version])

    def seal(value: bytes) -> bytes:
        # AES-SIV of the library refuses empty input; one byte of purpose in front keeps every length valid.
        return first + cipher.encrypt(b"v" + value, associated)

    return _map_binary(values, seal)


def unseal_column(keys: Mapping[int, bytes], column: str, values: Column) -> pa.BinaryArray:
    """Open each value with the key version it names; see ``Keys.unseal``."""
    ciphers = {version: AESSIV(key) for version, key in keys.items()}
    associated = [column.encode()]

    def unseal(value: bytes) -> bytes:
        cipher = ciphers.get(value[0]) if value else None
        if cipher is None:
            raise _unknown_version(value[:1])
        try:
            return cipher.decrypt(value[1:], associated)[1:]
        except (InvalidTag, ValueError):
            raise KeysError(
                f"列 {column} 中的加密值已被改动，或不属于该列",
                f"a sealed value of column {column} was changed or belongs to another column",
                column=column,
            ) from None

    return _map_binary(values, unseal)


def _unknown_version(version: bytes) -> KeysError:
    number = version[0] if version else None
    return KeysError(f"没有第 {number} 版数据密钥", f"data key version {number} is not here", version=number)


def _file_key(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"shutong file").derive(key))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _read_full(reader: BinaryIO, size: int) -> bytes:
    """Read exactly ``size`` bytes unless the file ends (pipes and sockets give less at a time)."""
    parts: list[bytes] = []
    while size > 0:
        part = reader.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def seal_stream(version: int, key: bytes, reader: BinaryIO, writer: BinaryIO, context: str) -> int:
    """Seal ``reader`` into ``writer``; see ``Keys.seal_stream``."""
    salt = os.urandom(_SALT)
    cipher, associated = _file_key(key, salt), _MAGIC + context.encode()
    writer.write(_MAGIC + bytes([version]) + salt)
    total, number = 0, 0
    chunk = _read_full(reader, CHUNK)
    while True:
        following = _read_full(reader, CHUNK) if len(chunk) == CHUNK else b""
        writer.write(cipher.encrypt(_nonce(number, not following), chunk, associated))
        total += len(chunk)
        number += 1
        if not following:
            return total
        chunk = following


def unseal_stream(keys: Mapping[int, bytes], reader: BinaryIO, writer: BinaryIO, context: str) -> int:
    """Open ``reader`` into ``writer``; see ``Keys.unseal_stream``."""
    head = _read_full(reader, len(_MAGIC) + 1 + _SALT)
    if len(head) < len(_MAGIC) + 1 + _SALT or not head.startswith(_MAGIC):
        raise KeysError("这不是一个加密文件", "this is not a sealed file")
    version = head[len(_MAGIC)]
    if version not in keys:
        raise _unknown_version(bytes([version]))
    cipher, associated = _file_key(keys[version], head[len(_MAGIC) + 1 :]), _MAGIC + context.encode()
    total, number = 0, 0
    chunk = _read_full(reader, CHUNK + _TAG)
    while True:
        following = _read_full(reader, CHUNK + _TAG) if len(chunk) == CHUNK + _TAG else b""
        try:
            plain = cipher.decrypt(_nonce(number, not following), chunk, associated)
        except InvalidTag:
            raise KeysError(
                "加密文件被改动、截断，或用途不符", "the sealed file was changed, cut off, or is for another purpose"
            ) from None
        writer.write(plain)
        total += len(plain)
        number += 1
        if not following:
            return total
        chunk = following


def seal_bytes(version: int, key: bytes, data: bytes, context: str) -> bytes:
    """Seal bytes in memory in the form of a file."""
    writer = io.BytesIO()
    seal_stream(version, key, io.BytesIO(data), writer, context)
    return writer.getvalue()


def unseal_bytes(keys: Mapping[int, bytes], data: bytes, context: str) -> bytes:
    """Open bytes sealed in the form of a file."""
    writer = io.BytesIO()
    unseal_stream(keys, io.BytesIO(data), writer, context)
    return writer.getvalue()
