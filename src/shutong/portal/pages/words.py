"""What the signed-in pages call things: titles of the catalog, reasons of checks, states of batches and tickets."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shutong.collect.models import Batch
from shutong.collect.problems import Problem
from shutong.pipeline.after import verification_titles
from shutong.quality.models import Ticket
from shutong.quality.plan import check_plan
from shutong.spec.catalog import Catalog
from shutong.spec.columns import title_of

from ..components import Cell
from ..metadata import localised
from ..queries.work import Outstanding


def english() -> bool:
    """Whether the reader reads English."""
    return (get_language() or "").startswith("en")


def in_language(text: Any) -> str:
    """A text with ``zh`` and ``en`` (a reason, a warning) in the reader's language."""
    return str(text.get("en") if english() else text.get("zh")) if text else ""


def department_title(catalog: Catalog, name: str) -> str:
    """Title of a department in the reader's language."""
    department = catalog.departments.get(name)
    return localised({"zh": department.title.zh, "en": department.title.en}, name) if department else name


def resource_title(catalog: Catalog, name: str) -> str:
    """Title of a resource in the reader's language."""
    resource = catalog.resources.get(name)
    return localised({"zh": resource.title.zh, "en": resource.title.en}, name) if resource else name


def item_title(catalog: Catalog, resource: str, item: str) -> str:
    """Title of an item of a resource in the reader's language."""
    declared = catalog.resources.get(resource)
    found = declared.items.get(item) if declared else None
    if not found:
        return item
    title = title_of(found)
    return localised({"zh": title.zh, "en": title.en}, item)


def header_titles(catalog: Catalog, resource: str) -> dict[str, tuple[str, str]]:
    """Headers that a delivery of a resource may have, each with its item's title: the reader's, and the Chinese one.

    Reasons name the Chinese title.
    """
    declared = catalog.resources.get(resource)
    titles: dict[str, tuple[str, str]] = {}
    for item in declared.items.values() if declared else ():
        text = localised({"zh": item.title.zh, "en": title_of(item).en}, item.title.zh)
        titles |= dict.fromkeys((item.title.zh, *item.columns), (text, item.title.zh))
    return titles


def attribute_title(catalog: Catalog, name: str) -> str:
    """Title of an attribute of any library; the name itself where no library has it."""
    for library in catalog.libraries.values():
        found = library.attributes.get(name)
        if found is not None and found.title is not None:
            return localised({"zh": found.title.zh, "en": found.title.en}, name)
    return name


_plans: dict[str, Mapping[str, Problem]] = {}


def _reasons_of(catalog: Catalog, resource: str) -> Mapping[str, Problem]:
    """Every reason that a row of a resource can have, by ``code:item``; kept per version of the declaration."""
    key = f"{resource}@{catalog.hash_of('resource', resource)}"
    if key not in _plans:
        plan = check_plan(catalog.resources[resource], catalog)
        _plans[key] = {f"{one.code}:{one.item}" if one.item else one.code: one for one in plan.reasons}
    return _plans[key]


def reasons_text(catalog: Catalog, resource: str, stored: str) -> str:
    """The reasons of a ticket's row (``code:item``, parted by spaces) in words; what is not known stays as it is."""
    if resource not in catalog.resources:
        return stored
    known = _reasons_of(catalog, resource)
    parts = []
    for one in stored.split():
        found = known.get(one)
        parts.append((found.en if english() else found.zh) if found else one)
    return str(_("；")).join(parts)


def row_number(row_id: str) -> str:
    """The number of a row in its file, from the row id that receipts carry."""
    return row_id.rpartition("-")[2] or row_id


def cycle_texts() -> dict[str, str]:
    """Update cycles in words."""
    return {"realtime": _("实时"), "daily": _("每日"), "weekly": _("每周"), "monthly": _("每月"), "quarterly": _("每季度"),
            "yearly": _("每年"), "irregular": _("不定期")}  # fmt: skip


def freshness_cell(state: str) -> Cell:
    """How a resource stands against its cycle."""
    texts = {
        "fresh": (_("按期"), "ok"),
        "late": (_("逾期未报"), "danger"),
        "never": (_("尚未报送"), "warn"),
        "any": (_("不定期"), ""),
    }
    text, tone = texts[state]
    return Cell(text, tone=tone)


