"""Every template of the portal compiles by itself: an include is compiled when it is drawn, so a fault shows on that page only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import Engine, TemplateSyntaxError
from django.template.loader import get_template, render_to_string

import shutong.portal
from shutong.portal.queries.views import AttributeView, SourceValue
from shutong.portal.templatetags.ui import register

FOLDER = Path(shutong.portal.__file__).parent / "templates"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))
NAMED = re.compile(r"[\"'](?:portal/)?([\w/]+\.html)[\"']")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_loads_what_it_uses(name: str) -> None:
    """Raises TemplateSyntaxError for a tag or filter that the template itself does not load."""
    get_template(name)


def test_a_template_that_does_not_load_ui_is_found() -> None:
    engine = Engine(libraries={"ui": "shutong.portal.templatetags.ui"})
    for text in ("{% badge 'x' %}", "{{ value|day }}"):
        with pytest.raises(TemplateSyntaxError):
            engine.from_string(text)
        engine.from_string("{% load ui %}" + text)


def test_every_template_is_drawn_somewhere() -> None:
    sources = [*Path(shutong.portal.__file__).parent.rglob("*.py"), *FOLDER.rglob("*.html")]
    named = {found for path in sources for found in NAMED.findall(path.read_text(encoding="utf-8"))}
    unused = [name for name in TEMPLATES if name.removeprefix("portal/") not in named]
    assert not unused


def test_ui_is_loaded_where_it_is_used_only() -> None:
    """A template that loads ``ui`` needs it: what it uses can then be read off its first lines."""
    tags, filters = "|".join(register.tags), "|".join(register.filters)
    use = re.compile(rf"{{%\s*(?:{tags})\s|\|(?:{filters})\b")
    wrong = []
    for name in TEMPLATES:
        # A loop has an `empty` of its own.
        text = (FOLDER / name).read_text(encoding="utf-8").replace("{% empty %}", "")
        if bool(re.search(r"{%\s*load\s[^%]*\bui\b", text)) != bool(use.search(text)):
            wrong.append(name)
    assert not wrong


@pytest.mark.parametrize("public", [True, False])
def test_the_parts_of_an_attribute_are_drawn_by_themselves(public: bool) -> None:
    def value(text: str) -> SourceValue:
        return SourceValue(
            text,
            True,
            True,
            "2026-01-01",
            "2026-02-01",
            "register",
            "登记",
            "市场监管局",
            "r1",
            "b1",
            "2026-01-02",
            public,
        )

    one = AttributeView("legal-entity", "name", "名称", value("海云"), (value("云海"),), code=True)
    page = render_to_string("portal/parts/attribute.html", {"one": one})
    assert "2 个来源" in page and "已脱敏" in page and ("/records/r1" in page) is public
    assert "自 <span" in page and "2026-01-02" in render_to_string("portal/parts/source.html", {"value": one.value})
