"""What is wrong with a declaration, told to the person who wrote it: file, line, both languages and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, process


@dataclass(frozen=True)
class Problem:
    """One finding of ``shutong pack check``.

    Args:
        path: the file; None for a declaration that came from no file (a published version).
        line: line in it, from 1; 0 where no line can be named.
        code: stable short code, such as ``key.unknown``.
        zh: what is wrong, in Chinese.
        en: the same in English.
        hint: what to write instead, in Chinese and English; may be empty.
        severity: ``error`` refuses the pack, ``warning`` does not.
    """

    path: Path | None
    line: int
    code: str
    zh: str
    en: str
    hint: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.path else "-"
        hint = f" → {self.hint}" if self.hint else ""
        return f"{place}: {self.code}: {self.zh} / {self.en}{hint}"


class PackError(Exception):
    """Packs that can't be used. Carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """The problems that refuse a pack."""
    return [problem for problem in problems if problem.severity == "error"]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was most likely meant to be; None where nothing is close."""
    found = process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=60)
    return None if found is None else str(found[0])


def meant(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word: the nearest known one, or the whole list where it is short."""
    words = sorted(known)
    near = nearest(word, words)
    if near:
        return f"是否应为 {near}？/ did you mean {near}?"
    if 0 < len(words) <= 12:
        return "可用 / one of: " + ", ".join(words)
    return ""
