"""Which delivered column is which item: by the item's name, its titles and its declared other headers.

Headers are compared after folding full-width characters and removing blanks, so ``决定 日期`` is ``决定日期``.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from shutong.collect.problems import Problem, Refusal, problem, refuse
from shutong.spec.models import Resource

ROW_ID_HEADERS = ("回执行号", "row_id")
"""Headers of the column that ties a corrected row to the rejected one; taken in every delivery."""

REASON_HEADERS = ("退回原因", "reasons")
"""Headers of the column of reasons in the spreadsheet of rejects; ignored when it comes back."""

TITLE_ROWS = 20
"""A header is looked for in so many first rows; above it may stand titles, units and dates of export."""


@functools.lru_cache(4096)
def fold_header(text: str) -> str:
    """A header in the form in which headers are compared: half-width, lower case, no blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(ch for ch in folded if not ch.isspace() and ch not in "\u200b\ufeff*")


@dataclass(frozen=True)
class HeaderMatch:
    """The answer for one header: ``places`` gives each item's column, ``row_id`` the column of row ids, if there."""

    places: dict[str, int]
    row_id: int | None
    warnings: tuple[Problem, ...]


class Headers:
    """All headers that a resource accepts."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._items: dict[str, str] = {}
        for name, item in resource.items.items():
            titles = [item.title.zh, item.title.en, name, item.from_, *item.columns]
            for title in titles:
                if title:
                    self._items.setdefault(fold_header(title), name)
        self._ids = {fold_header(title) for title in ROW_ID_HEADERS}
        self._ignored = {fold_header(title) for title in (*resource.ignore, *REASON_HEADERS)}

    def known(self, cell: str) -> bool:
        """Whether a cell can be a header of this resource."""
        folded = fold_header(cell)
        return folded in self._items or folded in self._ids

    def find(self, rows: Sequence[Sequence[str]]) -> int:
        """Which of the first rows is the header: the one with most known headers, the first of equals.

        Raises:
            Refusal: header.unknown or header.none, when no row holds any.
        """
        rows, counts = rows[:TITLE_ROWS], []
        for row in rows:
            counts.append(len({fold_header(cell) for cell in row if self.known(cell)}))
            if counts[-1] == max(map(len, rows)):
                # No row has more columns, so none has more headers.
                break
        if not counts or max(counts) == 0:
            raise self._unknown(rows)
        return counts.index(max(counts))

    def _unknown(self, rows: Sequence[Sequence[str]]) -> Refusal:
        example = "、".join(item.title.zh for item in list(self._resource.items.values())[:5])
        widest = max(rows[:TITLE_ROWS], key=len, default=())
        delivered = [shown(cell) for cell in widest if cell.strip()]
        if not delivered:
            return refuse("header.none", example=example)
        return refuse(
            "header.unknown", resource=self._resource.title.zh, headers="、".join(delivered[:8]), example=example
        )

    def match(self, header: Sequence[str], whole: bool = True) -> HeaderMatch:
        """Find the column of every item.

        Args:
            header: the delivered column names in order.
            whole: missing columns matter (they do not for the later chunks of a JSON delivery).

        Raises:
            Refusal: header.unknown, header.missing (a required column), header.duplicate.
        """
        if whole and not any(map(self.known, header)):
            raise self._unknown([header])
        places: dict[str, int] = {}
        row_id: int | None = None
        extra: list[str] = []
        for index, cell in enumerate(header):
            folded = fold_header(cell)
            name = self._items.get(folded)
            if name is None:
                if folded in self._ids:
                    row_id = index
                elif folded and folded not in self._ignored:
                    extra.append(cell)
            elif name in places:
                title = self._resource.items[name].title.zh
                raise refuse("header.duplicate", name, title=title, headers=f"{header[places[name]]}、{cell}")
            else:
                places[name] = index
        warnings = [problem("column.extra", header=shown(cell)) for cell in extra]
        if whole:
            warnings += self._missing(places, extra)
        return HeaderMatch(places, row_id, tuple(warnings))

    def _missing(self, places: dict[str, int], extra: Iterable[str]) -> list[Problem]:
        near = {fold_header(cell): cell for cell in extra}
        found: list[Problem] = []
        for name, item in self._resource.items.items():
            if name in places:
                continue
            if item.required or name in self._resource.key:
                close = get_close_matches(fold_header(item.title.zh), near, 1, 0.5)
                raise refuse(
                    "header.missing",
                    name,
                    title=item.title.zh,
                    near_zh=f"（最接近的列是“{shown(near[close[0]])}”）" if close else "",
                    near_en=f" (the nearest is “{shown(near[close[0]])}”)" if close else "",
                )
            found.append(problem("column.missing", name, title=item.title.zh))
        return found


def shown(header: str) -> str:
    """A delivered header as it may stand in a message: one line, at most 30 characters, no controls."""
    line = "".join(ch if ch.isprintable() else " " for ch in header).strip()
    return line if len(line) <= 30 else f"{line[:30]}…"
