"""Writes checked SQL out for an engine, from its syntax tree and never from the text that was delivered."""

from __future__ import annotations

from datetime import date

import sqlglot
from sqlglot import exp

SAMPLE_SIZE = 20
"""Record ids that ``record_sample`` keeps."""


def render_tree(tree: exp.Expr, dialect: str, business_day: date | str | None, qualifier: str | None) -> str:
    """SQL text of a checked tree; see ``sql.render``."""
    copy = tree.copy()
    if qualifier is not None:
        for column in copy.find_all(exp.Column):
            column.set("table", exp.to_identifier(qualifier, quoted=True))
    copy = copy.transform(lambda node: _own_function(node, dialect, business_day))
    return copy.sql(dialect=dialect, identify=True, normalize_functions="lower", comments=False)


def _own_function(node: exp.Expr, dialect: str, business_day: date | str | None) -> exp.Expr:
    if not isinstance(node, exp.Anonymous):
        return node
    name = str(node.name).lower()
    if name == "business_day" and isinstance(business_day, str):
        return exp.var(f":{business_day}")
    if name == "business_day" and isinstance(business_day, date):
        return exp.cast(exp.Literal.string(business_day.isoformat()), "DATE")
    if name == "record_set":
        return _template(
            "list_sort(list(DISTINCT x) FILTER (WHERE x IS NOT NULL))", "array_sort(collect_set(x))", node, dialect
        )
    if name == "record_sample":
        spark = f"slice(array_sort(collect_set(x)), 1, {SAMPLE_SIZE})"
        least = "list_sort(list(DISTINCT x) FILTER (WHERE x IS NOT NULL))"
        return _template(f"list_slice({least}, 1, {SAMPLE_SIZE})", spark, node, dialect)
    return node


def _template(duckdb: str, spark: str, node: exp.Anonymous, dialect: str) -> exp.Expr:
    text, read = (duckdb, "duckdb") if dialect == "duckdb" else (spark, "spark")
    value = node.expressions[0]
    tree = sqlglot.parse_one(text, read=read)
    filled: exp.Expr = tree.transform(
        lambda inner: value.copy() if isinstance(inner, exp.Column) and inner.name == "x" else inner
    )
    return filled
