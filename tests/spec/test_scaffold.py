"""A new pack is good as it comes, and refuses to overwrite anything."""

from pathlib import Path

import pytest

from shutong.spec.cases import load_cases
from shutong.spec.checks import load_checked, pack_check
from shutong.spec.problems import PackError
from shutong.spec.scaffold import new_pack


@pytest.mark.parametrize("name", ["water", "food-safety"])
def test_a_new_pack_passes_its_check_and_brings_what_it_needs(tmp_path: Path, name: str) -> None:
    files = new_pack(name, tmp_path)
    assert all(path.is_file() for path in files)
    assert pack_check(tmp_path / name) == []
    catalog = load_checked(tmp_path / name)
    resource = catalog.resources[f"{name}-record"]
    assert resource.demo is not None and resource.checks and resource.fact
    (case,) = load_cases(tmp_path / name, catalog)
    assert case.inputs[0].resource == f"{name}-record" and len(case.expects) == 2


def test_several_new_packs_live_together(tmp_path: Path) -> None:
    new_pack("water", tmp_path)
    new_pack("fire", tmp_path)
    assert pack_check(tmp_path) == []


@pytest.mark.parametrize("name", ["", "Water", "../x", "a/b", "水", "x" * 60, "-a"])
def test_names_that_can_not_be_used(tmp_path: Path, name: str) -> None:
    with pytest.raises(PackError) as caught:
        new_pack(name, tmp_path / "packs")
    assert caught.value.problems[0].code == "pack.name"
    assert not (tmp_path / "packs").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "water").mkdir()
    with pytest.raises(PackError) as caught:
        new_pack("water", tmp_path)
    assert caught.value.problems[0].code == "pack.exists"
    assert list((tmp_path / "water").iterdir()) == []
