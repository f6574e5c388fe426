"""Figures of departments: against their cycle, of the base libraries, and what is collected again."""

from __future__ import annotations

import datetime as dt

import pytest

from shutong.catalog.figures import (
    Shared,
    base_items,
    department_figures,
    freshness_of,
    repeated_collection,
)
from shutong.standards.targets import targets
from tests.pipeline.cities import catalog

TODAY = dt.date(2026, 7, 14)


@pytest.mark.parametrize(
    ("cycle", "days", "state"),
    [
        ("daily", 4, "fresh"), ("daily", 5, "late"), ("monthly", 40, "fresh"), ("monthly", 41, "late"),
        ("irregular", 900, "any"), ("yearly", None, "never"), ("irregular", None, "never"),
    ],
)  # fmt: skip
def test_a_resource_against_its_cycle(cycle: str, days: int | None, state: str) -> None:
    latest = None if days is None else TODAY - dt.timedelta(days=days)
    assert freshness_of(cycle, latest, TODAY) == state


def test_nothing_is_in_at_first() -> None:
    found = {one.department: one for one in department_figures(catalog(), {}, (), (), TODAY)}
    assert set(found) == {one.department for one in catalog().resources.values()}
    assert all(one.integrated == one.on_time == one.base_filled == 0 and not one.repeated for one in found.values())
    assert sum(one.resources for one in found.values()) == len(catalog().resources)
    registrar = found["market-supervision"]
    assert registrar.integrated_share == 0.0 and registrar.base_share == 0.0 and registrar.base_items > 10
    assert found["court"].base_items == 0 and found["court"].base_share is None


def test_every_department_has_its_own_truth() -> None:
    declared = catalog()
    latest = {"registration": TODAY, "taxpayer": TODAY - dt.timedelta(days=1000)}
    filled = [
        (library, attribute, resource)
        for library, attribute, resource, _item in base_items(declared, declared.resources.values())
        if resource == "registration"
    ]
    found = {one.department: one for one in department_figures(declared, latest, filled, (), TODAY)}
    registrar, taxes, court = (found[name] for name in ("market-supervision", "taxation", "court"))
    assert (registrar.integrated, registrar.on_time) == (1, 1)
    assert registrar.base_filled == len(filled) and registrar.base_share == 100.0
    assert (taxes.integrated, taxes.on_time, taxes.base_filled) == (1, 0, 0)
    assert (court.integrated, court.resources) == (0, 1)


def shared(attribute: str, authority: str, resource: str, in_both: int = 90) -> Shared:
    return Shared("legal-entity", attribute, authority, resource, 100, in_both)


@pytest.mark.parametrize(
    ("one", "again"),
    [
        (shared("phone", "registration", "social-insurance-unit"), True),
        (shared("phone", "registration", "social-insurance-unit", 49), False),  # few of its subjects
        (shared("phone", "registration", "taxpayer"), False),  # says whom the row is about
        (shared("area", "registration", "social-insurance-unit"), False),
        (shared("legal_rep", "registration", "social-insurance-unit"), False),  # declared to be compared
        (shared("phone", "registration", "registration"), False),  # its own department
        (shared("phone", "no-such-resource", "taxpayer"), False),
        (shared("no-such-attribute", "registration", "taxpayer"), False),
    ],
)
def test_what_is_collected_again(one: Shared, again: bool) -> None:
    assert list(repeated_collection(catalog(), [one])) == ([one] if again else [])


def test_what_is_collected_again_stands_with_who_collects_it() -> None:
    one = shared("phone", "registration", "social-insurance-unit")
    found = {each.department: each.repeated for each in department_figures(catalog(), {}, (), [one], TODAY)}
    assert found["human-resources"] == (one,) and found["market-supervision"] == ()


def test_targets_name_their_document() -> None:
    found = targets()
    assert [found[name].share for name in ("resources-integrated", "base-libraries", "demand-met")] == [80, 60, 80]
    assert all(one.source and one.zh and one.en for one in found.values())
