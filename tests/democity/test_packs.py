"""The packs of the demo city pass their own check."""

from __future__ import annotations

from shutong.democity.names import TRADES
from shutong.spec.catalog import Catalog
from shutong.spec.checks import check_catalog
from shutong.standards.elements import ELEMENTS


def test_packs_have_no_problem(catalog: Catalog) -> None:
    assert [str(problem) for problem in check_catalog(catalog)] == []


def test_graded_items_of_open_resources_are_masked(catalog: Catalog) -> None:
    for resource in catalog.resources.values():
        for name, item in resource.items.items():
            if resource.open.type == "open" and item.grade != 1:
                assert item.mask not in (None, "none"), f"{resource.resource}.{name}"
            if item.element in {"citizen-id", "mobile"}:
                assert item.grade == 3, f"{resource.resource}.{name}"


def test_trades_have_real_classes() -> None:
    for trades in TRADES:
        for word, code in trades:
            assert ELEMENTS["industry"].scalar(code).valid, word
