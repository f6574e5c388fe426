"""Refusals that follow from the types of columns: days and instants, which engines mix in different ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
from sqlglot import exp

from shutong.spec.refusals import Refusal, refusal
from shutong.spec.sqltree import line_of

TypeOf = Callable[[exp.Column], "pa.DataType | None"]
"""The declared type of a column; None where it is one of an inner query."""

_DAYS = {"business_day", "months_later", "first_of_month", "legal_day"}
_PARSED = {exp.DType.DATE, exp.DType.DOUBLE, exp.DType.DECIMAL}
_OF_DAYS = {"days_between", "months_later", "year_of", "month_of", "first_of_month"}
_OF_DAYS_NODES = (exp.Year, exp.Month, exp.Day, exp.Quarter)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)


def type_refusals(tree: exp.Expr, type_of: TypeOf) -> Iterator[Refusal]:
    """A day minus a day, an instant taken for a day (its day in UTC is not the legal day), a text that must be a number."""
    for node in tree.walk():
        if isinstance(node, exp.Sub) and _is_day(node.this, type_of) and _is_day(node.expression, type_of):
            yield refusal("sql.date-minus-date", line=line_of(node))
        if type(node) is exp.Cast and node.to.this in _PARSED and _is_text(node.this, type_of):
            yield refusal("sql.cast-text", node.to.sql("duckdb"), line=line_of(node))
        if any(_is_instant(part, type_of) for part in _taken_for_days(node, type_of)):
            yield refusal("sql.instant", line=line_of(node))


def _is_text(node: exp.Expr, type_of: TypeOf) -> bool:
    kind = type_of(node) if isinstance(node, exp.Column) else None
    return kind is not None and pa.types.is_string(kind)


def _is_day(node: exp.Expr, type_of: TypeOf) -> bool:
    if isinstance(node, exp.Paren):
        return _is_day(node.this, type_of)
    if isinstance(node, exp.Column):
        kind = type_of(node)
        return kind is not None and pa.types.is_date(kind)
    if isinstance(node, exp.Cast):
        return bool(node.to.this is exp.DType.DATE)
    return isinstance(node, exp.Anonymous) and str(node.name).lower() in _DAYS


def _is_instant(node: exp.Expr, type_of: TypeOf) -> bool:
    if isinstance(node, exp.Paren):
        return _is_instant(node.this, type_of)
    kind = type_of(node) if isinstance(node, exp.Column) else None
    return kind is not None and pa.types.is_timestamp(kind)


def _taken_for_days(node: exp.Expr, type_of: TypeOf) -> list[exp.Expr]:
    """The parts of a node that it takes for days."""
    if isinstance(node, exp.Cast):
        return [node.this] if node.to.this is exp.DType.DATE else []
    if isinstance(node, _OF_DAYS_NODES):
        return [node.this]
    if isinstance(node, exp.Anonymous):
        return list(node.expressions) if str(node.name).lower() in _OF_DAYS else []
    if isinstance(node, _COMPARISONS):
        sides = [node.this, node.expression]
    elif isinstance(node, exp.Between):
        sides = [node.this, node.args["low"], node.args["high"]]
    else:
        return []
    return sides if any(_is_day(side, type_of) for side in sides) else []
