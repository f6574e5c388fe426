"""Code sets: closed lists of values with names, dated, each with its source. Packs may bring their own."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shutong.standards.columns import by_distinct, reasons_of
from shutong.standards.tables import read_table
from shutong.standards.text import has_controls, is_empty, squeeze
from shutong.standards.verdict import EMPTY, Column, ColumnVerdict, Verdict, fault, passed

CODE_REASONS = reasons_of("code.unknown", "code.retired", "text.control")


@dataclass(frozen=True)
class Code:
    """One value of a set; ``aliases`` are other spellings in the wild. Dates: first and last day in use, or None."""

    code: str
    zh: str
    en: str
    since: dt.date | None = None
    until: dt.date | None = None
    aliases: tuple[str, ...] = ()


class CodeSet:
    """A named list of codes; values match by code, Chinese name or alias, whatever the blanks, case or width."""

    def __init__(self, name: str, title: str, source: str, codes: Iterable[Code]) -> None:
        """Raises ValueError when two codes share a spelling."""
        self.name, self.title, self.source = name, title, source
        self.codes: dict[str, Code] = {}
        self._spellings: dict[str, Code] = {}
        for code in codes:
            self.codes[code.code] = code
            for spelling in {squeeze(text) for text in (code.code, code.zh, *code.aliases)}:
                if spelling in self._spellings:
                    raise ValueError(f"code set {name}: {code.code} and {self._spellings[spelling].code}: {spelling}")
                self._spellings[spelling] = code

    @classmethod
    def from_rows(cls, name: str, title: str, source: str, rows: Iterable[Mapping[str, str]]) -> CodeSet:
        """From rows with code, zh and optionally en, from, to (ISO dates), aliases (separated by ``|``)."""
        return cls(name, title, source, [_code(row) for row in rows])

    def check(self, text: str | None, on: dt.date | None = None) -> Verdict:
        """The value's code; ``on`` also asks that the code was in use on that day."""
        if text is None or (is_empty(text) and squeeze(text) not in self._spellings):
            return EMPTY
        code = self._spellings.get(squeeze(text)) if len(text) <= 200 else None
        if code is None:
            return fault("text.control" if has_controls(text) else "code.unknown")
        if on and ((code.since and on < code.since) or (code.until and on > code.until)):
            return fault("code.retired")
        return passed(code.code)

    def column(self, column: Column, on: dt.date | None = None) -> ColumnVerdict:
        """Twin of :meth:`check` for a column."""
        return by_distinct(column, lambda text: self.check(text, on), CODE_REASONS)


def _code(row: Mapping[str, str]) -> Code:
    since, until = (dt.date.fromisoformat(row[key]) if row.get(key) else None for key in ("from", "to"))
    aliases = tuple(alias for alias in row.get("aliases", "").split("|") if alias)
    return Code(row["code"], row["zh"], row.get("en", ""), since, until, aliases)


@functools.cache
def code_sets() -> dict[str, CodeSet]:
    """The sets that ship with the package, by name."""
    rows = read_table("codesets.csv")
    return {
        row["set"]: CodeSet.from_rows(
            row["set"], row["zh"], row["source"], [code for code in rows if code["set"] == row["set"]]
        )
        for row in read_table("codeset_titles.csv")
    }


def code_set(name: str) -> CodeSet:
    """The shipped set of that name; KeyError names the sets there are."""
    try:
        return code_sets()[name]
    except KeyError:
        raise KeyError(f"no code set {name!r}; there are: {', '.join(sorted(code_sets()))}") from None
