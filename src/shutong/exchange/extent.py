"""What is asked and what is given, as values: who decides, and that nothing is ever given beyond what was asked.

Pure: no database. An answer can only take away (items, methods, days), add (conditions) or cover (masks), so that what
comes of it cannot be more than what was asked; what the resource declares bounds both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from shutong.exchange.refusals import ExchangeError
from shutong.spec.binding import Binder
from shutong.spec.columns import default_mask, personal_mark, row_columns
from shutong.spec.models import Item, Mask, Resource
from shutong.spec.refusals import SqlRefused
from shutong.spec.sql import check_expression
from shutong.standards.sharing import STRICTEST, Decides, SharingRule, sharing_rules

Method = Literal["api", "batch", "stream", "verify"]
MOST = 10**18
"""No quota is larger."""


@dataclass(frozen=True)
class Extent:
    """How much of a resource: items with their masks, rows (None for all), methods, days (both included), quota."""

    masks: Mapping[str, Mask]
    rows: str | None
    methods: frozenset[Method]
    starts_on: dt.date
    ends_on: dt.date
    quota: int | None


@dataclass(frozen=True)
class Answer:
    """What is given of what was asked; left as it is, everything.

    Args:
        without: items that are not given, each with the legal basis in words.
        masks: stronger masks, by item.
        rows: a further condition; rows must meet it and the one that was asked.
        methods: fewer methods; None for those asked.
        starts_on: a later first day; None for the one asked.
        ends_on: an earlier last day; None for the one asked.
        quota: a lower quota; None for the one asked.
    """

    without: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, Mask] = field(default_factory=dict)
    rows: str | None = None
    methods: frozenset[Method] | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    quota: int | None = None


@dataclass(frozen=True)
class Route:
    """Who decides, and the rules that say so."""

    decides: Decides
    rules: tuple[SharingRule, ...]

    @property
    def zh(self) -> str:
        """The rules and their sources in Chinese."""
        return "；".join(f"{rule.zh}（{rule.source}）" for rule in self.rules)

    @property
    def en(self) -> str:
        """The rules and their sources in English."""
        return "; ".join(f"{rule.en} ({rule.source})" for rule in self.rules)


def covers(mask: Mask, other: Mask) -> bool:
    """Whether ``mask`` shows no more than ``other``: hide covers all, all cover none, and each itself."""
    return mask == other or mask == "hide" or other == "none"


def exposed(item: Item, mask: Mask) -> bool:
    """Whether a value under ``mask`` shows more than somebody without a grant sees of it, or all of it."""
    return mask == "none" or not covers(mask, default_mask(item))


def usual_mask(item: Item) -> Mask:
    """The mask of an item for which the request names none: its own where it is personal or graded high, else none."""
    guarded = personal_mark(item) == "sensitive" or item.grade in ("important", "core")
    return default_mask(item) if guarded else "none"


def route(resource: Resource, extent: Extent, day: dt.date) -> Route:
    """Who decides about so much of a resource by the rules in force on ``day``: the strictest of those that apply.

    Raises:
        ExchangeError: no rule for the share type was in force on that day.
    """
    rules = [rule for rule in sharing_rules() if rule.in_force(day) and _applies(rule, resource, extent.masks)]
    if not any(rule.of == "share" for rule in rules):
        raise ExchangeError(
            f"{day} 没有规定共享类型“{resource.share.type}”如何办理",
            f"no rule was in force on {day} for the share type {resource.share.type}",
        )
    decides = max((rule.decides for rule in rules), key=STRICTEST.index)
    return Route(decides, tuple(rule for rule in rules if rule.decides == decides))


def _applies(rule: SharingRule, resource: Resource, masks: Mapping[str, Mask]) -> bool:
    if rule.of == "share":
        return resource.share.type == rule.value
    return any(
        rule.value == (str(resource.items[name].grade) if rule.of == "grade" else personal_mark(resource.items[name]))
        and (not rule.exposed or exposed(resource.items[name], mask))
        for name, mask in masks.items()
    )


def check_extent(extent: Extent, resource: Resource) -> None:
    """That a resource declares so much.

    Raises:
        ExchangeError: unknown items, undeclared methods, a row condition that is none, days in the wrong order, no quota.
    """
    if not extent.masks:
        raise ExchangeError("至少要有一个信息项", "at least one item is needed")
    unknown = [name for name in extent.masks if name not in resource.items]
    if unknown:
        raise ExchangeError(
            f"资源 {resource.resource} 没有信息项：{'、'.join(unknown)}",
            f"the resource {resource.resource} has no items {', '.join(unknown)}",
        )
    if resource.share.type != "none":
        _check_methods(extent.methods, resource)
    check_rows(extent.rows, resource)
    if extent.ends_on < extent.starts_on:
        raise ExchangeError(
            f"截止日期 {extent.ends_on} 早于开始日期 {extent.starts_on}",
            f"the last day {extent.ends_on} is before the first day {extent.starts_on}",
        )
    if extent.quota is not None and not 1 <= extent.quota <= MOST:
        raise ExchangeError(f"限额至少为 1，至多为 {MOST}", f"a quota is at least 1 and at most {MOST}")


def _check_methods(methods: Iterable[Method], resource: Resource) -> None:
    declared = resource.share.methods
    wrong = sorted(set(methods) - set(declared))
    if wrong or not set(methods):
        raise ExchangeError(
            f"共享方式 {'、'.join(wrong) or '未填写'} 不可用，本资源可选：{'、'.join(declared) or '无'}",
            f"the methods {', '.join(wrong) or '(none)'} can't be asked; the resource declares: "
            f"{', '.join(declared) or 'none'}",
        )


def check_rows(rows: str | None, resource: Resource) -> None:
    """That a row condition is one: a checked expression over the resource's items that is true or false.

    Raises:
        ExchangeError: with every reason.
    """
    if rows is None:
        return
    columns = row_columns(resource)
    try:
        with Binder({}) as binder:
            kind = binder.expression_type(check_expression(rows, columns), columns)
    except SqlRefused as error:
        zh = "；".join(one.zh for one in error.refusals)
        raise ExchangeError(
            f"数据范围条件不能用：{zh}", f"the row condition is refused: {'; '.join(one.en for one in error.refusals)}"
        ) from error
    if not pa.types.is_boolean(kind):
        raise ExchangeError(
            f"数据范围条件必须是真或假，例如 area = '980101'，而不是 {kind}",
            f"a row condition is true or false, such as area = '980101', not {kind}",
        )


def given(asked: Extent, answer: Answer, resource: Resource, day: dt.date) -> Extent:
    """What an answer gives of what was asked, from ``day`` on at the earliest.

    Raises:
        ExchangeError: the answer names what was not asked, gives more in any respect, nothing at all, or leaves out an
            item without a basis.
    """
    _check_items(asked, answer)
    masks = {name: answer.masks.get(name, mask) for name, mask in asked.masks.items() if name not in answer.without}
    if not masks:
        raise ExchangeError(
            "没有同意任何信息项，请改用“不予共享”并写明法律依据",
            "no item is given: refuse the request instead, with its legal basis",
        )
    weaker = [name for name, mask in masks.items() if not covers(mask, asked.masks[name])]
    if weaker:
        raise ExchangeError(
            f"信息项 {'、'.join(weaker)} 的脱敏方式只能比申请的更严",
            f"the masks of {', '.join(weaker)} may only be stronger than those asked",
        )
    methods = asked.methods if answer.methods is None else answer.methods
    if not methods or methods - asked.methods:
        raise ExchangeError("共享方式只能在申请的范围内选择", "methods may only be some of those asked")
    starts_on, ends_on = _days(asked, answer, day)
    result = Extent(masks, _both(asked.rows, answer, resource), methods, starts_on, ends_on, _quota(asked, answer))
    check_extent(result, resource)
    return result


def _check_items(asked: Extent, answer: Answer) -> None:
    foreign = sorted((set(answer.without) | set(answer.masks)) - set(asked.masks))
    if foreign:
        raise ExchangeError(
            f"没有申请信息项：{'、'.join(foreign)}", f"these items were not asked: {', '.join(foreign)}"
        )
    for name, basis in answer.without.items():
        if not in_words(basis):
            raise ExchangeError(
                f"不提供信息项 {name}，须写明法律依据", f"the item {name} is left out without a legal basis in words"
            )


def _days(asked: Extent, answer: Answer, day: dt.date) -> tuple[dt.date, dt.date]:
    first, last = answer.starts_on or asked.starts_on, answer.ends_on or asked.ends_on
    if first < asked.starts_on or last > asked.ends_on:
        raise ExchangeError(
            f"期限只能在申请的 {asked.starts_on} 至 {asked.ends_on} 之内",
            f"the term may only lie within the days asked, {asked.starts_on} to {asked.ends_on}",
        )
    if last < day:
        raise ExchangeError(f"期限在 {last} 已经结束", f"the term ended on {last} already")
    return max(first, day), last


def _both(asked: str | None, answer: Answer, resource: Resource) -> str | None:
    check_rows(answer.rows, resource)
    if asked is None or answer.rows is None:
        return asked if answer.rows is None else answer.rows
    return f"({asked}) AND ({answer.rows})"


def _quota(asked: Extent, answer: Answer) -> int | None:
    if answer.quota is None:
        return asked.quota
    if asked.quota is not None and answer.quota > asked.quota:
        raise ExchangeError(f"限额不能高于申请的 {asked.quota}", f"the quota may not exceed the {asked.quota} asked")
    return answer.quota


def in_words(text: str) -> bool:
    """Whether a reason says something: at least four letters or characters, beside digits and signs."""
    return sum(character.isalpha() for character in text) >= 4
