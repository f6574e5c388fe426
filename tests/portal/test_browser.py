"""The site in a real browser: search, subject, statistics, a department's page, the language switch, and axe on each.

Chromium is found by SHUTONG_CHROMIUM or on the path. Pictures are kept in the folder SHUTONG_SCREENSHOTS where it is set.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shutong.accounts.actions import create_account, give_role
from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import install_packs
from shutong.engine.home import Home

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHROMIUM = os.environ.get("SHUTONG_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
INSTALLED = all(importlib.util.find_spec(name) for name in ("playwright", "axe_playwright_python"))
if not CHROMIUM or not INSTALLED:
    pytest.skip("no Chromium (SHUTONG_CHROMIUM) or no playwright", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

Rows = dict[str, list[dict[str, Any]]]
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


def look(page: Page, name: str) -> None:
    """What holds of every page: no sideways scrolling, no serious fault for axe; a picture where one is wanted."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name  # type: ignore[index]
    folder = os.environ.get("SHUTONG_SCREENSHOTS")
    if folder:
        width = page.viewport_size["width"]  # type: ignore[index]
        page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)
    found = Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in {"serious", "critical"}
    ]
    assert not serious, f"{name}: {serious}"


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
    look(page, "subject")
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


@pytest.mark.parametrize(
    "address", ["/lists", "/lists/abnormal-operation", "/publicity", "/catalog", "/catalog/penalty", "/about",
                "/accessibility", "/api", "/style", "/sign-in", "/no-such-page", "/statistics/new-registrations"],
)  # fmt: skip
def test_other_pages_hold_up(browser: Browser, rows: Rows, live_server: Any, address: str) -> None:
    for width in (1280, 390):
        context = browser.new_context(
            viewport={"width": width, "height": 844}, base_url=live_server.url, locale="zh-CN"
        )
        opened = context.new_page()
        opened.goto(address)
        look(opened, address.strip("/").replace("/", "-"))
        context.close()


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


def test_a_steward_delivers_and_sees_the_receipt(page: Page, tmp_path: Path, settings: Any) -> None:
    pack = tmp_path / "packs" / "tiny"
    for name, text in PACK.items():
        (pack / name).parent.mkdir(parents=True, exist_ok=True)
        (pack / name).write_text(text, encoding="utf-8")
    settings.SHUTONG_HOME = Home.create(tmp_path / "home").path
    install_packs([pack], acting=SYSTEM)
    user = create_account("clerk", PASSWORD, name="数据专员", acting=SYSTEM)
    give_role(user, "steward", "market", acting=SYSTEM)
    page.goto("/sign-in")
    page.get_by_label("用户名").fill("clerk")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("市场监管局")
    page.get_by_label("文件").set_input_files(
        {
            "name": "登记.csv",
            "mimeType": "text/csv",
            "buffer": "代码,名称\n91350100M000100Y43,青禾食品\n,无代码\n".encode(),
        }
    )
    page.get_by_role("button", name="上传").click()
    expect(page.get_by_text("已接收 2 行")).to_be_visible()
    look(page, "batch")
    page.goto("/departments/market")
    look(page, "department")
