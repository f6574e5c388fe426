"""Characters as they come in delivered files: full-width forms, odd blanks, marks that mean "nothing here".

One set of character classes serves the scalar functions here and the column kernel in ``characters.py``.
"""

from __future__ import annotations

BLANKS = frozenset(
    map(chr, [*range(0x09, 0x0E), 0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
)
"""Characters that only separate; the ideographic blank U+3000 among them."""

INVISIBLE = frozenset(map(chr, [0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF]))
"""Characters that show nothing: zero-width blanks, direction marks, byte order marks left inside a file."""

CONTROLS = frozenset(
    map(
        chr,
        [*range(0x00, 0x09), *range(0x0E, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    )
)
"""Characters that no cell may hold: NUL, C0 and C1 controls, and the ones that turn the reading direction (they can
make one name look like another)."""

FULLWIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"\u3000": " ", "\uffe5": "¥"}
"""Full-width forms and their half-width twins."""

EMPTY_MARKS = frozenset(
    {"", "-", "--", "---", "—", "——", "———", "–", "/", "//", "\\", "\\N", "NULL", "(NULL)", "N/A", "#N/A"}
    | {"无", "暂无", "空", "无数据"}
)
"""What people and programs write for "nothing"; compared after folding, without blanks, in upper case
(so ``— —``, ``null`` and a full-width slash are here too)."""

LONGEST_SPACED_MARK = 16
"""A longer cell is never read as a mark, however many blanks it holds inside."""

EDGE = "".join(sorted(BLANKS | INVISIBLE))

_FOLD = str.maketrans(FULLWIDTH)
_FOLD_TIGHT = str.maketrans(dict.fromkeys(BLANKS | INVISIBLE) | FULLWIDTH | {"\u3000": None})


def fold(text: str) -> str:
    """Full-width letters, digits and signs to half-width; blanks at the ends removed."""
    return text.translate(_FOLD).strip(EDGE)


def text_trim(text: str) -> str:
    """Remove blanks of every kind (U+3000 and zero-width ones included) at both ends; the inside stays."""
    return text.strip(EDGE)


def squeeze(text: str) -> str:
    """Half-width, upper case, without any blank: the form in which codes are compared."""
    return text.translate(_FOLD_TIGHT).upper()


def is_empty(text: str | None) -> bool:
    """True for None, blanks and the marks of :data:`EMPTY_MARKS`."""
    if text is None:
        return True
    core = text.strip(EDGE)
    return len(core) <= LONGEST_SPACED_MARK and squeeze(core) in EMPTY_MARKS


def has_controls(text: str) -> bool:
    """True when the text holds a character of :data:`CONTROLS`."""
    return not CONTROLS.isdisjoint(text)
