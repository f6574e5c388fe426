"""The forms of a request: which a reader gets, what stands in them, and what they do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.http import QueryDict
from django.utils.translation import gettext as _

from shutong.accounts.actors import Actor
from shutong.exchange import actions, grant_actions
from shutong.exchange.extent import Answer, Method, covers
from shutong.exchange.models import ShareRequest, SharingGrant
from shutong.exchange.refusals import ExchangeError
from shutong.exchange.requests import Wanted, grant_of_request
from shutong.spec.catalog import Catalog
from shutong.spec.models import Mask, Resource

from ..components import Field, Option
from ..metadata import localised
from .words import item_title

_MASKS: tuple[Mask, ...] = ("none", "surname", "middle", "last4", "address", "hide")
_LEFT_OUT = "left-out"


@dataclass(frozen=True)
class Verb:
    """A form: the step it stands for, who has it (owner, receiver, or empty for the bureau), and its parts."""

    step: str
    permission: str
    side: str
    parts: tuple[str, ...]
    run: Callable[[ShareRequest, QueryDict, dt.date, Actor], Any]
    primary: bool = False


@dataclass(frozen=True)
class Form:
    """A form as the page shows it."""

    verb: str
    title: str
    fields: Sequence[Field]
    primary: bool


def _said(post: QueryDict, name: str) -> str:
    return str(post.get(name, "")).replace("\0", "").strip()


def _answer(request: ShareRequest, post: QueryDict) -> Answer:
    """The answer that a form with the part ``decision`` gives."""
    asked = request.extent
    chosen = {name: _said(post, f"item-{name}") or mask for name, mask in asked.masks.items()}
    _check_masks(value for value in chosen.values() if value != _LEFT_OUT)
    methods = _said(post, "methods")
    return Answer(
        without={name: _said(post, "without") for name, value in chosen.items() if value == _LEFT_OUT},
        masks={name: cast(Mask, value) for name, value in chosen.items() if value != _LEFT_OUT},
        rows=_said(post, "rows") or None,
        methods=frozenset({cast(Method, methods)}) if methods else None,
        ends_on=_date(post, "ends_on"),
        quota=_number(post, "quota"),
    )


def _check_masks(chosen: Iterable[str]) -> None:
    wrong = sorted(set(chosen) - set(_MASKS))
    if wrong:
        raise ExchangeError(f"没有这种脱敏方式：{'、'.join(wrong)}", f"no such mask: {', '.join(wrong)}")


def _date(post: QueryDict, name: str) -> dt.date | None:
    text = _said(post, name)
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise ExchangeError(f"{text} 不是日期，请写成 2026-12-31", f"{text} is no date; write 2026-12-31") from error


def _number(post: QueryDict, name: str) -> int | None:
    text = _said(post, name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ExchangeError(f"限额 {text} 不是整数", f"the quota {text} is no whole number")
    return int(text)


_VERBS: Mapping[str, Verb] = {
    "agree": Verb(
        "approve", "exchange.answer", "owner", ("decision", "reason"),
        lambda one, post, day, who: actions.agree(
            one, day, answer=_answer(one, post), reason=_said(post, "reason"), acting=who
        ), primary=True,
    ),
    "refuse": Verb(
        "refuse", "exchange.answer", "owner", ("basis", "reason"),
        lambda one, post, day, who: actions.refuse(
            one, _said(post, "basis"), day, reason=_said(post, "reason"), acting=who
        ),
    ),
    "ask-material": Verb(
        "ask-material", "exchange.answer", "owner", ("needed",),
        lambda one, post, day, who: actions.ask_for_material(one, _said(post, "reason"), day, acting=who),
    ),
    "ask-extension": Verb(
        "ask-extension", "exchange.answer", "owner", ("needed",),
        lambda one, post, day, who: actions.ask_for_extension(one, _said(post, "reason"), day, acting=who),
    ),
    "confirm-ready": Verb(
        "confirm-ready", "exchange.answer", "owner", (),
        lambda one, _post, day, who: actions.confirm_ready(one, day, acting=who), primary=True,
    ),
    "give-material": Verb(
        "give-material", "exchange.ask", "receiver", ("needed",),
        lambda one, post, day, who: actions.give_material(one, _said(post, "reason"), day, acting=who), primary=True,
    ),
    "cancel": Verb(
        "cancel", "exchange.ask", "receiver", ("needed",),
        lambda one, post, day, who: actions.cancel_request(one, _said(post, "reason"), day, acting=who),
    ),
    "extend": Verb(
        "extend", "exchange.decide", "", (),
        lambda one, _post, day, who: actions.decide_extension(one, True, day, acting=who), primary=True,
    ),
    "keep-term": Verb(
        "keep-term", "exchange.decide", "", ("needed",),
        lambda one, post, day, who: actions.decide_extension(one, False, day, reason=_said(post, "reason"), acting=who),
    ),
    "confirm": Verb(
        "confirm", "exchange.decide", "", ("decision", "reason"),
        lambda one, post, day, who: actions.confirm_review(
            one, day, answer=_reviewed(one, post), reason=_said(post, "reason"), acting=who
        ), primary=True,
    ),
    "reject": Verb(
        "reject", "exchange.decide", "", ("basis", "reason"),
        lambda one, post, day, who: actions.reject_review(
            one, _said(post, "basis"), day, reason=_said(post, "reason"), acting=who
        ),
    ),
    "dispute": Verb(
        "", "exchange.ask", "receiver", ("needed",),
        lambda one, post, day, who: actions.dispute(one, _said(post, "reason"), day, acting=who),
    ),
    "suspend": Verb(
        "suspend", "exchange.control", "owner", ("needed",),
        lambda one, post, day, who: grant_actions.suspend_grant(_grant(one), _said(post, "reason"), day, acting=who),
    ),
    "resume": Verb(
        "resume", "exchange.control", "owner", ("needed",),
        lambda one, post, day, who: grant_actions.resume_grant(_grant(one), _said(post, "reason"), day, acting=who),
    ),
    "withdraw": Verb(
        "withdraw", "exchange.control", "owner", ("needed",),
        lambda one, post, day, who: grant_actions.withdraw_grant(_grant(one), _said(post, "reason"), day, acting=who),
    ),
    "give-up": Verb(
        "withdraw", "exchange.ask", "receiver", ("needed",),
        lambda one, post, day, who: grant_actions.give_up_grant(_grant(one), _said(post, "reason"), day, acting=who),
    ),
    "renew": Verb(
        "change", "exchange.ask", "receiver", ("until", "basis"),
        lambda one, post, day, who: grant_actions.renew_grant(
            _grant(one), _until(post), _said(post, "basis"), day, acting=who
        ),
    ),
    "uphold": Verb(
        "uphold", "exchange.decide", "", ("basis", "reason"),
        lambda one, post, day, who: actions.uphold(
            one, _said(post, "basis"), day, reason=_said(post, "reason"), acting=who
        ),
    ),
    "overturn": Verb(
        "overturn", "exchange.decide", "", ("decision", "basis"),
        lambda one, post, day, who: actions.overturn(
            one, _said(post, "basis"), day, answer=_answer(one, post), acting=who
        ),
    ),
}  # fmt: skip


def _grant(request: ShareRequest) -> SharingGrant:
    """The grant that came of a request.

    Raises:
        ExchangeError: none did.
    """
    grant = grant_of_request(request)
    if grant is None:
        raise ExchangeError("本申请没有授权", "no grant came of this request")
    return grant


def _until(post: QueryDict) -> dt.date:
    day = _date(post, "ends_on")
    if day is None:
        raise ExchangeError("请填写续期后的截止日期", "say the last day of the renewed grant")
    return day


def _reviewed(request: ShareRequest, post: QueryDict) -> Answer:
    """The bureau's answer to what the owner gives: items the owner left out are not in it."""
    answer = _answer(request, post)
    last = request.decisions.order_by("-number").first()
    given = set(last.extent.masks) if last and last.gives else set()
    return Answer(
        without={name: basis for name, basis in answer.without.items() if name in given},
        masks={name: mask for name, mask in answer.masks.items() if name in given},
        rows=answer.rows,
        methods=answer.methods,
        ends_on=answer.ends_on,
        quota=answer.quota,
    )


