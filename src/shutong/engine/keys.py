"""The keys of a home: made once, kept in files that only the owner reads, wrapped so that rotation rewraps.

``keyring.json`` holds every key wrapped by the master key (AES key wrap, RFC 5649), which lies beside it in a file
of its own, so that a deployment can keep that one file elsewhere. Changing the master rewraps the keyring and
touches no data. A new version of the data key seals what comes; the older versions still open what is there.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import pyarrow as pa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding, aes_key_wrap_with_padding

from shutong.engine import sealing
from shutong.engine.errors import KeysError, SignatureError

_KEYRING: Final = "keyring.json"
_DATA_KEY_BYTES: Final = 64
_MATCH_DIGITS: Final = 32
_MOST_VERSIONS: Final = 255


Kind = Literal["master", "site", "matching", "data", "signing"]
"""What a key is for: wrapping the others, sessions and forms, matching keys of persons, sealing, signing receipts."""

ROTATED: Final[tuple[Kind, ...]] = ("master", "data", "signing")
"""Kinds that can be changed. A new matching key would part the persons of the lake from those that come."""


@dataclass(frozen=True)
class KeyInfo:
    """What may be told of a key; never the key itself.

    ``id``: of the master key the one in its file's name, of a data key its version, of a signing key the one in receipts;
    empty where a kind has one key only. ``made_at``: None where the keyring is older than the note of it. ``in_use``:
    False for keys that only open or verify what is there. ``public``: the 32 public bytes of a signing key.
    """

    kind: Kind
    id: str
    made_at: dt.datetime | None
    in_use: bool
    public: bytes | None = None


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only, and on the disk before it gets its name."""
    draft = path.with_name(path.name + ".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def key_id_of(public_key: bytes) -> str:
    """The id of a signing key: the first 16 hex digits of the SHA-256 of its 32 public bytes."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def canonical_json(value: Mapping[str, Any]) -> str:
    """JSON with sorted keys, no blanks and unescaped Chinese: one text for one value (no NaN).

    Raises TypeError or ValueError for a value JSON cannot say.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def verify(text: str, public_keys: Mapping[str, bytes]) -> dict[str, Any]:
    """Check a signed text and return what it says, without the signature.

    Args:
        text: as ``Keys.sign`` made it; the order of keys and blanks between them do not matter.
        public_keys: key id to 32 public bytes, for instance ``Keys.public_keys``.

    Raises:
        SignatureError: it was changed, is not signed, or its key is unknown.
    """
    try:
        payload = json.loads(text)
        signature = payload.pop("signature")
        key_id, value = str(signature["key"]), base64.b64decode(signature["value"], validate=True)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SignatureError("这不是一份签名文本", "this is not a signed text") from error
    public = public_keys.get(key_id)
    if public is None:
        raise SignatureError(f"不认识签名密钥 {key_id}", f"the signing key {key_id} is not known", key=key_id)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, canonical_json(payload).encode())
    except InvalidSignature:
        raise SignatureError(
            "签名不符：内容在签名之后被改动过", "the signature does not fit: the text was changed", key=key_id
        ) from None
    return dict(payload)


