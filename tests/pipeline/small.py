"""Small homes with a pack of a few declarations, to which rows are delivered one by one; Django serves them in the test."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import current_catalog, install_packs
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.quality.counter import take_in
from shutong.quality.delivery import Delivery


def install(folder: Path, pack: Mapping[str, str]) -> None:
    """Write a pack's files below a folder and install it."""
    for name, text in pack.items():
        path = folder / "packs" / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    install_packs([folder / "packs" / "tiny"], acting=SYSTEM)


def deliver(home: Home, folder: Path, resource: str, rows: Sequence[Mapping[str, Any]], day: dt.date) -> None:
    """Deliver rows, by the Chinese titles of their items, as one file; all of them must be accepted."""
    text = io.StringIO()
    titles = [item.title.zh for item in current_catalog().resources[resource].items.values()]
    writer = csv.DictWriter(text, titles)
    writer.writeheader()
    writer.writerows(rows)
    path = folder / f"{resource}-{len(list(folder.glob('*.csv')))}.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    engine = engine_of(home)
    try:
        receipt = take_in(home, engine, current_catalog(), [Delivery(resource, path, day)], acting=SYSTEM)[0]
    finally:
        engine.close()
    assert (receipt.state, receipt.rejected) == ("in", 0), receipt.text


def table(home: Home, name: str) -> list[dict[str, Any]]:
    """The rows of a table of the lake; none where there is no such table."""
    engine = engine_of(home)
    try:
        return engine.query("SELECT * FROM t", {"t": name}).to_pylist() if name in engine.lake.tables() else []
    finally:
        engine.close()
