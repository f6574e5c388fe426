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


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"resources__r": RESOURCE.replace("resource: r", "resource: s")}, "file.name"),
        ({"resources__r": RESOURCE.replace("resource: r", "resource: R r")}, "value.form"),
        ({"resources__r": RESOURCE.replace("key: [a]", "key: []")}, "value.empty"),
        ({"resources__r": RESOURCE.replace("key: [a]", "key: a")}, "value.type"),
        ({"resources__r": RESOURCE.replace("department: d\n", "")}, "key.missing"),
        ({"resources__r": RESOURCE.replace("required: true", "required: perhaps")}, "value.type"),
        ({"resources__r": RESOURCE + "checks: [{name: c, expr: ''}]\n"}, "value.empty"),
        ({"resources__r": RESOURCE + "expects: {rows: {most: 1}}\n"}, "value.unknown"),
        ({"resources__r": RESOURCE + "like: r\n"}, "like.circle"),
        ({"resources__r": RESOURCE + "like: q\n"}, "like.unknown"),
        ({"resources__r": "- a\n- b\n"}, "file.form"),
        ({"resource__r": RESOURCE}, "pack.folder"),
        ({"pack": HEAD.replace("pack: p", "pack: q")}, "pack.folder"),
        ({"pack": HEAD.replace("1.0.0", "'1.0'")}, "value.form"),
        ({"pack": HEAD.replace("1.0.0", "1.0")}, "value.type"),
    ],
)
def test_mistakes_of_form(tmp_path: Path, files: dict[str, str], code: str) -> None:
    assert code in problems(make(tmp_path, **files))


def test_likes_that_go_in_a_circle_end(tmp_path: Path) -> None:
    other = RESOURCE.replace("resource: r", "resource: s\nlike: r")
    assert "like.circle" in problems(make(tmp_path, resources__r=RESOURCE + "like: s\n", resources__s=other))


def test_links_are_not_followed(tmp_path: Path) -> None:
    pack = make(tmp_path, resources__r=RESOURCE)
    outside = tmp_path / "outside.yml"
    outside.write_text(RESOURCE.replace("resource: r", "resource: s"), encoding="utf-8")
    (pack / "resources" / "s.yml").symlink_to(outside)
    assert problems(pack)["file.link"][0] == "s.yml"


def test_a_linked_folder_is_not_followed(tmp_path: Path) -> None:
    pack = make(tmp_path)
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "r.yml").write_text(RESOURCE, encoding="utf-8")
    (pack / "resources").symlink_to(outside)
    assert "file.link" in problems(pack)


def test_two_declarations_of_one_name_are_told_with_both_places(tmp_path: Path) -> None:
    pack = make(tmp_path, resources__r=RESOURCE)
    other = tmp_path / "q"
    (other / "resources").mkdir(parents=True)
    (other / "pack.yml").write_text("pack: q\ntitle: 包\nversion: 1.0.0\n", encoding="utf-8")
    (other / "resources" / "r.yml").write_text(RESOURCE, encoding="utf-8")
    with pytest.raises(PackError) as caught:
        load_packs([pack, other])
    (problem,) = caught.value.problems
    assert problem.code == "name.twice" and str(pack / "resources" / "r.yml") in problem.en


def test_packs_may_share_a_department_but_not_contradict_each_other(tmp_path: Path) -> None:
    pack = make(tmp_path)
    other = tmp_path / "q"
    other.mkdir()
    (other / "pack.yml").write_text(HEAD.replace("pack: p", "pack: q"), encoding="utf-8")
    assert set(load_packs([pack, other]).departments) == {"d"}
    text = HEAD.replace("pack: p", "pack: q").replace("{title: 局}", "{title: 厅}")
    (other / "pack.yml").write_text(text, encoding="utf-8")
    with pytest.raises(PackError) as caught:
        load_packs([pack, other])
    assert caught.value.problems[0].code == "department.differs"


def test_a_folder_without_packs_is_told(tmp_path: Path) -> None:
    assert "pack.missing" in problems(tmp_path)
