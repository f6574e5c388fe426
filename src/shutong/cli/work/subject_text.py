"""A subject as lines for people: values, facts and lists, each with the resource, record and day it came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len

from shutong.cli.outcome import output, say
from shutong.spec.catalog import Catalog


def show(catalog: Catalog, text: str, subjects: Sequence[dict[str, Any]]) -> None:
    """Print what was found; a line per value, never cut off, so that it can be searched and copied."""
    if not subjects:
        say(f"没有找到 / nothing found: {text}")
    for one in subjects:
        _line(f"{one['name']}  {one['uscc'] or ''}  {one['subject_id']}")
        for library in dict.fromkeys(value["library"] for value in one["attributes"]):
            _block(f"{catalog.libraries[library].title.zh} / {library}", _values(catalog, one, library))
        _block("事项 / facts", _facts(catalog, one))
        _block("名单 / lists", [*_listings(catalog, one), *_candidates(catalog, one)])


def _values(catalog: Catalog, one: dict[str, Any], library: str) -> list[tuple[str, ...]]:
    return [
        (catalog.libraries[library].attributes[value["attribute"]].title.zh, str(value["value"] or ""),
         *_source(value))
        for value in one["attributes"]
        if value["chosen"] and value["library"] == library
    ]  # fmt: skip


def _facts(catalog: Catalog, one: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (str(fact["on_date"] or ""), f"{_kind(catalog, fact)} {next(iter(fact['shows'].values()), '') or ''}",
         *_source(fact))
        for fact in sorted(one["facts"], key=lambda fact: str(fact["on_date"] or ""), reverse=True)
    ]  # fmt: skip


def _kind(catalog: Catalog, fact: dict[str, Any]) -> str:
    """What a kind of fact is called: its own title, else that of the resource it comes from."""
    resource = catalog.resources.get(fact["resource"])
    if resource is None:
        return str(fact["kind"])
    return (resource.fact.title if resource.fact and resource.fact.title else resource.title).zh


def _listings(catalog: Catalog, one: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (f"{row['since']} 起", f"{_ground(catalog, row)}，{row['entered_on']} 列入", *row["record_ids"][:1])
        for row in one["listings"]
    ]


def _candidates(catalog: Catalog, one: dict[str, Any]) -> list[tuple[str, ...]]:
    """What a rule had found by the day that was asked about, and no decision had entered yet."""
    entered = {(row["list"], row["ground"]) for row in one["listings"]}
    return [
        (f"{row['since']} 起", f"{_ground(catalog, row)}，拟列入", *row["record_ids"][:1])
        for row in one.get("candidates", ())
        if (row["list"], row["ground"]) not in entered
    ]


def _ground(catalog: Catalog, row: dict[str, Any]) -> str:
    declared = catalog.lists.get(row["list"])
    ground = declared.grounds.get(row["ground"]) if declared else None
    title = declared.title.zh if declared else row["list"]
    return f"{title}：{ground.title.zh if ground else row['ground']}"


def _source(row: dict[str, Any]) -> tuple[str, str, str]:
    return str(row["resource"]), str(row["record_id"]), str(row["received_on"])


def _block(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    _line(f"  {title}")
    widths = [max(map(cell_len, column)) for column in _columns(rows)]
    for row in rows:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=False))
        _line("    " + "  ".join(cells).rstrip())


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterable[list[str]]:
    return ([row[number] for row in rows if number < len(row)] for number in range(max(map(len, rows))))


def _line(text: str) -> None:
    output.print(text, markup=False, soft_wrap=True)
