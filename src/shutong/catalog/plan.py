"""Plans an installation: reads packs, compares them with what is published, and says what would change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shutong.catalog.difference import Change, Prefer, compare, merge
from shutong.catalog.models import PublishedDeclaration
from shutong.catalog.published import Key, build, latest, parse_row
from shutong.spec.catalog import Catalog, dump, parse
from shutong.spec.checks import check_catalog
from shutong.spec.loader import load_packs
from shutong.spec.models import KINDS, Model
from shutong.spec.problems import PackError, Problem, errors


@dataclass(frozen=True)
class NextVersion:
    """A version that is to be published: content None withdraws the declaration."""

    key: Key
    pack: str
    content: str | None
    from_pack: str
    source: str


@dataclass(frozen=True)
class Plan:
    """What an installation changes, and the catalog that is in force after it."""

    changes: tuple[Change, ...]
    versions: tuple[NextVersion, ...]
    catalog: Catalog

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """Declarations of which the pack and somebody here changed the same key."""
        return tuple(change for change in self.changes if change.action == "conflict")


class InstallConflictError(Exception):
    """The pack and this installation both changed the same keys; nothing was installed."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = tuple(changes)
        keys = [f"{one.kind}/{one.name}: {'.'.join(key.path)}" for one in changes for key in one.conflicts]
        listed = "; ".join(keys)
        super().__init__(
            f"专题包与本机都修改了：{listed}。请指定以文件为准或以本机为准。/ "
            f"Both the pack and this installation changed: {listed}. Say which counts: the file or what is here."
        )


def plan_install(paths: Sequence[Path], prefer: Prefer | None = None) -> Plan:
    """What installing or upgrading the packs at ``paths`` would do; writes nothing.

    Declarations of packs that are not named stay as they are. A declaration of a named pack that is no longer in its
    files is withdrawn, unless it was made here.

    Args:
        prefer: which side counts where both changed the same key; None makes that a conflict.

    Raises:
        PackError: a pack is wrong in itself or together with what is published.
    """
    loaded = load_packs(paths)
    published = latest()
    _refuse_foreign(loaded, published)
    changes: list[Change] = []
    versions: list[NextVersion] = []
    after: dict[Key, tuple[str, Model]] = {key: (row.pack, parse_row(row)) for key, row in published.items()}
    for key, pack in loaded.pack_of.items():
        change, version = _upgrade(key, pack, loaded, published.get(key), prefer)
        if change:
            changes.append(change)
        if version and version.content is not None:
            versions.append(version)
            after[key] = (pack, parse(key[0], json.loads(version.content)))
    for key, row in published.items():
        if row.pack in loaded.packs and key not in loaded.pack_of and row.from_pack:
            changes.append(Change(*key, "withdrawn"))
            versions.append(NextVersion(key, row.pack, None, "", ""))
            del after[key]
    catalog = replace(build(after), places=loaded.places)
    wrong = errors(check_catalog(catalog))
    if wrong:
        raise PackError(wrong)
    return Plan(tuple(changes), tuple(versions), catalog)


def plan_change(kind: str, name: str, content: Mapping[str, Any]) -> Plan:
    """What publishing a declaration that was changed here would do; writes nothing.

    Raises:
        PackError: the content does not fit the kind, names another declaration, is of no installed pack, or does not
            fit the other declarations.
    """
    published = latest()
    row = published.get((kind, name))
    if row is None:
        raise PackError([_problem("name.unknown", f"没有已发布的 {kind} {name}", f"no published {kind} {name}")])
    try:
        model = KINDS[kind].model_validate(dict(content))
    except ValidationError as error:
        places = [".".join(map(str, one["loc"])) for one in error.errors()]
        found = [
            _problem("value", f"{place}：{one['msg']}", f"{place}: {one['msg']}")
            for place, one in zip(places, error.errors(), strict=True)
        ]
        raise PackError(found) from error
    if getattr(model, kind) != name:
        raise PackError([_problem("file.name", f"名称不能由 {name} 改动", f"the name {name} cannot be changed")])
    after = {key: (other.pack, parse_row(other)) for key, other in published.items()}
    after[kind, name] = (row.pack, model)
    catalog = build(after)
    wrong = errors(check_catalog(catalog))
    if wrong:
        raise PackError(wrong)
    here, text = json.loads(row.content), content_text(model)
    if text == row.content:
        return Plan((), (), catalog)
    keys = compare(here, here, json.loads(text))
    version = NextVersion((kind, name), row.pack, text, row.from_pack, "")
    return Plan((Change(kind, name, "changed", keys),), (version,), catalog)


def content_text(model: Model) -> str:
    """A declaration as it is stored: JSON with the file's keys in their order, no spaces."""
    return json.dumps(dump(model), ensure_ascii=False, separators=(",", ":"))


def _upgrade(
    key: Key, pack: str, loaded: Catalog, row: PublishedDeclaration | None, prefer: Prefer | None
) -> tuple[Change | None, NextVersion | None]:
    kind, name = key
    text = content_text(loaded.of_kind(kind)[name])
    source = _source(loaded, key)
    if row is None:
        return Change(kind, name, "new"), NextVersion(key, pack, text, text, source)
    known, here, file = json.loads(row.from_pack or "{}"), json.loads(row.content), json.loads(text)
    if text == row.content and text == row.from_pack:
        return None, None
    keys = compare(known, here, file)
    if row.from_pack == row.content:
        return Change(kind, name, "changed", keys), NextVersion(key, pack, text, text, source)
    if text == row.from_pack:
        return Change(kind, name, "kept", keys), None
    if prefer is None and any(one.conflict for one in keys):
        return Change(kind, name, "conflict", keys), None
    merged = content_text(parse(kind, merge(known, here, file, prefer or "file")))
    return Change(kind, name, "merged", keys), NextVersion(key, pack, merged, text, source)


def _source(loaded: Catalog, key: Key) -> str:
    """The file inside its pack, without the folders of this machine."""
    place = loaded.places.get(key)
    if place is None:
        return ""
    parts = place.path.parts
    pack = loaded.pack_of[key]
    start = len(parts) - 1 - parts[::-1].index(pack) if pack in parts else len(parts) - 1
    return "/".join(parts[start:])


def _refuse_foreign(loaded: Catalog, published: Mapping[Key, PublishedDeclaration]) -> None:
    found = []
    for key, pack in loaded.pack_of.items():
        row = published.get(key)
        if row is not None and row.pack != pack:
            zh = f"{key[0]} {key[1]} 已由专题包 {row.pack} 发布"
            en = f"{key[0]} {key[1]} is published by the pack {row.pack} already"
            found.append(_problem("name.twice", zh, en, loaded.places[key].path))
    if found:
        raise PackError(found)


def _problem(code: str, zh: str, en: str, path: Path | None = None) -> Problem:
    return Problem(path, 0, code, zh, en)
