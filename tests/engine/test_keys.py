"""Keys: matching, sealing of columns and files, signing, rotation."""

from __future__ import annotations

import hmac
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shutong.engine.errors import KeysError, SignatureError
from shutong.engine.keys import Keys, verify
from shutong.engine.sealing import CHUNK


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.create(tmp_path_factory.mktemp("keys"))


def test_matching_keys_are_equal_for_equal_texts_only(keys: Keys, tmp_path: Path) -> None:
    column = pa.chunked_array([["110101199003070011", None, "x"], ["110101199003070011", ""]])
    found = keys.match(column).to_pylist()
    assert found[0] == found[3] == keys.match_one("110101199003070011")
    assert found[1] is None
    assert len({*found}) == 4
    assert all(len(each) == 32 for each in found if each is not None)
    whole = hmac.digest(keys._matching, b"x", "sha256").hex()
    assert keys.match_one("x") == whole[:32]
    assert Keys.open(keys.folder).match(column).to_pylist() == found
    assert Keys.create(tmp_path / "other").match(column).to_pylist() != found


def test_a_column_is_sealed_and_opened(keys: Keys) -> None:
    column = pa.array(["张三", "", None, "李四", "张三"])
    sealed = keys.seal("citizen_id", column)
    values = sealed.to_pylist()
    assert values[0] == values[4] != values[3]
    assert values[0][0] == 1
    assert values[2] is None
    assert "张三".encode() not in values[0]
    assert keys.unseal("citizen_id", sealed).cast(pa.string()).to_pylist() == column.to_pylist()
    assert keys.seal("mobile", column).to_pylist()[0] != values[0]
    with pytest.raises(KeysError, match="mobile"):
        keys.unseal("mobile", sealed)
    changed = pa.array([values[0][:-1] + bytes([values[0][-1] ^ 1])])
    with pytest.raises(KeysError, match="changed"):
        keys.unseal("citizen_id", changed)
    for broken in (b"", b"\x09abc", b"\x01"):
        with pytest.raises(KeysError):
            keys.unseal("citizen_id", pa.array([broken]))


def test_columns_of_every_form(keys: Keys) -> None:
    for column in (
        pa.array([], pa.string()),
        pa.chunked_array([], pa.string()),
        pa.array([None], pa.string()),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.chunked_array([pa.array(["a"]).dictionary_encode(), pa.array(["b"]).dictionary_encode()]),
        pa.array([b"\xff\x00", b""]),
        pa.array(["a", None], pa.large_string()),
        pa.array(["a", "b", "c"])[1:],
    ):
        opened = keys.unseal("c", keys.seal("c", column))
        expected = [each.encode() if isinstance(each, str) else each for each in column.to_pylist()]
        assert opened.to_pylist() == expected
        if expected != [b"\xff\x00", b""]:
            assert len(keys.match(column)) == len(column)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_survive(keys: Keys, data: bytes) -> None:
    assert keys.unseal_bytes(keys.seal_bytes(data, "c"), "c") == data
    assert keys.unseal("c", keys.seal("c", pa.array([data], pa.binary()))).to_pylist() == [data]


