"""The code set of an indicator's series is found in the item that its rule selects."""

from __future__ import annotations

from pathlib import Path

import pytest

from shutong.pipeline.answers.series import series_codes
from shutong.spec.catalog import Catalog
from shutong.spec.loader import load_packs

PACKS = Path(__file__).resolve().parents[2] / "packs"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_packs([PACKS])


def test_shipped_indicators_that_select_codes_know_their_set(catalog: Catalog) -> None:
    assert series_codes(catalog.indicators["new-registrations"].sql, catalog) == "market-subject-type"
    assert series_codes(catalog.indicators["permits"].sql, catalog) is None


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        ("SELECT r.status AS series FROM registration AS r", "enterprise-status"),
        ("SELECT name AS series FROM registration", None),
        ("SELECT if(status = '1', 'a', 'b') AS series FROM registration", None),
        ("SELECT count(*) AS value FROM registration", None),
        ("no statement (", None),
    ],
)
def test_only_a_plain_item_with_codes_counts(catalog: Catalog, sql: str, codes: str | None) -> None:
    assert series_codes(sql, catalog) == codes
