"""The heart of the way: small deliveries applied one after the other give the tables of one run over all of them."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from shutong.rules.plan import full_run, increment
from shutong.spec.models import Resource
from shutong.standards.codes import make_uscc
from shutong.subjects.tables import DECISIONS
from tests.subjects.runner import Tables, rows_of
from tests.subjects.town import ADDRESS, DAY, PENALTY, REGISTRATION, REPORT, batch, catalog, delivery

SEEDS = range(200) if os.environ.get("SHUTONG_TEST_DEPTH") == "deep" else (3, 5, 7)

CODES = [make_uscc(f"9198010{i % 4}MA0{letter * 5}{i}") for i, letter in enumerate("ABCD")]
ORGS = [code[8:17] for code in CODES]
OLD_NOS = [f"11010800000000{i}" for i in range(3)]
NAMES = [
    f"澜川市{brand}{form}"
    for brand in ("青禾食品", "白杨商贸")
    for form in ("有限公司", "有限责任公司", "有限公司一分公司")
]
SLIPS = [code[:9] + "9" + code[10:] for code in CODES]
AREAS = ["980102", "980102", "980103", "980100", None]
Delivery = tuple[Resource, list[dict[str, Any]]]


def _maybe(random_: random.Random, values: list[Any], share: float = 0.5) -> Any:
    return random_.choice(values) if random_.random() < share else None


def _register_row(r: random.Random) -> dict[str, Any]:
    boss = r.randrange(3)
    return {
        "reg_key": str(r.randrange(5)),
        "op": "withdraw" if r.random() < 0.1 else None,
        "uscc": _maybe(r, CODES, 0.6),
        "org": _maybe(r, ORGS, 0.2),
        "old_no": _maybe(r, OLD_NOS),
        "tax_no": _maybe(r, [f"980102{org}" for org in ORGS], 0.2),
        "name": _maybe(r, NAMES, 0.9),
        "former": _maybe(r, NAMES, 0.1),
        "area": r.choice(AREAS),
        "status": r.choice(["open", "closed"]),
        "boss": f"王{boss}",
        "boss_id__key": _maybe(r, ["h0", "h1", "h2"], 0.6),
        "tel__key": _maybe(r, ["t0", "t1"], 0.5),
        "site": _maybe(r, ["青石路1号", "青石路2号"], 0.5),
    }


def _penalty_row(r: random.Random) -> dict[str, Any]:
    return {
        "doc_no": str(r.randrange(12)),
        "op": "withdraw" if r.random() < 0.1 else None,
        "old_doc": str(r.randrange(12)) if r.random() < 0.2 else None,
        "party": _maybe(
            r, [*NAMES, "澜川市青禾食品公司", "澜川市青和食品有限公司", "白杨公司", "青禾商贸有限公司"], 0.8
        ),
        "code": _maybe(r, CODES, 0.3),
        "code__faulty": _maybe(r, SLIPS, 0.2),
        "chief": _maybe(r, ["王0", "王1"], 0.4),
        "tel__key": _maybe(r, ["t0", "t1"], 0.3),
        "site": _maybe(r, ["青石路1号", "青石路2号"], 0.3),
        "old_no": _maybe(r, OLD_NOS, 0.4),
        "org": _maybe(r, ORGS, 0.2),
        "tax_no": _maybe(r, [f"980102{org}" for org in ORGS], 0.1),
        "area": r.choice(AREAS),
        "decided_on": DAY + dt.timedelta(days=r.randrange(20)),
        "fine": r.randrange(200),
        "officer": "王小明",
    }


def _report_row(r: random.Random) -> dict[str, Any]:
    return {
        "uscc": r.choice(CODES),
        "year": r.choice([2024, 2025]),
        "employees": r.randrange(50),
        "filed_on": _maybe(r, [DAY], 0.9),
    }


def _address_row(r: random.Random) -> dict[str, Any]:
    return {"no": str(r.randrange(4)), "address": f"青石路{r.randrange(3)}号", "area": r.choice(AREAS)}


_MAKERS = [(REGISTRATION, _register_row), (PENALTY, _penalty_row), (REPORT, _report_row), (ADDRESS, _address_row)]


def _deliveries(r: random.Random) -> Iterator[Delivery]:
    for number in range(6):
        of, make = _MAKERS[1 - number] if number < 2 else r.choice(_MAKERS)
        rows = [make(r) for _ in range(r.randrange(0 if of is ADDRESS else 3, 9))]
        yield of, list({tuple(row[item] for item in of.key): row for row in rows}.values())


def _deliver(tables: Tables, seq: int, of: Resource, rows: list[dict[str, Any]]) -> None:
    tables.append(f"accepted/{of.resource}", batch(of, seq, rows))
    tables.append("batches", delivery(of, seq))


def _day(seq: int) -> dt.date:
    return DAY + dt.timedelta(days=seq * 3)


def _decide(tables: Tables, r: random.Random, day: dt.date) -> None:
    """A clerk decides a case of the tables as they are: same, different, or an earlier decision undone."""
    made = tables.tables.get("decisions", DECISIONS.empty_table())
    cases = [row["case_key"] for row in tables["mentions"].to_pylist() if row["case_key"]]
    subjects = [row["subject_id"] for row in tables["subjects"].to_pylist() if row["kind"] == "organisation"]
    if not cases or not subjects:
        return
    undone = r.choice(made["decision_id"].to_pylist()) if made.num_rows and r.random() < 0.3 else None
    row = {
        "decision_id": f"d{made.num_rows}",
        "made_on": day,
        "position": made.num_rows,
        "verb": "undo" if undone else r.choice(["same", "different"]),
        "case_key": None if undone else r.choice(cases),
        "subject_id": None if undone else r.choice(subjects),
        "undoes": undone,
        "actor": "clerk",
    }
    tables.append("decisions", pa.Table.from_pylist([row], schema=DECISIONS))


def _rebuilt(deliveries: list[Delivery], as_of: dt.date, decisions: pa.Table | None) -> Tables:
    tables = Tables()
    if decisions is not None:
        tables.append("decisions", decisions)
    for seq, (of, rows) in enumerate(deliveries, start=1):
        _deliver(tables, seq, of, rows)
    for planned in full_run(catalog()):
        tables.run(planned.stage, {"as_of": as_of})
    return tables


def derived(tables: Tables) -> dict[str, list[tuple[object, ...]]]:
    """Everything that stages wrote and readers use."""
    skipped = ("accepted/", "scope/", "batches")
    return {name: rows_of(rows) for name, rows in tables.tables.items() if not name.startswith(skipped)}


@pytest.mark.parametrize("seed", SEEDS)
def test_increments_equal_a_rebuild(seed: int) -> None:
    chance = random.Random(seed)
    deliveries = list(_deliveries(chance))
    tables = Tables()
    _deliver(tables, 1, *deliveries[0])
    for planned in full_run(catalog()):
        tables.run(planned.stage, {"as_of": _day(1)})
    changes = 0
    for seq, (of, rows) in enumerate(deliveries[1:], start=2):
        before = derived(tables)
        # Of the last run's day, but after it: the next run must see it.
        _decide(tables, chance, _day(seq - 1))
        _deliver(tables, seq, of, rows)
        for planned in increment(catalog()):
            params = {"as_of": _day(seq), "since_seq": seq - 1, "since_day": _day(seq - 1)}
            tables.run(planned.stage, params, planned.scope)
        found = derived(tables)
        changes += found != before
        if seq in (3, len(deliveries)):
            expected = derived(_rebuilt(deliveries[:seq], _day(seq), tables.tables.get("decisions")))
            assert found.keys() == expected.keys()
            for name in expected:
                assert found[name] == expected[name], (name, seq)
    assert changes >= 2, "the deliveries changed too little to prove anything"
