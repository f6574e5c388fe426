"""Loads packs: folders of YAML declarations become one typed, frozen catalog, or a list of everything that is wrong.

Layout of a pack::

    packs/<name>/pack.yml                     head of the pack, its departments
                 resources/*.yml              one resource a file
                 libraries/*.yml  lists/*.yml  indicators/*.yml  verifications/*.yml  codes/*.yml
                 tests/<case>/                 tests as data (spec.cases)

Only the form is checked here; references between declarations are checked by ``spec.checks``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shutong.spec.catalog import Catalog, Place
from shutong.spec.models import KINDS, Department, Model, Pack
from shutong.spec.problems import PackError, Problem, meant
from shutong.spec.validation import validation_problems
from shutong.spec.yamltext import Location, read_yaml

FOLDERS = {
    "resources": "resource",
    "libraries": "library",
    "lists": "list",
    "indicators": "indicator",
    "verifications": "verification",
    "codes": "codes",
}
"""Folder of a pack to the kind of declaration in it."""

HEAD = "pack.yml"
OTHER_FOLDERS = {"tests", "docs", "samples"}
MAX_FILES = 2000


@dataclass(frozen=True)
class _Raw:
    """A declaration as read, before it is a model: its data and the file and line of each key."""

    kind: str
    name: str
    path: Path
    data: dict[str, Any]
    lines: dict[Location, tuple[Path, int]]


def load_packs(paths: Sequence[Path]) -> Catalog:
    """Load packs into one catalog.

    Args:
        paths: folders of packs (each sub-folder with a ``pack.yml`` is one) or single packs, in any mixture.

    Raises:
        PackError: with every problem of form of every file, and names that two declarations share.
    """
    problems: list[Problem] = []
    found: list[tuple[str, Model, Place, str]] = []
    for folder in _pack_folders(paths, problems):
        found += _read_pack(folder, problems)
    catalog = _catalog(found, problems)
    if problems:
        raise PackError(problems)
    return catalog


def load_pack(path: Path) -> Catalog:
    """Load one pack by its folder. Same errors as ``load_packs``."""
    return load_packs([path])


def _pack_folders(paths: Sequence[Path], problems: list[Problem]) -> list[Path]:
    folders: list[Path] = []
    for path in paths:
        if (path / HEAD).is_file():
            folders.append(path)
            continue
        inner = sorted(head.parent for head in path.glob(f"*/{HEAD}")) if path.is_dir() else []
        if not inner:
            hint = f"需要 {HEAD} / a pack is a folder with {HEAD}"
            problems.append(Problem(path, 0, "pack.missing", "没有找到专题包", "no pack here", hint))
        folders += inner
    return folders


def _read_pack(folder: Path, problems: list[Problem]) -> Iterator[tuple[str, Model, Place, str]]:
    head = _read_declaration(folder / HEAD, "pack", problems)
    raws = [head] if head else []
    for path, kind in _files(folder, problems):
        raw = _read_declaration(path, kind, problems)
        if raw:
            raws.append(raw)
    by_name = {raw.name: raw for raw in raws if raw.kind == "resource"}
    pack_name = head.name if head else folder.name
    if head and head.name != folder.resolve().name:
        zh, en = f"包名 {head.name} 与文件夹名不同", f"the pack is named {head.name}, its folder is not"
        problems.append(Problem(head.path, 1, "pack.folder", zh, en, "两者改为一致 / make them the same"))
    for raw in raws:
        merged = _resolve_like(raw, by_name, (), problems) if raw.kind == "resource" else raw
        if merged is None:
            continue
        place = Place(raw.path, merged.lines)
        try:
            model = KINDS[raw.kind].model_validate(merged.data)
        except ValidationError as error:
            problems += validation_problems(error, KINDS[raw.kind], place)
            continue
        yield raw.kind, model, place, pack_name


def _files(folder: Path, problems: list[Problem]) -> Iterator[tuple[Path, str]]:
    root = folder.resolve()
    count = 0
    for child in sorted(folder.iterdir()):
        if child.name.startswith((".", "__")) or child.name in OTHER_FOLDERS or not child.is_dir():
            continue
        kind = FOLDERS.get(child.name)
        if kind is None:
            zh, en = f"不认识的文件夹 {child.name}", f"unknown folder {child.name}"
            problems.append(Problem(child, 0, "pack.folder", zh, en, meant(child.name, {*FOLDERS, *OTHER_FOLDERS})))
            continue
        for path in sorted(child.iterdir()):
            count += 1
            if path.suffix in {".yml", ".yaml"} and not path.name.startswith(".") and count <= MAX_FILES:
                if path.is_symlink() or child.is_symlink() or not path.resolve().is_relative_to(root):
                    zh, en = "不允许符号链接或包外文件", "links and files outside the pack are not read"
                    problems.append(Problem(path, 0, "file.link", zh, en))
                else:
                    yield path, kind
    if count > MAX_FILES:
        zh, en = f"文件超过 {MAX_FILES} 个", f"more than {MAX_FILES} files"
        problems.append(Problem(folder, 0, "pack.too-large", zh, en))


def _read_declaration(path: Path, kind: str, problems: list[Problem]) -> _Raw | None:
    if path.is_symlink():
        problems.append(Problem(path, 0, "file.link", "不允许符号链接", "links are not read"))
        return None
    try:
        document = read_yaml(path)
    except PackError as error:
        problems += error.problems
        return None
    if not isinstance(document.data, dict):
        problems.append(Problem(path, 1, "file.form", "文件应是键和值", "the file must hold keys and values"))
        return None
    name = document.data.get(kind)
    if not isinstance(name, str):
        zh, en = f"缺少 {kind}: 名称", f"the key {kind}: with the name is missing"
        hint = f"第一行写 {kind}: {path.stem} / begin with {kind}: {path.stem}"
        problems.append(Problem(path, 1, "file.kind", zh, en, hint))
        return None
    if kind != "pack" and name != path.stem:
        zh, en = f"名称 {name} 与文件名 {path.name} 不同", f"the name {name} differs from the file name {path.name}"
        problems.append(
            Problem(path, document.lines[(kind,)], "file.name", zh, en, "两者改为一致 / make them the same")
        )
    lines = {location: (path, line) for location, line in document.lines.items()}
    return _Raw(kind, name, path, document.data, lines)


def _resolve_like(
    raw: _Raw, by_name: Mapping[str, _Raw], above: tuple[str, ...], problems: list[Problem]
) -> _Raw | None:
    """The declaration with the keys of the one it is ``like``: mappings merge key by key, everything else replaces."""
    like = raw.data.get("like")
    if not isinstance(like, str):
        return raw
    path, line = raw.lines.get(("like",), (raw.path, 1))
    if like in (*above, raw.name):
        chain = " → ".join((*above, raw.name, like))
        problems.append(Problem(path, line, "like.circle", f"like 循环：{chain}", f"like goes in a circle: {chain}"))
        return None
    base = by_name.get(like)
    if base is None:
        zh, en = f"本包没有资源 {like}", f"no resource {like} in this pack"
        problems.append(Problem(path, line, "like.unknown", zh, en, meant(like, set(by_name) - {raw.name})))
        return None
    resolved = _resolve_like(base, by_name, (*above, raw.name), problems)
    if resolved is None:
        return None
    lines = dict(resolved.lines)
    data = _merge(resolved.data, raw.data, (), lines)
    return _Raw(raw.kind, raw.name, raw.path, data, lines | raw.lines)


def _merge(
    base: dict[str, Any], over: dict[str, Any], at: Location, lines: dict[Location, tuple[Path, int]]
) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        before = merged.get(key)
        here = (*at, key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merge(before, value, here, lines)
            continue
        merged[key] = value
        for location in [location for location in lines if location[: len(here)] == here]:
            del lines[location]
    return merged


def _catalog(found: Sequence[tuple[str, Model, Place, str]], problems: list[Problem]) -> Catalog:
    by_kind: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    departments: dict[str, Department] = {}
    pack_of: dict[tuple[str, str], str] = {}
    places: dict[tuple[str, str], Place] = {}
    for kind, model, place, pack_name in found:
        name = str(getattr(model, kind))
        if name in by_kind[kind]:
            path, line = place.of(kind)
            other, other_line = places[kind, name].of(kind)
            zh, en = (
                f"{kind} {name} 重复，已见于 {other}:{other_line}",
                f"{kind} {name} is also in {other}:{other_line}",
            )
            problems.append(Problem(path, line, "name.twice", zh, en, "改名 / rename one of them"))
            continue
        by_kind[kind][name] = model
        pack_of[kind, name], places[kind, name] = pack_name, place
        if isinstance(model, Pack):
            _add_departments(model, place, departments, problems)
    return Catalog(
        packs=by_kind["pack"],
        departments=departments,
        resources=by_kind["resource"],
        libraries=by_kind["library"],
        lists=by_kind["list"],
        indicators=by_kind["indicator"],
        verifications=by_kind["verification"],
        codes=by_kind["codes"],
        pack_of=pack_of,
        places=places,
    )


def _add_departments(pack: Pack, place: Place, departments: dict[str, Department], problems: list[Problem]) -> None:
    """Two packs may declare the same department, when they say the same of it."""
    for name, department in pack.departments.items():
        if departments.setdefault(name, department) != department:
            path, line = place.of("departments", name)
            zh, en = f"部门 {name} 在另一个包里写法不同", f"another pack declares the department {name} differently"
            problems.append(Problem(path, line, "department.differs", zh, en, "改为一致 / make them the same"))
