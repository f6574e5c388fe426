"""What becomes of ids that were published: merged, separated again, vanished, returned, each written down once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shutong.accounts.actors import SYSTEM
from shutong.engine.home import Home
from shutong.pipeline.answers.store import AnswerStore
from shutong.pipeline.runs import renew_answers, run_way
from shutong.standards.codes import make_org_code, make_uscc
from tests.pipeline.small import deliver as deliver_rows
from tests.pipeline.small import install, table

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

PACK = {
    "pack.yml": "pack: tiny\ntitle: 小城\nversion: 1.0.0\ndepartments:\n  market: {title: 市场监管局}\n",
    "resources/register.yml": """resource: register
title: 登记
department: market
basis: 登记条例
delivery: changes
key: [no]
items:
  no: {title: 登记序号, required: true}
  op: {title: 操作}
  uscc: {element: uscc, title: 代码}
  org: {element: org-code, title: 组织机构代码}
  name: {element: org-name, title: 名称, required: true}
  area: {element: area, title: 区划}
operation: op
about: {kind: organisation, registry: true, uscc: uscc, org_code: org, name: name, area: area}
open: {type: open}
""",
    "resources/fine.yml": """resource: fine
title: 处罚
department: market
basis: 行政处罚法
delivery: changes
key: [no]
items:
  no: {title: 文号, required: true}
  uscc: {element: uscc, title: 代码}
  name: {element: org-name, title: 名称}
about: {kind: organisation, uscc: uscc, name: name}
open: {type: open}
""",
    "resources/social.yml": """resource: social
title: 社会组织登记
department: market
basis: 登记条例
delivery: snapshot
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: 名称, required: true}
about: {kind: organisation, registry: true, uscc: uscc, name: name}
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
}
ORGS = [make_org_code(f"MA1{number:05d}") for number in range(4)]
CODES = [make_uscc(f"91980102{org}") for org in ORGS]
NAMES = ["澜川市白杨商贸有限公司", "澜川市青禾食品有限公司", "澜川市石泉餐饮有限公司", "澜川市和润物流有限公司"]
Deliver = Callable[..., None]
FIRST = dt.date(2026, 7, 14)


@pytest.fixture
def deliver(home: Home, tmp_path: Path) -> Deliver:
    """Deliver rows to a resource of a small pack on a day, and run the way unless told otherwise."""
    install(tmp_path, PACK)

    def take(resource: str, *rows: dict[str, Any], after: int = 0, run: bool = True) -> None:
        day = FIRST + dt.timedelta(days=after)
        deliver_rows(home, tmp_path, resource, rows, day)
        if run:
            run_way(home, day=day, acting=SYSTEM)

    return take


def row(no: int, code: str = "", name: str = "", op: str = "", org: str = "") -> dict[str, Any]:
    """A row of the register."""
    return {
        "登记序号": str(no),
        "代码": code,
        "组织机构代码": org,
        "名称": name or NAMES[no],
        "区划": "980102",
        "操作": op,
    }


def events(home: Home) -> list[tuple[Any, ...]]:
    """The log in its order: event, subject, other, days after the first, cause."""
    rows = sorted(table(home, "subject_events"), key=lambda one: one["position"])
    assert [one["position"] for one in rows] == list(range(1, len(rows) + 1))
    return [(o["event"], o["subject_id"], o["other_id"], (o["on_day"] - FIRST).days, o["cause"]) for o in rows]


def subject(home: Home, identifier: str) -> str:
    """The id that was minted for a code."""
    return next(one["subject_id"] for one in table(home, "subjects") if one["identifier"] == identifier)


