"""The operator's pages: runs and their stages, what failed and what to do, deliveries, checks of the installation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shutong.audit import reads
from shutong.audit.chain import Record
from shutong.catalog.actions import current_catalog
from shutong.jobs.work import enqueue_unless_waiting
from shutong.jobs.worker import waiting_work
from shutong.pipeline.jobs import run_increment, the_home
from shutong.pipeline.models import Run, StageRun
from shutong.pipeline.operations.doctor import Finding, examine
from shutong.spec.catalog import Catalog

from ..charts import bars, figure
from ..components import Cell, Chart, Column, Crumb, Figure, Table
from ..metadata import localised
from ..queries import work as queries
from .department import batches_table, rows_chart
from .frame import page, reader, signed_in
from .words import english, error_text, finding_title, run_kind, stage_title, table_title

_RUN_TONES = {"running": "info", "done": "ok", "failed": "danger", "killed": "danger", "stopped": "warn"}
_FINDING_TONES = {"ok": "ok", "warn": "warn", "fail": "danger"}
_UNFINISHED = {"failed", "killed", "stopped"}


def _run_state(run: Run) -> Cell:
    texts = {
        "running": _("进行中"),
        "done": _("完成"),
        "failed": _("失败"),
        "killed": _("中断"),
        "stopped": _("变动过大，待确认"),
    }
    return Cell(texts.get(run.state, run.state), tone=_RUN_TONES.get(run.state, ""))


def _seconds(run: Run) -> str:
    return f"{(run.ended_at - run.started_at).total_seconds():,.1f}" if run.ended_at else "—"


def _begun(run: Run) -> str:
    return f"{localtime(run.started_at):%Y-%m-%d %H:%M}"


@never_cache
@require_safe
@signed_in("pipeline.read")
def operations(request: HttpRequest) -> HttpResponse:
    """What failed first, then runs, deliveries by department against their cycle, refused batches, and the doctor."""
    home = the_home()
    catalog = current_catalog()
    found = queries.runs()
    refused, _count = queries.batches(state="refused", limit=10)
    actor = reader(request)
    findings = sorted(examine(home), key=lambda one: {"fail": 0, "warn": 1, "ok": 2}[one.state])
    figures = queries.batch_figures()
    tickets, rows = queries.ticket_figures()
    return page(
        request,
        "operations.html",
        runs=_runs_table(found),
        latest=found[0] if found else None,
        latest_state=_run_state(found[0]) if found else None,
        trouble=_trouble(found),
        figures=[
            Figure(_("排队任务"), waiting_work()), Figure(_("待办工单"), tickets), Figure(_("待处理行"), rows),
            Figure(_("批次"), figures["n"]), Figure(_("接受行"), figures["accepted"]), Figure(_("退回行"), figures["rejected"]),
        ],
        chart=rows_chart(),
        departments=_departments_table(queries.departments(home.today())),
        refused=batches_table(
            catalog, refused, empty=_("没有整批退回的文件"), hint=_("文件打不开、缺少必填列等情况会整批退回。")
        ),
        troubles=[
            {"text": one.en if english() else one.zh, "tone": _FINDING_TONES[one.state]}
            for one in findings
            if one.state != "ok" and one.name != "runs"
        ],
        findings=_findings_table(findings),
        may_run=actor is not None and actor.may("pipeline.run"),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("运行"))],
    )  # fmt: skip


def _trouble(found: Sequence[Run]) -> dict[str, Any] | None:
    """The last run where it did not finish, and how many before it did not; those before a done one are made good."""
    unfinished = list(takewhile(lambda run: run.state in _UNFINISHED, found))
    if not unfinished:
        return None
    return {"run": unfinished[0], "error": error_text(unfinished[0].error), "before": len(unfinished) - 1,
            "tone": _RUN_TONES[unfinished[0].state]}  # fmt: skip


def _runs_table(found: list[Run]) -> Table:
    columns = [
        Column(_("开始"), "date"), Column(_("状态")), Column(_("方式")), Column(_("业务日"), "date"), Column(_("秒"), "number"),
        Column(_("截至批次"), "number"), Column(_("重算主体"), "number"), Column(_("运行号"), "code"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(_begun(run), reverse("run", args=[run.run_id])), _run_state(run), run_kind(run.kind), str(run.business_day),
            _seconds(run), figure(run.upto_seq), figure(run.subjects), run.run_id,
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
    states = {"ok": _("正常"), "warn": _("注意"), "fail": _("故障")}
    rows: list[list[Cell | str]] = [
        [
            finding_title(one.name), Cell(states[one.state], tone=_FINDING_TONES[one.state]),
            one.en if english() else one.zh,
        ]
        for one in findings
    ]  # fmt: skip
    return Table(_("系统检查"), [Column(_("检查")), Column(_("状态")), Column(_("结果"), "wide")], rows)


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
    """A run: its stages with seconds, memory and rows, or why it failed and what to do."""
    found = get_object_or_404(Run, run_id=run_id)
    stages = queries.stages(found)
    actor = reader(request)
    return page(
        request,
        "run.html",
        run=found,
        begun=_begun(found),
        state=_run_state(found),
        kind=run_kind(found.kind),
        seconds=_seconds(found),
        unfinished=found.state in _UNFINISHED,
        error=error_text(found.error),
        stages=_stages_table(current_catalog(), found, stages),
        chart=_stages_chart(stages),
        may_run=actor is not None and actor.may("pipeline.run"),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("运行"), reverse("operations")), Crumb(_begun(found))],
    )


def _stages_table(catalog: Catalog, found: Run, stages: list[StageRun]) -> Table:
    columns = [
        Column(_("环节")),
        Column(_("秒"), "number"),
        Column(_("峰值内存"), "number"),
        Column(_("写入的行"), "wide"),
    ]
    rows: list[list[Cell | str]] = [
        [
            Cell(stage_title(one.stage), note=one.stage if stage_title(one.stage) != one.stage else ""),
            f"{one.seconds:,.2f}", f"{one.peak_bytes / 1e6:,.0f} MB",
            str(_("，")).join(f"{table_title(catalog, table)} {figure(count)}" for table, count in one.rows.items()),
        ]
        for one in stages
    ]  # fmt: skip
    if found.kind == "nothing":
        empty, hint = _("没有需要计算的环节"), _("自上次运行以来，没有新的批次、声明或决定，也没有到期的事项。")
    else:
        empty, hint = _("没有环节的记录"), _("运行在第一个环节之前就停了。")
    return Table(_("各环节"), columns, rows, empty, hint)


def _stages_chart(stages: list[StageRun]) -> Chart | None:
    if not stages:
        return None
    values = [{"dimension": stage_title(one.stage), "value": round(one.seconds, 2)} for one in stages]
    chart = bars("stages", _("各环节用时"), values, dimension=_("环节"), measure=_("秒"))
    return Chart(chart.id, chart.title, chart.spec, chart.table, chart.note, with_table=False)
