"""The site in a real browser: every page, wide and narrow, without a fault for axe or on the console; and the ways people go.

Chromium is found by SHUTONG_CHROMIUM or on the path. Pictures are kept in the folder SHUTONG_SCREENSHOTS where it is set.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shutong.accounts.actions import create_account, give_role
from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import install_packs
from shutong.engine.home import Home
from shutong.pipeline.models import Run, StageRun
from shutong.rules.models import Listing
from shutong.subjects.actions import reconcile_cases

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOLDER = os.environ.get("SHUTONG_SCREENSHOTS")
CHROMIUM = os.environ.get("SHUTONG_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
INSTALLED = all(importlib.util.find_spec(name) for name in ("playwright", "axe_playwright_python"))
if not CHROMIUM or not INSTALLED:
    pytest.skip("no Chromium (SHUTONG_CHROMIUM) or no playwright", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

Rows = dict[str, list[dict[str, Any]]]
DRAWN = "() => [...document.querySelectorAll('[data-chart]')].every((place) => place.querySelector('svg'))"
PASSWORD = "not-a-real-password"
PACK = {
    "pack.yml": "pack: tiny\ntitle: 小城\nversion: 1.0.0\ndepartments:\n  market: {title: {zh: 市场监管局, en: Market bureau}}\n",
    "resources/register.yml": """resource: register
title: {zh: 登记, en: Register}
department: market
basis: 登记条例
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: 名称, required: true}
about: {kind: organisation, registry: true, uscc: uscc, name: name}
""",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module."""
    # Playwright keeps an event loop in this thread; the database is used between its calls, never inside them.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        # As root (containers) Chromium starts only without its sandbox; the pages are our own.
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "telephone"])
def page(request: pytest.FixtureRequest, browser: Browser, rows: Rows, live_server: Any) -> Iterator[Page]:
    """A reader's page; errors on the console and sideways scrolling fail the test."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN", base_url=live_server.url)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    assert not faults, faults
    context.close()


@pytest.fixture
def pages(browser: Browser, rows: Rows, live_server: Any) -> Iterator[Page]:
    """A reader's page for many addresses; whatever the console complains of, but for the status of a page, fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN", base_url=live_server.url)
    opened = context.new_page()
    faults: list[str] = []

    def heard(message: Any) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            faults.append(f"{opened.url}: {message.text}")

    opened.on("console", heard)
    opened.on("pageerror", lambda error: faults.append(f"{opened.url}: {error}"))
    yield opened
    assert not faults, faults
    context.close()


def look(page: Page, name: str) -> None:
    """What holds of every page: no sideways scrolling, wide or narrow, and no serious fault for axe.

    A picture of each width is kept where SHUTONG_SCREENSHOTS names a folder.
    """
    page.wait_for_load_state("load")
    page.wait_for_function(DRAWN)
    own = page.viewport_size
    assert own is not None
    other = {"width": 390 if own["width"] > 640 else 1280, "height": 844}
    for size in (other, own):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{name} {size}"
        if FOLDER:
            page.screenshot(path=str(Path(FOLDER) / f"{name}-{size['width']}.png"), full_page=True)
    found = Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in {"serious", "critical"}
    ]
    assert not serious, f"{name} {page.url}: {serious}"


