"""What a run makes good and takes up: deliveries that a kill left half done, and new versions of declarations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import current_catalog, install_packs
from shutong.collect.models import Batch
from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.pipeline.runs import run_way
from shutong.quality.delivery import Delivery, deliver
from shutong.quality.models import Ticket
from shutong.standards.codes import make_uscc

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

DAY = dt.date(2026, 7, 14)
CODE = make_uscc("91980102MA1000001")
HEAD = "pack: tiny\ntitle: 小城\nversion: {}\ndepartments:\n  market: {{title: 市场监管局}}\n"
REGISTER = """resource: register
title: 登记
department: market
basis: 登记条例
delivery: changes
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: 名称, required: true}
  boss: {element: person-name, title: 负责人}
  since: {title: 成立日期}
about: {kind: organisation, registry: true, uscc: uscc, name: name}
"""
LIBRARY = """library: firms
title: 法人库
kind: organisation
public: true
attributes:
  name: {title: 名称, element: org-name, from: [register.name]}
  head: {title: 负责人, element: person-name, from: [register.boss], grade: 2, mask: surname}
  since: {title: 成立日期, from: [register.since]}
"""


def install(folder: Path, version: str, register: str, library: str) -> None:
    files = {"pack.yml": HEAD.format(version), "resources/register.yml": register, "libraries/firms.yml": library}
    for name, text in files.items():
        path = folder / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    install_packs([folder / "tiny"], acting=SYSTEM)


@pytest.fixture
def engine(home: Home, tmp_path: Path) -> Iterator[Engine]:
    install(tmp_path, "1.0.0", REGISTER, LIBRARY)
    made = engine_of(home)
    yield made
    made.close()


def take(home: Home, engine: Engine, path: Path, text: str) -> None:
    """The lake's part of a delivery only: what a kill after its commit leaves."""
    path.write_text(text, encoding="utf-8")
    deliver(home, engine, current_catalog(), Delivery("register", path, DAY))


def firms(engine: Engine) -> list[dict[str, Any]]:
    return engine.query("SELECT name, head, since FROM t ORDER BY name", {"t": "library/firms"}).to_pylist()


def test_a_run_writes_the_batches_and_tickets_that_a_killed_delivery_did_not(
    home: Home, engine: Engine, tmp_path: Path
) -> None:
    take(home, engine, tmp_path / "a.csv", f"代码,名称,负责人,成立日期\n{CODE},青禾,王五,2020年1月2日\n坏,坏,,\n")
    assert (Batch.objects.count(), Ticket.objects.count()) == (0, 0)
    run_way(home, day=DAY, acting=SYSTEM)
    assert (Batch.objects.count(), Ticket.objects.get().rows) == (1, 1)
    assert run_way(home, day=DAY, acting=SYSTEM).kind == "nothing"
    assert (Batch.objects.count(), Ticket.objects.count()) == (1, 1)


def test_a_renamed_item_and_a_new_type_keep_the_values_of_older_rows(
    home: Home, engine: Engine, tmp_path: Path
) -> None:
    take(home, engine, tmp_path / "a.csv", f"代码,名称,负责人,成立日期\n{CODE},青禾食品,王五,2020年1月2日\n")
    run_way(home, day=DAY, acting=SYSTEM)
    assert firms(engine) == [{"name": "青禾食品", "head": "王五", "since": "2020年1月2日"}]

    register = REGISTER.replace("boss: {", "legal_rep: {from: boss, ").replace("since: {", "since: {element: date, ")
    library = LIBRARY.replace("register.boss", "register.legal_rep").replace(
        "成立日期, from", "成立日期, element: date, from"
    )
    install(tmp_path, "1.1.0", register, library)
    assert run_way(home, day=DAY, acting=SYSTEM).kind == "full"
    assert firms(engine) == [{"name": "青禾食品", "head": "王五", "since": dt.date(2020, 1, 2)}]
    assert run_way(home, day=DAY, acting=SYSTEM).kind == "nothing"

    other = make_uscc("91980102MA1000002")
    take(home, engine, tmp_path / "b.csv", f"代码,名称,boss,成立日期\n{other},青云商贸,赵六,2021/3/4\n")
    assert run_way(home, day=DAY, acting=SYSTEM).kind == "increment"
    assert [row["head"] for row in firms(engine)] == ["赵六", "王五"]


def test_a_new_item_is_empty_in_older_rows(home: Home, engine: Engine, tmp_path: Path) -> None:
    take(home, engine, tmp_path / "a.csv", f"代码,名称,负责人,成立日期\n{CODE},青禾食品,王五,\n")
    run_way(home, day=DAY, acting=SYSTEM)
    register = REGISTER.replace("  since:", "  size: {element: integer, title: 人数}\n  since:")
    library = LIBRARY.replace("  since:", "  size: {title: 人数, element: integer, from: [register.size]}\n  since:")
    install(tmp_path, "1.1.0", register, library)
    assert run_way(home, day=DAY, acting=SYSTEM).kind == "full"
    assert engine.query("SELECT name, size FROM t", {"t": "library/firms"}).to_pylist() == [
        {"name": "青禾食品", "size": None}
    ]