def test_a_merged_subject_that_is_separated_again_says_so(home: Home, deliver: Deliver, client: Client) -> None:
    deliver("register", row(0, org=ORGS[0]), row(1))
    first, second = subject(home, ORGS[0]), subject(home, f"{NAMES[1]}|980102")
    assert events(home) == [], "the first run has nothing to compare with"

    deliver("register", row(1, org=ORGS[0]), after=1)
    merged = ("merged", second, first, 1, "row")
    assert events(home) == [merged]
    assert client.get(f"/subjects/{second}").headers["Location"] == f"/subjects/{first}"
    page = client.get(f"/subjects/{first}").content.decode()
    assert "2026-07-15" in page and "另一主体并入本主体" in page and second in page
    assert f'href="/subjects/{second}"' not in page, "it would lead back here"

    deliver("register", row(1, org=ORGS[2]), after=2)
    separated = ("separated", second, first, 2, "row")
    assert events(home) == [merged, separated]
    for one, text in ((first, "另一主体从本主体分出"), (second, "从另一主体分出")):
        answer = client.get(f"/subjects/{one}")
        assert answer.status_code == 200 and text in answer.content.decode()
        said = client.get(f"/api/v1/subjects/{one}").json()["events"]
        assert [(o["event"], o["subject_id"], o["other_id"], o["on_day"]) for o in said] == [
            ("merged", second, first, "2026-07-15"), ("separated", second, first, "2026-07-16")
        ]  # fmt: skip
        assert said[1]["record_id"] and client.get(f"/records/{said[1]['record_id']}").status_code == 200
    before = client.get(f"/subjects/{first}", {"as_of": "2026-07-15"}).content.decode()
    assert "并入本主体" in before and "分出" not in before

    # Neither nothing new, nor everything computed again, is an event.
    run_way(home, day=FIRST + dt.timedelta(days=2), acting=SYSTEM)
    run_way(home, day=FIRST + dt.timedelta(days=3), full=True, acting=SYSTEM)
    assert events(home) == [merged, separated]


def test_a_corrected_code_leaves_a_written_page_behind(home: Home, deliver: Deliver, client: Client) -> None:
    deliver("register", row(0, CODES[0]), row(1, CODES[1]))
    gone = subject(home, CODES[0])
    assert client.get(f"/subjects/{gone}").status_code == 200
    deliver("register", row(0, CODES[2]), after=1)
    heir = subject(home, CODES[2])
    assert events(home) == [("vanished", gone, None, 1, "row")]

    answer = client.get(f"/subjects/{gone}")
    page = answer.content.decode()
    assert (answer.status_code, answer["Cache-Control"]) == (410, "no-cache")
    assert "2026-07-15" in page and "更正了它的记录" in page
    assert f'href="/subjects/{heir}"' in page and NAMES[0] in page
    answer = client.get(f"/api/v1/subjects/{gone}")
    problem = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (410, "application/problem+json")
    assert (problem["type"], problem["subject_id"], problem["successors"]) == ("/api#gone", gone, [heir])
    assert [one["event"] for one in problem["events"]] == ["vanished"]
    assert client.get(f"/api/v1/subjects/{gone}/facts").status_code == 410
    assert client.get("/subjects/onobody").status_code == 404
    assert client.get("/api/v1/subjects/onobody").status_code == 404

    # Another firm's row: the id is not given to anybody else. The same code again: it is back.
    deliver("register", row(3, CODES[0], NAMES[0]), after=2)
    assert events(home)[1:] == [("returned", gone, None, 2, "row")]
    assert client.get(f"/subjects/{gone}").status_code == 200
    assert [one["event"] for one in client.get(f"/api/v1/subjects/{gone}").json()["events"]] == ["vanished", "returned"]


