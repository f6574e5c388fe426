"""The demo city's files: every planted bad row is rejected for the planted reason, and no good row is."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from shutong.collect.receipt import Receipt
from shutong.democity.city import generate
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.quality.delivery import Delivery, deliver_many
from shutong.spec.loader import load_packs

PACKS = Path(__file__).parents[2] / "packs"


def deliveries(root: Path) -> list[Delivery]:
    """The files of a city in the order of their days."""
    found = []
    for path in sorted(root.joinpath("deliveries").glob("*/*/*.*")):
        resource = re.sub(r"-\d{4}-\d\d-\d\d(-\d+)?$", "", path.stem)
        found.append(Delivery(resource, path, dt.date.fromisoformat(path.parts[-3])))
    return found


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Home, list[Delivery], list[Receipt]]:
    root = tmp_path_factory.mktemp("city")
    catalog = load_packs([PACKS])
    generate(root / "city", catalog, subjects=500, seed=7)
    home = Home.create(root / "home")
    files = deliveries(root / "city")
    receipts = deliver_many(home, engine_of(home), catalog, files)
    return root / "city", home, files, receipts


def test_planted_rows_are_rejected_for_the_planted_reason_and_no_good_row_is(
    delivered: tuple[Path, Home, list[Delivery], list[Receipt]],
) -> None:
    city, home, files, receipts = delivered
    file_of = {
        receipt.batch: file.path.relative_to(city).as_posix() for file, receipt in zip(files, receipts, strict=True)
    }
    truth: dict[tuple[str, int], dict[str, Any]] = {
        (row["file"], row["row_no"]): row for row in pq.read_table(city / "truth" / "records.parquet").to_pylist()
    }
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    rejected = engine_of(home).query("SELECT * FROM rejected", {"rejected": "rejected"})
    for row in rejected.to_pylist():
        found[file_of[row["batch_id"]], row["row_no"]] = {reason["code"] for reason in row["reasons"]}
    planted = {place: row["bad_reason"] for place, row in truth.items() if row["bad_reason"]}
    assert len(planted) > 100
    assert {place: codes for place, codes in found.items() if place not in planted} == {}
    assert {place: reason for place, reason in planted.items() if reason not in found.get(place, set())} == {}


def test_receipts_count_every_row(delivered: tuple[Path, Home, list[Delivery], list[Receipt]]) -> None:
    city, home, _, receipts = delivered
    rows = pq.read_table(city / "truth" / "records.parquet").num_rows
    assert sum(receipt.received for receipt in receipts) == rows
    assert all(receipt.state == "in" for receipt in receipts)
    assert all(receipt.received == receipt.accepted + receipt.rejected for receipt in receipts)
    batches = engine_of(home).query("SELECT * FROM batches ORDER BY seq", {"batches": "batches"}).to_pylist()
    assert [batch["batch_id"] for batch in batches] == [receipt.batch for receipt in receipts]
    assert [batch["seq"] for batch in batches] == list(range(1, len(receipts) + 1))


def test_no_personal_number_is_readable_in_the_lake(
    delivered: tuple[Path, Home, list[Delivery], list[Receipt]],
) -> None:
    city, home, _, _ = delivered
    planted = pq.read_table(city / "truth" / "planted_personal.parquet")
    values = {value.encode() for value in planted.column("value").to_pylist() if len(value) >= 11}
    assert len(values) > 100
    engine = engine_of(home)
    for name in engine.lake.tables():
        for path in (home.lake / name).glob("*.parquet"):
            for column in pq.read_table(path).columns:
                texts = column.cast("string") if column.type == "string" else None
                if texts is not None:
                    assert values.isdisjoint(text.encode() for text in texts.to_pylist() if text), (name, path)