def _keyed_hash(key: bytes) -> Callable[[bytes], str]:
    """HMAC-SHA256 by copies of the two padded states (RFC 2104, section 4): 2.5 times the speed of ``hmac.digest``."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in block))
    outer = hashlib.sha256(bytes(each ^ 0x5C for each in block))

    def keyed(text: bytes) -> str:
        first = inner.copy()
        first.update(text)
        second = outer.copy()
        second.update(first.digest())
        return second.hexdigest()[:_MATCH_DIGITS]

    return keyed


@dataclass(frozen=True)
class Keys:
    """The opened keys of a home. ``repr`` shows no secret.

    Attributes:
        key_id: id of the signing key in use.
        public_keys: every signing key the home ever had, by id.
    """

    folder: Path
    key_id: str
    public_keys: Mapping[str, bytes]
    data_version: int
    _signing: bytes = field(repr=False)
    _matching: bytes = field(repr=False)
    _django: str = field(repr=False)
    _data: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def create(cls, folder: Path) -> Keys:
        """Make new keys in ``folder`` (made with mode 0700). Raises KeysError when it has keys already."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if (folder / _KEYRING).exists():
            raise KeysError(f"{folder} 中已有密钥，不会覆盖", f"{folder} holds keys already", path=str(folder))
        master, master_id = secrets.token_bytes(32), secrets.token_hex(4)
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()

        def wrapped(key: bytes) -> str:
            return _b64(aes_key_wrap_with_padding(master, key))

        ring: dict[str, Any] = {
            "format": 1,
            "master": master_id,
            "django": wrapped(secrets.token_urlsafe(48).encode()),
            "matching": wrapped(secrets.token_bytes(32)),
            "data": {"1": wrapped(secrets.token_bytes(_DATA_KEY_BYTES))},
            "signing": key_id_of(public),
            "signing_keys": {
                key_id_of(public): {"public": _b64(public), "private": wrapped(private.private_bytes_raw())}
            },
        }
        for kind, key_id in (
            ("master", master_id),
            ("site", ""),
            ("matching", ""),
            ("data", "1"),
            ("signing", ring["signing"]),
        ):
            _note_made(ring, kind, key_id)
        _write_private(_master_file(folder, master_id), _b64(master))
        _write_private(folder / _KEYRING, json.dumps(ring, indent=1))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Keys:
        """Open the keys of a home.

        Raises:
            KeysError: a key file is missing, damaged, or readable by others than its owner.
        """
        ring, master = _load(folder)

        def unwrap(text: str) -> bytes:
            return aes_key_unwrap_with_padding(master, base64.b64decode(text))

        try:
            signing_keys = ring["signing_keys"]
            return cls(
                folder=folder,
                key_id=ring["signing"],
                public_keys={key: base64.b64decode(each["public"]) for key, each in signing_keys.items()},
                data_version=max(int(version) for version in ring["data"]),
                _signing=unwrap(signing_keys[ring["signing"]]["private"]),
                _matching=unwrap(ring["matching"]),
                _django=unwrap(ring["django"]).decode(),
                _data={int(version): unwrap(text) for version, text in ring["data"].items()},
            )
        except (InvalidUnwrap, KeyError, ValueError, TypeError, AttributeError) as error:
            raise _damaged(folder) from error

    @property
    def django_secret(self) -> str:
        """Secret for sessions and form tokens."""
        return self._django

    def match(self, texts: sealing.Column) -> pa.StringArray:
        """Matching keys of a text column: HMAC-SHA256, the first 128 bits as 32 hex digits; NULL stays NULL.

        Equal texts have equal keys in every resource of this home and in no other home (RFC 2104, section 5 on
        truncation). The caller gives canonical values.
        """
        return sealing.map_texts(texts, _keyed_hash(self._matching))

    def match_one(self, text: str) -> str:
        """The matching key of one text."""
        return _keyed_hash(self._matching)(text.encode())

    def seal(self, column: str, values: sealing.Column) -> pa.BinaryArray:
        """Seal a text or binary column: AES-SIV (RFC 5297), the column's name as associated data.

        Equal values give equal bytes; the first byte is the version of the data key. NULL stays NULL.
        """
        return sealing.seal_column(self.data_version, self._data[self.data_version], column, values)

    def unseal(self, column: str, values: sealing.Column) -> pa.BinaryArray:
        """Open a sealed column as binary (cast it to text where it was text).

        Raises:
            KeysError: a value was changed, belongs to another column, or its key version is not here.
        """
        return sealing.unseal_column(self._data, column, values)

    def seal_bytes(self, data: bytes, context: str = "") -> bytes:
        """Seal a small file in memory; ``context`` must be given again to open it."""
        return sealing.seal_bytes(self.data_version, self._data[self.data_version], data, context)

    def unseal_bytes(self, data: bytes, context: str = "") -> bytes:
        """Open what ``seal_bytes`` or ``seal_stream`` made. Raises KeysError when it was changed or cut."""
        return sealing.unseal_bytes(self._data, data, context)

    def seal_stream(self, reader: BinaryIO, writer: BinaryIO, context: str = "") -> int:
        """Seal a file of any size in chunks of 1 MiB; returns the bytes read."""
        return sealing.seal_stream(self.data_version, self._data[self.data_version], reader, writer, context)

    def unseal_stream(self, reader: BinaryIO, writer: BinaryIO, context: str = "") -> int:
        """Open a sealed file; returns the bytes written.

        Raises:
            KeysError: it was changed or cut; what was written by then must be thrown away.
        """
        return sealing.unseal_stream(self._data, reader, writer, context)

    def sign(self, payload: Mapping[str, Any]) -> str:
        """The payload as canonical JSON with an Ed25519 signature and the key's id. Raises ValueError if signed."""
        if "signature" in payload:
            raise ValueError("the payload has a key 'signature' already")
        value = Ed25519PrivateKey.from_private_bytes(self._signing).sign(canonical_json(payload).encode())
        signature = {"algorithm": "Ed25519", "key": self.key_id, "value": _b64(value)}
        return canonical_json({**payload, "signature": signature})

    def verify(self, text: str) -> dict[str, Any]:
        """Check a text signed by this home, with any signing key it ever had."""
        return verify(text, self.public_keys)

    def listed(self) -> list[KeyInfo]:
        """Every key of the home, the older ones of a kind first. Raises KeysError as ``open`` does."""
        ring, _ = _load(self.folder)
        made = ring.get("made", {})

        def info(kind: Kind, key_id: str = "", *, in_use: bool = True, public: bytes | None = None) -> KeyInfo:
            noted = made.get(f"{kind}:{key_id}")
            return KeyInfo(kind, key_id, dt.datetime.fromisoformat(noted) if noted else None, in_use, public)

        try:
            newest = max(map(int, ring["data"]))
            return [
                info("master", ring["master"]),
                info("site"),
                info("matching"),
                *(info("data", str(each), in_use=each == newest) for each in sorted(map(int, ring["data"]))),
                *(
                    info("signing", key_id, in_use=key_id == ring["signing"], public=public)
                    for key_id, public in self.public_keys.items()
                ),
            ]
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise _damaged(self.folder) from error

    def rotate(self, kind: Kind) -> Keys:
        """Change the key of a kind. Raises ValueError for one that is not in ``ROTATED``."""
        if kind not in ROTATED:
            raise ValueError(f"the {kind} key cannot be changed")
        return {"master": self.rotate_master, "data": self.rotate_data, "signing": self.rotate_signing}[kind]()

    def rotate_master(self) -> Keys:
        """Make a new master key and rewrap every key with it; nothing that is sealed changes."""
        ring, old = _load(self.folder)
        master, master_id = secrets.token_bytes(32), secrets.token_hex(4)
        old_id = ring["master"]

        def rewrap(text: str) -> str:
            return _b64(aes_key_wrap_with_padding(master, aes_key_unwrap_with_padding(old, base64.b64decode(text))))

        for single in ("django", "matching"):
            ring[single] = rewrap(ring[single])
        ring["data"] = {version: rewrap(text) for version, text in ring["data"].items()}
        for each in ring["signing_keys"].values():
            each["private"] = rewrap(each["private"])
        ring["master"] = master_id
        ring.get("made", {}).pop(f"master:{old_id}", None)
        _note_made(ring, "master", master_id)
        # New master first, then the keyring that names it, then the old one goes: a kill leaves a pair that opens.
        _write_private(_master_file(self.folder, master_id), _b64(master))
        _write_private(self.folder / _KEYRING, json.dumps(ring, indent=1))
        _master_file(self.folder, old_id).unlink(missing_ok=True)
        return Keys.open(self.folder)

    def rotate_data(self) -> Keys:
        """Add a new version of the data key; it seals from now on, older versions still open."""
        ring, master = _load(self.folder)
        version = max(int(each) for each in ring["data"]) + 1
        if version > _MOST_VERSIONS:
            raise KeysError("数据密钥版本已到 255 上限", "the data key has reached its 255th version")
        ring["data"][str(version)] = _b64(aes_key_wrap_with_padding(master, secrets.token_bytes(_DATA_KEY_BYTES)))
        _note_made(ring, "data", str(version))
        _write_private(self.folder / _KEYRING, json.dumps(ring, indent=1))
        return Keys.open(self.folder)

    def rotate_signing(self) -> Keys:
        """Sign with a new key from now on; the old public key stays, so that older receipts still verify."""
        ring, master = _load(self.folder)
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        wrapped = _b64(aes_key_wrap_with_padding(master, private.private_bytes_raw()))
        ring["signing_keys"][key_id_of(public)] = {"public": _b64(public), "private": wrapped}
        ring["signing"] = key_id_of(public)
        _note_made(ring, "signing", ring["signing"])
        _write_private(self.folder / _KEYRING, json.dumps(ring, indent=1))
        return Keys.open(self.folder)


def _note_made(ring: dict[str, Any], kind: str, key_id: str) -> None:
    """Note in the keyring when a key was made; keyrings of earlier versions lack the notes."""
    ring.setdefault("made", {})[f"{kind}:{key_id}"] = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _master_file(folder: Path, master_id: str) -> Path:
    return folder / f"master-{master_id}.key"


def _damaged(folder: Path) -> KeysError:
    return KeysError(
        f"{folder} 中的密钥缺失或损坏，请从备份恢复",
        f"the keys in {folder} are missing or damaged: restore them from a backup",
        path=str(folder),
    )


def _load(folder: Path) -> tuple[dict[str, Any], bytes]:
    try:
        ring = json.loads((folder / _KEYRING).read_text(encoding="utf-8"))
        master_file = _master_file(folder, str(ring["master"]))
        master = base64.b64decode(master_file.read_text(encoding="utf-8"), validate=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder) from error
    for path in (folder / _KEYRING, master_file):
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeysError(
                f"{path} 可被他人读取，请执行 chmod 600 {path}",
                f"{path} can be read by others: run chmod 600 {path}",
                path=str(path),
            )
    return ring, master
