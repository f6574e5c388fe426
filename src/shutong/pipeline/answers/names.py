"""How names are indexed and asked for: keys, character bigrams, and full-text phrases.

The index holds one document per subject: the bigrams of the current name and of each former name, in order, so that
a fragment of any length from two characters is one phrase. Pre-split bigrams are used because SQLite's trigram
tokenizer finds nothing for two Chinese characters, and a word cutter loses partial words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

SEPARATOR = "zzz"
"""Token between two names of a subject: three letters, so no bigram equals it and no phrase crosses it."""

START = "yyy"
"""Prefix of the first bigram's marked token; a phrase that begins with it matches only at a name's start."""


def search_key(text: str) -> str:
    """The form in which names and codes are compared: width folded, lower case, letters and digits only.

    >>> search_key("云州（南区）ＡＢ 科技")
    '云州南区ab科技'
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(character for character in folded if character.isalnum())


def bigrams(key: str) -> list[str]:
    """Overlapping pairs of characters of a key; a single character stands alone.

    >>> bigrams("云州科技")
    ['云州', '州科', '科技']
    """
    if len(key) < 2:
        return [key] if key else []
    return [key[i : i + 2] for i in range(len(key) - 1)]


def document(names: Iterable[str]) -> str:
    """The indexed text of a subject with these names (current first): space-separated tokens."""
    parts = []
    for name in names:
        pairs = bigrams(search_key(name))
        if pairs:
            parts.append(f"{START}{pairs[0]} {' '.join(pairs)}")
    return f" {SEPARATOR} ".join(parts)


def phrase(key: str, *, start: bool = False) -> str:
    """A full-text phrase that finds names containing the key, or beginning with it.

    Args:
        key: a search key of at least two characters; it holds letters and digits only, so nothing needs escaping.
        start: match only at the beginning of a name.
    """
    pairs = bigrams(key)
    tokens = [f"{START}{pairs[0]}", *pairs] if start else pairs
    return f'"{" ".join(tokens)}"'


CREATE_INDEX = (
    "CREATE VIRTUAL TABLE answer_name USING fts5(names, content='', columnsize=0, detail=full, "
    'tokenize="unicode61 remove_diacritics 0")'
)
"""Contentless: it stores tokens and positions only; its rowid is ``answer_subject.doc``, the static rank."""
