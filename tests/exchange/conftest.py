"""The catalog of three departments, published once per test."""

from __future__ import annotations

import pytest

from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import install_packs
from tests.exchange.people import PACK


@pytest.fixture
def catalog(db: None) -> None:
    """Four resources: shared without and with conditions, one of a county with its own terms, one not shared."""
    install_packs([PACK], acting=SYSTEM)
