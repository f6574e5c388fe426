"""The public lists: each with its law, its grounds and who is on it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shutong.pipeline.answers.store import AnswerStore

from ..answers import store
from ..charts import figure
from ..components import Cell, Column, Crumb, Field, Option, Pager, Table
from ..metadata import Content, Metadata, localised, metadata
from ..queries import public as queries
from ..queries.proposed import proposed
from ..queries.subjects import listings_of
from ..queries.views import ListingView
from ..terms import term_text
from .frame import page, page_parameter, reader, text_parameter

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
EXPORT_LIMIT = 100_000


@require_safe
def lists(request: HttpRequest) -> HttpResponse:
    """Every public list."""
    crumbs = [Crumb(_("首页"), reverse("home")), Crumb(_("名单"))]
    return page(request, "lists.html", lists=queries.lists(store()), crumbs=crumbs)


@require_safe
def one_list(request: HttpRequest, name: str) -> HttpResponse:
    """A list: legal basis, grounds with their rules, members with search."""
    answers = store()
    known = metadata(answers)
    content = known.get("list", name)
    if not content:
        raise Http404(_("没有这一名单，或它不公开。"))
    text, ground, number = text_parameter(request, "q"), text_parameter(request, "ground"), page_parameter(request)
    limit = queries.PAGE
    found, count = queries.members(answers, name, text=text, ground=ground, limit=limit, offset=(number - 1) * limit)
    counts = queries.ground_counts(answers, name)
    grounds = [
        {
            "title": localised(one["title"], key),
            "basis": one["basis"],
            "sql": one["sql"],
            "count": counts.get(key, 0),
            "absence": _titles(known, one.get("absence", ())),
        }
        for key, one in content["grounds"].items()
    ]
    choices = [Option(key, localised(one["title"], key)) for key, one in content["grounds"].items()]
    title = known.title("list", name)
    return page(
        request,
        "list.html",
        name=name,
        title=title,
        content=content,
        department=known.title("department", content["department"]),
        grounds=grounds,
        members=sum(counts.values()),
        terms=_terms(content),
        fields=[
            Field("q", _("名称或代码"), "search", text),
            Field("ground", _("列入事由"), "select", ground, [Option("", _("全部")), *choices]),
        ],
        table=_members_table(title, found, filtered=bool(text or ground)),
        pager=Pager(count, limit, (number - 1) * limit, {"q": text, "ground": ground}),
        proposed=_proposed_table(request, known, name),
        crumbs=[Crumb(_("首页"), reverse("home")), Crumb(_("名单"), reverse("lists")), Crumb(title)],
    )


def _titles(known: Metadata, resources: Iterable[str]) -> str:
    return str(_("、")).join(known.title("resource", one) for one in resources)


def _proposed_table(request: HttpRequest, known: Metadata, name: str) -> Table | None:
    """Who is proposed and not entered yet, for those who decide or see what is not public; None for others."""
    actor, content = reader(request), known.get("list", name)
    if actor is None or not (actor.may("rules.list", content["department"]) or actor.may("subjects.read")):
        return None
    missing = {key: one.get("absence", ()) for key, one in content["grounds"].items()}
    found, count = proposed(store(), name, [resource for key in missing for resource in missing[key]])
    columns = [
        Column(_("名称")), Column(_("列入事由")), Column(_("事由发生"), "date"), Column(_("应于此日前决定"), "date"),
        Column(_("等待"), "wide"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = []
    for one in found:
        row, ground = one.listing, content["grounds"].get(one.listing.ground, {})
        waits: Cell | str = ""
        if row.waits_for:
            said = {"n": figure(len(row.waits_for)), "resources": _titles(known, missing.get(row.ground, ()))}
            href = f"{reverse('review')}?case={one.case}" if one.case and actor.may("subjects.review") else ""
            note = _("可能是它自己的；核对之前不自动列入，仍可由人列入")
            waits = Cell(_("%(n)s 条%(resources)s待核对") % said, href, note=note)
        subject = Cell(one.name, reverse("subject", args=[row.subject_id])) if one.name else Cell(row.subject_id)
        due = str(row.enter_due_on or "")
        rows.append([subject, localised(ground.get("title"), row.ground), str(row.since), due, waits])
    caption = _("拟列入（%(n)s）") % {"n": figure(count)}
    return Table(caption, columns, rows, _("没有拟列入的主体"), _("规则发现而尚未列入的主体会显示在这里。"))


def _terms(content: Content) -> list[dict[str, Any]]:
    """The legal terms of a list as sentences."""
    sentences = {
        "enter_within": _("事由出现后 %(term)s内列入"),
        "release_within": _("事由消除后 %(term)s内移出"),
        "term": _("列入 %(term)s后期满"),
    }
    titles = {"enter_within": _("列入"), "release_within": _("移出"), "term": _("期限")}
    return [
        {"title": titles[key], "text": sentences[key] % {"term": term_text(content[key])}, "term": content[key]}
        for key in sentences
        if content.get(key)
    ]


def _members_table(caption: str, found: list[ListingView], *, filtered: bool) -> Table:
    columns = [
        Column(_("名称")), Column(_("统一社会信用代码"), "code"), Column(_("列入事由")), Column(_("事由发生"), "date"),
        Column(_("列入日期"), "date"), Column(_("期限"), "date"),
    ]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(one.subject_name, reverse("subject", args=[one.subject_id])), one.uscc, one.ground_title, one.since,
            one.entered_on or "", one.ends_on or _("事由消除为止"),
        ]
        for one in found
    ]  # fmt: skip
    if filtered:
        return Table(caption, columns, rows, _("名单上没有符合条件的主体"), _("换一个名称或事由再查。"))
    return Table(caption, columns, rows, _("目前没有主体在列"), _("有主体列入后，会显示在这里。"))


def plain_cell(value: Any) -> str:
    """A CSV cell that no spreadsheet takes for a formula: a leading ``'`` where it would."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


@require_safe
def list_csv(_request: HttpRequest, name: str) -> StreamingHttpResponse:
    """The members of a list as CSV (UTF-8 with a mark, so that spreadsheets read Chinese)."""
    answers = store()
    if not metadata(answers).get("list", name):
        raise Http404(_("没有这一名单，或它不公开。"))
    response = StreamingHttpResponse(_csv_lines(answers, name), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _csv_lines(answers: AnswerStore, name: str) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    titles = (
        _("名称"),
        _("统一社会信用代码"),
        _("列入事由"),
        _("依据"),
        _("事由发生"),
        _("列入日期"),
        _("至"),
        _("决定部门"),
    )
    writer.writerow(titles)
    yield "\ufeff" + _taken(buffer)
    for offset in range(0, EXPORT_LIMIT, 1000):
        found = listings_of(answers, "l.list = ? AND l.state = 'listed'", [name], limit=1000, offset=offset)
        for one in found:
            cells = (one.subject_name, one.uscc, one.ground_title, f"{one.basis}；{one.ground_basis}", one.since,
                     one.entered_on, one.ends_on, one.department)  # fmt: skip
            writer.writerow([plain_cell(cell) for cell in cells])
        yield _taken(buffer)
        if len(found) < 1000:
            return


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