def test_searching_leads_to_the_subject_and_its_chain(page: Page, rows: Rows) -> None:
    subject = next(row for row in rows["answer_subject"] if row["negative"])
    page.goto("/")
    look(page, "home")
    page.get_by_role("searchbox").fill(subject["name"][3:7])
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("link", name=subject["name"])).to_be_visible()
    look(page, "search")
    page.get_by_role("searchbox").fill(subject["uscc"])
    expect(page.locator(".hit")).to_have_count(1)
    page.get_by_role("link", name=subject["name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(subject["name"])
    page.locator(".provenance summary").first.click()
    look(page, "subject-opened")
    page.locator(".event-negative a").first.click()
    expect(page.get_by_role("heading", name="批次与来源")).to_be_visible()
    look(page, "fact")


def test_charts_are_drawn_and_have_a_table(page: Page) -> None:
    page.goto("/statistics")
    expect(page.locator(".chart-canvas svg").first).to_be_visible()
    assert page.locator(".chart-canvas svg").count() == page.locator("figure.chart").count()
    page.get_by_text("以表格查看数据").first.click()
    expect(page.locator(".chart-table[open] table").first).to_be_visible()
    look(page, "statistics")


def public_addresses(rows: Rows) -> Iterator[str]:
    """Every public page in every state that a reader meets."""
    subjects, facts = rows["answer_subject"], rows["answer_fact"]
    code = subjects[0]["uscc"]
    slip = code[:9] + ("1" if code[9] != "1" else "2") + code[10:]
    yield from ("/search", "/search?q=有", "/search?q=不存在的企业", "/search?q=澜川", f"/search?q={slip}")
    yield from ("/search?q=<script>alert(1)</script>", "/search?q=19812345678", "/search?q=澜川&category=enterprise")
    listed = rows["answer_listing"][0]["subject_id"]
    states = {row["status"]: row["subject_id"] for row in subjects if row["status"]}
    merged = next(row["subject_id"] for row in subjects if row.get("redirect_to"))
    bare = next(row["subject_id"] for row in subjects if not row["facts"] and not row.get("redirect_to"))
    individual = next(row["subject_id"] for row in subjects if row["category"] == "individual")
    gone = next(row["subject_id"] for row in rows["answer_event"] if row["event"] == "vanished")
    for subject in (listed, states["cancelled"], merged, bare, individual, gone):
        yield f"/subjects/{subject}"
    yield f"/subjects/{listed}?as_of=2026-01-01"
    flagged = next(row["fact_id"] for row in facts if row["flags"] not in (None, "[]"))
    penalty = next(row["fact_id"] for row in facts if row["kind"] == "penalty")
    yield from (f"/facts/{flagged}", f"/facts/{penalty}", f"/records/{rows['answer_source'][0]['record_id']}")
    yield from ("/lists", "/lists/abnormal-operation", "/lists/court-defaulter", "/lists/abnormal-operation?q=没有这家")
    indicator = rows["answer_observation"][0]
    yield from ("/statistics", f"/statistics/{indicator['indicator']}")
    yield f"/statistics/{indicator['indicator']}?period={indicator['period']}&series="
    yield from ("/publicity", "/catalog", "/catalog?q=没有这项", "/catalog/penalty")
    yield from ("/libraries", "/libraries/legal-entity", "/about", "/accessibility", "/api")
    yield from ("/style", "/sign-in", "/no-such-page")


def test_every_public_page_holds_up(pages: Page, rows: Rows) -> None:
    for number, address in enumerate(public_addresses(rows)):
        pages.goto(address)
        look(pages, f"public-{number:02d}")
    pages.goto("/api/v1/docs")
    expect(pages.get_by_text("/api/v1/search")).to_be_visible()


def test_the_language_switch_keeps_the_page(page: Page) -> None:
    page.goto("/lists/abnormal-operation")
    if page.viewport_size["width"] < 1000:  # type: ignore[index]
        page.locator("details.menu summary").click()
    page.get_by_role("button", name="English").locator("visible=true").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("List of abnormal operation")
    assert page.url.endswith("/lists/abnormal-operation")
    look(page, "list-english")


def test_the_keyboard_is_enough(page: Page, rows: Rows) -> None:
    page.goto("/search")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type(rows["answer_subject"][0]["uscc"])
    expect(page.locator(".hit")).to_have_count(1)


@pytest.fixture
def served(tmp_path: Path, settings: Any, answers_home: Any, rows: Rows) -> Home:
    """A home with a pack, ready answers, people of each role, candidates of a list, and a run that failed."""
    pack = tmp_path / "packs" / "tiny"
    for name, text in PACK.items():
        (pack / name).parent.mkdir(parents=True, exist_ok=True)
        (pack / name).write_text(text, encoding="utf-8")
    home = Home.create(tmp_path / "home")
    settings.SHUTONG_HOME = home.path
    shutil.copytree(answers_home[0] / "answers", home.answers, dirs_exist_ok=True)
    install_packs([pack], acting=SYSTEM)
    for name, role, department in (("clerk", "steward", "market"), ("boss", "operator", ""), ("eye", "auditor", "")):
        user = create_account(name, PASSWORD, name=name, acting=SYSTEM)
        give_role(user, role, department, acting=SYSTEM)
    times = {"started_at": "2026-07-14T01:00:00Z", "ended_at": "2026-07-14T01:00:09Z", "business_day": "2026-07-14"}
    run = Run.objects.create(run_id="way-1", kind="full", state="failed", error="OperationalError", **times)
    day = dt.date(2026, 7, 1)
    firms = [(rows["answer_subject"][place]["subject_id"], found) for place, found in ((0, ["r1", "r2"]), (1, []))]
    for firm, waits_for in firms:
        Listing.objects.create(
            candidate_id=f"c{firm}", list="abnormal-operation", ground="no-annual-report", subject_id=firm, since=day,
            found_on=day, enter_due_on=dt.date(2026, 7, 15), waits_for=waits_for, rule_version="1-a",
        )  # fmt: skip
    case = {"reason": "review", "weight": 900, "record_id": "r1", "resources": ["annual-report"], "records": 2}
    evidence = {"similar": firms[0][0], "candidate": firms[0][0]}
    reconcile_cases(
        [{"case_key": "a" * 32, "candidate": firms[0][0], "evidence": evidence, **case}], day, acting=SYSTEM
    )
    StageRun.objects.create(run=run, position=1, stage="identify", seconds=1.5, peak_bytes=5_000_000, rows={"links": 7})
    return home


def sign_in(page: Page, name: str) -> None:
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="登录").click()
    expect(page.get_by_role("button", name="退出").locator("visible=true")).to_have_count(1)


def deliver(page: Page, content: bytes, name: str = "登记.csv") -> None:
    page.get_by_label("文件").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="上传").click()


