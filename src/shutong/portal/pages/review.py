"""The review queue: a clerk sees what rows say beside what the registers hold, and decides with one key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shutong.audit import reads
from shutong.audit.chain import Record
from shutong.catalog.actions import current_catalog
from shutong.pipeline.answers.store import AnswersMissing
from shutong.pipeline.jobs import the_home
from shutong.standards.areas import area_name
from shutong.subjects.actions import ReviewError
from shutong.subjects.actions import decide as decide_case
from shutong.subjects.actions import undo as undo_decision
from shutong.subjects.explain import explain
from shutong.subjects.models import Case

from ..answers import store
from ..components import Crumb
from ..queries import public as public_queries
from ..queries import review as queries
from .department import actor_of
from .frame import page, signed_in
from .words import resource_title

_RECENT = 10
_IDS = ("candidate", "name_of", "runner_up")


@never_cache
@require_safe
@signed_in("subjects.review")
def review(request: HttpRequest) -> HttpResponse:
    """One case of the queue with both sides, or what to do when none waits."""
    key = request.GET.get("case", "")
    case = queries.case_shown(key)
    if key and case is None:
        raise Http404(_("没有这一对核对。"))
    context: dict[str, Any] = {"case": case, "queue": queries.queue(case), "crumbs": _crumbs()}
    context["recent"] = _recent()
    if case is not None:
        actor = actor_of(request)
        reads.note(Record(action="subjects.compare", outcome="read", actor=actor.values(), objects=(case.record_id,)))
        context |= _compared(case)
    return page(request, "review.html", **context)


def _crumbs() -> list[Crumb]:
    return [Crumb(_("首页"), reverse("home")), Crumb(_("主体核对"))]


def _compared(case: Case) -> dict[str, Any]:
    """Both sides line by line, differences marked, and the evidence in words."""
    subjects = [one for one in (case.candidate, case.runner_up) if one]
    held = queries.held(the_home(), subjects)
    titles = _titles()
    shown = {one: _names(one) for one in subjects}
    lines = []
    for field in queries.FIELDS:
        said = _text(field, case.said.get(field, ""))
        cells = [_cell(field, said, held.get(one, {}), shown[one]) for one in subjects]
        if said or any(cell["text"] for cell in cells):
            first = cells[0]["text"] if cells else ""
            lines.append({"title": titles[field], "said": queries.pieces(said, first), "cells": cells})
    # Ids of subjects say nothing to a clerk; both sides are on the page.
    told = explain({"reason": case.reason, "evidence": json.dumps({**case.evidence, **dict.fromkeys(_IDS)})})
    catalog = current_catalog()
    return {
        "lines": lines,
        "subjects": [{"id": one, "name": shown[one] or one, "public": bool(shown[one])} for one in subjects],
        "evidence": told.evidence,
        "resources": [resource_title(catalog, one) for one in case.resources],
    }


def _names(subject_id: str) -> str:
    """The name of a subject as it is shown; empty where it has no public page."""
    try:
        rows = public_queries.subjects_named(store(), [subject_id])
    except AnswersMissing:
        return ""
    return str(rows[0]["name"]) if rows else ""


def _cell(field: str, said: str, held: Mapping[str, Sequence[str]], name: str) -> dict[str, Any]:
    values = [_text(field, one) for one in held.get(field, ())]
    text = name if field == "name" and name else queries.nearest(said, values)
    others = [one for one in values if one != text] if field != "name" else []
    return {"text": text, "pieces": queries.pieces(text, said), "others": others[:3]}


def _text(field: str, value: str) -> str:
    if field == "area" and value:
        return f"{area_name(value) or ''} {value}".strip()
    return value


def _titles() -> dict[str, str]:
    return {
        "name": _("名称"),
        "area": _("区划"),
        "uscc": _("统一社会信用代码"),
        "org_code": _("组织机构代码"),
        "registration_no": _("注册号"),
        "taxpayer_no": _("纳税人识别号"),
        "certificate_no": _("登记证号"),
        "legal_rep": _("法定代表人"),
        "address": _("地址"),
    }


def _recent() -> list[dict[str, Any]]:
    """The latest decisions that hold, with what they were about."""
    made = queries.decisions(_RECENT)
    said = {
        case.case_key: case.said.get("name", "") for case in Case.objects.filter(pk__in=[one.case_key for one in made])
    }
    return [
        {"decision": one, "name": said.get(one.case_key, ""), "subject": _names(one.subject_id) or one.subject_id}
        for one in made
    ]


@require_POST
@signed_in("subjects.review")
def decide(request: HttpRequest, case_key: str) -> HttpResponseRedirect:
    """Decide a case and go on to the next one."""
    case = queries.case_shown(case_key)
    following = queries.queue(case).following
    verb, subject = request.POST.get("verb", ""), request.POST.get("subject", "")
    try:
        made = decide_case(case_key, verb, subject, the_home().today(), acting=actor_of(request))
    except ReviewError as problem:
        messages.error(request, str(problem))
        return HttpResponseRedirect(f"{reverse('review')}?case={case_key}" if case else reverse("review"))
    verdict = _("是同一主体") if made.verb == "same" else _("不是同一主体")
    messages.success(request, _("已记下：%(verdict)s。下次运行起生效，按 U 可撤销。") % {"verdict": verdict})
    return HttpResponseRedirect(f"{reverse('review')}?case={following}" if following else reverse("review"))


@require_POST
@signed_in("subjects.review")
def undo(request: HttpRequest, decision_id: str) -> HttpResponseRedirect:
    """Undo a decision; its case waits again and is shown."""
    try:
        undone = undo_decision(decision_id, the_home().today(), acting=actor_of(request))
    except ReviewError as problem:
        messages.error(request, str(problem))
        return HttpResponseRedirect(reverse("review"))
    messages.success(request, _("已撤销，请重新核对。"))
    return HttpResponseRedirect(f"{reverse('review')}?case={undone.case_key}")
