"""From a resource's declaration to the checks of its rows: a pure value, built once per resource and delivery.

Every reason a row can have is listed here beforehand, so that checking a row names a reason by its number.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from shutong.collect.problems import Problem, problem
from shutong.quality.wording import Named, in_words
from shutong.spec.catalog import Catalog, check_columns, element_of, item_type, sealed
from shutong.spec.columns import faulty_column, repairable
from shutong.spec.models import Item, Resource
from shutong.spec.sql import check_expression, render
from shutong.standards.codesets import CODE_REASONS, Code, CodeSet, code_set
from shutong.standards.columns import by_distinct
from shutong.standards.elements import ELEMENTS, Element, Title, Unit
from shutong.standards.numbers import MONEY_UNITS
from shutong.standards.verdict import REASONS, Column, ColumnVerdict, compute

CODE_VERSION = 3
"""Raised when the same declaration and rows would give another answer."""

IDENTIFIERS = ("uscc", "org_code", "registration_no", "taxpayer_no", "certificate_no", "citizen_id")
"""Entries of ``about`` that are identifiers: beside a usable name a bad one is flagged, not rejected (law 7)."""

_NUMERIC = ("integer", "decimal", "money", "percent")


@dataclass(frozen=True)
class Bound:
    """A limit on a value: numbers in canonical units, text in characters; ``reason`` is its number in the plan."""

    kind: str
    limit: Decimal
    reason: int


@dataclass(frozen=True)
class ItemCheck:
    """The checks of one item.

    ``faults``: reason numbers by the fault numbers of its element's column check. ``rejects``: a fault rejects the
    row; otherwise it is flagged and the value left out, unless ``beside`` (the name that makes the row usable
    without it) is missing too.
    """

    name: str
    check: Callable[[Column], ColumnVerdict]
    kind: pa.DataType
    faults: tuple[int, ...]
    required: int | None
    out_of_range: int
    bounds: tuple[Bound, ...]
    pattern: tuple[str, int] | None
    rejects: bool
    beside: str | None
    sealed: bool


@dataclass(frozen=True)
class RowCheck:
    """A declared check: SQL over typed items, true or NULL for a good row."""

    name: str
    sql: str
    reason: int
    rejects: bool


@dataclass(frozen=True)
class CheckPlan:
    """All checks of a resource's rows.

    ``reasons[k]`` is what a row is told for finding k; ``duplicate``, ``operation_unknown`` and
    ``withdrawal_unexplained`` are the numbers of those three. ``fill``: least shares of filled cells by item.
    """

    resource: Resource
    items: tuple[ItemCheck, ...]
    rows: tuple[RowCheck, ...]
    reasons: tuple[Problem, ...]
    duplicate: int
    operation_unknown: int
    withdrawal_unexplained: int
    identity: str

    @property
    def schema(self) -> pa.Schema:
        """The typed items, in declared order, before sealing; then the faulty spellings that are kept."""
        kept = [(faulty_column(name), pa.string()) for name in repairable(self.resource)]
        return pa.schema([*((item.name, item.kind) for item in self.items), *kept])


class _Reasons:
    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, reason: Problem) -> int:
        self.found.append(reason)
        return len(self.found) - 1


def check_plan(resource: Resource, catalog: Catalog) -> CheckPlan:
    """The checks of a resource.

    Raises:
        KeyError: an element or code set does not exist; ``spec.checks`` says so when the pack is checked.
        SqlRefused: a check's expression is not allowed.
    """
    reasons = _Reasons()
    items = tuple(_item_check(name, item, resource, catalog, reasons) for name, item in resource.items.items())
    rows = tuple(_row_checks(resource, reasons))
    titles = "、".join(resource.items[name].title.zh for name in resource.key)
    operation = resource.items[resource.operation].title.zh if resource.operation else ""
    why = resource.items[resource.reason].title.zh if resource.reason else ""
    return CheckPlan(
        resource,
        items,
        rows,
        duplicate=reasons.add(problem("key.duplicate", resource.key[0], title=titles)),
        operation_unknown=reasons.add(problem("operation.unknown", resource.operation, title=operation)),
        withdrawal_unexplained=reasons.add(problem("operation.reason", resource.reason, title=why)),
        reasons=tuple(reasons.found),
        identity=_identity(resource, catalog),
    )


def _identity(resource: Resource, catalog: Catalog) -> str:
    declared = catalog.hash_of("resource", resource.resource)
    text = json.dumps(["check", resource.resource, CODE_VERSION, declared])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _item_check(name: str, item: Item, resource: Resource, catalog: Catalog, reasons: _Reasons) -> ItemCheck:
    element = ELEMENTS[element_of(item)]
    title = item.title.zh
    check = _column_check(element, _unit(item, catalog))

    known = check(pa.array([], pa.string())).reasons
    faults = tuple(reasons.add(_fault(reason, name, title)) for reason in known)
    key = name in resource.key
    wanted = item.required or (key and name not in resource.key_empty)
    beside = _beside(name, resource)
    flagged = item.on_fault == "flag" if item.on_fault else beside is not None and not _registry(name, resource)
    required = reasons.add(problem("item.required", name, title=title)) if wanted else None
    pattern = None
    if item.pattern:
        pattern = (rf"\A(?:{item.pattern})\z", reasons.add(problem("item.pattern", name, title=title)))
    return ItemCheck(
        name,
        check,
        item_type(item),
        faults,
        required,
        out_of_range=reasons.add(problem("item.range", name, title=title)),
        bounds=tuple(_bounds(name, item, element, reasons)),
        pattern=pattern,
        rejects=key or not flagged,
        beside=None if item.on_fault else beside,
        sealed=sealed(item),
    )


def _column_check(element: Element, unit: Unit) -> Callable[[Column], ColumnVerdict]:
    if isinstance(unit, CodeSet):
        # the same few spellings come in every batch: each is looked up once
        known = functools.lru_cache(1 << 16)(unit.check)
        return _once_per_dictionary(lambda column: by_distinct(column, known, CODE_REASONS))
    return _once_per_dictionary(lambda column: element.column(column, unit))


def _once_per_dictionary(check: Callable[[Column], ColumnVerdict]) -> Callable[[Column], ColumnVerdict]:
    """A check that judges the entries of a dictionary once when batches follow each other with the same one."""
    last: list[tuple[Any, ColumnVerdict]] = []

    def checked(column: Column) -> ColumnVerdict:
        if not isinstance(column, pa.DictionaryArray):
            return check(column)
        entries: Any = column.dictionary
        met = last[-1] if last else None
        if met is None or not met[0].equals(entries):
            met = (entries, check(entries))
            last[:] = [met]
        verdict = met[1]
        fault = compute.fill_null(verdict.fault.take(column.indices), pa.scalar(-1, pa.int8()))
        return ColumnVerdict(verdict.canonical.take(column.indices), fault, verdict.reasons)

    return checked


def _fault(reason: str, name: str, title: str) -> Problem:
    """An element's reason, told with the column's title; ``code`` stays the element's own."""
    texts = REASONS.get(reason)
    if texts is None:  # ``ok``, which no row is told
        return Problem(reason, "", "", name)
    told = problem("item.fault", name, title=title, zh=texts.zh, en=texts.en)
    return Problem(reason, told.zh, told.en, name)


