"""``shutong library`` and ``shutong query --library``: libraries read from the lake, now or as of a past day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import typer

from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import RefusedError, output, print_json, say
from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.libraries.actions import export_library
from shutong.libraries.space import placed, placed_libraries, public_attributes, reference_system
from shutong.libraries.tables import library_table
from shutong.pipeline.asof import known_on, whole_on
from shutong.spec.catalog import Catalog, default_mask, masked
from shutong.spec.models import Library
from shutong.spec.problems import meant

MOST = 10
"""Subjects that are shown; ``total`` says how many there are."""

_PROVENANCE = (
    "valid_from", "valid_to", "rank", "chosen", "record_id", "resource", "batch_id", "received_on",
)  # fmt: skip


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Home, Engine, Catalog]]:
    home = Home.open(folder)
    engine = engine_of(home)
    try:
        yield home, engine, current_catalog()
    finally:
        engine.close()


def _library(catalog: Catalog, name: str) -> Library:
    """A public library.

    Raises:
        typer.BadParameter: there is none of the name.
        RefusedError: it is not public.
    """
    if name not in catalog.libraries:
        hint = meant(name, catalog.libraries)
        raise typer.BadParameter(f"没有这个库：{name}。{hint} / no such library", param_hint="LIBRARY")
    if not catalog.libraries[name].public:
        raise RefusedError(f"{name} 不公开，不能这样查看或导出\n{name} is not public and is neither shown nor exported")
    return catalog.libraries[name]


def list_libraries(folder: Path, *, json: bool) -> None:
    """Print the libraries with their rows."""
    with _opened(folder) as (_home, engine, catalog):
        placed_names = {one.library for one in placed_libraries(catalog)}
        for name, library in catalog.libraries.items():
            rows = _count(engine, library_table(name))
            if json:
                print_json(
                    {
                        "library": name,
                        "title": library.title.zh,
                        "class": library.class_,
                        "kind": library.kind,
                        "public": library.public,
                        "placed": name in placed_names,
                        "rows": rows,
                        "attributes": {key: list(one.sources) for key, one in library.attributes.items()},
                    }
                )
            else:
                marks = [library.class_, library.kind, "public" if library.public else "closed"]
                marks += ["placed"] if name in placed_names else []
                output.print(f"{name}  {library.title.zh}  {rows:,}  {' · '.join(marks)}", markup=False, soft_wrap=True)


def _count(engine: Engine, table: str) -> int:
    if table not in engine.lake.tables():
        return 0
    return int(engine.query("SELECT count(*) AS n FROM t", {"t": table}).column("n")[0].as_py())


def export(folder: Path, *, library: str, target: Path, as_of: dt.date | None, json: bool) -> None:
    """Write a library as GeoParquet."""
    with _opened(folder) as (home, engine, catalog):
        declared = _library(catalog, library)
        if declared.space is None:
            raise RefusedError(f"{library} 没有空间位置（space）\n{library} is not placed in space: declare `space`")
        one = placed(catalog, declared)
        sql = one.sql.replace("{scope}", "_subject IS NOT NULL")
        if as_of:
            with whole_on(engine, catalog, as_of) as run:
                rows = run.peek(sql, one.views)
        elif library_table(library) in engine.lake.tables():
            rows = engine.query(sql, one.views)
        else:
            raise RefusedError(
                "还没有运行过，没有可导出的内容：先运行 shutong run\nnothing was run yet: run shutong run"
            )
        day = as_of or home.today()
        made = export_library(library, rows, reference_system(catalog), target, day, acting=SYSTEM)
    if json:
        print_json(
            {
                "library": library,
                "file": str(made.path),
                "rows": made.rows,
                "points": made.points,
                "sha256": made.sha256,
            }
        )
    else:
        say(f"✓ {made.path}: {made.rows:,} 行 / rows, {made.points:,} 有位置 / with a point")


def query(
    folder: Path, *, library: str, text: str, as_of: dt.date | None, valid_on: dt.date | None, json: bool
) -> None:
    """Find subjects of a public library by a text in any of their public values, and print what the library says."""
    with _opened(folder) as (home, engine, catalog):
        declared = _library(catalog, library)
        subjects, total = _matching(engine, declared, text)
        found = [(one, _values_of(engine, catalog, one, as_of)) for one in subjects]
        shown = [
            {"subject_id": one, "instances": instances}
            for one, table in found
            if (instances := _instances(declared, table.to_pylist(), valid_on))
        ]
        answer = {
            "library": library,
            "query": text,
            "total": total - len(subjects) + len(shown),
            "as_of": as_of,
            "valid_on": valid_on,
            "business_day": home.today(),
            "subjects": shown,
        }
    if json:
        print_json(answer)
    else:
        _show(declared, text, shown)


def _matching(engine: Engine, library: Library, text: str) -> tuple[list[str], int]:
    """The subjects with the text in a public value, past ones included, the first ones only; and how many there are."""
    if "values" not in engine.lake.tables():
        return [], 0
    plain = [name for name, one in public_attributes(library).items() if default_mask(one) == "none"]
    names = ", ".join(f"'{name}'" for name in plain)
    found = engine.query(
        "SELECT subject_id, count(*) OVER () AS n FROM (SELECT DISTINCT subject_id FROM v WHERE library = :library"
        f" AND attribute IN ({names}) AND contains(value, :text)) ORDER BY subject_id LIMIT {MOST}",
        {"v": "values"},
        {"library": library.library, "text": text},
    ).to_pylist()
    return [row["subject_id"] for row in found], found[0]["n"] if found else 0


def _values_of(engine: Engine, catalog: Catalog, subject_id: str, as_of: dt.date | None) -> pa.Table:
    if as_of:
        known = known_on(engine, catalog, subject_id, as_of)
        return known["values"] if "values" in known else pa.table({})
    return engine.query("SELECT * FROM v WHERE subject_id = :subject", {"v": "values"}, {"subject": subject_id})


def _instances(library: Library, rows: Iterable[Mapping[str, Any]], day: dt.date | None) -> list[dict[str, Any]]:
    """The public values by instance (one without a name where the library has none), best first."""
    shown = public_attributes(library)
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (list(shown).index(row["attribute"]) if row["attribute"] in shown else 0,
                                             not row["chosen"], row["rank"], str(row["received_on"]))):  # fmt: skip
        if row["library"] != library.library or row["attribute"] not in shown:
            continue
        if day and not (row["valid_from"] <= day and (row["valid_to"] is None or day < row["valid_to"])):
            continue
        value = masked(row["value"], default_mask(shown[row["attribute"]]))
        grouped.setdefault(row["instance"] or "", []).append(
            {"attribute": row["attribute"], "value": value, **{key: row[key] for key in _PROVENANCE}}
        )
    return [{"instance": name or None, "attributes": values} for name, values in sorted(grouped.items())]


def _show(library: Library, text: str, subjects: list[dict[str, Any]]) -> None:
    if not subjects:
        say(f"没有找到 / nothing found: {text}")
    for one in subjects:
        output.print(one["subject_id"], markup=False, soft_wrap=True)
        for instance in one["instances"]:
            if instance["instance"]:
                output.print(f"  {instance['instance']}", markup=False, soft_wrap=True)
            for value in instance["attributes"]:
                title = library.attributes[value["attribute"]].title.zh
                until = f" 至 / until {value['valid_to']}" if value["valid_to"] else ""
                mark = "●" if value["chosen"] else "○"
                source = f"{value['resource']} {value['record_id']} {value['received_on']}{until}"
                output.print(f"    {mark} {title}  {value['value']}  {source}", markup=False, soft_wrap=True)