def taken(verb: str, request: ShareRequest, post: QueryDict, day: dt.date, actor: Actor) -> None:
    """Does what a form asks.

    Raises:
        ExchangeError, StepError: it can't be done so, or there is no such form.
        NotAllowedError: the actor may not.
    """
    found = _VERBS.get(verb)
    if found is None:
        raise ExchangeError("没有这种办理方式", "there is no such step")
    found.run(request, post, day, actor)


def forms_for(request: ShareRequest, actor: Actor, catalog: Catalog) -> list[Form]:
    """The forms that the reader may use now."""
    forms = []
    for name, verb in _VERBS.items():
        department = getattr(request, verb.side) if verb.side else None
        title = _title(name, verb, request, actor)
        if title and actor.may(verb.permission, department):
            fields = [field for part in verb.parts for field in _fields(part, name, request, catalog)]
            forms.append(Form(name, title, fields, verb.primary))
    return forms


def _title(name: str, verb: Verb, request: ShareRequest, actor: Actor) -> str:
    """What the form is called, by the step it stands for; empty where that step can't be taken now."""
    if name == "dispute":
        refused = request.outcome in (ShareRequest.Outcome.REFUSED, ShareRequest.Outcome.PARTLY)
        return _("提出争议") if refused and request.dispute is None else ""
    grant = grant_of_request(request)
    for case in filter(None, (request.case, request.dispute, grant.case if grant else None)):
        declared = case.declared
        done = declared.steps.get(verb.step) and declared.steps[verb.step].once
        again = bool(done) and case.steps.filter(step=verb.step).exists()
        if verb.step in declared.steps_from(case.state, actor.roles) and not again:
            if name in ("give-up", "renew"):
                return _("放弃授权") if name == "give-up" else _("申请续期")
            title = declared.steps[verb.step].title
            return localised({"zh": title.zh, "en": title.en})
    return ""


