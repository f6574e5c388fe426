"""Free text, names of organisations and persons, addresses: what makes a cell acceptable, and its canonical form.

Names keep their spelling (brackets, full-width letters); matching forms are made in ``names.py`` and ``addresses.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.standards.characters import Characters, Flags, characters, class_table
from shutong.standards.columns import RETRY, Bytes, Index, Scalar, layout, over_blocks, present, reasons_of, settle
from shutong.standards.text import (
    BLANKS,
    CONTROLS,
    EMPTY_MARKS,
    INVISIBLE,
    LONGEST_SPACED_MARK,
    has_controls,
    is_empty,
    text_trim,
)
from shutong.standards.verdict import EMPTY, Column, ColumnVerdict, Faults, Values, Verdict, arrow, fault, passed

TEXT_REASONS = reasons_of("text.control")
ORG_NAME_REASONS = reasons_of("org-name.not-a-name", "org-name.document-number", "org-name.length", "text.control")
PERSON_NAME_REASONS = reasons_of("person-name.not-a-name", "person-name.length", "text.control")
ADDRESS_REASONS = reasons_of("address.too-short", "address.length", "text.control")

LONGEST_NAME, LONGEST_PERSON_NAME, LONGEST_ADDRESS = 100, 50, 200
_DOCUMENT_NUMBER = re.compile(r".*[〔\[【(（][12][0-9]{3}[〕\]】)）].*号")
_BLANK_RUN = re.compile("[" + "".join(re.escape(blank) for blank in sorted(BLANKS)) + "]+")
_DROP_INVISIBLE = str.maketrans(dict.fromkeys(INVISIBLE))
_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・●．.", "·"))
_BETWEEN_CJK = re.compile(r"(?<=[一-鿿]) (?=[一-鿿])")


def check_text(text: str | None) -> Verdict:
    """Any text without control characters; canonical: blanks at the ends removed. Line breaks inside may stay."""
    if text is None or is_empty(text):
        return EMPTY
    return fault("text.control") if has_controls(text) else passed(text_trim(text))


def clean_name(text: str) -> str:
    """A name as it is kept: invisible characters dropped, runs of blanks made one, none at the ends."""
    return text_trim(_BLANK_RUN.sub(" ", text.translate(_DROP_INVISIBLE)))


def check_org_name(text: str | None) -> Verdict:
    """The name of an organisation: at least two letters or characters, at most 100 long, no document number."""
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    name = clean_name(text)
    if len(name) > LONGEST_NAME:
        return fault("org-name.length")
    if sum(map(str.isalpha, name)) < 2:
        return fault("org-name.not-a-name")
    return fault("org-name.document-number") if _DOCUMENT_NUMBER.fullmatch(name) else passed(name)


def check_person_name(text: str | None) -> Verdict:
    """The name of a person: letters, blanks, middle dots, hyphens; blanks between Chinese characters are dropped."""
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    name = clean_name(text)
    if len(name) <= LONGEST_PERSON_NAME:
        name = _BETWEEN_CJK.sub("", name)
        if any("一" <= character <= "鿿" for character in name):
            name = name.translate(_DOTS)
    if not 2 <= len(name) <= LONGEST_PERSON_NAME:
        return fault("person-name.length")
    letters = [character for character in name if character.isalpha()]
    if len(letters) < 2 or any(not character.isalpha() and character not in " ·.'’-" for character in name):
        return fault("person-name.not-a-name")
    return passed(name)


def check_address(text: str | None) -> Verdict:
    """A postal address: at least four characters with two letters, at most 200."""
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    address = clean_name(text)
    if len(address) > LONGEST_ADDRESS:
        return fault("address.length")
    if len(address) < 4 or sum(map(str.isalpha, address)) < 2:
        return fault("address.too-short")
    return passed(address)


# ---- columns: rows of ordinary characters are decided at once, the rest by the scalar -----------------------------------

_CJK = class_table(map(chr, range(0x4E00, 0xA000)))
_NOT_CJK = ~_CJK
_EDGES = class_table(BLANKS | INVISIBLE)
_CONTROL = class_table(CONTROLS)
_UNUSUAL = class_table(BLANKS | INVISIBLE | CONTROLS | frozenset("〔[【"))
_LONGEST_MARK = max(map(len, EMPTY_MARKS))


@dataclass(frozen=True)
class _TextColumn:
    """A text check by columns in three steps: by bytes, by characters, by the scalar; each decides what it can.

    ``plain(block)`` and ``ordinary(characters)`` give n booleans: the cell is right and its own canonical form.
    """

    scalar: Scalar
    reasons: tuple[str, ...]
    ordinary: Callable[[Characters], Flags]
    plain: Callable[[Values], Flags] | None = None

    def run(self, column: Column) -> ColumnVerdict:
        return over_blocks(column, self.check, pa.string(), self.reasons)

    def check(self, block: Values) -> tuple[Values, Faults]:
        there = present(block) & (np.diff(layout(block)[1]) > 0)
        good = self.plain(block) & there if self.plain else np.zeros(len(block), np.bool_)
        rest = np.flatnonzero(there & ~good)
        if len(rest):
            good[rest] = self.ordinary(characters(block.take(arrow.array(rest))))
        faults = np.where(there, np.where(good, np.int8(0), np.int8(RETRY)), np.int8(-1))
        return settle(block, None, faults, self.scalar, pa.string(), self.reasons)


def _edge_bytes(data: Bytes, starts: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The first and the last three bytes of every row as one number each; rows shorter than six bytes give nonsense."""
    first, last = starts[:-1], starts[1:] - 3
    heads = [data.take(first + k, mode="clip").astype(np.int32) for k in range(3)]
    tails = [data.take(last + k, mode="clip").astype(np.int32) for k in range(3)]
    return (heads[0] << 16) | (heads[1] << 8) | heads[2], (tails[0] << 16) | (tails[1] << 8) | tails[2]


