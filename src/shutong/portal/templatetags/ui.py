"""The components as template tags: ``{% load ui %}``. Each draws one template of ``portal/ui/``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.translation import gettext as _

from shutong.portal.components import Chart, Crumb, Field, Pager, Table
from shutong.portal.metadata import localised
from shutong.portal.queries.chains import method_title
from shutong.portal.queries.views import Clock, FactView

register = template.Library()

_WEIGHTS = {"negative": "danger", "positive": "ok", "neutral": ""}


@register.inclusion_tag("portal/ui/badge.html")
def badge(text: str, tone: str = "") -> dict[str, Any]:
    """A small label; the tone colours it, the text alone must say it."""
    return {"text": text, "tone": tone}


@register.inclusion_tag("portal/ui/table.html")
def table(value: Table) -> dict[str, Any]:
    """A table; on a narrow screen each row becomes a card of titled lines."""
    return {"table": value}


@register.inclusion_tag("portal/ui/pager.html")
def pager(value: Pager) -> dict[str, Any]:
    """Where one is in a list, and the way to the pages beside."""
    return {"pager": value}


@register.inclusion_tag("portal/ui/breadcrumb.html")
def breadcrumb(crumbs: Sequence[Crumb]) -> dict[str, Any]:
    """The way back."""
    return {"crumbs": crumbs}


@register.inclusion_tag("portal/ui/empty.html")
def empty(title: str, hint: str = "", href: str = "", action: str = "") -> dict[str, Any]:
    """There is nothing here: says so, why, and what one can do."""
    return {"title": title, "hint": hint, "href": href, "action": action}


@register.inclusion_tag("portal/ui/notice.html")
def notice(text: str, tone: str = "info", title: str = "") -> dict[str, Any]:
    """A message in the page: info, ok, warn or danger (which is announced at once)."""
    return {"text": text, "tone": tone, "title": title}


@register.inclusion_tag("portal/ui/field.html")
def field(value: Field) -> dict[str, Any]:
    """A form field with its label, help and errors."""
    return {"field": value}


@register.inclusion_tag("portal/ui/filters.html")
def filters(fields: Sequence[Field], action: str = "") -> dict[str, Any]:
    """A bar of filters sent by GET."""
    return {"fields": fields, "action": action}


@register.inclusion_tag("portal/ui/key_values.html")
def key_values(lines: Sequence[Any]) -> dict[str, Any]:
    """Titled values one under the other."""
    return {"lines": lines}


@register.inclusion_tag("portal/ui/timeline.html")
def timeline(facts: Sequence[FactView]) -> dict[str, Any]:
    """Facts by year, newest first."""
    years: dict[str, list[FactView]] = {}
    for fact in facts:
        years.setdefault(fact.on_date[:4], []).append(fact)
    return {"years": list(years.items())}


@register.inclusion_tag("portal/ui/countdown.html")
def countdown(clock: Clock) -> dict[str, Any]:
    """A legal term in working days from the business day: running, met, late or overdue."""
    number = clock.workdays
    tones = {"done": "ok", "late": "warn", "running": "info", "overdue": "danger"}
    texts = {
        "done": _("已按期公示，提前 %(n)s 个工作日") if number else _("已按期公示，恰为期限当日"),
        "late": _("迟 %(n)s 个工作日公示"),
        "running": _("公示期限还剩 %(n)s 个工作日") if number else _("今日为公示期限最后一日"),
        "overdue": _("已逾期 %(n)s 个工作日未公示"),
    }
    return {"clock": clock, "tone": tones[clock.state], "text": texts[clock.state] % {"n": number}}


@register.inclusion_tag("portal/ui/chart.html")
def chart(value: Chart) -> dict[str, Any]:
    """A chart with its figures as a table that opens below it."""
    return {"chart": value}


@register.simple_tag(takes_context=True)
def nav_current(context: template.Context, prefix: str) -> str:
    """``page`` where the request's path lies under ``prefix``: the value of aria-current."""
    request = context.get("request")
    return "page" if request is not None and request.path.startswith(prefix) else "false"


@register.filter
def weight_tone(weight: str) -> str:
    """Tone of a fact's or list's weight."""
    return _WEIGHTS.get(weight, "")


@register.filter
def figure(value: Any) -> str:
    """A whole number with thousands separators."""
    # Not Django's own grouping: it follows the Chinese locale's four digits, which no official table uses.
    return f"{value:,.0f}" if value is not None else "—"


@register.filter
def title_of(title: Any) -> str:
    """A ``{zh, en}`` title in the reader's language."""
    return localised(title)


@register.filter
def link_method(method: str) -> str:
    """How a record was matched to its subject, in words."""
    return method_title(method)


@register.filter
def short_hash(text: str | None) -> str:
    """The first twelve characters of a hash or id."""
    return (text or "")[:12]


@register.filter
def megabytes(value: int | None) -> str:
    """Bytes as kB or MB."""
    number = value or 0
    return f"{number / 1_000_000:.1f} MB" if number >= 1_000_000 else f"{max(1, number // 1000)} kB"
