"""A declared check in words, for those who deliver and those who read: the titles of its items, its operators spoken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shutong.standards.elements import Title

_TOKEN = re.compile(
    r"'(?:[^']|'')*'|IS NOT NULL\b|IS NULL\b|NOT IN\b|<=|>=|<>|!=|[<>=]|[A-Za-z_]\w*|\d+(?:\.\d+)?|\S", re.IGNORECASE
)
_UNIT = re.compile(r"\s*[（(][^（()）]*(?:元|yuan)[)）]$")

_NUMBERS = {
    "<=": (" 不大于 ", " is at most "),
    ">=": (" 不小于 ", " is at least "),
    "<": (" 小于 ", " is below "),
    ">": (" 大于 ", " is above "),
}
_DAYS = {
    "<=": (" 不晚于 ", " is not after "),
    ">=": (" 不早于 ", " is not before "),
    "<": (" 早于 ", " is before "),
    ">": (" 晚于 ", " is after "),
}
_WORDS = {
    "=": (" 等于 ", " is "),
    "<>": (" 不等于 ", " is not "),
    "!=": (" 不等于 ", " is not "),
    "is null": (" 未填", " is blank"),
    "is not null": (" 已填", " is filled in"),
    "and": ("，且 ", ", and "),
    "or": ("，或 ", ", or "),
    "not": (" 非 ", " not "),
    "in": (" 属于 ", " is one of "),
    "not in": (" 不属于 ", " is none of "),
    "between": (" 介于 ", " is between "),
}
_RECEIVED = Title("接收日", "the day of receipt")


@dataclass(frozen=True)
class Named:
    """What an item is called and of which data element it is."""

    title: Title
    element: str


def without_unit(title: str) -> str:
    """A title without the money unit of the delivered column: amounts are shown with their own unit."""
    return _UNIT.sub("", title)


def in_words(expression: str, items: Mapping[str, Named]) -> Title:
    """A check's expression as a sentence; what has no word of its own (a function) stays as it is written.

    Args:
        expression: SQL over the resource's items and ``received_on``.
        items: the resource's items by name.
    """
    elements = {name.lower(): one.element for name, one in items.items()} | {"received_on": "date"}
    tokens: list[str] = _TOKEN.findall(expression)
    of_days = any(elements.get(token.lower()) in {"date", "datetime"} for token in tokens)
    of_money = any(elements.get(token.lower()) == "money" for token in tokens)
    spoken = [_token(token, items, _DAYS if of_days else _NUMBERS, of_money) for token in tokens]
    chinese = _sentence(zh for zh, _en in spoken).replace("” ", "”").replace(" “", "“")
    return Title(chinese, _sentence(en for _zh, en in spoken))


def _token(
    token: str, items: Mapping[str, Named], comparing: Mapping[str, tuple[str, str]], money: bool
) -> tuple[str, str]:
    word = _WORDS.get(token.lower()) or comparing.get(token)
    if word:
        return word
    if token.lower() == "received_on":
        return f"“{_RECEIVED.zh}”", _RECEIVED.en
    known = items.get(token)
    if known:
        return f"“{without_unit(known.title.zh)}”", f"“{without_unit(known.title.en or known.title.zh)}”"
    if token[0].isdigit():
        number = f"{float(token):,.10g}" if "." in token else f"{int(token):,}"
        return (f"{number} 元", f"{number} yuan") if money else (number, number)
    return token, token


def _sentence(parts: Iterable[str]) -> str:
    return re.sub(r"\s+", " ", "".join(parts)).strip()