def _fields(part: str, form: str, request: ShareRequest, catalog: Catalog) -> list[Field]:
    if part == "basis":
        return [
            Field(
                "basis",
                _("法律依据"),
                "textarea",
                required=True,
                form=form,
                help=_("写明哪部法律、法规或者国家规定的哪一条。"),
            )
        ]
    if part == "needed":
        return [Field("reason", _("说明"), "textarea", required=True, form=form)]
    if part == "reason":
        return [Field("reason", _("说明"), "textarea", form=form)]
    if part == "until":
        return [Field("ends_on", _("续期后的截止日期"), "date", required=True, form=form)]
    return _decision(form, request, catalog)


def _decision(form: str, request: ShareRequest, catalog: Catalog) -> list[Field]:
    """Item by item what is given, then the rest that may be narrowed; left as it is, all that was asked (or given)."""
    asked = request.extent
    if form == "confirm" and (last := request.decisions.order_by("-number").first()):
        asked = last.extent
    fields = [
        Field(
            f"item-{name}", item_title(catalog, request.resource, name), "select", mask,
            [*(Option(one, mask_title(one)) for one in _MASKS if covers(one, mask)), Option(_LEFT_OUT, _("不提供"))],
            form=form,
        )
        for name, mask in asked.masks.items()
    ]  # fmt: skip
    methods = [Option("", _("全部申请的方式")), *(Option(one, method_title(one)) for one in sorted(asked.methods))]
    return [
        *fields,
        Field("without", _("不提供的信息项的法律依据"), "textarea", form=form),
        Field("rows", _("另加的数据范围条件"), form=form, help=_("例如：area = '980101'。与申请的条件同时成立。")),
        Field("methods", _("共享方式"), "select", "", methods, form=form),
        Field("ends_on", _("提前截止"), "date", form=form, most=str(asked.ends_on)),
        Field("quota", _("限额"), form=form, help=_("不高于申请的限额；不填为申请的限额。")),
    ]