def _unit(item: Item, catalog: Catalog) -> Unit:
    if item.codes is None:
        return item.unit
    own = catalog.codes.get(item.codes)
    if own is None:
        return code_set(item.codes)
    codes = [Code(code, title.zh, title.en or "") for code, title in own.values.items()]
    return CodeSet(own.codes, own.title.zh, own.source, codes)


def _bounds(name: str, item: Item, element: Element, reasons: _Reasons) -> Iterator[Bound]:
    scale = MONEY_UNITS[item.unit] if element.name == "money" and item.unit else 1
    for kind, limit in (("min", item.min), ("max", item.max)):
        if limit is None:
            continue
        shown = format(limit.normalize(), "f")
        if element.name in _NUMERIC:
            reason = reasons.add(problem(f"item.{kind}", name, title=item.title.zh, limit=shown))
            yield Bound(kind, limit * scale, reason)
        elif kind == "max" and pa.types.is_string(element.type):
            reason = reasons.add(problem("item.length", name, title=item.title.zh, limit=shown))
            yield Bound("length", limit, reason)


def _beside(name: str, resource: Resource) -> str | None:
    """The name item of the entry of ``about`` in which the item is an identifier."""
    for about in resource.about:
        if name in {getattr(about, kind) for kind in IDENTIFIERS} and about.name:
            return about.name
    return None


def _registry(name: str, resource: Resource) -> bool:
    return any(about.registry and name in {getattr(about, kind) for kind in IDENTIFIERS} for about in resource.about)


def _row_checks(resource: Resource, reasons: _Reasons) -> Iterator[RowCheck]:
    columns = check_columns(resource)
    named = {
        name: Named(Title(one.title.zh, one.title.en or ""), element_of(one)) for name, one in resource.items.items()
    }
    for check in resource.checks:
        message, words = check.message, in_words(check.expr, named)
        zh = message.zh if message else f"不符合校验规则：{words.zh}"
        en = (message.en if message else None) or f"Must hold: {words.en}"
        item = next(iter(sorted(check_expression(check.expr, columns).columns - {"received_on"})), None)
        told = Problem(f"check:{check.name}", zh, en, item)
        sql = render(check_expression(check.expr, columns))
        yield RowCheck(check.name, sql, reasons.add(told), check.on_fail == "reject")
