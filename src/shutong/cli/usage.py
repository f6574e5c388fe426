"""What a wrong use of a command is told: Chinese first, then the parser's own words, then where the usage stands."""

from __future__ import annotations

import re
from typing import Any, Final

_ZH: Final = (
    (re.compile(r"Missing argument '?(?P<a>[^'.]+)'?\."), "缺少参数 {a}"),
    (re.compile(r"Missing option '?(?P<a>[^'.]+)'?\."), "缺少选项 {a}"),
    (re.compile(r"No such command '(?P<a>.*?)'\."), "没有这个命令：{a}"),
    (re.compile(r"No such option:? '?(?P<a>[^\s']+)'?"), "没有这个选项：{a}"),
    (re.compile(r"Option '(?P<a>.*?)' requires an argument"), "选项 {a} 后面缺少值"),
    (re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((?P<a>.*?)\)"), "多余的参数：{a}"),
    (re.compile(r"Invalid value for '?(?P<a>[^':]+)'?: Input"), "{a} 的值不对"),
)
"""The parser's sentences, of which each has one part that names what is wrong."""

_OURS: Final = re.compile(r"Invalid value(?: for '?(?P<what>[^':]+)'?)?: (?P<text>.*[\u4e00-\u9fff].*)", re.DOTALL)
"""What the parser makes of a message of our own."""


def is_usage_error(error: BaseException) -> bool:
    """Whether the parser, or a command by ``typer.BadParameter``, says that the words of the command are wrong."""
    return hasattr(error, "format_message") and getattr(error, "exit_code", None) == 2


def usage_text(error: Any) -> str:
    """What to tell whoever typed the command, in lines; nothing where the help was shown instead.

    A message of our own is in both languages already; the parser's is put into Chinese in front.
    """
    message = str(error.format_message()).strip()
    if not message:
        return ""
    ours = _OURS.fullmatch(message)
    translated = next((zh.format(**hit.groupdict()) for rule, zh in _ZH if (hit := rule.match(message))), None)
    if ours:
        lines = [f"{ours['what']}: {ours['text']}" if ours["what"] else ours["text"]]
    elif translated:
        lines = [f"用法不对：{translated}", f"wrong usage: {message}"]
    else:
        lines = [f"用法不对 / wrong usage: {message}"]
    context = getattr(error, "ctx", None)
    lines.append(f"用法见 / see: {context.command_path if context else 'shutong'} --help")
    return "\n".join(lines)
