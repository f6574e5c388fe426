"""Public pages about subjects: home, search, subject, fact and record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shutong.pipeline.answers import names
from shutong.pipeline.answers.search import Hit, search
from shutong.pipeline.answers.store import AnswerStore, Row
from shutong.pipeline.answers.write import names_of
from shutong.standards.areas import area_name

from ..answers import store
from ..charts import figure
from ..components import Crumb, Field, Figure, Option, Pager, Spark
from ..metadata import Metadata, localised, metadata
from ..queries import public as queries
from ..queries.chains import fact_chain, record_chain
from ..queries.events import Gone, events_of, gone_subject
from ..queries.subjects import attribute_groups, find_subject, shown_match, subject_view
from ..queries.views import Chain, Line, SubjectView
from ..terms import term_text
from .frame import day_parameter, page, page_parameter, text_parameter

_STATUS_TONES = {"1": "ok", "active": "ok", "2": "danger", "3": "danger", "5": "danger", "7": "warn", "8": "warn"}
"""Tones of the code set enterprise-status; the text alone says what it is."""

_IN_BUSINESS = {"1", "active", "9"}


@dataclass(frozen=True)
class HitView:
    """A search hit with its texts."""

    subject: Row
    by: str
    matched: str | None
    former: str
    area: str
    category: str
    status: str
    status_tone: str


def total_titles() -> dict[str, str]:
    """Titles of the figures of the home page."""
    return {
        "subjects": _("主体"),
        "facts": _("信用事项"),
        "records": _("入库记录"),
        "departments": _("供数部门"),
        "resources": _("目录资源"),
        "listings": _("名单在列"),
    }


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The search box, a few live figures, what was published last, and the lists."""
    answers = store()
    titles = total_titles()
    totals = [Figure(titles[total.name], total.value) for total in queries.totals(answers) if total.name in titles]
    return page(
        request,
        "home.html",
        totals=totals,
        recent=queries.recent_facts(answers, limit=6),
        lists=queries.lists(answers),
        months=_months(answers),
    )


