"""A ground that rests on the absence of a record waits while a record that may be the one waits for a person."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shutong.accounts.actions import create_account, give_role
from shutong.accounts.actors import SYSTEM, Actor
from shutong.catalog.actions import current_catalog
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.pipeline.after import waiting
from shutong.pipeline.runs import run_way
from shutong.rules.models import Listing
from shutong.standards.codes import make_uscc
from shutong.subjects.actions import decide, undo
from shutong.subjects.models import Case
from tests.pipeline.small import deliver, install, table

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

PACK = {
    "pack.yml": "pack: tiny\ntitle: 小城\nversion: 1.0.0\ndepartments:\n  market: {title: 市场监管局}\n",
    "resources/register.yml": """resource: register
title: 登记
department: market
basis: 登记条例
delivery: changes
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: 名称, required: true}
  area: {element: area, title: 区划}
about: {kind: organisation, registry: true, uscc: uscc, name: name, area: area}
open: {type: open}
""",
    "resources/report.yml": """resource: report
title: {zh: 年报, en: Annual reports}
department: market
basis: 公示条例
key: [no]
items:
  no: {title: 编号, required: true}
  uscc: {element: uscc, title: 代码}
  name: {element: org-name, title: 名称}
  area: {element: area, title: 区划}
about: {kind: organisation, uscc: uscc, name: name, area: area}
open: {type: open}
""",
    "libraries/entity.yml": """library: entity
title: 法人库
kind: organisation
public: true
attributes:
  uscc: {title: 代码, element: uscc, from: [register.uscc]}
  name: {title: 名称, element: org-name, from: [register.name]}
""",
    "lists/abnormal.yml": """list: abnormal
title: 异常名录
basis: 公示条例
entry: automatic
department: market
grounds:
  no-report:
    title: 未报年报
    basis: 第八条
    absence: [report]
    sql: |
      SELECT r.subject_id, make_date(2026, 7, 1) AS since, record_set(r.record_id) AS record_ids
      FROM register AS r LEFT JOIN report AS a ON a.subject_id = r.subject_id
      WHERE r.subject_id IS NOT NULL AND a.subject_id IS NULL
      GROUP BY r.subject_id
""",
}
DAY = dt.date(2026, 7, 14)
CLERK = Actor(id="u-clerk", name="核对员", roles=frozenset({"operator"}))
FIRMS = ["澜川市白杨商贸有限公司", "澜川市青禾食品有限公司"]
CODES = [make_uscc(f"91980102MA1{number:06d}") for number in range(2)]


@pytest.fixture
def town(home: Home, tmp_path: Path) -> Home:
    """Two firms; of the first a report came under a name that is nearly its own, of the second none."""
    install(tmp_path, PACK)
    rows = [{"代码": code, "名称": name, "区划": "980102"} for code, name in zip(CODES, FIRMS, strict=True)]
    deliver(home, tmp_path, "register", rows, DAY)
    report = {"编号": "一", "代码": "", "名称": "澜川市白桦商贸有限公司", "区划": "980102"}
    deliver(home, tmp_path, "report", [report], DAY)
    run_way(home, day=DAY, acting=SYSTEM)
    return home


def listings(home: Home) -> dict[str, tuple[str, int]]:
    """Name of the firm to the state of its listing and how many records it waits for."""
    names = {one["subject_id"]: one["name"] for one in table(home, "library/entity")}
    return {names[one.subject_id]: (one.state, len(one.waits_for)) for one in Listing.objects.all()}


def held(home: Home) -> Any:
    engine = engine_of(home)
    try:
        return waiting(engine, current_catalog())
    finally:
        engine.close()


def run(home: Home, after: int, *, full: bool = False) -> str:
    kind: str = run_way(home, day=DAY + dt.timedelta(days=after), full=full, acting=SYSTEM).kind
    return kind


def test_a_report_in_the_queue_holds_up_its_firm_alone_until_it_is_decided(town: Home) -> None:
    first, second = FIRMS
    assert listings(town) == {first: ("proposed", 1), second: ("listed", 0)}
    assert len(table(town, "candidates")) == 2, "it is kept as a candidate"
    case = Case.objects.get()
    assert held(town) == {"report": {case.candidate: [case.record_id]}}

    # Nothing new, an increment and a rebuild leave it waiting for the same record.
    before = (listings(town), held(town))
    assert [run(town, 0), run(town, 1), run(town, 1, full=True)] == ["nothing", "increment", "full"]
    assert (listings(town), held(town)) == before

    made = decide(case.case_key, "same", case.candidate, DAY + dt.timedelta(days=1), acting=CLERK)
    assert run(town, 2) == "increment"
    assert listings(town)[first] == ("declined", 1) and held(town) == {}
    assert Listing.objects.get(subject_id=case.candidate).entered_on is None

    # The decision is undone: the finding is proposed anew, and waits again.
    undo(made.decision_id, DAY + dt.timedelta(days=2), acting=CLERK)
    run(town, 3)
    states = Listing.objects.filter(subject_id=case.candidate).order_by("pk").values_list("state", "waits_for")
    assert list(states) == [("declined", [case.record_id]), ("proposed", [case.record_id])]


def test_a_report_of_somebody_else_lets_the_next_run_enter_the_firm(town: Home) -> None:
    case = Case.objects.get()
    decide(case.case_key, "different", case.candidate, DAY, acting=CLERK)
    assert run(town, 1) == "increment"
    assert listings(town) == {FIRMS[0]: ("listed", 0), FIRMS[1]: ("listed", 0)}
    entered = Listing.objects.get(subject_id=case.candidate)
    assert (entered.entered_by, entered.entered_on) == (SYSTEM.id, DAY + dt.timedelta(days=1))


def test_a_report_that_comes_in_clear_drops_the_candidate(town: Home, tmp_path: Path) -> None:
    deliver(town, tmp_path, "report", [{"编号": "二", "代码": CODES[0], "名称": FIRMS[0], "区划": "980102"}], DAY)
    assert run(town, 1) == "increment"
    assert listings(town)[FIRMS[0]] == ("declined", 1)


def signed_in(name: str, role: str, department: str = "") -> Client:
    user = create_account(name, None, acting=SYSTEM)
    give_role(user, role, department, acting=SYSTEM)
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_of_the_list_says_what_a_candidate_waits_for(town: Home) -> None:
    words = "1 条年报待核对"
    public = Client().get("/lists/abnormal").content.decode()
    assert "年报正待核对时，不自动列入" in public and words not in public and FIRMS[0] not in public
    review = f"/review?case={Case.objects.get().case_key}"
    regulator = signed_in("regulator", "regulator", "market").get("/lists/abnormal").content.decode()
    assert words in regulator and FIRMS[0] in regulator and review not in regulator
    operator = signed_in("operator", "operator")
    page = operator.get("/lists/abnormal").content.decode()
    assert words in page and review in page
    assert operator.get(review).status_code == 200
    english = operator.get("/lists/abnormal", headers={"accept-language": "en"}).content.decode()
    assert "Review of 1 of: Annual reports" in english and "a person still may" in english
