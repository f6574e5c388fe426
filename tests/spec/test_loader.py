"""Packs are loaded whole, and everything wrong with them is told with file and line."""

from pathlib import Path

import pytest

from shutong.spec.loader import load_pack, load_packs
from shutong.spec.problems import PackError

PACKS = Path(__file__).parent / "packs"

HEAD = "pack: p\ntitle: 包\nversion: 1.0.0\ndepartments:\n  d: {title: 局}\n"
RESOURCE = """resource: r
title: 资源
department: d
basis: 法
key: [a]
items:
  a: {title: 甲, required: true}
"""


def make(folder: Path, **files: str) -> Path:
    """A pack ``p`` with the given texts; ``resources__r`` is resources/r.yml."""
    pack = folder / "p"
    for name, text in {"pack": HEAD, **files}.items():
        path = pack / (name.replace("__", "/") + ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return pack


def problems(path: Path) -> dict[str, tuple[str, int, str]]:
    """Code to (file, line, hint) of what loading reports."""
    with pytest.raises(PackError) as caught:
        load_pack(path)
    return {item.code: (item.path.name if item.path else "", item.line, item.hint) for item in caught.value.problems}


def test_a_folder_of_packs_is_loaded() -> None:
    catalog = load_packs([PACKS])
    assert list(catalog.packs) == ["sample"]
    assert set(catalog.resources) == {"enterprise", "penalty", "tax-penalty"}
    assert catalog.pack_of["list", "repeat-offender"] == "sample"
    assert catalog.resources["enterprise"].about[0].registry


def test_like_merges_mappings_and_replaces_the_rest() -> None:
    catalog = load_packs([PACKS])
    child, base = catalog.resources["tax-penalty"], catalog.resources["penalty"]
    assert list(child.items) == [*base.items, "tax_period"]
    assert child.department == "tax"
    assert child.checks == base.checks
    assert child.demo is not None and child.demo.volume == "0.01 per subject-year"
    assert child.demo.values == {"category": ["警告", "罚款"]}
    place = catalog.places["resource", "tax-penalty"]
    assert place.of("items", "fine")[0].name == "penalty.yml"
    assert place.of("items", "tax_period")[0].name == "tax-penalty.yml"


def test_an_unknown_key_names_the_nearest_one_and_its_line(tmp_path: Path) -> None:
    text = RESOURCE.replace("a: {title: 甲, required: true}", "a: {title: 甲,\n      requierd: true}")
    found = problems(make(tmp_path, resources__r=text))
    name, line, hint = found["key.unknown"]
    assert (name, line) == ("r.yml", 8)
    assert "required" in hint


def test_every_problem_is_collected(tmp_path: Path) -> None:
    found = problems(
        make(
            tmp_path,
            resources__r=RESOURCE + "cycle: dayly\ncycel: daily\n",
            resources__s="resource: s\nresource: s\n",
            lists__l="title: x\n",
        )
    )
    assert found["value.unknown"][1] == 8 and "daily" in found["value.unknown"][2]
    assert {"key.unknown", "yaml.duplicate-key", "file.kind"} <= set(found)
