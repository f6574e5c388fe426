"""The second gate: every node of a syntax tree must be of a listed kind and use only listed parts.

What is not listed is refused, so that a construct which a new parser version learns can't slip through.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from shutong.spec.functions import ANONYMOUS, FUNCTIONS, REPLACED, allowed_arguments, function_of
from shutong.spec.problems import meant
from shutong.spec.refusals import Refusal, refusal
from shutong.spec.sqlcost import cost_refusals

MAX_TREE_DEPTH = 150

_BINARY = {"this", "expression"}
_ROW_NODES: dict[type[exp.Expr], set[str]] = {
    exp.Column: {"this", "table"},
    exp.Identifier: {"this", "quoted"},
    exp.Literal: {"this", "is_string"},
    exp.Boolean: {"this"},
    exp.Null: set(),
    exp.Paren: {"this"},
    exp.Not: {"this"},
    exp.Neg: {"this"},
    exp.Between: {"this", "low", "high"},
    exp.In: {"this", "expressions"},
    exp.Case: {"this", "ifs", "default"},
    exp.If: {"this", "true", "false"},
    exp.Cast: {"this", "to"},
    exp.TryCast: {"this", "to", "safe"},
    exp.DataType: {"this", "expressions", "nested"},
    exp.DataTypeParam: {"this"},
}
_BINARY_NODES = (
    exp.And,
    exp.Or,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Is,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Like,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Mod,
)
_ROW_NODES |= dict.fromkeys(_BINARY_NODES, _BINARY)

_SETS = {"this", "expression", "distinct", "with_", "order", "limit", "offset"}
_QUERY_NODES: dict[type[exp.Expr], set[str]] = {
    exp.Select: {
        "with_",
        "expressions",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "qualify",
        "order",
        "limit",
        "offset",
        "distinct",
    },
    exp.Union: _SETS,
    exp.Intersect: _SETS,
    exp.Except: _SETS,
    exp.With: {"expressions"},
    exp.CTE: {"this", "alias"},
    exp.TableAlias: {"this", "columns"},
    exp.From: {"this"},
    exp.Table: {"this", "alias", "joins"},
    exp.Subquery: {"this", "alias"},
    exp.Join: {"this", "on", "using", "side", "kind"},
    exp.Where: {"this"},
    exp.Group: {"expressions"},
    exp.Having: {"this"},
    exp.Qualify: {"this"},
    exp.Order: {"this", "expressions"},
    exp.Ordered: {"this", "desc", "nulls_first"},
    exp.Limit: {"expression"},
    exp.Offset: {"expression"},
    exp.Alias: {"this", "alias"},
    exp.Distinct: {"expressions"},
    exp.Exists: {"this"},
    exp.In: {"this", "expressions", "query"},
    exp.Window: {"this", "partition_by", "order", "spec", "over"},
    exp.WindowSpec: {"kind", "start", "start_side", "end", "end_side"},
    exp.Filter: {"this", "expression"},
    exp.Star: set(),
}

_SPECIAL: dict[type[exp.Expr], str] = {
    exp.Div: "sql.division",
    exp.IntDiv: "sql.integer-division",
    exp.DPipe: "sql.concatenation",
    exp.Avg: "sql.average",
    exp.Interval: "sql.interval",
    exp.CurrentDate: "sql.clock",
    exp.CurrentTimestamp: "sql.clock",
    exp.CurrentTime: "sql.clock",
    exp.Placeholder: "sql.parameter",
    exp.Parameter: "sql.parameter",
    exp.RegexpLike: "sql.pattern",
    exp.SimilarTo: "sql.pattern",
    exp.Star: "sql.star",
    exp.TableColumn: "sql.unknown-column",
}
_CASTS = {exp.DType.DATE, exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.DOUBLE, exp.DType.DECIMAL}
_SIDES = {"", "LEFT", "RIGHT", "FULL"}
_KINDS = {"", "INNER", "OUTER"}
_ORDERED_WINDOWS = {"row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value"}


def row_refusals(tree: exp.Expr) -> Iterator[Refusal]:
    """What a row expression may not hold: queries, aggregates, windows, and all that no text may hold."""
    if isinstance(tree, (exp.Query, exp.Alias, exp.Tuple)) or not isinstance(tree, exp.Condition):
        yield refusal("sql.not-expression")
        return
    for node in tree.walk():
        if isinstance(node, (exp.Subquery, exp.Query, exp.Exists)) or node.args.get("query"):
            yield refusal("sql.subquery-here", line=line_of(node))
            return
        function = function_of(node)
        if function and function.use != "row":
            yield refusal("sql.aggregate-here", function.name, line=line_of(node))
            return
    yield from _walk(tree, _ROW_NODES)


def query_refusals(tree: exp.Expr) -> Iterator[Refusal]:
    """What a statement may not hold."""
    if not isinstance(tree, (exp.Select, exp.Union, exp.Intersect, exp.Except)):
        yield refusal("sql.not-select", tree.key.upper())
        return
    yield from _walk(tree, _ROW_NODES | _QUERY_NODES)


def _walk(tree: exp.Expr, allowed: dict[type[exp.Expr], set[str]]) -> Iterator[Refusal]:
    for node in tree.walk():
        if node.depth > MAX_TREE_DEPTH:
            yield refusal("sql.too-deep")
            return
        yield from cost_refusals(node, line_of(node))
        function = function_of(node)
        if type(node) in allowed:
            # CASE WHEN and if() share a node, so a listed construct goes before a listed function
            yield from _parts(node, allowed[type(node)])
            yield from _children(node)
            yield from _details(node)
        elif function:
            yield from _call(node, function.name)
        else:
            yield _unlisted(node)


def _parts(node: exp.Expr, allowed: set[str]) -> Iterator[Refusal]:
    for name, value in node.args.items():
        if name in allowed or value in (None, False, []):
            continue
        if name == "recursive":
            yield refusal("sql.recursive")
        elif isinstance(node, exp.Table) and name in {"db", "catalog"}:
            yield refusal("sql.qualified-view", _word(node), line=line_of(node))
        elif isinstance(node, exp.Join) and name == "method":
            yield refusal("sql.join-kind", str(value))
        elif isinstance(node, exp.Column):
            yield refusal("sql.unknown-column", _word(node), line=line_of(node))
        else:
            yield refusal("sql.construct", f"{node.key} {name.strip('_')}", line=line_of(node))


_QUERIES = (exp.Select, exp.Union, exp.Intersect, exp.Except)
_CHILDREN: dict[type[exp.Expr], dict[str, tuple[type[exp.Expr], ...]]] = {
    exp.Union: {"this": (*_QUERIES, exp.Subquery), "expression": (*_QUERIES, exp.Subquery)},
    exp.Intersect: {"this": (*_QUERIES, exp.Subquery), "expression": (*_QUERIES, exp.Subquery)},
    exp.Except: {"this": (*_QUERIES, exp.Subquery), "expression": (*_QUERIES, exp.Subquery)},
    exp.Subquery: {"this": _QUERIES},
    exp.Exists: {"this": _QUERIES},
    exp.CTE: {"this": _QUERIES},
    exp.In: {"query": (exp.Subquery,)},
    exp.From: {"this": (exp.Table, exp.Subquery)},
    exp.Join: {"this": (exp.Table, exp.Subquery)},
}
"""What may stand in a part of a node; the parser reads more than engines do."""


def _children(node: exp.Expr) -> Iterator[Refusal]:
    for name, kinds in _CHILDREN.get(type(node), {}).items():
        child = node.args.get(name)
        if child is not None and not isinstance(child, kinds):
            yield refusal("sql.construct", _word(node), line=line_of(node))


def _details(node: exp.Expr) -> Iterator[Refusal]:
    """Conditions of a listed node that go beyond its kind and parts."""
    line = line_of(node)
    if isinstance(node, exp.Cast) and not _cast_allowed(node.to):
        yield refusal("sql.cast", _word(node.to), line=line)
    elif isinstance(node, exp.Mod):
        right = node.expression
        if not (isinstance(right, exp.Literal) and right.is_int and int(right.name) > 0):
            yield refusal("sql.modulo", line=line)
    elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        # the resolver writes out the star of an inner query, so that only the outermost one is refused
        column = node.parent if isinstance(node.parent, exp.Column) else node
        if not (isinstance(column.parent, exp.Select) and column.parent.parent is not None):
            yield refusal("sql.star", _word(column), line=line)
    elif isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        yield refusal("sql.table-function", _word(node.this), line=line)
    elif isinstance(node, exp.Join):
        yield from _join(node)
    elif isinstance(node, exp.Distinct) and not isinstance(node.parent, (exp.Select, exp.Count)):
        yield refusal("sql.construct", "DISTINCT", line=line)
    elif isinstance(node, (exp.Limit, exp.Offset)):
        if node.parent is not None and not node.parent.args.get("order"):
            yield refusal("sql.limit-order", line=line)
        if not (isinstance(node.expression, exp.Literal) and node.expression.is_int):
            yield refusal("sql.construct", "LIMIT", line=line)
    elif isinstance(node, exp.Is) and not isinstance(node.expression, (exp.Null, exp.Boolean)):
        yield refusal("sql.construct", _word(node), "IS NULL, IS NOT DISTINCT FROM", line)
    elif isinstance(node, exp.In) and not (node.expressions or node.args.get("query")):
        yield refusal("sql.construct", _word(node), "IN (1, 2)", line)
    elif isinstance(node, (exp.Select, exp.Group, exp.Order)) and not node.expressions:
        yield refusal("sql.construct", f"{node.key.upper()} …", line=line)
    elif isinstance(node, exp.Window):
        yield from _window(node)
    elif isinstance(node, exp.WindowSpec):
        yield from _frame(node)


def _join(node: exp.Join) -> Iterator[Refusal]:
    side, kind = (node.side or "").upper(), (node.kind or "").upper()
    if kind == "CROSS" or not (node.args.get("using") or _joins_on_equal(node.args.get("on"))):
        yield refusal("sql.join-condition", line=line_of(node))
    elif side not in _SIDES or kind not in _KINDS:
        yield refusal("sql.join-kind", f"{side} {kind}".strip(), line=line_of(node))


def _joins_on_equal(on: exp.Expr | None) -> bool:
    """Whether one of the conditions that must all hold says that two columns are equal; without it all rows meet all.

    One side at least is a column itself: ``a.x * 0 = b.x * 0`` holds of all.
    """
    if isinstance(on, exp.Paren):
        return _joins_on_equal(on.this)
    if isinstance(on, exp.And):
        return _joins_on_equal(on.this) or _joins_on_equal(on.expression)
    if not isinstance(on, (exp.EQ, exp.NullSafeEQ)):
        return False
    if not any(isinstance(side.unnest(), exp.Column) for side in (on.this, on.expression)):
        return False
    sides = [{column.table.lower() for column in side.find_all(exp.Column)} for side in (on.this, on.expression)]
    return all(sides) and (sides[0] != sides[1] or sides[0] == {""})


def _window(node: exp.Window) -> Iterator[Refusal]:
    function = function_of(node.this.this if isinstance(node.this, exp.Filter) else node.this)
    if function is None or function.use == "row":
        yield refusal("sql.construct", "OVER", line=line_of(node))
    elif function.name in _ORDERED_WINDOWS and not node.args.get("order"):
        yield refusal("sql.order-needed", function.name, line=line_of(node))


def _frame(node: exp.WindowSpec) -> Iterator[Refusal]:
    if str(node.args.get("kind") or "").upper() not in {"ROWS", "RANGE"}:
        yield refusal("sql.construct", str(node.args.get("kind")), line=line_of(node))
    for name in ("start", "end"):
        bound = node.args.get(name)
        literal = isinstance(bound, exp.Literal) and bound.is_int
        if bound is not None and not literal and str(bound).upper() not in {"UNBOUNDED", "CURRENT ROW"}:
            yield refusal("sql.construct", str(bound), line=line_of(node))


def _cast_allowed(kind: exp.DataType) -> bool:
    if kind.args.get("nested") or kind.this not in _CASTS:
        return False
    return len(kind.expressions) == 2 if kind.this is exp.DType.DECIMAL else not kind.expressions


def _call(node: exp.Expr, name: str) -> Iterator[Refusal]:
    line = line_of(node)
    for slot, value in node.args.items():
        if slot not in allowed_arguments(node) and value not in (None, False, []):
            yield refusal("sql.function-arguments", name, _forms(name), line)
    if FUNCTIONS[name].use == "window" and not isinstance(node.parent, (exp.Window, exp.IgnoreNulls)):
        yield refusal("sql.window-needed", name, line=line)
    if name in {"list", "string_agg"} and not isinstance(node.this, exp.Order):
        yield refusal("sql.order-needed", name, "record_set(x)" if name == "list" else "", line)
    if name in ANONYMOUS and not _argument_count_fits(node, name):
        yield refusal("sql.function-arguments", name, _forms(name), line)
    if isinstance(node, (exp.Left, exp.Right, exp.Substring)) and node.find(exp.Neg):
        # engines count a negative length from the other end, or not at all
        yield refusal("sql.function-arguments", name, _forms(name), line)
    if isinstance(node, exp.Substring):
        start = node.args.get("start")
        if not (isinstance(start, exp.Literal) and start.is_int and int(start.name) >= 1):
            yield refusal("sql.substring", line=line)


def _argument_count_fits(node: exp.Expr, name: str) -> bool:
    wanted = FUNCTIONS[name].examples[0]
    given = len(node.expressions)
    if name == "cat":
        return given >= 1
    return given == (0 if wanted.endswith("()") else wanted.count(",") + 1)


def _forms(name: str) -> str:
    return " / ".join(FUNCTIONS[name].examples)


def _unlisted(node: exp.Expr) -> Refusal:
    line = line_of(node)
    if type(node) in _SPECIAL:
        return refusal(_SPECIAL[type(node)], _word(node), line=line)
    if isinstance(node, exp.Func):
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
        return refusal("sql.unknown-function", name, REPLACED.get(name) or meant(name, FUNCTIONS), line)
    return refusal("sql.construct", _word(node) or node.key, line=line)


def _word(node: exp.Expr) -> str:
    """The refused piece as text, for the message."""
    return node.sql("duckdb", unsupported_level=ErrorLevel.IGNORE)[:60].replace('"', "")


def line_of(node: exp.Expr) -> int:
    """Line of a node in its text: the parser marks identifiers and functions only, so the first marked one inside."""
    for inner in node.walk():
        line = inner.meta.get("line")
        if line:
            return int(line)
    return 1
