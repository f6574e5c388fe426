"""The components as template tags: ``{% load ui %}``. Each draws one template of ``portal/ui/``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from shutong.pipeline.answers import names
from shutong.pipeline.answers.slips import code_key
from shutong.portal.components import Chart, Crumb, Field, Figure, Pager, Spark, Table
from shutong.portal.metadata import localised
from shutong.portal.queries.views import Clock, FactView
from shutong.subjects.explain import Words

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
    text, tone = clock_text(clock)
    return {"clock": clock, "tone": tone, "text": text}


def clock_text(clock: Clock) -> tuple[str, str]:
    """How a legal term stands, in words, and the tone of that."""
    number = clock.workdays
    if clock.rule == "release":
        return _release_text(clock), "info" if clock.state == "running" else "danger"
    tones = {"done": "ok", "late": "warn", "running": "info", "overdue": "danger"}
    texts = {
        "done": _("已按期公示，提前 %(n)s 个工作日") if number else _("已按期公示，恰为期限当日"),
        "late": _("迟 %(n)s 个工作日公示"),
        "running": _("公示期限还剩 %(n)s 个工作日") if number else _("今日为公示期限最后一日"),
        "overdue": _("已逾期 %(n)s 个工作日未公示"),
    }
    return texts[clock.state] % {"n": number}, tones[clock.state]


def _release_text(clock: Clock) -> str:
    if clock.state == "running":
        return _("移出期限还剩 %(n)s 个工作日") % {"n": clock.workdays}
    return _("移出已逾期 %(n)s 个工作日") % {"n": clock.workdays}


@register.inclusion_tag("portal/ui/chart.html")
def chart(value: Chart) -> dict[str, Any]:
    """A chart with its figures as a table that opens below it."""
    return {"chart": value}


@register.inclusion_tag("portal/ui/figures.html")
def figures(totals: Sequence[Figure], label: str) -> dict[str, Any]:
    """A row of totals."""
    return {"totals": totals, "label": label}


@register.inclusion_tag("portal/ui/spark.html")
def spark(value: Spark, wide: bool = False) -> dict[str, Any]:
    """A small picture of figures over time."""
    return {"bars": value.bars(), "label": value.label, "width": value.WIDTH, "wide": wide}


@register.simple_tag(takes_context=True)
def nav_current(context: template.Context, *prefixes: str | tuple[str, ...]) -> str:
    """The mark of the current page where the request's path lies under one of ``prefixes``."""
    request = context.get("request")
    path = request.path if request is not None else ""
    wanted = [one for prefix in prefixes for one in (prefix if isinstance(prefix, tuple) else (prefix,))]
    return mark_safe(' aria-current="page"') if any(one and path.startswith(one) for one in wanted) else ""


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
def said(words: Words) -> str:
    """An explanation's words in the reader's language."""
    return localised({"zh": words.zh, "en": words.en})


@register.filter
def percent_of_mille(score: int) -> str:
    """A certainty in per mille as percent."""
    return f"{score / 10:.10g}%"


@register.filter
def day(value: Any) -> str:
    """A date in running text: it is never broken over two lines."""
    return format_html(
        '<span class="nowrap">{}</span>', f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else value or "—"
    )


@register.filter
def enumerated(texts: Sequence[str]) -> str:
    """Texts one after the other, as the language separates them."""
    return str(_("、")).join(texts)


@register.filter
def marked(name: str, text: str) -> str:
    """A name with the searched text marked in it, where it holds it as it was typed."""
    wanted = names.search_key(text)
    start = name.lower().find(wanted) if wanted else -1
    if start < 0:
        return name
    end = start + len(wanted)
    return format_html("{}<mark>{}</mark>{}", name[:start], name[start:end], name[end:])


@register.filter
def slips(code: str, text: str) -> str:
    """A code with the characters marked in which it differs from the typed one of the same length."""
    typed = code_key(text)
    if len(typed) != len(code):
        return code
    parts = (
        (format_html("<mark>{}</mark>", own) if own != other else own,) for own, other in zip(code, typed, strict=True)
    )
    return format_html_join("", "{}", parts)


@register.filter
def short_hash(text: str | None) -> str:
    """The first twelve characters of a hash or id."""
    return (text or "")[:12]


@register.filter
def megabytes(value: int | None) -> str:
    """Bytes as kB or MB."""
    number = value or 0
    return f"{number / 1_000_000:.1f} MB" if number >= 1_000_000 else f"{max(1, number // 1000)} kB"