def _months(answers: AnswerStore) -> Spark | None:
    """Facts of each month as a small picture; the month that still runs is left out."""
    found: dict[str, float] = {}
    for row in queries.statistic(answers, "facts_by_month"):
        found[row["dimension"]] = found.get(row["dimension"], 0) + row["value"]
    months = sorted(found)[:-1]
    if len(months) < 2:
        return None
    last = {"month": months[-1], "n": figure(found[months[-1]])}
    label = _("每月信用事项，%(first)s 至 %(last)s") % {"first": months[0], "last": months[-1]}
    return Spark([found[month] for month in months], label, label + _("；%(month)s 有 %(n)s 条") % last)


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Search results: a whole page, or only the results for a request of htmx."""
    answers = store()
    text = request.GET.get("q", "")
    category, area = text_parameter(request, "category"), text_parameter(request, "area")
    number, limit = page_parameter(request), 20
    found = search(
        answers, text, category=category or None, area=area or None, limit=limit, offset=(number - 1) * limit
    )
    known = metadata(answers)
    query = {"q": found.text, "category": category, "area": area}
    context: dict[str, Any] = {
        "asked": bool(found.text),
        "found": {
            "text": found.text,
            "note": found.note,
            "count": found.count,
            "capped": found.capped,
            "hits": [_hit_view(answers, hit, found.text) for hit in found.hits],
        },
        "category": category,
        "area": area,
        "filtered": bool(category or area),
        "filters": [
            Field(
                "category",
                _("类别"),
                "select",
                category,
                _options(answers, known, "subjects_by_category", category_text),
            ),
            Field(
                "area",
                _("区划"),
                "select",
                area,
                _options(answers, known, "subjects_by_area", lambda _known, code: area_name(code) or code),
            ),
        ],
        "pager": Pager(found.count, limit, (number - 1) * limit, query, found.capped),
        "kept": {"category": category, "area": area},
    }
    if getattr(request, "htmx", None) and not request.htmx.boosted:  # type: ignore[attr-defined]
        return page(request, "parts/results.html", **context)
    return page(request, "search.html", **context)


def _options(answers: AnswerStore, known: Metadata, statistic: str, text: Any) -> list[Option]:
    codes = [row["dimension"] for row in queries.statistic(answers, statistic) if row["dimension"]]
    return [Option("", _("全部")), *(Option(code, text(known, code)) for code in codes)]


def category_text(known: Metadata, code: str | None) -> str:
    """Text of a kind of market subject."""
    titles = {
        "enterprise": _("企业"),
        "individual": _("个体工商户"),
        "cooperative": _("农民专业合作社"),
        "institution": _("事业单位"),
        "social": _("社会组织"),
    }
    if not code:
        return ""
    return titles.get(code) or localised(known.get("codes", "market-subject-type").get(code), code)


def status_text(known: Metadata, code: str | None) -> tuple[str, str]:
    """Text and tone of a registration status."""
    if not code:
        return "", ""
    texts = [localised(codes.get(code)) for name, codes in known.of_kind("codes").items() if "status" in name]
    text = next((one for one in texts if one), code)
    return text, _STATUS_TONES.get(code, "")


def _hit_view(answers: AnswerStore, hit: Hit, text: str) -> HitView:
    row, known = hit.subject, metadata(answers)
    status, tone = status_text(known, row["status"])
    former = ""
    key = names.search_key(text)
    if hit.by in {"name", "prefix", "fragment"} and key not in (row["name_key"] or ""):
        former = next((name for name in names_of(None, row["former_names"]) if key in names.search_key(name)), "")
    area = area_name(row["area"]) or row["area"] if row["area"] else ""
    return HitView(
        row, hit.by, shown_match(answers, hit), former, area, category_text(known, row["category"]), status, tone
    )


@require_safe
def subject(request: HttpRequest, subject_id: str) -> HttpResponse | HttpResponseRedirect:
    """The page of an organisation. Merged subjects lead to the one that survived."""
    answers = store()
    row = find_subject(answers, subject_id)
    if row is None:
        return _gone_page(request, gone_subject(answers, subject_id))
    if row["subject_id"] != subject_id:
        return HttpResponsePermanentRedirect(reverse("subject", args=[row["subject_id"]]))
    as_of, valid_on = day_parameter(request, "as_of"), day_parameter(request, "valid_on")
    kind = text_parameter(request, "kind")
    view = subject_view(answers, row, as_of=as_of, valid_on=valid_on, kind=kind or None)
    known = metadata(answers)
    status, tone = status_text(known, row["status"])
    query = urlencode({name: value for name, value in (("as_of", as_of), ("valid_on", valid_on)) if value})
    return page(
        request,
        "subject.html",
        view=view,
        groups=attribute_groups(answers, view.attributes),
        listed=list({one.list: one for one in view.listings}.values()),
        codes=_other_codes(view),
        category=category_text(known, row["category"]),
        status=status,
        status_tone=tone,
        ended=_ended(view, row["status"], status),
        events=[one for one in events_of(answers, subject_id, as_of) if not valid_on or one.on_day <= str(valid_on)],
        as_of_field=Field(
            "as_of",
            _("日期"),
            "date",
            str(as_of or ""),
            most=str(view.today),
            required=True,
            help=_("按平台当日已收到的数据重看此页。"),
        ),
        as_of=str(as_of) if as_of else "",
        valid_on=str(valid_on) if valid_on else "",
        kind=kind,
        all_href=request.path + (f"?{query}" if query else ""),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("查询"), reverse("search")), Crumb(row["name"])],
    )


def _gone_page(request: HttpRequest, gone: Gone | None) -> HttpResponse:
    """The page of an id that had one and has none now: when and why it went, and where its records are.

    Its status is 410: programs and search engines learn that it is gone, and not that there never was such an address.
    """
    if gone is None:
        raise Http404(_("没有这一主体，或它没有公开页面。"))
    crumbs = [Crumb(_("首页"), reverse("home")), Crumb(_("查询"), reverse("search")), Crumb(gone.subject_id)]
    response = page(request, "gone.html", http_status=410, gone=gone, crumbs=crumbs)
    # It may come back with the next run, and a 410 is otherwise kept by caches.
    response["Cache-Control"] = "no-cache"
    return response


def _other_codes(view: SubjectView) -> list[Line]:
    """Codes that are not among the attributes."""
    shown = {one.value.text for one in view.attributes} | {view.subject["uscc"]}
    return [one for one in view.codes if one.text not in shown]


def _ended(view: SubjectView, code: str | None, status: str) -> str:
    """What a reader must know first of a subject that is no longer in business; empty where it is."""
    if not status or code in _IN_BUSINESS:
        return ""
    day = next((one.value.text for one in view.attributes if one.name == "ended_on"), "")
    if day:
        return _("这一主体的登记状态为“%(status)s”（%(day)s）。") % {"status": status, "day": day}
    return _("这一主体的登记状态为“%(status)s”。") % {"status": status}


@require_safe
def fact(request: HttpRequest, fact_id: str) -> HttpResponse:
    """The full chain behind a fact."""
    return _chain_page(request, fact_chain(store(), fact_id))


@require_safe
def record(request: HttpRequest, record_id: str) -> HttpResponse:
    """The full chain behind a record that gave a value or a ground."""
    return _chain_page(request, record_chain(store(), record_id))


def _chain_page(request: HttpRequest, chain: Chain | None) -> HttpResponse:
    if chain is None:
        raise Http404(_("没有这条信息，或它不公开。"))
    heading = chain.fact.headline if chain.fact else chain.resource_title
    term = metadata(store()).get("resource", chain.resource).get("publicity")
    subject_row = chain.subject
    return page(
        request,
        "fact.html",
        chain=chain,
        heading=heading,
        term=term,
        term_text=term_text(term),
        crumbs=[
            Crumb(_("首页"), reverse("home")),
            Crumb(subject_row["name"], reverse("subject", args=[subject_row["subject_id"]])),
            Crumb(heading),
        ],
    )
