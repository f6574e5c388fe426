"""The operator's pages (runs, stages, deliveries, checks of the installation) and the auditor's."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shutong.audit import reads
from shutong.audit.chain import Record
from shutong.audit.verification import verify
from shutong.catalog.actions import current_catalog
from shutong.jobs.work import enqueue_unless_waiting
from shutong.jobs.worker import waiting_work
from shutong.pipeline.jobs import run_increment, the_home
from shutong.pipeline.models import Run
from shutong.pipeline.operations.doctor import Finding, examine

from ..charts import bars, figure
from ..components import Cell, Column, Crumb, Field, Option, Pager, Table
from ..metadata import localised
from ..queries import work as queries
from .frame import page, page_parameter, reader, signed_in, text_parameter
from .work import batches_table

_RUN_TONES = {"running": "info", "done": "ok", "failed": "danger", "killed": "danger"}
_FINDING_TONES = {"ok": "ok", "warn": "warn", "fail": "danger"}


def _run_state(run: Run) -> Cell:
    texts = {"running": _("进行中"), "done": _("完成"), "failed": _("失败"), "killed": _("中断")}
    return Cell(texts[run.state], tone=_RUN_TONES[run.state])


def run_kind(kind: str) -> str:
    """Kind of a run in words."""
    return {"full": _("全量"), "increment": _("增量"), "nothing": _("无变化")}.get(kind, kind)


def _seconds(run: Run) -> str:
    return f"{(run.ended_at - run.started_at).total_seconds():,.1f}" if run.ended_at else "—"


@never_cache
@require_safe
@signed_in("pipeline.read")
def operations(request: HttpRequest) -> HttpResponse:
    """Runs, deliveries by department against their cycle, refused batches, tickets, and the doctor."""
    home = the_home()
    today = home.today()
    catalog = current_catalog()
    found = queries.runs()
    refused, _count = queries.batches(state="refused", limit=10)
    actor = reader(request)
    findings = sorted(examine(home), key=lambda one: {"fail": 0, "warn": 1, "ok": 2}[one.state])
    return page(
        request,
        "operations.html",
        runs=_runs_table(found),
        latest=found[0] if found else None,
        latest_state=_run_state(found[0]) if found else None,
        failures=[one for one in found if one.state in {"failed", "killed"}][:3],
        figures=queries.batch_figures(),
        waiting=waiting_work(),
        tickets=len(queries.open_tickets(limit=1000)),
        departments=_departments_table(queries.departments(today)),
        refused=batches_table(catalog, refused, _("没有整批退回的文件"), _("文件打不开、缺少必填列等情况会整批退回。")),
        findings=_findings_table(findings),
        may_run=actor is not None and actor.may("pipeline.run"),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("运行"))],
    )


def _runs_table(found: list[Run]) -> Table:
    columns = [
        Column(_("运行"), "code"), Column(_("状态")), Column(_("方式")), Column(_("业务日"), "date"), Column(_("开始"), "date"),
        Column(_("秒"), "number"), Column(_("截至批次"), "number"), Column(_("重算主体"), "number"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(run.run_id, reverse("run", args=[run.run_id])), _run_state(run), run_kind(run.kind),
            str(run.business_day), f"{localtime(run.started_at):%Y-%m-%d %H:%M}", _seconds(run), figure(run.upto_seq), figure(run.subjects),
        ]
        for run in found
    ]  # fmt: skip
    return Table(_("最近的运行"), columns, rows, _("还没有运行过"), _("接收数据后，点“立即运行”。"))


def _departments_table(found: list[queries.DepartmentFigures]) -> Table:
    columns = [
        Column(_("部门")), Column(_("资源"), "number"), Column(_("逾期或未报"), "number"), Column(_("批次"), "number"),
        Column(_("接受行"), "number"), Column(_("退回行"), "number"), Column(_("待办工单"), "number"), Column(_("最近报送"), "date"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(localised(one.title), reverse("department", args=[one.name])), figure(one.resources),
            Cell(figure(one.late), tone="danger") if one.late else "0", figure(one.batches), figure(one.accepted),
            figure(one.rejected), figure(one.open_tickets), str(one.latest or ""),
        ]
        for one in found
    ]  # fmt: skip
    return Table(_("各部门报送"), columns, rows, _("目录中还没有部门"), _("先安装专题包。"))


def _findings_table(findings: list[Finding]) -> Table:
    english = (get_language() or "").startswith("en")
    states = {"ok": _("正常"), "warn": _("注意"), "fail": _("故障")}
    rows: list[list[Cell | str]] = [
        [Cell(states[one.state], tone=_FINDING_TONES[one.state]), one.name, one.en if english else one.zh]
        for one in findings
    ]
    return Table(_("系统检查"), [Column(_("状态")), Column(_("检查"), "code"), Column(_("结果"))], rows)


@require_POST
@signed_in("pipeline.run")
def rerun(request: HttpRequest) -> HttpResponseRedirect:
    """Queue a run; one that waits already is enough."""
    full = request.POST.get("full") == "1"
    task = enqueue_unless_waiting(run_increment, full) if full else enqueue_unless_waiting(run_increment)
    actor = reader(request)
    if actor is not None:
        reads.note(
            Record(
                action="pipeline.enqueue", outcome="done", actor=actor.values(), objects=(task,), detail={"full": full}
            )
        )
    messages.success(request, _("已排入后台队列，完成后会出现在运行列表中。"))
    return HttpResponseRedirect(reverse("operations"))


@never_cache
@require_safe
@signed_in("pipeline.read")
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """A run: its stages with seconds, memory and rows, or why it failed."""
    found = get_object_or_404(Run, run_id=run_id)
    stages = queries.stages(found)
    columns = [Column(_("环节")), Column(_("秒"), "number"), Column(_("峰值内存"), "number"), Column(_("写入行"))]
    rows: list[list[Cell | str]] = [
        [
            one.stage, f"{one.seconds:.2f}", f"{one.peak_bytes / 1e6:,.0f} MB",
            "，".join(f"{table} {figure(count)}" for table, count in one.rows.items()),
        ]
        for one in stages
    ]  # fmt: skip
    values = [{"dimension": one.stage, "value": round(one.seconds, 2)} for one in stages]
    return page(
        request,
        "run.html",
        run=found,
        state=_run_state(found),
        kind=run_kind(found.kind),
        seconds=_seconds(found),
        stages=Table(_("各环节"), columns, rows, _("没有环节的记录"), _("运行没有变化，或在第一个环节前就停了。")),
        chart=bars("stages", _("各环节用时"), values, dimension=_("环节"), measure=_("秒")) if values else None,
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("运行"), reverse("operations")), Crumb(found.run_id)],
    )


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


def _audit_page(request: HttpRequest, *, verified: bool = False) -> HttpResponse:
    who, action, outcome = (text_parameter(request, name) for name in ("actor", "action", "outcome"))
    number, limit = page_parameter(request), 50
    found, count = queries.entries(actor=who, action=action, outcome=outcome, limit=limit, offset=(number - 1) * limit)
    outcomes = {
        "done": (_("完成"), "ok"),
        "denied": (_("拒绝"), "danger"),
        "failed": (_("失败"), "warn"),
        "read": (_("读取"), ""),
    }
    columns = [
        Column(_("时刻"), "date"),
        Column(_("动作"), "code"),
        Column(_("结果")),
        Column(_("操作者"), "code"),
        Column(_("部门")),
        Column(_("位置"), "number"),
        Column(_("散列"), "code"),
    ]
    rows: list[list[Cell | str]] = []
    for one in found:
        text, tone = outcomes.get(one.outcome, (one.outcome, ""))
        when = f"{localtime(one.at):%Y-%m-%d %H:%M:%S}"
        rows.append(
            [when, one.action, Cell(text, tone=tone), one.actor, one.department, str(one.position), one.hash[:12]]
        )
    report = verify(the_home()) if verified else None
    english = (get_language() or "").startswith("en")
    faults = (
        [(one.code, one.where, one.position, one.en if english else one.zh) for one in report.faults[:100]]
        if report
        else []
    )
    return page(
        request,
        "audit.html",
        table=Table(_("审计记录"), columns, rows, _("没有符合条件的记录")),
        pager=Pager(count, limit, (number - 1) * limit, {"actor": who, "action": action, "outcome": outcome}),
        fields=[
            Field("actor", _("操作者编号"), value=who),
            Field("action", _("动作"), value=action),
            Field(
                "outcome",
                _("结果"),
                "select",
                outcome,
                [Option("", _("全部")), *(Option(key, text) for key, (text, _tone) in outcomes.items())],
            ),
        ],
        report=report,
        faults=faults,
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("审计"))],
    )