def test_every_signed_in_page_holds_up(pages: Page, served: Home) -> None:
    """A clerk delivers a file with faults and brings it right; an operator sees a failure; an auditor reads the log."""
    sign_in(pages, "clerk")
    expect(pages.get_by_role("heading", level=1)).to_have_text("市场监管局")
    look(pages, "department-new")
    deliver(pages, "代码,名称\n91350100M000100Y43,青禾食品\n,无代码\n".encode())
    expect(pages.get_by_text("已接收 2 行")).to_be_visible()
    expect(pages.locator("td.wrong")).to_have_count(1)
    look(pages, "batch")
    batch = pages.url
    with pages.expect_download() as download:
        pages.get_by_role("link", name="下载 CSV").click()
    sheet = Path(download.value.path()).read_text(encoding="utf-8-sig")
    pages.get_by_role("link", name="工单").first.click()
    look(pages, "ticket")
    corrected = re.sub(r",,无代码", ",91440300708461136T,无代码", sheet)
    assert corrected != sheet
    deliver(pages, corrected.encode(), "改正.csv")
    expect(pages.get_by_text("已办结").first).to_be_visible()
    look(pages, "batch-corrected")
    pages.goto("/departments/market")
    look(pages, "department")
    deliver(pages, b"%PDF-1.7", "登记.xlsx")
    expect(pages.get_by_role("heading", name="怎么办")).to_be_visible()
    look(pages, "batch-refused")
    pages.goto("/departments/market/tickets?state=all")
    look(pages, "tickets")
    pages.goto("/operations")
    look(pages, "forbidden")
    sign_in(pages, "boss")
    for name, address in (("operations", "/operations"), ("run", "/operations/runs/way-1"), ("figures", "/figures"),
                          ("review", "/review")):  # fmt: skip
        pages.goto(address)
        look(pages, name)
    pages.goto(batch)
    look(pages, "batch-of-another")
    pages.goto("/lists/abnormal-operation")
    expect(pages.get_by_role("link", name="2 条企业年度报告待核对")).to_be_visible()
    look(pages, "list-proposed")
    sign_in(pages, "eye")
    expect(pages.get_by_role("heading", level=1)).to_have_text("审计记录")
    pages.get_by_role("button", name="验证整本记录").click()
    look(pages, "audit")


SHARING = Path(__file__).resolve().parents[1] / "exchange" / "packs" / "sharing"


def test_a_request_is_asked_answered_and_reviewed_by_three_people(pages: Page, served: Home) -> None:
    """Civil affairs asks the tax office, which leaves an item out; the bureau agrees; the refused rest is disputed."""
    install_packs([SHARING], acting=SYSTEM)
    people = (("asker", "steward", "civil-affairs"), ("owner", "steward", "tax"), ("officer", "data-officer", ""))
    for name, role, department in people:
        give_role(create_account(name, PASSWORD, name=name, acting=SYSTEM), role, department, acting=SYSTEM)
    sign_in(pages, "asker")
    pages.goto("/sharing")
    look(pages, "sharing-empty")
    pages.goto("/sharing/ask/income")
    for label in ("统一社会信用代码", "申报金额", "重点税源测算"):
        pages.get_by_label(label).select_option("none")
    pages.get_by_label("用途").fill("核对低保家庭收入")
    pages.get_by_label("依据").fill("社会救助暂行办法第五十八条")
    last = served.today() + dt.timedelta(days=200)
    pages.get_by_label("截止日期").fill(str(last))
    look(pages, "sharing-ask")
    pages.get_by_role("button", name="提交申请").click()
    expect(pages.get_by_text("待提供部门答复")).to_be_visible()
    address = pages.url
    look(pages, "sharing-asked")
    sign_in(pages, "owner")
    pages.goto(address)
    look(pages, "sharing-owner")
    pages.get_by_label("申报金额").select_option("left-out")
    pages.get_by_label("不提供的信息项的法律依据").fill("税收征收管理法第八条")
    pages.get_by_role("button", name="同意共享").click()
    expect(pages.get_by_text("待数据局复核")).to_be_visible()
    sign_in(pages, "officer")
    pages.goto("/sharing")
    look(pages, "sharing-bureau")
    pages.goto(address)
    look(pages, "sharing-review")
    pages.get_by_role("button", name="复核同意").click()
    expect(pages.get_by_text("已同意，待提供数据")).to_be_visible()
    look(pages, "sharing-agreed")
    sign_in(pages, "asker")
    pages.goto(address)
    pages.locator("#dispute-reason").fill("没有金额无法核对收入")
    pages.get_by_role("button", name="提出争议").click()
    expect(pages.get_by_text("争议已提交，待数据局处理")).to_be_visible()
    pages.goto("/sharing?state=all")
    look(pages, "sharing-all")
