"""Refusals of what costs without bound or stops a run on some rows only: growing texts, patterns, queries for one value.

A declaration is third-party content: the memory limit of an engine does not hold for all of these, and one statement that
fails on a row nobody thought of would keep every other from being computed.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from shutong.spec.functions import function_of
from shutong.spec.refusals import Refusal, refusal

MOST_GAPS = 2
"""Of a pattern that also asks for single characters, so many ``%``: every further one tries all places again."""


def cost_refusals(node: exp.Expr, line: int) -> Iterator[Refusal]:
    """What one node may cost."""
    if isinstance(node, exp.Replace):
        yield from _replace(node, line)
    elif isinstance(node, exp.Like):
        yield from _like(node, line)
    elif isinstance(node, exp.Subquery) and not isinstance(node.parent, _OF_ROWS) and not _one_row(node.this):
        yield refusal("sql.one-value", line=line)


_OF_ROWS = (exp.From, exp.Join, exp.In, exp.Exists, exp.Query, exp.CTE)
"""Where an inner query stands for rows; elsewhere it stands for a value, and a second row is an error."""


def _one_row(query: exp.Expr) -> bool:
    limit = query.args.get("limit")
    if limit is not None and isinstance(limit.expression, exp.Literal) and limit.expression.name == "1":
        return True
    if not isinstance(query, exp.Select) or query.args.get("group"):
        return not query.args.get("from_")
    totals = [found for found in query.find_all(exp.AggFunc, exp.Anonymous) if found.find_ancestor(exp.Select) is query]
    plain = [found for found in totals if not isinstance(found.parent, exp.Window) and _is_total(found)]
    return bool(plain) or not query.args.get("from_")


def _is_total(node: exp.Expr) -> bool:
    function = function_of(node)
    return function is not None and function.use == "aggregate"


def _replace(node: exp.Replace, line: int) -> Iterator[Refusal]:
    # Ten replacements of one character by ten, one inside the other, make ten thousand million characters.
    old, new = node.expression, node.args.get("replacement")
    if not (_text(old) and _text(new)) or not old.name or len(new.name if new else "") > len(old.name):
        yield refusal("sql.replace", line=line)


def _like(node: exp.Like, line: int) -> Iterator[Refusal]:
    pattern = node.expression
    if not _text(pattern) or "\\" in pattern.name or ("_" in pattern.name and pattern.name.count("%") > MOST_GAPS):
        yield refusal("sql.like", line=line)


def _text(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)
