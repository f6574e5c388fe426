"""``pack check``: everything that must hold between declarations, reported with file, line and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shutong.spec.binding import Binder
from shutong.spec.cases import case_problems
from shutong.spec.catalog import Catalog
from shutong.spec.check_resource import check_resource
from shutong.spec.check_rules import check_indicator, check_library, check_list, check_names, check_verification
from shutong.spec.columns import view_name
from shutong.spec.findings import Findings
from shutong.spec.loader import HEAD, load_packs
from shutong.spec.problems import PackError, Problem, errors
from shutong.spec.yamltext import read_yaml
from shutong.standards.codesets import code_sets


def check_catalog(catalog: Catalog) -> list[Problem]:
    """Everything wrong between the declarations of a catalog, in the order of packs and files.

    Errors refuse the packs; warnings (``severity``) do not.
    """
    found: list[Problem] = []
    with Binder(catalog.views()) as binder:
        for at in _declarations(catalog):
            _check(at, binder)
            found += at.problems
    return found


def _declarations(catalog: Catalog) -> Iterator[Findings]:
    for kind in ("pack", "codes", "resource", "library", "list", "indicator", "verification"):
        for name in catalog.of_kind(kind):
            yield Findings(catalog, kind, name)


def _check(at: Findings, binder: Binder) -> None:
    catalog = at.catalog
    if at.kind == "pack":
        _pack(at)
    elif at.kind == "codes":
        _codes(at)
    elif at.kind == "resource":
        check_names([("facts", "platform")], at)
        check_resource(catalog.resources[at.name], at, binder)
    elif at.kind == "library":
        check_names([("facts", "platform"), *((view_name(name), "resource") for name in catalog.resources)], at)
        check_library(catalog.libraries[at.name], at, binder)
    elif at.kind == "list":
        check_list(catalog.lists[at.name], at, binder)
    elif at.kind == "indicator":
        check_indicator(catalog.indicators[at.name], at, binder)
    else:
        check_verification(catalog.verifications[at.name], at, binder)


def _codes(at: Findings) -> None:
    if at.name in code_sets():
        zh, en = f"代码集 {at.name} 与标准代码集同名", f"the standards have a code set {at.name}"
        at.add("name.standard", zh, en, "codes", hint="换一个名称 / choose another name")
    try:
        at.catalog.code_set(at.name)
    except ValueError as error:
        at.add("codes.spelling", f"两个代码写法相同：{error}", f"two codes share a spelling: {error}", "values")


def _pack(at: Findings) -> None:
    pack = at.catalog.packs[at.name]
    for index, name in enumerate(pack.requires):
        at.known(name, at.catalog.packs, ("专题包", "pack"), "requires", index)
    if pack.steward is None:
        at.warn("pack.steward", "没有写维护人", "no steward keeps this pack", hint="steward: 姓名 / name")


def pack_check(path: Path) -> list[Problem]:
    """Load and check a pack, or a folder of packs, and its cases; the whole of ``shutong pack check``.

    Packs that are required are looked for beside it; what is wrong inside those is not reported here.
    """
    try:
        catalog = load_packs(_with_required(path))
    except PackError as error:
        return error.problems
    inside = path.resolve()
    found = [item for item in check_catalog(catalog) if item.path is None or item.path.resolve().is_relative_to(inside)]
    for folder in pack_folders(path):
        found += case_problems(folder, catalog)
    return found


def pack_folders(path: Path) -> list[Path]:
    """The pack that a path is, or the packs in it."""
    return sorted({head.parent for head in (*path.glob(HEAD), *path.glob(f"*/{HEAD}"))})


def _with_required(path: Path) -> list[Path]:
    """A single pack together with the packs beside it that it requires."""
    if not (path / HEAD).is_file():
        return [path]
    folders: dict[str, Path] = {}
    waiting = [path.resolve()]
    while waiting:
        folder = waiting.pop()
        if folder.name in folders or not (folder / HEAD).is_file():
            continue
        folders[folder.name] = folder
        data = read_yaml(folder / HEAD).data
        required = data.get("requires") if isinstance(data, dict) else None
        waiting += [folder.parent / name for name in required or [] if isinstance(name, str) and "/" not in name]
    return [path, *(folder for name, folder in sorted(folders.items()) if name != path.resolve().name)]


@dataclass(frozen=True)
class PackSummary:
    """What a pack brings: counts of its declarations, and what its quality tier is computed from."""

    pack: str
    title_zh: str
    title_en: str | None
    version: str
    steward: str | None
    counts: dict[str, int]
    with_demo: int
    with_expectations: int


def pack_summary(catalog: Catalog) -> list[PackSummary]:
    """One summary per pack, by name."""
    found = []
    for name, pack in sorted(catalog.packs.items()):
        mine = [kind for (kind, _), owner in catalog.pack_of.items() if owner == name]
        resources = [r for key, r in catalog.resources.items() if catalog.pack_of.get(("resource", key)) == name]
        counts = {kind: mine.count(kind) for kind in sorted(set(mine) - {"pack"})}
        with_demo = sum(resource.demo is not None for resource in resources)
        expecting = sum(bool(resource.expects.rows or resource.expects.fill) for resource in resources)
        title = pack.title
        found.append(PackSummary(name, title.zh, title.en, pack.version, pack.steward, counts, with_demo, expecting))
    return found


def load_checked(path: Path) -> Catalog:
    """Load packs and refuse them where a check finds an error.

    Raises:
        PackError: with the errors.
    """
    catalog = load_packs(_with_required(path))
    wrong = errors(check_catalog(catalog))
    if wrong:
        raise PackError(wrong)
    return catalog