def test_what_is_withdrawn_or_missing_from_a_snapshot_vanishes(home: Home, deliver: Deliver, client: Client) -> None:
    deliver("register", row(0, CODES[0]), row(1, CODES[1]), run=False)
    deliver("social", {"代码": CODES[2], "名称": NAMES[2]}, {"代码": CODES[3], "名称": NAMES[3]})
    withdrawn, dropped = subject(home, CODES[0]), subject(home, CODES[3])
    deliver("register", row(0, CODES[0], op="withdraw"), after=1)
    deliver("social", {"代码": CODES[2], "名称": NAMES[2]}, after=2)
    assert events(home) == [("vanished", withdrawn, None, 1, "withdrawn"), ("vanished", dropped, None, 2, "dropped")]
    for one, text in ((withdrawn, "撤回了它的记录"), (dropped, "全量报送中已没有它")):
        answer = client.get(f"/subjects/{one}")
        page = answer.content.decode()
        assert answer.status_code == 410 and text in page and "现在归于" not in page
        assert NAMES[0] not in page and NAMES[3] not in page, "what was taken back is not told again"
    english = client.get(f"/subjects/{withdrawn}", headers={"accept-language": "en"}).content.decode()
    assert "no longer" in english and "withdrew" in english


def test_a_merged_subject_whose_survivor_goes_still_leads_somewhere(
    home: Home, deliver: Deliver, client: Client
) -> None:
    deliver("register", row(0, org=ORGS[0]), row(1), row(2, CODES[2]))
    first, second = subject(home, ORGS[0]), subject(home, f"{NAMES[1]}|980102")
    deliver("register", row(1, org=ORGS[0]), after=1)
    deliver("register", row(0, op="withdraw"), row(1, op="withdraw"), after=2)
    assert [one[:3] for one in events(home)[1:]] == sorted(
        [("separated", second, first), ("vanished", first, None), ("vanished", second, None)],
        key=lambda one: (one[1], one[0]),
    )
    for one in (first, second):
        assert client.get(f"/subjects/{one}").status_code == 410


def test_a_row_of_somebody_unregistered_counts_too(home: Home, deliver: Deliver, client: Client) -> None:
    """A unified code that no register holds has a page while a row names it."""
    deliver("register", row(1, CODES[1]), run=False)
    deliver("fine", {"文号": "一", "代码": CODES[0], "名称": NAMES[0]})
    deliver("fine", {"文号": "一", "代码": CODES[1], "名称": NAMES[1]}, after=1)
    gone = subject(home, CODES[0])
    assert events(home) == [("vanished", gone, None, 1, "row")]
    assert client.get(f"/api/v1/subjects/{gone}").json()["successors"] == [subject(home, CODES[1])]


def test_a_run_that_dies_before_or_after_its_commit_and_runs_again_writes_an_event_once(
    home: Home, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_given: object, **_named: object) -> None:
        raise OSError("no power")

    deliver("register", row(0, CODES[0]), row(1, CODES[1]))
    gone = subject(home, CODES[0])
    deliver("register", row(0, CODES[2]), after=1, run=False)
    for place, left in (("inputs.note_reached", 0), ("after_commit", 1)):
        with monkeypatch.context() as killed, pytest.raises(OSError, match="no power"):
            killed.setattr(f"shutong.pipeline.runs.{place}", die)
            run_way(home, day=FIRST + dt.timedelta(days=1), acting=SYSTEM)
        assert len(events(home)) == left
    run_way(home, day=FIRST + dt.timedelta(days=1), acting=SYSTEM)
    assert events(home) == [("vanished", gone, None, 1, "row")]
    assert AnswerStore(home.answers).scalar("SELECT count(*) FROM answer_event") == 1


def test_an_increment_shows_the_events_that_a_new_build_shows(home: Home, deliver: Deliver) -> None:
    def shown() -> list[dict[str, Any]]:
        return AnswerStore(home.answers).fetch("SELECT * FROM answer_event ORDER BY position")

    deliver("register", row(0, CODES[0]), row(1, CODES[1]))
    deliver("register", row(0, CODES[2]), after=1)
    deliver("register", row(3, CODES[0], NAMES[0]), after=2)
    found = shown()
    assert [one["event"] for one in found] == ["vanished", "returned"]
    renew_answers(home, acting=SYSTEM)
    assert shown() == found