def _rows_with_bytes(hits: Index, starts: npt.NDArray[np.int32]) -> Flags:
    answer = np.zeros(len(starts) - 1, np.bool_)
    if len(hits):
        answer[np.searchsorted(starts, hits + starts[0], side="right") - 1] = True
    return answer


_STRETCH = 1 << 17
"""Bytes looked at together: they and the answers about them stay in the processor's cache."""


def _special(body: Bytes, names: bool) -> Index:
    """Places of bytes that may belong to a blank, an invisible or a control character (and, in names, a bracket).

    UTF-8 begins U+0080-00BF with C2, U+1000-1FFF with E1, U+2000-2FFF with E2, U+3000-3FFF with E3, U+FEFF with EF BB.
    """
    if len(body) == 0 or (body.min() > 0x20 and body.max() < (ord("[") if names else 0x7F)):
        return np.zeros(0, np.int64)
    found = []
    odd, same = np.empty(_STRETCH, np.bool_), np.empty(_STRETCH, np.bool_)
    for start in range(0, len(body), _STRETCH):
        part = body[start : start + _STRETCH]
        here, also = odd[: len(part)], same[: len(part)]
        np.less(part, 0x21 if names else 0x20, out=here)
        np.logical_or(here, np.less(part - np.uint8(0xE1), 3, out=also), out=here)
        for byte in (0x7F, 0xC2, 0xEF, ord("[")) if names else (0x7F, 0xC2, 0xEF):
            np.logical_or(here, np.equal(part, byte, out=also), out=here)
        found.append(np.flatnonzero(here) + start)
    hits = np.concatenate(found)
    # EF BC and EF BD begin the full-width forms, which are ordinary
    after = body[np.minimum(hits + 1, len(body) - 1)]
    plain: Index = hits[(body[hits] != 0xEF) | ((after != 0xBC) & (after != 0xBD))]
    return plain


def _is_cjk(number: npt.NDArray[np.int32]) -> Flags:
    """Three bytes are one character of U+4E00-9FFF (E4 B8 80 to E9 BF BF)."""
    return (number >= 0xE4B880) & (number < 0xEA0000)


def _plain_name(longest: int, refused_end: str = "") -> Callable[[Values], Flags]:
    """Names that begin with two Chinese characters, hold no special character and are longer than any empty mark."""
    end = int.from_bytes(refused_end.encode("utf-8"), "big")

    def plain(block: Values) -> Flags:
        data, starts = layout(block)
        lengths = np.diff(starts)
        good = (lengths > 3 * _LONGEST_MARK) & (lengths <= longest)
        if not good.any():
            return good
        head, tail = _edge_bytes(data, starts)
        # The second character is told by its first two bytes.
        third = np.minimum(starts[:-1] + 3, len(data) - 2)
        second = (data.take(third).astype(np.int32) << 16) | (data.take(third + 1).astype(np.int32) << 8) | 0x80
        good &= _is_cjk(head) & _is_cjk(second) & (tail != end)
        return good & ~_rows_with_bytes(_special(data[starts[0] : starts[-1]], names=True), starts)

    return plain


