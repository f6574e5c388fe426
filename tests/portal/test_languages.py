"""Chinese first, English second: the switch works, every text is translated, and the compiled file is in step."""

from __future__ import annotations

import ast
import datetime as dt
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

import shutong.portal
from shutong.pipeline.answers.snapshot import _contents
from shutong.portal.metadata import Metadata, unit_text
from shutong.portal.pages.words import ticket_title
from shutong.quality.models import Ticket
from shutong.spec.catalog import Catalog
from shutong.spec.loader import load_packs

PORTAL = Path(shutong.portal.__file__).parent
LOCALE = PORTAL / "locale" / "en" / "LC_MESSAGES"
HOW = "Run django-admin makemessages -l en and compilemessages in src/shutong/portal, and translate what is empty."
CHINESE = re.compile("[\u4e00-\u9fff]")


def catalog() -> dict[str, str]:
    with (LOCALE / "django.mo").open("rb") as file:
        translations = gettext.GNUTranslations(file)
    return {key: value for key, value in translations._catalog.items() if isinstance(key, str) and key}


def test_the_reader_chooses_the_language(site: Client) -> None:
    assert 'lang="zh-CN"' in site.get("/").content.decode()
    answer = site.post("/i18n/setlang/", {"language": "en", "next": "/search?q=甲乙丙丁"})
    assert answer.status_code == 302
    page = site.get("/search", {"q": "甲乙丙丁"}).content.decode()
    assert '<html lang="en">' in page and "Nothing found" in page and "没有找到" not in page


def test_an_english_browser_gets_english_and_titles_follow(site: Client, rows: dict[str, list[dict[str, Any]]]) -> None:
    fact = next(row for row in rows["answer_fact"] if row["kind"] == "penalty")
    page = site.get(f"/facts/{fact['fact_id']}", headers={"accept-language": "en"}).content.decode()
    for text in ("Batch and source", "Administrative penalty decisions", "Market Supervision Bureau", "7 working days"):
        assert text in page, text


def test_no_chinese_of_ours_is_left_on_english_pages(site: Client) -> None:
    """Data stay Chinese; what the site itself says does not."""
    for address in ("/about", "/accessibility", "/api", "/sign-in", "/search", "/no-such-page"):
        page = site.get(address, headers={"accept-language": "en"}).content.decode()
        body = re.sub(r'<button[^>]*lang="zh-CN">中文</button>', "", page)
        assert not CHINESE.search(body), (address, CHINESE.findall(body)[:10])


def _in_python() -> Iterator[str]:
    for path in PORTAL.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
            if called and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                yield node.args[0].value  # type: ignore[attr-defined]


def _in_templates() -> Iterator[str]:
    for path in (PORTAL / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for _quote, found in re.findall(r"{%\s*translate\s+([\"'])(.*?)\1", text):
            yield found.replace("%", "%%")
        for found in re.findall(r"{%\s*blocktranslate.*?%}(.*?){%\s*endblocktranslate", text, re.S):
            yield re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", found.strip())


def test_every_text_is_translated() -> None:
    known = catalog()
    missing = sorted({text for text in (*_in_python(), *_in_templates()) if text not in known})
    assert not missing, f"{HOW} Missing: {missing}"


def test_the_compiled_file_is_in_step_with_its_source() -> None:
    source = (LOCALE / "django.po").read_text(encoding="utf-8")
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', source, re.M)
    written = {key.replace('\\"', '"'): value.replace('\\"', '"') for key, value in pairs}
    assert written == catalog(), HOW
    assert "fuzzy" not in source


def test_placeholders_survive_translation() -> None:
    for source, translated in catalog().items():
        names = set(re.findall(r"%\((\w+)\)s", source))
        assert set(re.findall(r"%\((\w+)\)s", translated)) == names, source


def test_units_of_indicators_and_kinds_of_value_are_said_in_english(site: Client) -> None:
    english = {"accept-language": "en"}
    page = site.get("/statistics", headers=english).content.decode()
    assert "件" not in page and "万元" not in page
    with override("en"):
        assert (unit_text("件"), unit_text("万元"), unit_text("%")) == ("cases", "× 10,000 yuan", "%")
        item = {"element": "text", "codes": None}
        assert Metadata({}).element_title(item) == "Text"
    with override("zh-hans"):
        assert unit_text("件") == "件"


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_packs([Path(__file__).resolve().parents[2] / "packs"])


def test_what_sources_disagree_about_is_said_in_english(shipped: Catalog) -> None:
    ticket = Ticket(kind="disagreement", subject="legal-entity.legal_rep", title="法人和其他组织基础库：法定代表人")
    with override("zh-hans"):
        assert ticket_title(shipped, ticket) == "核实不一致：法人和其他组织基础库：法定代表人"
    gone = Ticket(kind="disagreement", subject="gone.name", title="旧库：名称")
    with override("en"):
        assert ticket_title(shipped, ticket) == "Verify: Base library of organisations: Legal representative"
        assert ticket_title(shipped, gone) == "Verify: 旧库：名称"


def test_every_item_of_the_shipped_packs_has_an_english_title(shipped: Catalog) -> None:
    contents = _contents(shipped, dt.date(2026, 7, 14))
    titles = {
        f"{name}.{key}": one["title"]["en"]
        for kind, parts in (("resource", "items"), ("library", "attributes"))
        for name, content in contents[kind].items()
        for key, one in content[parts].items()
    }
    assert titles["registration.uscc"] == "Unified social credit code"
    assert not [key for key, title in titles.items() if CHINESE.search(title)]
