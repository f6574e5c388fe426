"""The review queue in a browser: from the first pair to the last by keyboard, and back by undoing."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import Any

import pyarrow as pa
import pytest

from shutong.accounts.actions import create_account, give_role
from shutong.accounts.actors import SYSTEM
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.subjects.actions import reconcile_cases
from shutong.subjects.models import Case, Decision
from shutong.subjects.tables import IDENTIFIERS
from tests.portal.test_browser import PASSWORD, browser, expect, look, page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "page"]

DAY = dt.date(2026, 7, 14)


@pytest.fixture
def queue(answers_home: Any, rows: Any, home: Home) -> list[Case]:
    """Three cases that wait, and what the registers hold of the subjects they are compared with."""
    shutil.copytree(answers_home[0] / "answers", home.answers, dirs_exist_ok=True)
    subjects = rows["answer_subject"][:3]
    held = []
    for row in subjects:
        for kind, value in (("name", row["name"]), ("area", "980102"), ("uscc", row["uscc"]), ("legal_rep", "张小明")):
            held.append({"subject_id": row["subject_id"], "kind": kind, "value": value, "current": True,
                         "registered": True, "record_id": "r1", "valid_from": DAY})  # fmt: skip
    engine = engine_of(home)
    with engine.run("review-test") as run:
        run.stage_table("identifiers", pa.Table.from_pylist(held, IDENTIFIERS))
        run.commit()
    engine.close()
    found = [
        {"case_key": f"{n}" * 32, "reason": "review", "candidate": row["subject_id"],
         "runner_up": subjects[0]["subject_id"] if n == 2 else "", "weight": 1500 - n,
         "evidence": {"similar": row["subject_id"], "brand": "near", "trade": "equal", "area": "equal", "weight": 1500,
                      "model": 0, "candidate": row["subject_id"]},
         "said": {"name": row["name"].replace(row["name"][4], "某", 1), "area": "980102", "legal_rep": "张晓明"},
         "record_id": f"r{n}", "resources": ["penalty"], "records": n + 1}
        for n, row in enumerate(subjects)
    ]  # fmt: skip
    reconcile_cases(found, DAY, acting=SYSTEM)
    user = create_account("clerk", PASSWORD, name="核对员", acting=SYSTEM)
    give_role(user, "operator", "", acting=SYSTEM)
    return list(Case.objects.all())


def sign_in(page: Any) -> None:
    page.goto("/review")
    page.get_by_label("用户名").fill("clerk")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="登录").click()


def test_the_queue_is_worked_through_by_keyboard(page: Any, queue: list[Case]) -> None:
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("主体核对")
    expect(page.get_by_text("第 1 对，共 3 对待核对")).to_be_visible()
    expect(page.locator(".compare-table mark").first).to_be_visible()
    look(page, "review")
    page.keyboard.press("j")
    expect(page.get_by_text("第 2 对，共 3 对待核对")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_text("第 1 对，共 3 对待核对")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_text("已记下：是同一主体")).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_text("已记下：不是同一主体")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("没有待核对的记录")).to_be_visible()
    look(page, "review-done")
    made = {one.case_key: (one.verb, one.subject_id) for one in Decision.objects.all()}
    assert made == {
        queue[0].case_key: ("same", queue[0].candidate),
        queue[1].case_key: ("different", queue[1].candidate),
        queue[2].case_key: ("same", queue[2].runner_up),
    }
    page.keyboard.press("u")
    expect(page.get_by_text("已撤销，请重新核对")).to_be_visible()
    expect(page.get_by_text("第 1 对，共 1 对待核对")).to_be_visible()
    assert Decision.objects.filter(verb="undo").count() == 1


def test_the_queue_is_for_reviewers_only(client: Any, queue: list[Case], rows: Any) -> None:
    assert client.get("/review").status_code == 302
    user = create_account("steward", PASSWORD, name="数据专员", acting=SYSTEM)
    give_role(user, "steward", "market-supervision", acting=SYSTEM)
    client.login(username="steward", password=PASSWORD)
    assert client.get("/review").status_code == 403
    assert client.post(f"/review/{queue[0].case_key}/decide", {"verb": "same"}).status_code == 403
    assert not Decision.objects.exists()
