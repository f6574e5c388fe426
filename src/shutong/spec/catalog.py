"""All declarations of a home as one frozen value, with what follows from them: views, hashes, code sets.

This is the pure value that stages and tests are given; the Django area ``catalog`` keeps its published versions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from shutong.spec.columns import (
    FACTS_VIEW,
    FIXED_COLUMNS,
    check_columns,
    default_mask,
    element_of,
    item_type,
    key_column,
    library_view,
    personal_mark,
    public_items,
    resource_view,
    row_columns,
    sealed,
    sealed_column,
    sql_type,
    stored_columns,
    view_name,
)
from shutong.spec.masks import mask_sql, masked
from shutong.spec.models import (
    KINDS,
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
from shutong.spec.yamltext import Location
from shutong.standards.codesets import Code, CodeSet, code_set

T = TypeVar("T")

__all__ = [
    "FACTS_VIEW",
    "FIXED_COLUMNS",
    "HASH_FORM",
    "Catalog",
    "Place",
    "check_columns",
    "default_mask",
    "dump",
    "element_of",
    "item_type",
    "key_column",
    "library_view",
    "mask_sql",
    "masked",
    "parse",
    "personal_mark",
    "public_items",
    "resource_view",
    "row_columns",
    "sealed",
    "sealed_column",
    "sql_type",
    "stored_columns",
    "view_name",
]

HASH_FORM = 1
"""Version of the canonical form that is hashed; raised only when the form itself changes."""

_NO_EFFECT = {"title", "demo", "files", "abstract", "message", "chart", "steward", "like", "basis", "space"}
"""Keys that are only shown, fill the demo city, say where files are found or how a map is drawn: they change no result."""


@dataclass(frozen=True)
class Place:
    """Where a declaration stands: its file and the line of each of its keys.

    A key taken over by ``like`` has the file and line of the declaration it came from.
    """

    path: Path
    lines: Mapping[Location, tuple[Path, int]]

    def of(self, *location: str | int) -> tuple[Path, int]:
        """File and line of a key, or of the nearest key above it."""
        for length in range(len(location), -1, -1):
            found = self.lines.get(location[:length])
            if found:
                return found
        return self.path, 1


@dataclass(frozen=True)
class Catalog:
    """Every declaration by kind and name.

    ``pack_of`` and ``places`` are keyed by (kind, name), kinds as in ``models.KINDS``; ``places`` is empty for a
    catalog that was not read from files.
    """

    packs: Mapping[str, Pack] = field(default_factory=dict)
    departments: Mapping[str, Department] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    libraries: Mapping[str, Library] = field(default_factory=dict)
    lists: Mapping[str, SubjectList] = field(default_factory=dict)
    indicators: Mapping[str, Indicator] = field(default_factory=dict)
    verifications: Mapping[str, Verification] = field(default_factory=dict)
    codes: Mapping[str, CodeTable] = field(default_factory=dict)
    pack_of: Mapping[tuple[str, str], str] = field(default_factory=dict)
    places: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    _hashes: dict[tuple[str, str], str] = field(default_factory=dict, init=False, repr=False, compare=False)
    _worked_out: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, what: Hashable, work: Callable[[], T]) -> T:
        """What ``work`` makes of this catalog, kept under the name ``what``: a catalog never changes."""
        if what not in self._worked_out:
            self._worked_out[what] = work()
        found: T = self._worked_out[what]
        return found

    def of_kind(self, kind: str) -> Mapping[str, Model]:
        """The declarations of one kind, by name.

        Raises:
            KeyError: there is no such kind.
        """
        by_kind: dict[str, Mapping[str, Model]] = {
            "pack": self.packs,
            "resource": self.resources,
            "library": self.libraries,
            "list": self.lists,
            "indicator": self.indicators,
            "verification": self.verifications,
            "codes": self.codes,
        }
        return by_kind[kind]

    def hash_of(self, kind: str, name: str) -> str:
        """Canonical hash of a declaration (64 hex digits): the same for the same results, on every version of us.

        The form: JSON with sorted keys of the keys that differ from their defaults, without what only shows (titles,
        abstracts, basis, charts) or fills the demo city; an item's Chinese title stays, as it is accepted as a
        header; the code tables of packs that a resource uses are part of it. The form's version stands in front.

        Raises:
            KeyError: there is no such declaration.
        """
        key = (kind, name)
        if key not in self._hashes:
            self._hashes[key] = self._hash_of(kind, name)
        return self._hashes[key]

    def _hash_of(self, kind: str, name: str) -> str:
        model = self.of_kind(kind)[name]
        content: dict[str, Any] = {
            "form": HASH_FORM,
            "kind": kind,
            "name": name,
            "declaration": _effective(model),
        }
        if isinstance(model, Resource):
            content["items"] = list(model.items)
            content["headers"] = {name: item.title.zh for name, item in model.items.items()}
            used = {item.codes for item in model.items.values() if item.codes}
            content["codes"] = {name: self.hash_of("codes", name) for name in used if name in self.codes}
        if isinstance(model, CodeTable):
            content["values"] = {code: title.zh for code, title in model.values.items()}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def code_set(self, name: str) -> CodeSet:
        """A code set of a pack or of the standards, as the checks of the standards use it.

        Raises:
            KeyError: there is no such code set.
            ValueError: two codes of a pack's table share a spelling.
        """
        table = self.codes.get(name)
        if table is None:
            return code_set(name)
        codes = [Code(code, title.zh, title.en or "") for code, title in table.values.items()]
        return CodeSet(name, table.title.zh, table.source, codes)

    def views(self) -> dict[str, pa.Schema]:
        """The views that rule SQL sees, by SQL name: every resource, every library, and ``facts``."""
        return self.once("views", self._views)

    def _views(self) -> dict[str, pa.Schema]:
        found = {view_name(name): resource_view(resource) for name, resource in self.resources.items()}
        found |= {view_name(name): library_view(library) for name, library in self.libraries.items()}
        return found | {"facts": FACTS_VIEW}


def _effective(value: Any) -> Any:
    if isinstance(value, Model):
        kept = {}
        for name, info in type(value).model_fields.items():
            inner = getattr(value, name)
            if name not in _NO_EFFECT and (info.is_required() or inner != info.get_default(call_default_factory=True)):
                kept[info.alias or name] = _effective(inner)
        return kept
    if isinstance(value, Mapping):
        return {str(key): _effective(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_effective(inner) for inner in value]
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value


def dump(model: Model) -> dict[str, Any]:
    """A declaration as JSON data, with the keys of the YAML file; ``parse`` reads it back."""
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def parse(kind: str, data: Mapping[str, Any]) -> Model:
    """A declaration from JSON data.

    Raises:
        KeyError: there is no such kind.
        pydantic.ValidationError: the data does not fit the kind's model.
    """
    return KINDS[kind].model_validate(dict(data))
