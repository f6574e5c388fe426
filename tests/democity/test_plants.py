"""Subjects that are easy to confuse: their shares, and that each is what it is called."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from shutong.democity.geography import city_of_standards
from shutong.democity.organisations import Window
from shutong.democity.plants import AGENCY_SIZE, GROUP_SIZE, OFFICE_SIZE
from shutong.democity.scene import Scene, make_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(city_of_standards(), 0, 20_000, 7, Window(20_000, 20_029))


def share(scene: Scene, mask: np.ndarray[tuple[int], np.dtype[np.bool_]], kind: int = 0) -> float:
    of = scene.organisations.kind == kind
    return float((mask & of).sum() / of.sum())


def test_shares(scene: Scene) -> None:
    planted, kind = scene.organisations.planted, scene.organisations.kind
    for mask, wanted in (
        (planted.lookalike, 0.02), (planted.near >= 0, 0.02), (planted.group >= 0, 0.04), (planted.head >= 0, 0.05),
        (planted.office >= 0, 0.05), (planted.agency >= 0, 0.08),
    ):  # fmt: skip
        assert share(scene, mask) == pytest.approx(wanted, rel=0.1)
    assert share(scene, planted.twin, 1) == pytest.approx(0.02, rel=0.1)
    assert share(scene, planted.agency >= 0, 1) == pytest.approx(0.03, rel=0.1)
    assert not planted.twin[kind != 1].any()


def test_neighbours_differ_in_one_character_of_the_brand(scene: Scene) -> None:
    organisations = scene.organisations
    near, names = organisations.planted.near, organisations.names[0]
    brand, trade = names.brand.to_pylist(), names.trade.to_pylist()
    area = organisations.before["area"].to_pylist()
    for one in np.flatnonzero(near >= 0).tolist():
        other = int(near[one])
        assert near[other] == one
        assert (trade[one], area[one]) == (trade[other], area[other])
        assert len(brand[one]) == len(brand[other])
        assert sum(a != b for a, b in zip(str(brand[one]), str(brand[other]), strict=True)) == 1


def test_groups_share_brand_and_county_and_differ_in_trade(scene: Scene) -> None:
    organisations = scene.organisations
    group, names = organisations.planted.group, organisations.names[0]
    brand, trade = names.brand.to_pylist(), names.trade.to_pylist()
    area, owner = organisations.before["area"].to_pylist(), organisations.planted.owner
    led = 0
    for leader, size in Counter(group[group >= 0].tolist()).items():
        members = np.flatnonzero(group == leader).tolist()
        assert GROUP_SIZE[0] <= size <= GROUP_SIZE[1]
        assert len({(brand[m], area[m]) for m in members}) == 1
        assert len({trade[m] for m in members}) == size
        led += sum(owner[m] == owner[leader] for m in members if m != leader)
    others = int((group >= 0).sum()) - len(set(group[group >= 0].tolist()))
    assert led / others == pytest.approx(0.6, abs=0.1)


def test_agencies_and_offices_are_shared_by_many(scene: Scene) -> None:
    organisations = scene.organisations
    for label, column, (fewest, most) in (
        (organisations.planted.agency, "phone", AGENCY_SIZE),
        (organisations.planted.office, "address", OFFICE_SIZE),
    ):
        values = organisations.before[column].to_pylist()
        clusters = Counter(label[label >= 0].tolist())
        assert clusters
        assert all(fewest <= size <= most for size in clusters.values())
        for cluster in clusters:
            assert len({values[row] for row in np.flatnonzero(label == cluster).tolist()}) == 1
    people = set(scene.people.columns["phone"].to_pylist())
    phones = organisations.before["phone"].to_pylist()
    assert not {phones[row] for row in np.flatnonzero(organisations.planted.agency >= 0).tolist()} & people


def test_half_of_the_branches_lie_in_the_county_of_their_head_office(scene: Scene) -> None:
    organisations = scene.organisations
    head, area = organisations.planted.head, np.array(organisations.before["area"].to_pylist())
    branch = np.flatnonzero(head >= 0)
    beside = (area[branch] == area[head[branch]]).mean()
    assert beside == pytest.approx(0.5 + 0.5 / 8, abs=0.08)
    assert not organisations.formers[0].chosen(branch).brand.drop_null().to_pylist()


def test_some_own_many(scene: Scene) -> None:
    owners = Counter(scene.organisations.planted.owner.tolist())
    assert sum(size for size in owners.values() if size > 1) / 20_000 > 0.12
    assert max(owners.values()) >= 8


def test_a_city_too_small_for_clusters_has_smaller_ones() -> None:
    small = make_scene(city_of_standards(), 0, 60, 3, Window(20_000, 20_029))
    planted = small.organisations.planted
    assert planted.agency.max() <= 0
    assert len(small.organisations) == 60
