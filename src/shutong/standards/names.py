"""Names of organisations: a comparable form, a matching key, and the parts of a Chinese firm's name.

The comparable form and the key are made of character tables and a few literal replacements, so a single name and a
whole column take the same steps.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from shutong.standards.areas import leading_areas
from shutong.standards.characters import characters, class_table, translation_table
from shutong.standards.columns import distinct, map_blocks
from shutong.standards.tables import read_table
from shutong.standards.text import BLANKS, CONTROLS, FULLWIDTH, INVISIBLE
from shutong.standards.verdict import Column, Values, arrow, compute

_OPENING, _CLOSING = "（【〔［｛「『《〈([{<＜", "）】〕］｝」』》〉)]}>＞"
_DOTS_AND_QUOTES = "·•‧∙⋅・●．。.“”‘’\"'`´"
_PUNCTUATION = "()-–—―_/\\、，,;；：:!！?？&+*#@~^|=%$¥·…"
_NOTE = r"\((?:原[^()]*|曾用名[^()]*|已?注销|已?吊销(?:未注销)?|筹建?|筹备|个体工商户|个体|存续|在业|开业)\)"
"""Bracketed remarks that are no part of a name: a former name, a state, the kind of subject. Every other bracket
keeps its content in the key: it may be an area (``(上海)``), a form (``(有限合伙)``) or a branch, and tells firms apart."""
_LIABILITY, _SHORT_LIABILITY = "有限责任公司", "有限公司"


@functools.cache
def simplified() -> dict[str, str]:
    """Frequent traditional characters and their simplified forms."""
    return {row["traditional"]: row["simplified"] for row in read_table("traditional.csv")}


@functools.cache
def _normal_changes() -> dict[str, str | None]:
    """Character changes of :func:`normalise_name`; None deletes."""
    changes: dict[str, str | None] = {chr(code): chr(code).upper() for code in range(ord("a"), ord("z") + 1)}
    changes |= {wide: narrow.upper() for wide, narrow in FULLWIDTH.items()}
    changes |= simplified()
    changes |= dict.fromkeys(_OPENING, "(") | dict.fromkeys(_CLOSING, ")")
    return changes | dict.fromkeys(BLANKS | INVISIBLE | CONTROLS | frozenset(_DOTS_AND_QUOTES))


@functools.cache
def _key_changes() -> dict[str, str | None]:
    """Changes of the key: as normalising, and all punctuation deleted."""
    punctuation = frozenset(_PUNCTUATION)
    changes = {old: None if new in punctuation else new for old, new in _normal_changes().items()}
    return changes | dict.fromkeys(punctuation)


@functools.cache
def _translations() -> tuple[dict[int, str | None], dict[int, str | None]]:
    return str.maketrans(_normal_changes()), str.maketrans(_key_changes())


def normalise_name(text: str) -> str:
    """A name in comparable form: half-width, capitals, one kind of bracket, simplified, no blanks, dots or quotes."""
    return text.translate(_translations()[0])


def name_key(text: str) -> str:
    """The matching key of a name: comparable form without remarks and punctuation, 有限责任公司 written 有限公司.

    A name written with or without brackets around 集团 or an area has one key, and so has a firm whose form is
    written long or short (the registry admits only one of two such names). Nothing that marks a branch is dropped, so
    a branch never has the key of its parent.
    """
    bare = re.sub(_NOTE, "", normalise_name(text))
    return bare.translate(_translations()[1]).replace(_LIABILITY, _SHORT_LIABILITY)


@functools.cache
def _tables() -> tuple[np.ndarray[tuple[int], np.dtype[np.uint16]], np.ndarray[tuple[int], np.dtype[np.uint16]]]:
    return translation_table(_normal_changes()), translation_table(_key_changes())


def column_normalise_name(column: Column) -> Values:
    """:func:`normalise_name` of a column; null stays null."""
    return map_blocks(column, lambda block: characters(block).translate(_tables()[0]).to_arrow())


def column_name_key(column: Column) -> Values:
    """:func:`name_key` of a column; null stays null."""
    return map_blocks(column, _key_block)


_BRACKET = class_table(_OPENING)


def _key_block(block: Values) -> Values:
    letters = characters(block)
    spelled = letters.translate(_tables()[1]).to_arrow()
    keys: Values = compute.replace_substring(spelled, _LIABILITY, _SHORT_LIABILITY)
    bracketed = np.flatnonzero(letters.rows_with(_BRACKET))
    if len(bracketed) == 0:
        return keys
    names = column_normalise_name(block.take(arrow.array(bracketed)))
    noted = np.asarray(compute.match_substring_regex(names, _NOTE).to_numpy(zero_copy_only=False), dtype=np.bool_)
    if not noted.any():
        return keys
    entries, index = distinct(names.filter(pa.array(noted)))
    mask = np.zeros(len(block), np.bool_)
    mask[bracketed[noted]] = True
    answers = pa.array([name_key(entry) for entry in entries], pa.string()).take(index)
    answer: Values = compute.replace_with_mask(keys, pa.array(mask), answers)
    return answer


@dataclass(frozen=True)
class NameParts:
    """Parts of an organisation's name in comparable form; None where the name has none.

    ``area`` 澜川市, ``brand`` 云帆, ``trade`` 网络科技, ``form`` 有限公司, ``branch`` 第三分公司.
    """

    area: str | None
    brand: str | None
    trade: str | None
    form: str | None
    branch: str | None


@functools.cache
def _words(kind: str) -> tuple[str, ...]:
    """Words of one kind, longest first."""
    words = {word for row in read_table("name_words.csv") if row["kind"] == kind for word in row["words"].split()}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


@functools.cache
def _words_by_length(kind: str) -> tuple[tuple[int, frozenset[str]], ...]:
    """Words of one kind grouped by length, longest first, so that an ending is found by a few set look-ups."""
    words = _words(kind)
    lengths = sorted({len(word) for word in words}, reverse=True)
    return tuple((length, frozenset(word for word in words if len(word) == length)) for length in lengths)


_COMPANY = r"(?:\(集团\)|集团)?(?:股份有限公司|有限责任公司|有限公司|股份公司)(?:\([^()]*合伙\))?"
_COUNTED = r"第?[0-9一二三四五六七八九十百]+"


@functools.cache
def _branch_patterns() -> tuple[re.Pattern[str], ...]:
    own = "|".join(
        re.escape(word)
        for word in _words("branch")
        if word.startswith(("分", "支", "办事", "代表", "连锁", "直营", "加盟"))
    )
    return (
        re.compile(rf"(?P<head>.+?{_COMPANY})(?P<branch>.+)"),
        re.compile(rf"(?P<head>.{{3,}}?)(?P<branch>{_COUNTED}(?:{own}|店|部|厂|门市部))"),
        re.compile(rf"(?P<head>.{{4,}})(?P<branch>{own})"),
    )


@functools.cache
def _branch_sign() -> re.Pattern[str]:
    """What a name that is counted or called a branch holds."""
    return re.compile(r"[分支办代连直加店部厂门]")


def split_name(text: str) -> NameParts:
    """The parts of a name: area, brand, trade, legal form, branch. What is not recognised stays in the brand."""
    name = normalise_name(text)
    if "(" in name:
        name = re.sub(_NOTE, "", name)
    head, branch = _split_branch(name)
    head, form = _split_end(head, "form", keep=2)
    head, bracketed = _bracketed_area(head)
    areas, rest = leading_areas(head, keep=2 if form else 1)
    brand, trade = _split_trade(rest)
    return NameParts("".join(areas) or bracketed, brand or None, trade or None, form or None, branch or None)


def _split_branch(name: str) -> tuple[str, str]:
    # The patterns are costly, and most names show at once that no branch follows.
    company = name.find("公司")
    follows = 0 <= company < len(name) - 2
    for pattern, possible in zip(_branch_patterns(), (follows, *[_branch_sign().search(name)] * 2), strict=True):
        match = pattern.fullmatch(name) if possible else None
        if match:
            return match["head"], match["branch"]
    return name, ""


def _split_end(text: str, kind: str, keep: int) -> tuple[str, str]:
    """Cut the longest word of a kind off the end, leaving at least ``keep`` characters."""
    for length, words in _words_by_length(kind):
        if len(text) - length >= keep and text[-length:] in words:
            return text[:-length], text[-length:]
    return text, ""


def _bracketed_area(head: str) -> tuple[str, str | None]:
    """Take an area in brackets (云帆(上海)科技) out of a name."""
    match = re.search(r"\(([^()]{2,9})\)", head) if "(" in head else None
    if match is None:
        return head, None
    areas, rest = leading_areas(match[1], keep=0)
    if not areas and match[1] != "中国":
        return head, None
    return (head[: match.start()] + head[match.end() :], match[1]) if not rest else (head, None)


def _split_trade(rest: str) -> tuple[str, str]:
    trade = ""
    for _ in range(3):
        rest, word = _split_end(rest, "trade", keep=2)
        if not word:
            break
        trade = word + trade
    return rest, trade