class _Slow(io.BytesIO):
    """A source that gives little at a time, as sockets do."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 1, 300_000) if size and size > 0 else size)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_files_are_sealed_in_chunks(keys: Keys, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    sealed, opened = io.BytesIO(), io.BytesIO()
    assert keys.seal_stream(_Slow(data), sealed, "batch b1") == size
    assert keys.unseal_stream(_Slow(sealed.getvalue()), opened, "batch b1") == size
    assert opened.getvalue() == data
    assert keys.seal_bytes(data, "x") != keys.seal_bytes(data, "x")


def test_a_changed_file_is_refused(keys: Keys) -> None:
    sealed = keys.seal_bytes(b"a" * (2 * CHUNK + 5), "x")
    first, second = sealed[21 : 21 + CHUNK + 16], sealed[21 + CHUNK + 16 : 21 + 2 * (CHUNK + 16)]
    rest = sealed[21 + 2 * (CHUNK + 16) :]
    for broken in (
        sealed[:-1],
        sealed[: 21 + CHUNK + 16],
        sealed[:21] + second + first + rest,
        sealed[:21] + first + first + rest,
        sealed + b"x",
        sealed[:30] + b"\x00\x00" + sealed[32:],
        b"",
        b"plain text that is no sealed file at all",
        sealed[:4] + b"\x07" + sealed[5:],
    ):
        with pytest.raises(KeysError):
            keys.unseal_bytes(broken, "x")
    with pytest.raises(KeysError, match="another purpose"):
        keys.unseal_bytes(sealed, "y")


def test_signed_texts(keys: Keys, tmp_path: Path) -> None:
    payload = {"batch": "b1", "说明": "收到", "rows": 3, "reasons": [{"code": "x"}], "none": None}
    text = keys.sign(payload)
    assert keys.verify(text) == payload
    assert verify(json.dumps(json.loads(text), indent=2, ensure_ascii=True), keys.public_keys) == payload
    for broken in (text.replace('"rows":3', '"rows":4'), "{}", "[]", "", "nonsense", text.replace("b1", "b2")):
        with pytest.raises(SignatureError):
            keys.verify(broken)
    with pytest.raises(SignatureError, match="not known"):
        Keys.create(tmp_path / "other").verify(text)
    with pytest.raises(ValueError, match="signature"):
        keys.sign({"signature": 1})
    with pytest.raises(ValueError, match="JSON"):
        keys.sign({"x": float("nan")})


def test_rotation_keeps_what_was_sealed_and_signed(tmp_path: Path) -> None:
    first = Keys.create(tmp_path / "keys")
    column = pa.array(["a"])
    sealed, matched, signed = first.seal("c", column), first.match(column), first.sign({"n": 1})
    file = first.seal_bytes(b"file")
    rotated = first.rotate_master().rotate_data().rotate_signing().rotate_master()
    assert rotated.data_version == 2
    assert rotated.key_id != first.key_id
    assert rotated.match(column).equals(matched)
    assert rotated.django_secret == first.django_secret
    assert rotated.unseal("c", sealed).to_pylist() == [b"a"]
    assert rotated.unseal_bytes(file) == b"file"
    assert rotated.verify(signed) == {"n": 1}
    again = rotated.seal("c", column)
    assert again.to_pylist()[0][0] == 2
    assert rotated.unseal("c", pa.concat_arrays([again, sealed])).to_pylist() == [b"a", b"a"]
    assert len(list((tmp_path / "keys").glob("master-*.key"))) == 1
    told = rotated.listed()
    assert [(one.kind, one.in_use) for one in told if one.kind in ("data", "signing")] == [
        ("data", False), ("data", True), ("signing", False), ("signing", True),
    ]  # fmt: skip
    assert all(one.made_at for one in told)
    assert {one.public for one in told if one.kind == "signing"} == set(rotated.public_keys.values())
    assert [one.id for one in told if one.kind == "master"] == [
        path.stem.removeprefix("master-") for path in (tmp_path / "keys").glob("master-*.key")
    ]
    with pytest.raises(ValueError, match="matching"):
        rotated.rotate("matching")


def test_a_rotation_that_was_killed_leaves_keys_that_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys.create(tmp_path / "keys")
    import shutong.engine.keys as module

    write = module._write_private

    def die_at_the_keyring(path: Path, text: str) -> None:
        if path.name == "keyring.json":
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(module, "_write_private", die_at_the_keyring)
    with pytest.raises(KeyboardInterrupt):
        keys.rotate_master()
    monkeypatch.undo()
    assert Keys.open(keys.folder).key_id == keys.key_id
    assert Keys.open(keys.folder).rotate_master().key_id == keys.key_id


def test_secrets_are_not_shown(keys: Keys) -> None:
    shown = repr(keys)
    assert keys.django_secret not in shown
    assert "_data" not in shown


def test_missing_or_damaged_keys(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="missing or damaged"):
        Keys.open(tmp_path)
    keys = Keys.create(tmp_path / "keys")
    with pytest.raises(KeysError, match="already"):
        Keys.create(tmp_path / "keys")
    ring = keys.folder / "keyring.json"
    text = ring.read_text()
    for broken in ("{}", text[:-20], text.replace('"matching": "', '"matching": "AAAA')):
        ring.write_text(broken)
        with pytest.raises(KeysError):
            Keys.open(keys.folder)
