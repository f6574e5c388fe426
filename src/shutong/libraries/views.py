"""The declared views that rule SQL reads, as steps of a stage: resources with their subjects, libraries and facts.

Internal names begin with an underscore, which no declared name can, so that a pack cannot hit one by chance.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from shutong.engine.stage import Read, SqlStep
from shutong.libraries.tables import library_table
from shutong.spec.catalog import FACTS_VIEW, Catalog, library_view, resource_view, stored_columns, view_name
from shutong.spec.models import Resource
from shutong.spec.sql import Statement, check_statement, render
from shutong.subjects.current import current_sql, needs_batches
from shutong.subjects.mentions import accepted_table
from shutong.subjects.tables import BATCHES, LINKS

_DAY = dt.date(1, 2, 3)
_DAY_SQL = "CAST('0001-02-03' AS DATE)"


@dataclass(frozen=True)
class Views:
    """The inputs and steps under which a stage's statements find the views they read."""

    reads: tuple[Read, ...]
    steps: tuple[SqlStep, ...]


def declared_statement(sql: str, catalog: Catalog, required: Sequence[str], optional: Sequence[str] = ()) -> Statement:
    """A statement of a declaration, checked against the declared views. Raises ``SqlRefused``."""
    asked = ("statement", sql, tuple(required), tuple(optional))
    return catalog.once(asked, lambda: check_statement(sql, catalog.views(), required, optional))


def statement_sql(statement: Statement) -> str:
    """The statement's text for a stage: the business day becomes the parameter ``:as_of``."""
    return render(statement, business_day=_DAY).replace(_DAY_SQL, ":as_of")


def views_hash(catalog: Catalog, statements: Iterable[Statement]) -> str:
    """Hash of the resources and libraries that some statements read: how they say what a row is changes the answer."""
    read = set().union(*(statement.views for statement in statements))
    hashes = [
        f"{kind} {name} {catalog.hash_of(kind, name)}"
        for kind in ("resource", "library")
        for name in sorted(catalog.of_kind(kind))
        if view_name(name) in read
    ]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()[:20]


def declared_views(catalog: Catalog, statements: Iterable[Statement], by_subject: bool = False) -> Views:
    """The views that some statements read, with only the columns they read.

    Args:
        by_subject: rows of nobody are left out, and a run with a scope of subject ids narrows every view to them. For
            statements that judge each subject by its own rows: grounds of lists, members of libraries.
    """
    columns: dict[str, set[str]] = {}
    readers: dict[str, int] = {}
    for statement in statements:
        for view, used in statement.columns.items():
            columns.setdefault(view, set()).update(used)
            readers[view] = readers.get(view, 0) + 1
    resources = [r for name, r in catalog.resources.items() if view_name(name) in columns]
    reads = [
        Read(accepted_table(r.resource), f"_accepted_{view_name(r.resource)}", stored_columns(r)) for r in resources
    ]
    if any(r.about for r in resources):
        reads.append(Read("links", "_links", LINKS, scope="subject_id" if by_subject else None))
    if any(needs_batches(r) for r in resources):
        reads.append(Read("batches", "_batches", BATCHES))
    steps = []
    for resource in resources:
        view = view_name(resource.resource)
        sql = _resource_sql(resource, columns[view], by_subject)
        steps.append(SqlStep(view, sql, materialise=readers[view] > 1))
    scope = "subject_id" if by_subject else None
    for name, library in catalog.libraries.items():
        if view_name(name) in columns:
            reads.append(Read(library_table(name), view_name(name), library_view(library), scope=scope))
    if "facts" in columns:
        reads.append(Read("facts", "facts", FACTS_VIEW, scope=scope))
    return Views(tuple(reads), tuple(steps))


def _resource_sql(resource: Resource, used: set[str], by_subject: bool) -> str:
    """The current rows of a resource, with the subject that each is about in the first place."""
    accepted = f"_accepted_{view_name(resource.resource)}"
    ordered: pa.Schema = resource_view(resource)
    wanted = [name for name in ordered.names if name in used] or ["record_id"]
    stored = list(dict.fromkeys(["record_id", *(name for name in wanted if name != "subject_id")]))
    if not resource.about:
        return current_sql(resource, wanted, accepted, "_batches")
    selected = ", ".join('l."subject_id"' if name == "subject_id" else f'c."{name}"' for name in wanted)
    mine = f"l.record_id = c.record_id AND l.resource = '{resource.resource}' AND l.principal"
    if by_subject:
        return f"SELECT {selected} FROM {accepted} c JOIN _links l ON {mine} AND l.current"
    if "subject_id" not in wanted:
        return current_sql(resource, wanted, accepted, "_batches")
    current = current_sql(resource, stored, accepted, "_batches")
    return f"SELECT {selected} FROM ({current}) c LEFT JOIN _links l ON {mine}"


def reads_beyond_subjects(catalog: Catalog, statement: Statement) -> bool:
    """Whether a statement reads rows that are about nobody, so that a change of them can touch every subject."""
    return any(view_name(name) in statement.views and not r.about for name, r in catalog.resources.items())
