"""Collects what the catalog's checks find, at the file and line of the key each finding is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shutong.spec.catalog import Catalog
from shutong.spec.problems import Problem, meant
from shutong.spec.refusals import SqlRefused


@dataclass
class Findings:
    """The findings about one declaration.

    Args:
        catalog: all declarations.
        kind: kind of the one that is checked.
        name: its name.
    """

    catalog: Catalog
    kind: str
    name: str
    problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        code: str,
        zh: str,
        en: str,
        *location: str | int,
        hint: str = "",
        severity: str = "error",
        inner_line: int = 0,
    ) -> None:
        """Report a finding at a key; ``inner_line`` counts lines into the key's text block."""
        place = self.catalog.places.get((self.kind, self.name))
        path, line = place.of(*location) if place else (None, 0)
        self.problems.append(Problem(path, line + inner_line, code, zh, en, hint, severity))

    def warn(self, code: str, zh: str, en: str, *location: str | int, hint: str = "") -> None:
        """Report something that does not refuse the pack."""
        self.add(code, zh, en, *location, hint=hint, severity="warning")

    def refused(self, error: SqlRefused, text: str, *location: str | int) -> None:
        """Report every reason why a text was refused, at its line inside the text block."""
        block = "\n" in text.strip("\n") or text.endswith("\n")
        for item in error.refusals:
            self.add(item.code, item.zh, item.en, *location, hint=item.hint, inner_line=item.line if block else 0)

    def known(self, word: str | None, words: Iterable[str], what: tuple[str, str], *location: str | int) -> bool:
        """Whether a name is one of those that exist; reports it otherwise.

        Args:
            what: what the name stands for, in Chinese and English.
        """
        names = set(words)
        if word is None or word in names:
            return True
        zh, en = what
        self.add(
            "reference.unknown", f"没有{zh} {word}", f"there is no {en} {word}", *location, hint=meant(word, names)
        )
        return False
