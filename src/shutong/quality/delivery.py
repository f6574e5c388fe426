"""Delivering: collect's transaction with this area's checks. What commands, screens and the pipeline call."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from shutong.collect.delivery import Intake, Progress
from shutong.collect.intake import Delivery, Read
from shutong.collect.receipt import Receipt
from shutong.engine.engine import Engine
from shutong.engine.home import Home
from shutong.quality.elsewhere import read_elsewhere, worth_it
from shutong.quality.judging import judging
from shutong.spec.catalog import Catalog

__all__ = ["Delivery", "Receipt", "deliver", "deliver_many", "open_intake"]


@contextlib.contextmanager
def open_intake(home: Home, engine: Engine, catalog: Catalog) -> Iterator[Intake]:
    """An intake that checks rows as the catalog declares, on as many threads as the home has.

    It may take any number of deliveries while it is open; many at once are read by several processes.
    """

    def elsewhere(folder: Path, deliveries: Sequence[Delivery]) -> Iterator[Read] | None:
        return read_elsewhere(home, catalog, folder, deliveries) if worth_it(home, deliveries) else None

    with judging(home, catalog, threads=home.settings.threads) as judge_for:
        yield Intake(home, engine, catalog, judge_for, elsewhere)


def deliver(
    home: Home,
    engine: Engine,
    catalog: Catalog,
    delivery: Delivery,
    received_at: dt.datetime | None = None,
) -> Receipt:
    """Take one file into the home; see ``collect.delivery.Intake.deliver_many``."""
    return deliver_many(home, engine, catalog, [delivery], received_at)[0]


def deliver_many(
    home: Home,
    engine: Engine,
    catalog: Catalog,
    deliveries: Sequence[Delivery],
    received_at: dt.datetime | None = None,
    progress: Progress | None = None,
) -> list[Receipt]:
    """Take files into the home, in their order, in one commit; see ``collect.delivery.Intake.deliver_many``."""
    with open_intake(home, engine, catalog) as intake:
        return intake.deliver_many(deliveries, received_at, progress)