def batch_state(batch: Batch, left: Outstanding | None = None) -> Cell:
    """State of a batch as a badge; ``left`` is what its ticket still asks for."""
    if batch.state == Batch.State.REFUSED:
        return Cell(_("整批退回"), tone="danger")
    if batch.rejected and (left is None or left.open_rows):
        return Cell(_("部分退回"), tone="warn")
    if batch.rejected:
        return Cell(_("退回行已办结"), tone="ok")
    return Cell(_("已入库"), tone="ok")


def ticket_state(ticket: Ticket) -> Cell:
    """State of a ticket as a badge."""
    if ticket.state == Ticket.State.OPEN:
        return Cell(_("待处理"), tone="warn")
    return Cell(_("已办结"), tone="ok")


def ticket_title(catalog: Catalog, ticket: Ticket) -> str:
    """What a ticket asks for."""
    if ticket.kind == Ticket.Kind.REJECTS:
        return _("更正退回的行：%(what)s") % {"what": resource_title(catalog, ticket.resource)}
    declared = verification_titles(catalog).get(ticket.subject)
    what = localised({"zh": declared.zh, "en": declared.en}) if declared else ticket.title
    return _("核实不一致：%(what)s") % {"what": what}


def run_kind(kind: str) -> str:
    """Kind of a run in words."""
    return {"full": _("全量"), "increment": _("增量"), "nothing": _("无变化")}.get(kind, kind)


def stage_title(name: str) -> str:
    """A stage of the way in words."""
    titles = {
        "collect": _("采集与检查"),
        "mentions": _("提取提及的主体"),
        "registers": _("整理登记簿"),
        "identifiers": _("整理代码和名称"),
        "repair": _("改正代码笔误"),
        "identify": _("认定主体"),
        "similar": _("比对相近名称"),
        "values": _("归集取值"),
        "conflicts": _("比对各来源"),
        "libraries": _("归并入库"),
        "facts": _("形成信用事项"),
        "lists": _("名单规则"),
        "observations": _("计算指标"),
        "disagreements": _("多源核对"),
        "commit": _("提交"),
        "listings": _("列入名单"),
        "answers": _("更新查询库"),
    }
    return titles.get(name, name)


def table_title(catalog: Catalog, name: str) -> str:
    """A table of the lake in words."""
    kind, _slash, of = name.partition("/")
    if kind == "library" and of in catalog.libraries:
        title = catalog.libraries[of].title
        return localised({"zh": title.zh, "en": title.en}, of)
    titles = {
        "mentions": _("提及"),
        "subjects": _("主体"),
        "identifiers": _("代码和名称"),
        "links": _("认定"),
        "unidentified": _("未能认定"),
        "values": _("取值"),
        "lookups": _("名称查找"),
        "conflicts": _("来源间的差异"),
        "facts": _("信用事项"),
        "candidates": _("拟列入"),
        "pending": _("待变化"),
        "observations": _("观测值"),
        "disagreements": _("不一致"),
    }
    return titles.get(kind, name)


def error_text(error: str) -> str:
    """Why a run did not finish: our own text in the reader's language; a bare type of error is explained."""
    zh, slash, en = error.rpartition(" / ")
    if slash:
        return en if english() else zh
    known = {
        "OperationalError": _("状态数据库不能读写、被占用，或缺少迁移"),
        "MemoryError": _("内存不够"),
        "OSError": _("文件不能读写：磁盘已满，或没有权限"),
        "PermissionError": _("没有读写文件的权限"),
        "OutOfMemoryException": _("内存不够：请调高 memory_limit 或换更大的机器"),
        "KeyboardInterrupt": _("被人中断"),
    }
    return f"{known[error]}（{error}）" if error in known else error or _("没有留下原因")


def finding_title(name: str) -> str:
    """What a look of the doctor is at."""
    titles = {
        "python": _("运行环境"),
        "disk": _("磁盘空间"),
        "memory": _("计算内存"),
        "folders": _("文件夹"),
        "keys": _("密钥"),
        "database": _("数据库"),
        "lake": _("数据湖"),
        "catalog": _("数据目录"),
        "lease": _("运行锁"),
        "runs": _("运行"),
        "answers": _("查询库"),
        "work": _("后台任务"),
    }
    return titles.get(name, name)


