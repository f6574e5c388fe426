"""Ties: an increment works out what a change reaches, and what it reaches is all that may differ from a rebuild."""

from __future__ import annotations

from typing import Any

import pytest

from shutong.rules.plan import full_run, increment
from shutong.spec.models import Resource
from shutong.standards.codes import make_uscc
from shutong.subjects.ties import ROUNDS
from tests.subjects.runner import Tables, rows_of
from tests.subjects.town import REGISTRATION, batch, catalog, delivery, resource

CODE = make_uscc("91980102MA0CCCCC2")
_ITEMS = {"no": {"title": "号", "required": True}, "uscc": {"element": "uscc", "title": "码"}}
_ABOUT = [{"kind": "organisation", "uscc": "uscc"}]
NOTED = resource(resource="noted", delivery="snapshot", key=["no"], items=_ITEMS, about=_ABOUT)
SEEN = resource(resource="seen", delivery="changes", key=["no"], items=_ITEMS, about=_ABOUT)
TOWN = (REGISTRATION, NOTED, SEEN)

Deliveries = list[tuple[Resource, list[dict[str, Any]]]]


def deliver(tables: Tables, seq: int, of: Resource, rows: list[dict[str, Any]]) -> None:
    tables.append(f"accepted/{of.resource}", batch(of, seq, rows))
    tables.append("batches", delivery(of, seq))


def day(seq: int) -> Any:
    return delivery(NOTED, seq).column("received_on")[0].as_py()


def found(deliveries: Deliveries, *, at_once: bool) -> dict[str, list[tuple[object, ...]]]:
    """What is known after the deliveries, taken in one by one or all before the only run."""
    tables, declared = Tables(), catalog(*TOWN)
    for seq, (of, rows) in enumerate(deliveries, start=1):
        deliver(tables, seq, of, rows)
        if at_once and seq < len(deliveries):
            continue
        plan = full_run(declared) if at_once or seq == 1 else increment(declared)
        since = {} if at_once or seq == 1 else {"since_seq": seq - 1, "since_day": day(seq - 1)}
        for planned in plan:
            tables.run(planned.stage, {"as_of": day(seq), **since}, planned.scope)
    return {name: rows_of(tables[name]) for name in ("identifiers", "links", "unidentified")}


def chain(length: int) -> list[dict[str, Any]]:
    """Register rows of which each shares one code with the row before it, by turns of two kinds."""
    return [
        {
            "reg_key": f"k{n}",
            "org": f"ORG{(n + 1) // 2:06d}",
            "old_no": f"1101080000{n // 2:05d}",
            "name": f"澜川市第{n}号商店",
            "area": "980102",
        }
        for n in range(length)
    ]


def test_a_code_that_is_no_longer_noted_brings_along_nothing_that_another_holds() -> None:
    deliveries: Deliveries = [
        (REGISTRATION, [{"reg_key": "h", "org": CODE[8:17], "name": "澜川市青禾商店", "area": "980102"}]),
        (NOTED, [{"no": "1", "uscc": CODE}]),
        (SEEN, [{"no": "1", "uscc": CODE}]),
        (NOTED, [{"no": "1", "uscc": None}]),
        (NOTED, [{"no": "1", "uscc": None}]),
    ]
    for number in range(2, len(deliveries) + 1):
        assert found(deliveries[:number], at_once=False) == found(deliveries[:number], at_once=True), number


@pytest.mark.parametrize("length", [3, 2 * ROUNDS, 4 * ROUNDS])
def test_a_change_is_followed_to_the_end_of_a_chain(length: int) -> None:
    rows = chain(length)
    changed = {**rows[0], "uscc": CODE}
    deliveries: Deliveries = [
        (REGISTRATION, [*rows, {"reg_key": "apart", "org": "ORG999999", "name": "澜川市别处商店"}]),
        (REGISTRATION, [changed]),
        (REGISTRATION, [{**changed, "op": "withdraw"}]),
    ]
    for number in (2, 3):
        assert found(deliveries[:number], at_once=False) == found(deliveries[:number], at_once=True), number
