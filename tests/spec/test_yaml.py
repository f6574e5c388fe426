"""A declaration file can't run code, grow without bound, or say the same thing twice."""

from pathlib import Path

import pytest

from shutong.spec.problems import PackError
from shutong.spec.yamltext import MAX_BYTES, read_yaml


def read(tmp_path: Path, text: str | bytes) -> object:
    path = tmp_path / "x.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path).data


def codes(tmp_path: Path, text: str | bytes) -> set[str]:
    with pytest.raises(PackError) as caught:
        read(tmp_path, text)
    return {problem.code for problem in caught.value.problems}


def test_values_are_plain_data_and_codes_stay_text(tmp_path: Path) -> None:
    text = "a: 1\nb: 0.5\nc: true\nd: null\ne: 2024-01-02\nf: 007\ng: on\nh: '1'\n01: x\ni: [1, x]\nj: 0x10\nk: .inf\n"
    assert read(tmp_path, text) == {
        "a": 1,
        "b": 0.5,
        "c": True,
        "d": None,
        "e": "2024-01-02",
        "f": "007",
        "g": "on",
        "h": "1",
        "01": "x",
        "i": [1, "x"],
        "j": "0x10",
        "k": ".inf",
    }


def test_lines_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text("a: 1\nb:\n  c: [1,\n    2]\n", encoding="utf-8")
    lines = read_yaml(path).lines
    assert (lines["a",], lines["b",], lines["b", "c"], lines["b", "c", 1]) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2\n", "yaml.duplicate-key"),
        ("a: !!python/object/apply:os.system ['true']\n", "yaml.tag"),
        ("a: !secret x\n", "yaml.tag"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "yaml.merge"),
        ("? [a, b]\n: 1\n", "yaml.key"),
        ("a: [1\n", "yaml.syntax"),
        ("\ta: 1\n", "yaml.syntax"),
        ("a: *nowhere\n", "yaml.syntax"),
        ("", "yaml.empty"),
        ("a: 1\n---\nb: 2\n", "yaml.syntax"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", "yaml.too-deep"),
        ("a: [" + "1," * 10_001 + "]\n", "yaml.too-large"),
        ("a: '" + "x" * MAX_BYTES + "'\n", "file.too-large"),
        ("a: 处罚\n".encode("gb18030"), "file.encoding"),
        ("a: &a [x]\nb: [" + ", ".join(["*a"] * 30) + "]\n", "yaml.aliases"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str | bytes, code: str) -> None:
    assert code in codes(tmp_path, text)


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert codes(tmp_path, "\n".join(levels) + "\n") <= {"yaml.aliases", "yaml.too-large"}


def test_a_list_that_holds_itself_is_refused(tmp_path: Path) -> None:
    assert codes(tmp_path, "a: &a [*a]\n") <= {"yaml.aliases", "yaml.too-deep", "yaml.syntax"}


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackError) as caught:
        read_yaml(tmp_path / "none.yml")
    assert caught.value.problems[0].code == "file.unreadable"
