"""The cases that the packs bring as data come out as their authors expect, and no Python knows a theme's names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shutong.rules.casetests import run_whole_case
from shutong.spec.cases import Case, load_cases
from shutong.spec.catalog import view_name
from shutong.spec.checks import load_checked

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_checked(ROOT / "packs")
CASES = [case for pack in sorted((ROOT / "packs").iterdir()) for case in load_cases(pack, CATALOG)]
THEMES = ("social-security", "taxation", "food")
BASES = ("city", "space", "services", "economy")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.pack}/{case.name}")
def test_a_case_comes_out_as_its_author_expects(case: Case) -> None:
    assert run_whole_case(case, CATALOG).differences == ()


@pytest.mark.parametrize("pack", [*THEMES, *BASES])
def test_libraries_are_shown_by_a_case(pack: str) -> None:
    """Every library, list and indicator of a theme, and every new library, has a case that expects something of it."""
    expected = {one.table for case in CASES if case.pack == pack for one in case.expects}
    kinds = {"library": "library/"} | ({"list": "candidates/", "indicator": "observations/"} if pack in THEMES else {})
    declared = {
        prefix + name
        for kind, prefix in kinds.items()
        for name in CATALOG.of_kind(kind)
        if CATALOG.pack_of[kind, name] == pack
    }
    assert declared and declared <= expected


@pytest.mark.parametrize("pack", THEMES)
def test_no_python_knows_a_theme(pack: str) -> None:
    """A theme library is a folder of declarations: nothing in the source names what it declares."""
    names = {name for (_, name), owner in CATALOG.pack_of.items() if owner == pack} - set(CATALOG.departments)
    assert any(CATALOG.libraries[name].class_ == "theme" for name in names if name in CATALOG.libraries)
    spelled = "|".join(sorted({re.escape(text) for name in names for text in (name, view_name(name))}))
    pattern = re.compile(rf"(?<![\w-])({spelled})(?![\w-])")
    found = {
        f"{path.relative_to(ROOT)}: {match[1]}"
        for path in (ROOT / "src").rglob("*.py")
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    }
    # The pack is called like the word of the field that texts use; what it declares is not.
    assert {one for one in found if not one.endswith(f": {pack}")} == set()
    assert not list((ROOT / "packs" / pack).rglob("*.py"))
