"""Pages that say what the site is and how it can be used."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..components import Column, Crumb, Table
from .frame import page


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What the site is, where its data come from, and how a correction is asked for."""
    return page(request, "about.html", crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("关于本站"))])


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """How the site can be used without a mouse, with a screen reader, in print."""
    return page(request, "accessibility.html", crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("无障碍说明"))])


@require_safe
def api_guide(request: HttpRequest) -> HttpResponse:
    """The way into the JSON API."""
    public = [
        ("/search?q=", _("按名称或代码查主体")),
        ("/subjects/{subject_id}", _("主体的身份，及每个值的来源")),
        ("/subjects/{subject_id}/facts", _("主体的信用事项")),
        ("/facts/{fact_id}/chain", _("一条事项的完整来路：记录、批次、检查、认定、规则")),
        ("/lists", _("各份名单及其规则")),
        ("/lists/{name}/listings", _("一份名单的在列主体")),
        ("/statistics", _("可取的统计")),
        ("/indicators/{name}/observations", _("一项指标的全部数值及依据的记录")),
        ("/publicity", _("各部门公示及时率")),
        ("/resources", _("数据目录")),
    ]
    signed = [
        ("/batches", _("批次")),
        ("/batches/{batch_id}", _("一个批次及其签名回执")),
        ("/tickets", _("待办工单")),
        ("/tickets/{number}", _("一个工单及逐行处理情况")),
        ("/runs", _("运行")),
        ("/runs/{run_id}", _("一次运行的各个环节")),
    ]
    columns = [Column(_("地址"), "code"), Column(_("内容"))]
    groups = [
        (title, Table(title, columns, [[f"GET /api/v1{address}", text] for address, text in rows]))
        for title, rows in ((_("公开，无需登录"), public), (_("登录后可用"), signed))
    ]
    crumbs = [Crumb(_("首页"), reverse("home")), Crumb(_("开放接口"))]
    return page(request, "api.html", groups=groups, crumbs=crumbs)
