"""Refusals of what costs without bound: texts that grow, patterns that are tried again and again, joins of all with all.

A declaration is third-party content, and the memory limit of an engine does not hold for every one of these.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from shutong.spec.refusals import Refusal, refusal

MOST_GAPS = 2
"""Of a pattern that also asks for single characters, so many ``%``: every further one tries all places again."""


def cost_refusals(node: exp.Expr, line: int) -> Iterator[Refusal]:
    """What one node may cost."""
    if isinstance(node, exp.Replace):
        yield from _replace(node, line)
    elif isinstance(node, exp.Like):
        yield from _like(node, line)


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
