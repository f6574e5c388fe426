"""Every stage of the way on DuckDB and on Spark, compared row for row: on a small city, and on the packs' own cases."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from shutong.engine.engine import Engine
from shutong.engine.home import Home
from shutong.engine.lake import Lake
from shutong.engine.run import LakeRun
from shutong.engine.sqltext import Parameter
from shutong.pipeline import inputs
from shutong.rules.casetests import run_whole_case
from shutong.rules.plan import full_run, increment
from shutong.spec.cases import load_cases
from tests.engine.sparks import require_spark, spark_computing
from tests.pipeline.cities import ROOT, catalog, child, city, deliveries_of, new_home

# The whole way takes Spark many minutes on two cores; the contract and the portable SQL run every time.
pytestmark = [
    pytest.mark.services,
    pytest.mark.deep,
    pytest.mark.skipif(os.environ.get("SHUTONG_TEST_DEPTH") != "deep", reason="SHUTONG_TEST_DEPTH=deep runs it"),
]

SUBJECTS, SEED, DAYS = 120, 7, 4
CASES = sorted(path.parent for path in ROOT.glob("packs/*/tests/*/case.yml"))

# Stages whose tables may be empty in so small a city, and the library that holds real bulletins only.
SPARSE = {"disagreements", "cases", "library/reported-area"}


class BothWays:
    """The same runs over two copies of one lake: stages of the one on DuckDB, of the other on Spark."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.engines: list[Engine] = []
        for name, computing in (("duckdb", None), ("spark", spark_computing())):
            shutil.copytree(home.lake, folder / name / "lake")
            lake = Lake(folder / name / "lake")
            self.engines.append(Engine(home.settings, lake, folder / name / "tmp", computing=computing))
        self.differences: dict[str, list[str]] = {}
        self.rows: Counter[str] = Counter()

    def run(self, kind: str, day: dt.date) -> None:
        """One run of each, compared after every stage, so that the first stage that differs is the one to look at."""
        declared = catalog()
        with ExitStack() as stack:
            runs = [stack.enter_context(engine.run(f"{kind}-{day}", "way", day)) for engine in self.engines]
            params: dict[str, Parameter] = {"as_of": day}
            reached = inputs.last_reached(runs[0])
            if reached is not None:
                params |= {"since_seq": reached.upto_seq, "since_day": reached.business_day}
            for run in runs:
                inputs.stage_calendar(run, day)
            for one in full_run(declared) if reached is None else increment(declared):
                counts = [run.execute(one.stage, params, one.scope) for run in runs]
                found = [f"{table}: {text}" for table in counts[0] for text in differing(runs, table)]
                self.differences[f"{kind} {one.stage.name}"] = found
                self.rows.update({f"{kind} {table}": rows for table, rows in counts[0].items()})
            for run in runs:
                stages = inputs.identities(full_run(declared))
                inputs.note_reached(run, kind, inputs.last_seq(run, day), day, stages)
                run.commit()


def differing(runs: list[LakeRun], table: str) -> Iterator[str]:
    """Rows that only one of the two has, and columns of another type."""
    here, there = (run.peek("SELECT * FROM t ORDER BY ALL", {"t": table}) for run in runs)
    if here.schema != there.schema:
        yield f"columns {here.schema} and {there.schema}"
    if here.equals(there):
        return
    left, right = (Counter(map(repr, rows.to_pylist())) for rows in (here, there))
    yield from (f"DuckDB alone {row}" for row in list(left - right)[:3])
    yield from (f"Spark alone {row}" for row in list(right - left)[:3])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> BothWays:
    require_spark()
    folder = tmp_path_factory.mktemp("ways")
    home = new_home(folder / "home")
    files = deliveries_of(city(SUBJECTS, SEED, DAYS))
    child("deliver", home.path, json.dumps([[name, str(path), day] for name, path, day in files]))
    days = [dt.date.fromisoformat(day) for day in sorted({day for _, _, day in files})]
    ways = BothWays(home, folder)
    ways.run("full", days[-2])
    ways.run("increment", days[-1])
    return ways


PLANS = [("full", one.stage.name) for one in full_run(catalog())]
PLANS += [("increment", one.stage.name) for one in increment(catalog())]


@pytest.mark.parametrize(("kind", "stage"), PLANS)
def test_every_stage_has_the_same_rows(both: BothWays, kind: str, stage: str) -> None:
    assert both.differences[f"{kind} {stage}"] == []


def test_the_city_has_something_for_every_stage(both: BothWays) -> None:
    empty = {name for name, rows in both.rows.items() if not rows and name.startswith("full")}
    assert empty <= {f"full {table}" for table in SPARSE}
    changed = {name for name, rows in both.rows.items() if rows and name.startswith("increment")}
    assert {"increment mentions", "increment links", "increment values", "increment facts"} <= changed


@pytest.mark.parametrize("case", CASES, ids=[f"{path.parts[-3]}/{path.name}" for path in CASES])
def test_the_packs_own_cases_pass_on_spark(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_spark()
    # The session is there already, so that it does not spill into the home of the case.
    spark_computing().session()
    monkeypatch.setenv("SHUTONG_ENGINE", "spark")
    wanted = next(one for one in load_cases(case.parents[1], catalog()) if one.name == case.name)
    result: Any = run_whole_case(wanted, catalog())
    assert result.differences == ()
