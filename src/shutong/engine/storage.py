"""Where the files of a lake are: a folder of this machine, or a bucket that speaks the S3 API.

Paths are relative to the lake and use ``/``. A file is written as a local draft first and then kept: in a folder the
draft is the file itself, in a bucket it is uploaded. Everything that must not be half-done (which files count) is the
manifest's matter; a storage only has to keep single files whole.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.fs as fs

from shutong.engine import sqltext
from shutong.engine.errors import SettingsError
from shutong.engine.settings import Settings

_COPY_BYTES: Final = 8_000_000


@dataclass(frozen=True)
class Stored:
    """A file that is there: its path, bytes, and when it was last changed."""

    path: str
    bytes: int
    changed: dt.datetime


class Storage(Protocol):
    """The files of a lake. Every method may raise OSError."""

    @property
    def options(self) -> Mapping[str, str] | None:
        """What delta-rs needs beside an address."""
        ...

    def address(self, path: str = "") -> str:
        """The place of a file, as DuckDB and delta-rs open it."""
        ...

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a DuckDB database read addresses of this storage."""
        ...

    def draft(self, path: str, folder: Path) -> Path:
        """Where to write a new file; its local folder is there. ``folder`` is for drafts that are no files yet."""
        ...

    def keep(self, path: str, draft: Path) -> int:
        """Make a written draft the file; returns its bytes."""
        ...

    def read(self, path: str) -> bytes:
        """A file's bytes. Raises FileNotFoundError."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Write a small file, whole or not at all."""
        ...

    def exists(self, path: str) -> bool:
        """Whether a file is there."""
        ...

    def listed(self, folder: str = "") -> Iterator[Stored]:
        """The files under a folder, to any depth; none where it does not exist."""
        ...

    def remove(self, paths: Iterable[str]) -> int:
        """Remove files; returns how many were there."""
        ...

    def remove_folder(self, folder: str) -> None:
        """Remove everything under a folder."""
        ...

    def sync(self, paths: Iterable[str]) -> None:
        """Bring files and their folders to the disk. Raises FileNotFoundError for one that is not there."""
        ...