@functools.cache
def _action_names() -> dict[str, tuple[str, str]]:
    return {
        "accounts.create_account": ("新建账号", "Account made"),
        "accounts.deactivate_account": ("停用账号", "Account ended"),
        "accounts.give_role": ("授予角色", "Role given"),
        "accounts.take_role": ("收回角色", "Role taken"),
        "accounts.reset_password": ("重置密码", "Password reset"),
        "accounts.change_password": ("修改密码", "Password changed"),
        "accounts.sign_in": ("登录", "Signed in"),
        "accounts.sign_out": ("退出", "Signed out"),
        "catalog.install_packs": ("安装专题包", "Packs installed"),
        "catalog.publish_declaration": ("发布声明", "Declaration published"),
        "collect.mirror_batches": ("登记批次", "Batches entered"),
        "quality.open_reject_ticket": ("开立更正工单", "Ticket for rejects opened"),
        "quality.note_correction": ("登记更正", "Correction noted"),
        "quality.give_up_rows": ("放弃更正", "Rows given up"),
        "quality.open_disagreement_ticket": ("更新不一致工单", "Ticket for differences brought up to date"),
        "quality.rejects": ("查看退回的行", "Rejected rows seen"),
        "quality.rejects_download": ("下载退回的行", "Rejected rows downloaded"),
        "pipeline.enqueue": ("排入运行", "Run queued"),
        "pipeline.start_run": ("开始运行", "Run started"),
        "pipeline.finish_run": ("运行完成", "Run done"),
        "pipeline.fail_run": ("运行失败", "Run failed"),
        "pipeline.rotate_key": ("更换密钥", "Key changed"),
        "rules.propose_listings": ("提出拟列入", "Candidates proposed"),
        "rules.note_waiting": ("记录等待核对的拟列入", "Candidates that wait for review noted"),
        "rules.enter_listings": ("列入名单", "Entered on a list"),
        "rules.decline_listing": ("不予列入", "Candidate declined"),
        "rules.note_grounds_gone": ("记录事由消除", "Ground gone noted"),
        "rules.release_listing": ("移出名单", "Released from a list"),
        "subjects.compare": ("查看待核对的记录", "Case looked at"),
        "subjects.decide": ("核对主体", "Case decided"),
        "subjects.undo": ("撤销核对结论", "Decision undone"),
        "subjects.reconcile_cases": ("更新核对队列", "Review queue brought up to date"),
        "exchange.ask_for_data": ("申请共享", "Data asked for"),
        "exchange.ask_for_material": ("一次性告知补正", "Missing material told"),
        "exchange.give_material": ("补正材料", "Missing material given"),
        "exchange.ask_for_extension": ("申请延期答复", "Extension asked"),
        "exchange.decide_extension": ("审批延期", "Extension decided"),
        "exchange.agree": ("同意共享", "Sharing agreed"),
        "exchange.refuse": ("不予共享", "Sharing refused"),
        "exchange.confirm_review": ("复核同意", "Agreed by the bureau"),
        "exchange.reject_review": ("复核不同意", "Refused by the bureau"),
        "exchange.cancel_request": ("撤回申请", "Request withdrawn"),
        "exchange.confirm_ready": ("确认数据就绪", "Data ready"),
        "exchange.dispute": ("提出争议", "Refusal disputed"),
        "exchange.uphold": ("维持不予共享", "Refusal upheld"),
        "exchange.overturn": ("改为共享", "Refusal overturned"),
        "exchange.suspend_grant": ("暂停授权", "Grant suspended"),
        "exchange.resume_grant": ("恢复授权", "Grant resumed"),
        "exchange.withdraw_grant": ("撤销授权", "Grant withdrawn"),
        "exchange.give_up_grant": ("放弃授权", "Grant given up"),
        "exchange.renew_grant": ("申请续期", "Renewal asked"),
        "exchange.read_request": ("查看申请", "Request seen"),
        "exchange.read_grant": ("查看授权", "Grant seen"),
        "exchange.figures": ("查看共享统计", "Figures of sharing seen"),
        "procedures.open_case": ("立案", "Case opened"),
        "procedures.take_step": ("办理环节", "Step taken"),
    }


def action_title(name: str) -> str:
    """An action of the audit log in words; empty where it has none."""
    zh, en = _action_names().get(name, ("", ""))
    return en if english() else zh
