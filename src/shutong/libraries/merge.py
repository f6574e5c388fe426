"""Libraries: one row per subject, or per licence or case of a subject, each attribute with its chosen value."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from shutong.engine.stage import Read, SqlStep, Stage, Step, Write
from shutong.libraries.tables import VALUES, library_table
from shutong.libraries.values import library_hash
from shutong.libraries.views import (
    declared_statement,
    declared_views,
    reads_beyond_subjects,
    statement_sql,
    views_hash,
)
from shutong.spec.catalog import Catalog, key_column, library_view, sealed, sql_type, view_name
from shutong.spec.models import Library
from shutong.spec.sql import Statement
from shutong.subjects.tables import LINKS

VERSION = 2


def libraries_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``library/<name>`` for every library. Parameters: ``:as_of``. Scope: subject ids.

    Members are the subjects of the library's kind that a current record is about, or those that ``only`` selects.
    """
    statements = _statements(catalog)
    views = declared_views(catalog, statements.values(), by_subject=True)
    reads = (
        *views.reads,
        Read("values", "_values", VALUES, scope="subject_id"),
        *(() if any(read.view == "_links" for read in views.reads) else (_LINKS,)),
    )
    return Stage(
        name="libraries",
        reads=reads,
        steps=(*views.steps, *_steps(catalog, statements)),
        writes=tuple(
            Write(library_table(name), f"_library_{view_name(name)}", key="subject_id", schema=library_view(library))
            for name, library in catalog.libraries.items()
        ),
        version=VERSION,
        declarations=f"{library_hash(catalog)} {views_hash(catalog, statements.values())}",
    )


_LINKS = Read("links", "_links", LINKS, scope="subject_id")


def time_bound(catalog: Catalog) -> bool:
    """Whether a subject can enter or leave a library without a change of its own rows, so that all are judged daily."""
    return any(s.uses_business_day or reads_beyond_subjects(catalog, s) for s in _statements(catalog).values())


def _statements(catalog: Catalog) -> dict[str, Statement]:
    return {
        name: declared_statement(library.only, catalog, ("subject_id",))
        for name, library in catalog.libraries.items()
        if library.only
    }


def _steps(catalog: Catalog, statements: dict[str, Statement]) -> Iterator[Step]:
    yield SqlStep("_chosen", "SELECT subject_id, library, instance, attribute, value FROM _values WHERE chosen")
    yield SqlStep("_known", "SELECT DISTINCT subject_id, kind FROM _links WHERE current", materialise=True)
    for name, library in catalog.libraries.items():
        members = f"SELECT subject_id FROM _known WHERE kind = '{library.kind}'"
        if name in statements:
            members += f" AND subject_id IN ({statement_sql(statements[name])})"
        yield SqlStep(f"_library_{view_name(name)}", _library_sql(library, members))


def _library_sql(library: Library, members: str) -> str:
    merged = []
    for name, attribute in library.attributes.items():
        column = key_column(name) if sealed(attribute) else name
        kind = library_view(library).field(column).type
        value = _typed(f"max(CASE WHEN v.attribute = '{name}' THEN v.value END)", kind)
        merged.append(f'{value} AS "{column}"')
    # A member without a value has a row of its own; one without a licence or a case has none.
    join, by = ("JOIN", "m.subject_id, v.instance") if library.each else ("LEFT JOIN", "m.subject_id")
    return (
        f"SELECT m.subject_id, {', '.join(merged)} FROM ({members}) m"
        f" {join} (SELECT * FROM _chosen WHERE library = '{library.library}') v ON v.subject_id = m.subject_id"
        f" GROUP BY {by}"
    )


def _typed(text: str, kind: pa.DataType) -> str:
    """Canonical text back to its type."""
    if pa.types.is_string(kind):
        return text
    return f"CAST({text} AS {sql_type(kind)})"
