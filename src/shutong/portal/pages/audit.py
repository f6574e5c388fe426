"""The auditor's page: the log entry by entry, and its proof."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shutong.audit.models import Entry
from shutong.audit.verification import verify
from shutong.catalog.actions import current_catalog
from shutong.pipeline.jobs import the_home
from shutong.spec.catalog import Catalog

from ..components import Cell, Column, Crumb, Field, Option, Pager, Table
from ..queries import work as queries
from .frame import page, page_parameter, signed_in, text_parameter
from .words import action_title, department_title, english

_LIMIT = 50
_FEW = 3


@never_cache
@require_safe
@signed_in("audit.read")
def audit(request: HttpRequest) -> HttpResponse:
    """The audit log, entry by entry."""
    return _audit_page(request)


@never_cache
@require_POST
@signed_in("audit.read")
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Verify the whole log and show what was found."""
    return _audit_page(request, verified=True)


def _outcomes() -> dict[str, tuple[str, str]]:
    return {
        "done": (_("完成"), "ok"),
        "denied": (_("拒绝"), "danger"),
        "failed": (_("失败"), "warn"),
        "read": (_("读取"), ""),
    }


def _audit_page(request: HttpRequest, *, verified: bool = False) -> HttpResponse:
    who, action, outcome = (text_parameter(request, name) for name in ("actor", "action", "outcome"))
    offset = (page_parameter(request) - 1) * _LIMIT
    found, count = queries.entries(actor=who, action=action, outcome=outcome, limit=_LIMIT, offset=offset)
    report = verify(the_home()) if verified else None
    choices = [Option("", _("全部")), *(Option(key, text) for key, (text, _tone) in _outcomes().items())]
    return page(
        request,
        "audit.html",
        table=_entries_table(current_catalog(), found, queries.people(found)),
        pager=Pager(count, _LIMIT, offset, {"actor": who, "action": action, "outcome": outcome}),
        fields=[
            Field("actor", _("操作者编号"), value=who),
            Field("action", _("动作代码"), value=action),
            Field("outcome", _("结果"), "select", outcome, choices),
        ],
        report=report,
        faults=[
            (one.code, one.where, one.position, one.en if english() else one.zh)
            for one in (report.faults[:100] if report else [])
        ],
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("审计"))],
    )


def _entries_table(catalog: Catalog, found: list[Entry], people: dict[str, str]) -> Table:
    columns = [
        Column(_("时刻"), "date"), Column(_("动作")), Column(_("结果")), Column(_("操作者")), Column(_("对象"), "wide"),
        Column(_("位置"), "number"), Column(_("散列"), "code"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = []
    for one in found:
        text, tone = _outcomes().get(one.outcome, (one.outcome, ""))
        title = action_title(one.action)
        department = department_title(catalog, one.department) if one.department else ""
        name = _("平台") if one.actor == "system" else people.get(one.actor, "")
        rows.append(
            [
                f"{localtime(one.at):%Y-%m-%d %H:%M:%S}", Cell(title or one.action, note=one.action if title else ""),
                Cell(text, tone=tone), Cell(name or one.actor, note=" ".join(filter(None, (one.actor, department)))),
                _about(one), str(one.position), one.hash[:12],
            ]
        )  # fmt: skip
    return Table(_("审计记录"), columns, rows, _("没有符合条件的记录"), _("换一个操作者、动作或结果再看。"))


def _about(entry: Entry) -> str:
    """What an action was about: its details and the first of its objects."""
    body: dict[str, Any] = json.loads(entry.body)
    details = [f"{name} {_short(value)}" for name, value in body.get("detail", {}).items() if value != ""]
    objects = [str(one) for one in body.get("objects", ())]
    if len(objects) > _FEW:
        objects = [*objects[:_FEW], _("等 %(n)s 个") % {"n": f"{len(objects):,}"}]
    return str(_("，")).join([*details, *objects])


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
