"""Reads YAML as plain data with the line of every key; nothing in a file can run code or grow without bound.

The text is composed to nodes and turned into dicts, lists and scalars here, so that duplicate keys, tags, merge keys
and alias bombs are refused by us and not left to a constructor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shutong.spec.problems import PackError, Problem

MAX_BYTES = 256 * 1024
MAX_VALUES = 10_000
MAX_ALIASES = 20
MAX_DEPTH = 24

Location = tuple[str | int, ...]
"""The way from the top of a document to a value: keys and list positions."""

_TAG = "tag:yaml.org,2002:"
_KINDS = {"map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value"}


@dataclass(frozen=True)
class Document:
    """A YAML file: its data and the line (from 1) of each value, by location."""

    path: Path
    data: Any
    lines: Mapping[Location, int]


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Location, int] = {}
        self.problems: list[Problem] = []
        self.values = 0
        self.aliases = 0
        self.seen: set[int] = set()

    def report(self, node: Node, code: str, zh: str, en: str, hint: str = "") -> None:
        self.problems.append(Problem(self.path, node.start_mark.line + 1, code, zh, en, hint))

    def read(self, node: Node, at: Location) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            self.report(node, "yaml.too-large", f"超过 {MAX_VALUES} 个值", f"more than {MAX_VALUES} values")
            raise PackError(self.problems)
        if len(at) > MAX_DEPTH:
            self.report(node, "yaml.too-deep", "嵌套过深", "nested too deeply")
            raise PackError(self.problems)
        if id(node) in self.seen:
            self.aliases += 1
            if self.aliases > MAX_ALIASES:
                self.report(node, "yaml.aliases", f"别名超过 {MAX_ALIASES} 个", f"more than {MAX_ALIASES} aliases")
                raise PackError(self.problems)
        self.seen.add(id(node))
        self.lines.setdefault(at, node.start_mark.line + 1)
        tag = str(node.tag)
        if not tag.startswith(_TAG) or tag.removeprefix(_TAG) not in _KINDS:
            self.report(node, "yaml.tag", f"不允许标签 {tag}", f"tags such as {tag} are not allowed")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, at)
        if isinstance(node, SequenceNode):
            return [self.read(child, (*at, index)) for index, child in enumerate(node.value)]
        return self._scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, at: Location) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.report(key_node, "yaml.key", "键必须是文字", "a key must be plain text")
                continue
            key = str(key_node.value)
            if key == "<<":
                self.report(
                    key_node,
                    "yaml.merge",
                    "不支持合并键 <<",
                    "merge keys are not read",
                    "改用 like: / use like: instead",
                )
                continue
            if key in found:
                self.report(key_node, "yaml.duplicate-key", f"键 {key} 重复", f"the key {key} stands twice")
                continue
            self.lines[(*at, key)] = key_node.start_mark.line + 1
            found[key] = self.read(value_node, (*at, key))
        return found

    def _scalar(self, node: ScalarNode) -> Any:
        kind, text = str(node.tag).removeprefix(_TAG), str(node.value)
        plain = text.lstrip("+-")
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int" and plain.isdigit() and (len(plain) == 1 or not plain.startswith("0")):
            return int(text)
        if kind == "float" and any(character.isdigit() for character in plain):
            return float(text)
        return text


def read_yaml(path: Path) -> Document:
    """Read one YAML file.

    Plain scalars become null, bool, int and float as in YAML 1.2; a number with a leading zero stays text (it is a
    code), and so do dates.

    Raises:
        PackError: the file is too large, not UTF-8, not YAML, or holds duplicate keys, tags, merge keys or too
            many aliases.
    """
    try:
        raw = path.read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        message = error.strerror or str(error)
        raise PackError(
            [Problem(path, 0, "file.unreadable", f"无法读取：{message}", f"can't read: {message}")]
        ) from error
    if len(raw) > MAX_BYTES:
        text = f"{MAX_BYTES // 1024} KiB"
        raise PackError([Problem(path, 0, "file.too-large", f"文件超过 {text}", f"the file is larger than {text}")])
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        hint = "请另存为 UTF-8 / save it as UTF-8"
        raise PackError([Problem(path, line, "file.encoding", "不是 UTF-8 编码", "not UTF-8", hint)]) from error
    node = _compose(path, content)
    if node is None:
        raise PackError([Problem(path, 1, "yaml.empty", "文件为空", "the file is empty")])
    reader = _Reader(path)
    data = reader.read(node, ())
    if reader.problems:
        raise PackError(reader.problems)
    return Document(path, data, reader.lines)


def _compose(path: Path, content: str) -> Node | None:
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(content)
        return node
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        reason = error.problem or str(error)
        # What the parser says is exact and hard to read; these are the mistakes that are nearly always behind it.
        hint = (
            "检查此处的缩进、冒号后的空格、括号和引号 / look at the indentation, blanks after colons, brackets, quotes"
        )
        problem = Problem(path, line, "yaml.syntax", f"YAML 语法错误：{reason}", f"not YAML: {reason}", hint)
        raise PackError([problem]) from error
    except (YAMLError, RecursionError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        problem = Problem(path, 0, "yaml.syntax", f"YAML 语法错误：{reason}", f"not YAML: {reason}")
        raise PackError([problem]) from error