def mask_title(mask: str) -> str:
    """What a mask is called."""
    return {
        "none": _("不脱敏"), "surname": _("只留姓氏"), "middle": _("隐去中间"), "last4": _("只留后四位"),
        "address": _("只留路名"), "hide": _("不显示"),
    }[mask]  # fmt: skip


def method_title(method: str) -> str:
    """What a method of delivery is called."""
    return {"api": _("接口"), "batch": _("批量文件"), "stream": _("数据流"), "verify": _("核验（只答是否）")}[method]


def item_fields(resource: Resource, post: QueryDict, catalog: Catalog) -> list[Field]:
    """A field per item of a resource: not asked, or asked with one of the masks."""
    options = [Option("", _("不申请")), *(Option(one, mask_title(one)) for one in _MASKS)]
    return [
        Field(
            f"item-{name}", item_title(catalog, resource.resource, name), "select", _said(post, f"item-{name}"), options
        )
        for name in resource.items
    ]


def asking_fields(resource: Resource, post: QueryDict, day: dt.date) -> list[Field]:
    """The fields of the form in which a department asks, with what was sent."""
    frequencies = [
        ("on-demand", _("按需")), ("once", _("一次")), ("realtime", _("实时")), ("daily", _("每日")), ("weekly", _("每周")),
        ("monthly", _("每月")),
    ]  # fmt: skip
    methods = [Option(one, method_title(one)) for one in resource.share.methods or ("api",)]
    return [
        Field("purpose", _("用途"), "textarea", _said(post, "purpose"), required=True),
        Field(
            "basis",
            _("依据"),
            "textarea",
            _said(post, "basis"),
            required=True,
            help=_("本部门依法需要这些数据的法律条文。"),
        ),
        Field("methods", _("共享方式"), "select", _said(post, "methods"), methods, required=True),
        Field("frequency", _("使用频率"), "select", _said(post, "frequency"), [Option(*one) for one in frequencies]),
        Field("rows", _("数据范围条件"), value=_said(post, "rows"), help=_("不填为全部；例如：area = '980101'。")),
        Field("starts_on", _("开始日期"), "date", _said(post, "starts_on") or str(day), required=True),
        Field("ends_on", _("截止日期"), "date", _said(post, "ends_on"), required=True),
        Field("quota", _("限额"), value=_said(post, "quota"), help=_("不填为不限。")),
    ]


def wanted_of(resource: Resource, post: QueryDict) -> Wanted:
    """What a sent form asks for.

    Raises:
        ExchangeError: a day is missing or none, or the quota is no number.
    """
    starts_on, ends_on = _date(post, "starts_on"), _date(post, "ends_on")
    if starts_on is None or ends_on is None:
        raise ExchangeError("请填写开始日期和截止日期", "say the first and the last day")
    chosen = {name: text for name in resource.items if (text := _said(post, f"item-{name}"))}
    _check_masks(chosen.values())
    return Wanted(
        resource=resource.resource,
        purpose=_said(post, "purpose"),
        basis=_said(post, "basis"),
        items=tuple(chosen),
        masks=cast("dict[str, Mask]", chosen),
        methods=frozenset(cast("list[Method]", post.getlist("methods"))),
        frequency=_said(post, "frequency"),
        starts_on=starts_on,
        ends_on=ends_on,
        rows=_said(post, "rows") or None,
        quota=_number(post, "quota"),
    )
