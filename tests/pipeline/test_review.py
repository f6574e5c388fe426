"""Cases that wait for a person, decisions that hold in every later run, and runs that stop because they change too much."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shutong.accounts.actors import SYSTEM, Actor, NotAllowedError
from shutong.audit.models import Entry
from shutong.engine.home import Home
from shutong.pipeline.bounds import BoundsExceededError
from shutong.pipeline.models import Run
from shutong.pipeline.runs import run_way
from shutong.standards.codes import make_uscc
from shutong.subjects.actions import ReviewError, decide, undo
from shutong.subjects.models import Case, Decision
from tests.pipeline import small
from tests.pipeline.small import table

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

DAY = dt.date(2026, 7, 14)
PACK = {
    "pack.yml": "pack: tiny\ntitle: 小城\nversion: 1.0.0\ndepartments:\n  market: {title: 市场监管局}\n",
    "resources/register.yml": """resource: register
title: 登记
department: market
basis: 登记条例
delivery: snapshot
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: 名称, required: true}
  area: {element: area, title: 区划}
about: {kind: organisation, registry: true, uscc: uscc, name: name, area: area}
""",
    "resources/fine.yml": """resource: fine
title: 处罚
department: market
basis: 行政处罚法
key: [no]
items:
  no: {title: 文号, required: true}
  uscc: {element: uscc, title: 代码}
  name: {element: org-name, title: 名称}
  area: {element: area, title: 区划}
about: {kind: organisation, uscc: uscc, name: name, area: area}
""",
}
CLERK = Actor(id="u-clerk", name="核对员", roles=frozenset({"operator"}))
Deliver = Callable[..., None]


@pytest.fixture
def deliver(home: Home, tmp_path: Path) -> Deliver:
    """Deliver rows to a resource of a small pack."""
    small.install(tmp_path, PACK)

    def take(resource: str, rows: list[dict[str, Any]]) -> None:
        small.deliver(home, tmp_path, resource, rows, DAY)

    return take


def firm(number: int, name: str = "") -> dict[str, Any]:
    brand = "".join(chr(0x4E00 + 97 * number + 13 * place) for place in range(3))
    return {
        "代码": make_uscc(f"91980102MA1{number:06d}"),
        "名称": name or f"澜川市{brand}餐饮有限公司",
        "区划": "980102",
    }


def run(home: Home, **options: Any) -> str:
    kind: str = run_way(home, day=DAY, acting=SYSTEM, **options).kind
    return kind


def test_a_decision_holds_is_audited_and_can_be_undone(home: Home, deliver: Deliver, steward: Actor) -> None:
    deliver("register", [firm(1, "澜川市白杨商贸有限公司"), firm(2)])
    deliver("fine", [{"文号": "一", "代码": "", "名称": "澜川市白桦商贸有限公司", "区划": "980102"}])
    assert run(home) == "full"
    case = Case.objects.get()
    assert (case.state, case.reason, case.records, case.resources) == ("open", "review", 1, ["fine"])
    assert case.said == {"name": "澜川市白桦商贸有限公司", "area": "980102"}

    with pytest.raises(NotAllowedError):
        decide(case.case_key, "same", case.candidate, DAY, acting=steward)
    with pytest.raises(ReviewError, match="not one of those compared"):
        decide(case.case_key, "same", "osomebody", DAY, acting=CLERK)
    made = decide(case.case_key, "same", case.candidate, DAY, acting=CLERK)
    assert Entry.objects.filter(action="subjects.decide").count() == 1
    with pytest.raises(ReviewError, match="decided before"):
        decide(case.case_key, "different", case.candidate, DAY, acting=CLERK)

    assert run(home) == "increment"
    linked = next(row for row in table(home, "links") if row["resource"] == "fine")
    assert (linked["subject_id"], linked["method"]) == (case.candidate, "decision")
    assert Case.objects.get().state == "decided"
    assert run(home) == "nothing"

    deliver("fine", [{"文号": "二", "代码": "", "名称": "澜川市白桦商贸有限公司", "区划": "980102"}])
    run(home)
    assert sum(row["method"] == "decision" for row in table(home, "links")) == 2, "it holds for later rows"
    assert run(home, full=True) == "full"
    assert sum(row["method"] == "decision" for row in table(home, "links")) == 2, "and in a rebuild"

    undo(made.decision_id, DAY, acting=CLERK)
    with pytest.raises(ReviewError, match="undone before"):
        undo(made.decision_id, DAY, acting=CLERK)
    run(home)
    assert [row["resource"] for row in table(home, "unidentified")] == ["fine", "fine"]
    assert (Case.objects.get().state, Case.objects.get().records) == ("open", 2)
    assert Decision.objects.count() == 2, "decisions are never deleted"


def test_a_case_that_solves_itself_leaves_the_queue(home: Home, deliver: Deliver) -> None:
    deliver("register", [firm(1, "澜川市白杨商贸有限公司")])
    deliver("fine", [{"文号": "一", "代码": "", "名称": "澜川市白桦商贸有限公司", "区划": "980102"}])
    run(home)
    deliver("register", [firm(1, "澜川市白杨商贸有限公司"), firm(2, "澜川市白桦商贸有限公司")])
    run(home)
    case = Case.objects.get()
    assert case.state == "gone"
    with pytest.raises(ReviewError, match="needs no decision"):
        decide(case.case_key, "same", case.candidate, DAY, acting=CLERK)


def test_a_register_delivered_half_stops_the_run(home: Home, deliver: Deliver) -> None:
    deliver("register", [firm(number) for number in range(120)])
    run(home)
    before = table(home, "identifiers")
    deliver("register", [firm(number) for number in range(60)])
    with pytest.raises(BoundsExceededError, match="60 个登记主体将从各登记簿中消失"):
        run(home)
    assert table(home, "identifiers") == before, "yesterday's answers stay"
    ended = Run.objects.first()
    assert ended is not None and ended.state == "stopped" and "--allow-changes" in ended.error
    assert run(home, allow_changes=True) == "increment"
    assert len({row["subject_id"] for row in table(home, "identifiers") if row["kind"] == "uscc"}) == 60


def test_one_code_for_many_names_stops_the_run(home: Home, deliver: Deliver) -> None:
    deliver("register", [firm(1), firm(2)])
    run(home)
    rows = [{"文号": str(n), "代码": firm(1)["代码"], "名称": f"第{n}号完全不同的店", "区划": ""} for n in range(60)]
    deliver("fine", rows)
    with pytest.raises(BoundsExceededError, match="60 个登记簿中没有的名称"):
        run(home)
    assert all(row["resource"] == "register" for row in table(home, "links"))


def test_an_empty_code_column_and_a_name_of_thousands_merge_nothing(home: Home, deliver: Deliver) -> None:
    deliver("register", [firm(number, "兰州拉面馆") for number in range(200)])
    deliver("fine", [{"文号": str(n), "代码": "", "名称": "兰州拉面馆", "区划": "980102"} for n in range(50)])
    run(home)
    assert {row["reason"] for row in table(home, "unidentified")} == {"ambiguous"}
    assert len({row["subject_id"] for row in table(home, "links")}) == 200