@dataclass(frozen=True)
class FolderStorage:
    """A lake in a folder of this machine, or of a network file system."""

    root: Path

    @property
    def options(self) -> None:
        """See ``Storage``."""
        return None

    def address(self, path: str = "") -> str:
        """See ``Storage``."""
        return str(self.root / path)

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Files are read as they are."""

    def draft(self, path: str, folder: Path) -> Path:  # noqa: ARG002
        """See ``Storage``: the file itself."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def keep(self, path: str, draft: Path) -> int:
        """See ``Storage``."""
        assert draft == self.root / path  # noqa: S101
        return draft.stat().st_size

    def read(self, path: str) -> bytes:
        """See ``Storage``."""
        return (self.root / path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        """See ``Storage``."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.{os.getpid()}.new")
        try:
            draft.write_bytes(data)
            draft.replace(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def exists(self, path: str) -> bool:
        """See ``Storage``."""
        return (self.root / path).exists()

    def listed(self, folder: str = "") -> Iterator[Stored]:
        """See ``Storage``."""
        for path in (self.root / folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                state = path.stat()
                if path.is_file():
                    changed = dt.datetime.fromtimestamp(state.st_mtime, dt.UTC)
                    yield Stored(path.relative_to(self.root).as_posix(), state.st_size, changed)

    def remove(self, paths: Iterable[str]) -> int:
        """See ``Storage``. A path that leads out of the lake is passed over."""
        removed = 0
        root = self.root.resolve()
        for each in paths:
            path = (self.root / each).resolve()
            if path.is_relative_to(root):
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
                    removed += 1
        return removed

    def remove_folder(self, folder: str) -> None:
        """See ``Storage``."""
        shutil.rmtree(self.root / folder, ignore_errors=True)

    def sync(self, paths: Iterable[str]) -> None:
        """See ``Storage``."""
        files = [self.root / path for path in paths]
        for path in dict.fromkeys([*files, *(file.parent for file in files)]):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


@dataclass(frozen=True)
class Access:
    """How a bucket is reached: ``endpoint`` is None for AWS itself, else such as ``https://obs.example.cn``."""

    key_id: str
    secret: str = field(repr=False)
    endpoint: str | None = None
    region: str = "us-east-1"


@dataclass(frozen=True)
class BucketStorage:
    """A lake in a bucket of an object store that speaks the S3 API and refuses to write over an object on request.

    A manifest commit is such a conditional write (``If-None-Match``), so two commits at once never both succeed.
    Uploads give Arrow memory of its own, never Python's bytes: Arrow's threads let go of them after the upload, and a
    thread that does so for Python while the process ends aborts it.
    DuckDB reads the bucket with its extension httpfs, from the extra ``shutong[s3]``.
    """

    bucket: str
    prefix: str
    access: Access

    @cached_property
    def _files(self) -> fs.S3FileSystem:
        scheme, _, host = (self.access.endpoint or "").rpartition("://")
        return fs.S3FileSystem(
            access_key=self.access.key_id,
            secret_key=self.access.secret,
            region=self.access.region,
            endpoint_override=host or None,
            scheme="http" if scheme == "http" else "https",
        )

    @property
    def options(self) -> Mapping[str, str]:
        """See ``Storage``."""
        found = {
            "AWS_ACCESS_KEY_ID": self.access.key_id,
            "AWS_SECRET_ACCESS_KEY": self.access.secret,
            "AWS_REGION": self.access.region,
            "aws_conditional_put": "etag",
        }
        if self.access.endpoint:
            insecure = self.access.endpoint.startswith("http://")
            found |= {"AWS_ENDPOINT_URL": self.access.endpoint, "AWS_ALLOW_HTTP": str(insecure).lower()}
        return found

    def address(self, path: str = "") -> str:
        """See ``Storage``."""
        return f"s3://{self._object(path)}".rstrip("/")

    def holds_lake(self) -> bool:
        """Whether a lake has been begun here. Raises OSError where the bucket is not there or may not be read."""
        if self._files.get_file_info(self.bucket).type == fs.FileType.NotFound:
            raise FileNotFoundError(f"there is no bucket {self.bucket}")
        return next(self.listed("manifest"), None) is not None

    def _object(self, path: str) -> str:
        return "/".join(part for part in (self.bucket, self.prefix, path) if part)

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See ``Storage``."""
        connection.execute(f"LOAD {sqltext.literal(str(_httpfs()))}")
        scheme, _, host = (self.access.endpoint or "").rpartition("://")
        parts = {
            "KEY_ID": sqltext.literal(self.access.key_id),
            "SECRET": sqltext.literal(self.access.secret),
            "REGION": sqltext.literal(self.access.region),
        }
        if host:
            parts |= {
                "ENDPOINT": sqltext.literal(host),
                "URL_STYLE": "'path'",
                "USE_SSL": str(scheme != "http").lower(),
            }
        said = ", ".join(f"{name} {value}" for name, value in parts.items())
        connection.execute(f"CREATE OR REPLACE SECRET lake (TYPE s3, {said})")

    def draft(self, path: str, folder: Path) -> Path:
        """See ``Storage``: a file of the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        return folder / path.replace("/", "__")

    def keep(self, path: str, draft: Path) -> int:
        """See ``Storage``: uploads the draft and removes it."""
        with pa.OSFile(str(draft), "rb") as source, self._files.open_output_stream(self._object(path)) as target:
            while (data := source.read_buffer(_COPY_BYTES)).size:
                target.write(data)
        size = draft.stat().st_size
        draft.unlink()
        return size

    def read(self, path: str) -> bytes:
        """See ``Storage``."""
        with self._files.open_input_stream(self._object(path)) as stream:
            data: bytes = stream.readall()
            return data

    def write(self, path: str, data: bytes) -> None:
        """See ``Storage``: an object appears when it is complete."""
        copied = pa.BufferOutputStream()
        copied.write(data)
        with self._files.open_output_stream(self._object(path)) as stream:
            stream.write(copied.getvalue())

    def exists(self, path: str) -> bool:
        """See ``Storage``."""
        found: Any = self._files.get_file_info(self._object(path))
        return bool(found.type == fs.FileType.File)

    def listed(self, folder: str = "") -> Iterator[Stored]:
        """See ``Storage``."""
        start = len(self._object("")) + 1
        selector = fs.FileSelector(self._object(folder.rstrip("/")), allow_not_found=True, recursive=True)
        for info in self._files.get_file_info(selector):
            if info.type == fs.FileType.File:
                changed: Any = info.mtime
                yield Stored(info.path[start:], info.size, changed.astimezone(dt.UTC))

    def remove(self, paths: Iterable[str]) -> int:
        """See ``Storage``."""
        present = [path for path in paths if self.exists(path)]
        for path in present:
            self._files.delete_file(self._object(path))
        return len(present)

    def remove_folder(self, folder: str) -> None:
        """See ``Storage``."""
        self.remove([stored.path for stored in self.listed(folder)])

    def sync(self, paths: Iterable[str]) -> None:
        """See ``Storage``: an object that is there is safe."""
        for path in paths:
            if not self.exists(path):
                raise FileNotFoundError(2, "no such object", self.address(path))


def _httpfs() -> Path:
    """The file of DuckDB's extension for S3, as the extra brings it. Raises SettingsError."""
    found = importlib.util.find_spec("duckdb_extension_httpfs")
    folders = [Path(each) for each in found.submodule_search_locations or ()] if found else []
    path = next(
        (f for folder in folders for f in folder.glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension")), None
    )
    if path is None:
        raise SettingsError(
            "湖在对象存储上，但没有安装 DuckDB 的 httpfs 扩展：pip install 'shutong[s3]'",
            "the lake is in an object store, and DuckDB's extension httpfs is not installed: pip install 'shutong[s3]'",
        )
    return path


def storage_of(settings: Settings, folder: Path) -> Storage:
    """The storage that the settings name: the bucket of ``lake_location``, or ``folder`` where there is none."""
    if settings.lake_location is None:
        return FolderStorage(folder)
    place = urlsplit(settings.lake_location)
    bucket = settings.s3
    key_id = bucket.access_key_id or os.environ.get("AWS_ACCESS_KEY_ID")
    secret = bucket.secret_access_key or os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key_id or not secret:
        raise SettingsError(
            "lake_location 需要访问密钥：设置 s3.access_key_id 和 s3.secret_access_key，或同名的 AWS_* 环境变量",
            "lake_location needs keys: set s3.access_key_id and s3.secret_access_key, or the variables AWS_ACCESS_KEY_ID "
            "and AWS_SECRET_ACCESS_KEY",
        )
    access = Access(key_id, secret, bucket.endpoint, bucket.region)
    return BucketStorage(place.netloc, place.path.strip("/"), access)
