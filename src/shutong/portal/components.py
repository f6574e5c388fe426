"""The component set of the site: typed values that the template tags in ``templatetags/ui.py`` draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

Tone = Literal["", "ok", "warn", "danger", "info"]


@dataclass(frozen=True)
class Crumb:
    """One step of the breadcrumb; the last one has no address."""

    title: str
    href: str = ""


@dataclass(frozen=True)
class Column:
    """A table column. ``kind`` sets alignment and width.

    text, wide (long text), number, date, code (an identifier), raw (a cell of a delivered file, as it came).
    """

    title: str
    kind: Literal["text", "wide", "number", "date", "code", "raw"] = "text"


@dataclass(frozen=True)
class Cell:
    """A table cell: text, optionally a link, a tone (shown as a badge), a second line; ``wrong`` marks a faulty value."""

    text: str
    href: str = ""
    tone: str | None = None
    note: str = ""
    wrong: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption for screen readers and what it says when it is empty."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
    empty: str = ""
    empty_hint: str = ""

    def lines(self) -> list[list[tuple[Column, Cell]]]:
        """Rows as pairs of column and cell."""
        return [
            [
                (column, cell if isinstance(cell, Cell) else Cell(cell))
                for column, cell in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Pager:
    """Pages of a list: the page that is shown and the addresses of its neighbours.

    Args:
        count: number of entries; ``capped`` says that there are more than were counted.
        limit, offset: the page shown.
        query: the other parameters of the address.
    """

    count: int
    limit: int
    offset: int
    query: Mapping[str, str] = field(default_factory=dict)
    capped: bool = False

    @property
    def page(self) -> int:
        """Number of the page shown, from 1."""
        return self.offset // self.limit + 1

    @property
    def pages(self) -> int:
        """Number of pages, at least 1."""
        return max(1, -(-self.count // self.limit))

    @property
    def first(self) -> int:
        """Number of the first entry shown, 0 when there is none."""
        return min(self.offset + 1, self.count)

    @property
    def last(self) -> int:
        """Number of the last entry shown."""
        return min(self.offset + self.limit, self.count)

    def _href(self, page: int) -> str:
        kept = {name: value for name, value in self.query.items() if value}
        return "?" + urlencode({**kept, "page": page})

    @property
    def previous(self) -> str:
        """Address of the page before, empty on the first."""
        return self._href(self.page - 1) if self.page > 1 else ""

    @property
    def following(self) -> str:
        """Address of the next page, empty on the last."""
        return self._href(self.page + 1) if self.page < self.pages else ""


@dataclass(frozen=True)
class Option:
    """One choice of a select."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """A form field: text, search, date, select, file, password, textarea or hidden, with help and errors in words.

    Args:
        most: the last day of a date field.
        form: told apart from fields of the same name in another form of the page.
    """

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    options: Sequence[Option] = ()
    help: str = ""
    errors: Sequence[str] = ()
    required: bool = False
    autocomplete: str = ""
    accept: str = ""
    most: str = ""
    form: str = ""

    @property
    def id(self) -> str:
        """Id of the input."""
        return f"{self.form}-{self.name}" if self.form else self.name

    @property
    def described_by(self) -> str:
        """Ids of the elements that describe the field, for screen readers."""
        parts = [f"{self.id}-help"] if self.help else []
        return " ".join(parts + ([f"{self.id}-error"] if self.errors else []))


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart and the same figures as a table for screen readers and print.

    ``with_table`` is off where the page shows the figures as a table of its own.
    """

    id: str
    title: str
    spec: Mapping[str, Any]
    table: Table
    note: str = ""
    with_table: bool = True


@dataclass(frozen=True)
class Figure:
    """One total of a row of figures; ``text`` is shown in its place where it is no plain number, such as a share."""

    title: str
    value: int = 0
    text: str = ""


@dataclass(frozen=True)
class Spark:
    """A small picture of figures over time, without scales: bars from left to right, the last one marked.

    ``label`` says in words what it shows, for those who do not see it.
    """

    values: Sequence[float]
    label: str
    note: str = ""

    WIDTH = 120
    HEIGHT = 32

    def bars(self) -> list[dict[str, str]]:
        """Places and sizes of the bars in a box of 120 by 32."""
        step = self.WIDTH / max(1, len(self.values))
        most = max(self.values, default=0) or 1
        return [
            {
                "x": f"{number * step:.2f}",
                "width": f"{step * 0.78:.2f}",
                "y": f"{self.HEIGHT - height:.2f}",
                "height": f"{height:.2f}",
            }
            for number, height in enumerate(max(0.6, self.HEIGHT * value / most) for value in self.values)
        ]
