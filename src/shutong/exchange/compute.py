"""A grant compiled into a query: one relation that holds all it lets out, and questions that are put on top of it.

The relation is the only way to the rows. Innermost stand the resource's current rows and the grant's row condition; above
them the granted items under their masks, and nothing else. A question (items, conditions, order, page, count) reads that
relation by its name: it sees masked values only, so no filter, order or count can tell two values apart that the mask
shows alike, and no item apart from those granted exists for it. An item that is not granted and one that the resource
never had are refused with the same words. What a question compares are plain values of the item's type, so nothing in it
can fail on a row that it does not see.

Sealed items (identity numbers, telephones, high grades) are in the lake as a matching key and ciphertext. They come out as
ciphertext here and are opened and masked in memory by ``reading``; a question cannot filter or order by them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from shutong.engine import sqltext
from shutong.exchange.grant import Grant
from shutong.exchange.question import Condition, Question, check_form, read_value
from shutong.exchange.refusals import ExchangeError
from shutong.spec.columns import item_type, key_column, row_columns, sealed, sealed_column, stored_columns
from shutong.spec.masks import mask_sql
from shutong.spec.models import Mask, Resource
from shutong.spec.sql import Expression, check_expression, render
from shutong.subjects.current import current_sql, needs_batches
from shutong.subjects.mentions import accepted_table

ROWS, BATCHES = "_rows", "_batches"
"""The views that a compiled query reads: the resource's accepted rows and, for snapshots, the deliveries."""

RELATION = "granted"
"""The name under which a question reads what is granted."""

RECORD = "record_id"
"""The one column beside the items: a record's id, by which both sides name it years later."""


@dataclass(frozen=True)
class Granted:
    """What a grant lets out of a resource, compiled for a day.

    Args:
        sql: the relation: ``record_id`` and each granted item, masked; sealed ones as ciphertext. ``:as_of`` is the day.
        views: view to lake table.
        types: columns of the relation that a question may compare, with their types.
        items: granted items in the resource's order.
        sealed: masks of the items that come as ciphertext.
    """

    sql: str
    views: Mapping[str, str]
    types: Mapping[str, pa.DataType]
    items: tuple[str, ...]
    sealed: Mapping[str, Mask]


def granted(grant: Grant, resource: Resource, day: dt.date) -> Granted:
    """The relation of a grant over a resource as it is declared now.

    What is declared now bounds what was granted once: items that are gone, and a resource that is not shared any more,
    give nothing. Whether the grant is in force is ``reading``'s to check.

    Raises:
        ExchangeError: nothing of what was granted is there any more, or the row condition no longer fits the resource.
    """
    items = tuple(name for name in resource.items if name in grant.items)
    if not items or resource.share.type == "none" or resource.resource != grant.resource:
        raise ExchangeError("授权的内容已不再提供", "what was granted is not provided any more")
    masks = {name: grant.masks.get(name, "hide") for name in items}
    locked = {name: mask for name, mask in masks.items() if sealed(resource.items[name]) and mask != "hide"}
    shown = {name: _shown(resource, name, mask) for name, mask in masks.items()}
    condition = _condition(grant, resource)
    needed = [name for name in stored_columns(resource).names if name in _needed(resource, items, condition)]
    rows = current_sql(resource, needed, ROWS, BATCHES)
    where = f" WHERE {_holds(condition, day)}" if condition else ""
    columns = ", ".join(f"{sql} AS {sqltext.name(name)}" for name, sql in shown.items())
    views = {ROWS: accepted_table(resource.resource)} | ({BATCHES: "batches"} if needs_batches(resource) else {})
    return Granted(
        sql=f'SELECT "{RECORD}", {columns} FROM ({rows}) AS _current{where}',
        views=views,
        types={name: _type(resource, name, mask) for name, mask in masks.items() if name not in locked},
        items=items,
        sealed=locked,
    )


def _condition(grant: Grant, resource: Resource) -> Expression | None:
    # SqlRefused here means that the catalog moved on under the grant: nothing is let out then.
    if grant.rows is None:
        return None
    try:
        return check_expression(grant.rows, row_columns(resource))
    except ValueError as error:
        raise ExchangeError(
            "授权的数据范围条件与资源现在的信息项不符，请重新申请",
            "the grant's row condition does not fit the resource as it is now: ask anew",
        ) from error


def _holds(condition: Expression, day: dt.date) -> str:
    """The row condition as SQL; a row on which it cannot be worked out (an overflow) is not granted, and no error tells of it."""
    return f"TRY({render(condition, business_day=day)}) IS TRUE"


def _needed(resource: Resource, items: tuple[str, ...], condition: Expression | None) -> set[str]:
    own = {sealed_column(name) if sealed(resource.items[name]) else name for name in items}
    return {RECORD, *own, *(condition.columns if condition else ())}


