"""An answer as of a past day is what a run on that day, over what had arrived by then, computed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shutong.engine.engine import Engine
from shutong.engine.lake import Lake
from shutong.engine.settings import Settings
from shutong.pipeline.asof import WANTED, known_on
from shutong.pipeline.runs import execute_plan
from shutong.rules.plan import full_run
from shutong.spec.catalog import Catalog
from shutong.spec.models import Resource, SubjectList
from tests.rules.test_incremental import Delivery, _day, _deliveries
from tests.subjects.runner import Tables, rows_of
from tests.subjects.test_identify import CODE_B, FIRM_A, FIRM_B
from tests.subjects.town import PENALTY, REGISTRATION, batch, delivery, resource
from tests.subjects.town import catalog as town

DEEP = os.environ.get("SHUTONG_TEST_DEPTH") == "deep"
SEEDS = range(40) if DEEP else (0, 1)
SUBJECTS, DAYS = (6, 5) if DEEP else (3, 2)

THRESHOLD = resource(
    resource="threshold",
    key=["no"],
    items={"no": {"title": "号", "required": True}, "least": {"element": "money", "title": "起点"}},
)
"""A resource about nobody, which a ground reads: all of it counts for every subject."""

HIGH_FINES = SubjectList.model_validate(
    {
        "list": "high-fines", "title": "大额罚款", "basis": "b", "entry": "decision", "department": "d",
        "grounds": {
            "over": {
                "title": "超过起点", "basis": "b",
                "sql": "SELECT p.subject_id, max(p.decided_on) AS since, record_set(p.record_id) AS record_ids"
                " FROM penalty AS p WHERE p.fine >= (SELECT min(t.least) FROM threshold AS t) GROUP BY p.subject_id",
            }
        },
    }
)  # fmt: skip


def catalog() -> Catalog:
    base = town()
    return dataclasses.replace(
        base,
        resources={**base.resources, "threshold": THRESHOLD},
        lists={**base.lists, "high-fines": HIGH_FINES},
    )


def arrived(deliveries: list[Delivery]) -> Iterator[tuple[Resource, pa.Table, pa.Table]]:
    """Each delivery as rows of its resource and of ``batches``, one a day."""
    for seq, (of, rows) in enumerate(deliveries, start=1):
        yield of, batch(of, seq, rows, _day(seq)), delivery(of, seq, _day(seq))


def lake_of(folder: Path, deliveries: list[Delivery]) -> Engine:
    """A lake in which everything arrived and one run took it in."""
    engine = Engine(Settings(), Lake(folder / "lake"), folder / "tmp")
    last = _day(len(deliveries))
    with engine.run("way-1", "way", last) as run:
        for of, rows, entry in arrived(deliveries):
            run.stage_table(f"accepted/{of.resource}", rows)
            run.stage_table("batches", entry)
        execute_plan(run, full_run(catalog()), {"as_of": last})
        run.commit()
    return engine


def rebuilt(deliveries: list[Delivery], day: dt.date) -> Tables:
    tables = Tables()
    for of, rows, entry in arrived(deliveries):
        tables.append(f"accepted/{of.resource}", rows)
        tables.append("batches", entry)
    for planned in full_run(catalog()):
        tables.run(planned.stage, {"as_of": day})
    return tables


def about(table: pa.Table, subject: str) -> list[tuple[object, ...]]:
    return rows_of(pa.Table.from_pylist([row for row in table.to_pylist() if row["subject_id"] == subject]))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answer_of_a_past_day_equals_a_rebuild_of_that_day(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    deliveries: list[Delivery] = [(THRESHOLD, [{"no": "1", "least": Decimal(90)}]), *_deliveries(chance)]
    engine = lake_of(tmp_path, deliveries)
    compared = 0
    for number in sorted(chance.sample(range(3, len(deliveries)), DAYS)):
        day = _day(number)
        expected = rebuilt(deliveries[:number], day)
        subjects = sorted(set(expected["links"].column("subject_id").to_pylist()))
        for subject in chance.sample(subjects, min(SUBJECTS, len(subjects))):
            found = known_on(engine, catalog(), subject, day)
            for table in WANTED:
                rows = rows_of(found[table]) if table in found else []
                assert rows == about(expected[table], subject), (number, subject, table)
                compared += len(rows)
    engine.close()
    assert compared > 20


def test_what_was_withdrawn_since_was_known_then(tmp_path: Path) -> None:
    fine: dict[str, Any] = {"doc_no": "1", "code": CODE_B, "fine": Decimal(5), "decided_on": _day(1)}
    engine = lake_of(
        tmp_path,
        [
            (REGISTRATION, [FIRM_A, FIRM_B]),
            (PENALTY, [fine]),
            (PENALTY, [{"doc_no": "1", "op": "withdraw"}]),
            (REGISTRATION, [{"reg_key": FIRM_B["reg_key"], "op": "withdraw"}]),
        ],
    )
    identity = "SELECT subject_id FROM t WHERE identifier = :code"
    (subject,) = engine.query(identity, {"t": "subjects"}, {"code": CODE_B}).column("subject_id").to_pylist()
    assert engine.query("SELECT * FROM t WHERE subject_id = :s", {"t": "links"}, {"s": subject}).num_rows == 0

    def names_and_fines(day: dt.date) -> tuple[list[str], list[str]]:
        known = known_on(engine, catalog(), subject, day)
        values = known["values"].to_pylist() if "values" in known else []
        facts = known["facts"].to_pylist() if "facts" in known else []
        names = [v["value"] for v in values if (v["library"], v["attribute"]) == ("legal-entity", "name")]
        return names, [fact["record_id"] for fact in facts]

    assert names_and_fines(_day(2)) == ([FIRM_B["name"]], ["r002x001"])
    assert names_and_fines(_day(3)) == ([FIRM_B["name"]], [])
    assert names_and_fines(_day(4)) == ([], [])
    engine.close()
