"""A home for the small resource of ``samples``, and how its lake looks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from shutong.collect.intake import Delivery
from shutong.collect.receipt import Receipt
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.quality.delivery import deliver, deliver_many
from shutong.spec.catalog import Catalog
from shutong.spec.models import Resource
from tests.collect.samples import PENALTY

DAY = dt.date(2026, 7, 1)


class Town:
    """A home with one resource, to deliver to."""

    def __init__(self, root: Path, *resources: Resource) -> None:
        self.root = root
        self.home = Home.create(root / "home") if not (root / "home").exists() else Home.open(root / "home")
        self.catalog = Catalog(resources={one.resource: one for one in resources or (PENALTY,)})
        self.engine = engine_of(self.home)

    def file(self, data: bytes | str, name: str = "delivery.csv") -> Path:
        path = self.root / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def deliver(
        self, data: bytes | str, name: str = "delivery.csv", resource: str | None = None, corrects: str | None = None
    ) -> Receipt:
        wanted = resource or next(iter(self.catalog.resources))
        delivery = Delivery(wanted, self.file(data, name), DAY, corrects)
        return deliver(self.home, self.engine, self.catalog, delivery)

    def deliver_many(self, files: list[Path], resource: str = "penalty") -> list[Receipt]:
        return deliver_many(self.home, self.engine, self.catalog, [Delivery(resource, path, DAY) for path in files])

    def rows(self, table: str, order: str = "seq, row_no") -> list[dict[str, Any]]:
        engine = engine_of(self.home)
        if not engine.lake.table(table).segments:
            return []
        return engine.query(f"SELECT * FROM t ORDER BY {order}", {"t": table}).to_pylist()

    @property
    def accepted(self) -> list[dict[str, Any]]:
        return self.rows("accepted/penalty")

    @property
    def rejected(self) -> list[dict[str, Any]]:
        return self.rows("rejected", "batch_id, row_no")

    @property
    def batches(self) -> list[dict[str, Any]]:
        return self.rows("batches", "seq")