def _plain_text(block: Values) -> Flags:
    """Texts that begin and end with a Chinese or a visible ASCII character, begin like no empty mark, and hold no
    special character."""
    data, starts = layout(block)
    good = np.diff(starts) > 0
    if not good.any():
        return good
    # The ends of an empty row are its neighbours' bytes, which changes nothing: it is not good.
    first = data.take(starts[:-1], mode="clip")
    good &= _TEXT_HEADS.take(first) & _TEXT_TAILS.take(data.take(starts[1:] - 1))
    chinese = np.flatnonzero(good & (first >= 0x80))
    if len(chinese):
        place = starts[:-1][chinese]
        head = [data.take(place + k).astype(np.int32) for k in range(3)]
        number = (head[0] << 16) | (head[1] << 8) | head[2]
        marks = np.zeros(len(chinese), np.bool_)
        for mark in _CHINESE_MARKS:
            marks |= number == mark
        good[chinese[marks | ~_is_cjk(number)]] = False
    return good & ~_rows_with_bytes(_special(data[starts[0] : starts[-1]], names=False), starts)


def _ordinary_text(text: Characters) -> Flags:
    longer = text.lengths() > LONGEST_SPACED_MARK
    return longer & ~(text.at(0, _EDGES) | text.at(-1, _EDGES) | text.rows_with(_CONTROL))


def _ordinary_name(longest: int) -> Callable[[Characters], Flags]:
    def ordinary(text: Characters) -> Flags:
        lengths = text.lengths()
        good = (lengths > _LONGEST_MARK) & (lengths <= longest) & text.at(0, _CJK) & text.at(1, _CJK)
        return good & ~text.rows_with(_UNUSUAL)

    return ordinary


_NUMBER_END = class_table("号")


def _ordinary_org_name(text: Characters) -> Flags:
    # A document number ends with 号; names that do are left to the scalar.
    return _ordinary_name(LONGEST_NAME)(text) & ~text.at(-1, _NUMBER_END)


def _ordinary_person(text: Characters) -> Flags:
    lengths = text.lengths()
    return (lengths >= 2) & (lengths <= 6) & ~text.rows_with(_NOT_CJK) & ~_is_mark(text)


def _is_mark(text: Characters) -> Flags:
    """Rows that may be an empty mark written in Chinese (暂无): the first character is one that such marks begin with."""
    return text.at(0, _MARK_HEADS)


_MARK_HEADS = class_table({mark[0] for mark in EMPTY_MARKS if mark})
_MARK_STARTS = {mark[0] for mark in EMPTY_MARKS if mark} | {mark[0].lower() for mark in EMPTY_MARKS if mark}
_CHINESE_MARKS = [int.from_bytes(mark.encode("utf-8"), "big") for mark in _MARK_STARTS if "一" <= mark <= "鿿"]

_TEXT_TAILS = np.zeros(256, np.bool_)
_TEXT_TAILS[0x21:0x7F] = True
_TEXT_TAILS[0x80:] = True
_TEXT_HEADS = np.zeros(256, np.bool_)
_TEXT_HEADS[0x21:0x7F] = True
_TEXT_HEADS[[ord(mark) for mark in _MARK_STARTS if mark.isascii()]] = False
_TEXT_HEADS[0xE4:0xEA] = True

_TEXT = _TextColumn(check_text, TEXT_REASONS, _ordinary_text, _plain_text)
_ORG_NAME = _TextColumn(check_org_name, ORG_NAME_REASONS, _ordinary_org_name, _plain_name(LONGEST_NAME, "号"))
_PERSON_NAME = _TextColumn(check_person_name, PERSON_NAME_REASONS, _ordinary_person)
_ADDRESS = _TextColumn(check_address, ADDRESS_REASONS, _ordinary_name(LONGEST_ADDRESS), _plain_name(LONGEST_ADDRESS))


def column_text(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_text`."""
    return _TEXT.run(column)


def column_org_name(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_org_name`."""
    return _ORG_NAME.run(column)


def column_person_name(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_person_name`."""
    return _PERSON_NAME.run(column)


def column_address(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_address`."""
    return _ADDRESS.run(column)
