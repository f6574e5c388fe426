"""Reads what is published: the pure catalog value that the stages, the rules and the screens work with."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from shutong.catalog.models import Publication, PublishedDeclaration
from shutong.spec.catalog import Catalog, parse
from shutong.spec.models import (
    CodeTable,
    Department,
    Indicator,
    Library,
    Model,
    Pack,
    Resource,
    SubjectList,
    Verification,
)

Key = tuple[str, str]
"""Kind and name of a declaration."""

_KEPT = 4
_cache: dict[str, Catalog] = {}
_lock = threading.Lock()


def current_catalog(at: datetime | None = None) -> Catalog:
    """Everything published and not withdrawn, as one frozen value; kept in memory per publication.

    Args:
        at: as it was at that instant; now where it is None. Before the first publication the catalog is empty.
    """
    publications = Publication.objects.order_by("-number")
    newest = (publications.filter(at__lte=at) if at else publications).first()
    if newest is None:
        return Catalog()
    with _lock:
        found = _cache.get(newest.digest)
        if found is None:
            rows = latest(newest.number)
            found = build({key: (row.pack, parse_row(row)) for key, row in rows.items()})
            while len(_cache) >= _KEPT:
                del _cache[next(iter(_cache))]
            _cache[newest.digest] = found
    return found


def publication_number() -> int:
    """The number of the newest publication; 0 before the first."""
    return Publication.objects.order_by("-number").values_list("number", flat=True).first() or 0


def latest(number: int | None = None) -> dict[Key, PublishedDeclaration]:
    """The version in force of every declaration, in the order in which each was first published.

    Args:
        number: up to this publication; all where it is None.
    """
    rows = PublishedDeclaration.objects.order_by("id")
    if number is not None:
        rows = rows.filter(publication_id__lte=number)
    found: dict[Key, PublishedDeclaration] = {}
    for row in rows:
        found[row.kind, row.name] = row
    return {key: row for key, row in found.items() if not row.withdrawn}


def history(kind: str, name: str) -> list[PublishedDeclaration]:
    """Every version of a declaration, oldest first, with its publication."""
    rows = PublishedDeclaration.objects.filter(kind=kind, name=name).select_related("publication")
    return list(rows.order_by("version"))


def parse_row(row: PublishedDeclaration) -> Model:
    """The declaration of a published row."""
    return parse(row.kind, cast("dict[str, Any]", json.loads(row.content)))


def build(declarations: Mapping[Key, tuple[str, Model]]) -> Catalog:
    """A catalog from declarations by kind and name, each with the pack it belongs to."""
    by_kind: dict[str, dict[str, Any]] = {}
    departments: dict[str, Department] = {}
    for (kind, name), (_, model) in declarations.items():
        by_kind.setdefault(kind, {})[name] = model
        if isinstance(model, Pack):
            departments.update(model.departments)
    return Catalog(
        packs=cast("dict[str, Pack]", by_kind.get("pack", {})),
        departments=departments,
        resources=cast("dict[str, Resource]", by_kind.get("resource", {})),
        libraries=cast("dict[str, Library]", by_kind.get("library", {})),
        lists=cast("dict[str, SubjectList]", by_kind.get("list", {})),
        indicators=cast("dict[str, Indicator]", by_kind.get("indicator", {})),
        verifications=cast("dict[str, Verification]", by_kind.get("verification", {})),
        codes=cast("dict[str, CodeTable]", by_kind.get("codes", {})),
        pack_of={key: pack for key, (pack, _) in declarations.items()},
    )