def _shown(resource: Resource, name: str, mask: Mask) -> str:
    """SQL of an item under its mask; an item that is hidden is not read at all, so that nothing tells whether it is there."""
    if mask == "hide":
        return sqltext.literal("***")
    if sealed(resource.items[name]):
        return sqltext.name(sealed_column(name))
    column = sqltext.name(name)
    return column if mask == "none" else mask_sql(f"CAST({column} AS VARCHAR)", mask)


def _type(resource: Resource, name: str, mask: Mask) -> pa.DataType:
    return item_type(resource.items[name]) if mask == "none" else pa.string()


def asked(one: Granted, question: Question) -> str:
    """A question put on top of a grant's relation, as SQL over its views.

    Raises:
        ExchangeError: the question's form, an item that is not granted, one that cannot be compared, a wrong value.
    """
    check_form(question)
    items = one.items if question.items is None else question.items
    for name in (*items, *(each.item for each in question.where), *(name for name, _ in question.order)):
        if name not in one.items:
            raise _not_granted()
    conditions = [_compared(one, each) for each in question.where]
    if question.after:
        conditions.append(f'"{RECORD}" > {sqltext.literal(question.after)}')
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    if question.count:
        return f"WITH {RELATION} AS ({one.sql}) SELECT count(*) AS n FROM {RELATION}{where}"
    for name, _descending in question.order:
        _comparable(one, name)
    columns = ", ".join(sqltext.name(name) for name in dict.fromkeys((RECORD, *items)))
    order = [f"{sqltext.name(name)} {'DESC' if down else 'ASC'} NULLS LAST" for name, down in question.order]
    paged = bool(order) or question.limit is not None or bool(question.after)
    by = ", ".join([*order, sqltext.name(RECORD)])
    tail = (f" ORDER BY {by}" if paged else "") + ("" if question.limit is None else f" LIMIT {question.limit}")
    return f"WITH {RELATION} AS ({one.sql}) SELECT {columns} FROM {RELATION}{where}{tail}"


def _not_granted() -> ExchangeError:
    return ExchangeError("有信息项不在授权范围内", "an item is not within the grant")


def _comparable(one: Granted, name: str) -> pa.DataType:
    kind = one.types.get(name)
    if kind is None:
        raise ExchangeError("加密保存的信息项不能用于筛选或排序", "sealed items cannot be filtered or ordered by")
    return kind


def _compared(one: Granted, condition: Condition) -> str:
    kind = _comparable(one, condition.item)
    column = sqltext.name(condition.item)
    if condition.operator == "empty":
        return f"{column} IS NULL"
    if condition.operator == "filled":
        return f"{column} IS NOT NULL"
    value = sqltext.literal(read_value(condition.value, kind))
    if condition.operator == "begins":
        if not pa.types.is_string(kind):
            raise ExchangeError("只有文本可以按开头筛选", "only texts can be filtered by how they begin")
        return f"starts_with({column}, {value})"
    return f"{column} {condition.operator} {value}"


def verified(
    grant: Grant, resource: Resource, day: dt.date, key: Mapping[str, str], where: tuple[Condition, ...]
) -> str:
    """SQL of ``yes``: whether a row within the grant with this key meets the conditions; for what may not leave.

    Args:
        key: a value for every key item of the resource; for sealed ones its matching key.
        where: conditions on granted items, at least one. They look at real values, and only their truth comes out.

    Raises:
        ExchangeError: the key is not whole, no condition, an item that is not granted or that is sealed, a wrong value.
    """
    one = granted(grant, resource, day)
    if set(key) != set(resource.key):
        raise ExchangeError("核验须给出全部主键信息项", "a verification names every key item")
    if not where:
        raise ExchangeError("核验至少要有一个条件", "a verification has at least one condition")
    check_form(Question(where=where))
    if any(each.item not in one.items for each in where):
        raise _not_granted()
    condition = _condition(grant, resource)
    named = (*one.items, *resource.key)
    plain = {name: item_type(resource.items[name]) for name in named if not sealed(resource.items[name])}
    needed = {RECORD, *plain, *(key_column(name) for name in resource.key if sealed(resource.items[name]))}
    needed |= condition.columns if condition else set()
    rows = current_sql(resource, [name for name in stored_columns(resource).names if name in needed], ROWS, BATCHES)
    scope = f" WHERE {_holds(condition, day)}" if condition else ""
    real = Granted(f"SELECT * FROM ({rows}) AS _current{scope}", one.views, plain, one.items, {})
    conditions = [_compared(real, each) for each in where]
    for name, value in key.items():
        if sealed(resource.items[name]):
            conditions.append(f"{sqltext.name(key_column(name))} = {sqltext.literal(value)}")
        else:
            conditions.append(f"{sqltext.name(name)} = {sqltext.literal(read_value(value, plain[name]))}")
    return (
        f"WITH {RELATION} AS ({real.sql}) SELECT count(*) > 0 AS yes FROM {RELATION} WHERE {' AND '.join(conditions)}"
    )
