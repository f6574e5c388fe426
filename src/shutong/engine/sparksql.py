"""The portable SQL of stages written out for Spark: a closed list of constructs and functions, each with one meaning.

Stages are written in the DuckDB dialect. What the list does not name is refused, because a form that merely parses on
both engines may give another result (architecture, section 4). ``tests/engine/test_portable.py`` holds both engines
equal on the edge cases of every entry.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.generators.spark import SparkGenerator

from shutong.engine.errors import StageError
from shutong.engine.functions import BLANKS

_READ: Final = "duckdb"

_CONSTRUCTS: Final[frozenset[type[exp.Expr]]] = frozenset(
    {
        exp.Add, exp.Alias, exp.Between, exp.Boolean, exp.ColumnDef, exp.Column, exp.CTE, exp.DataType,
        exp.DataTypeParam, exp.Distinct, exp.Dot, exp.DPipe, exp.EQ, exp.Except, exp.Filter, exp.From, exp.Group,
        exp.GT, exp.GTE, exp.Having, exp.Identifier, exp.In, exp.Intersect, exp.Is, exp.Join, exp.Like, exp.Limit,
        exp.Literal, exp.LT, exp.LTE, exp.Mod, exp.Mul, exp.Neg, exp.NEQ, exp.Not, exp.Null, exp.NullSafeEQ,
        exp.NullSafeNEQ, exp.Order, exp.Ordered, exp.Paren, exp.PropertyEQ, exp.Qualify, exp.Select, exp.Star,
        exp.Sub, exp.Subquery, exp.Table, exp.TableAlias, exp.Tuple, exp.Union, exp.Values, exp.Where, exp.Window,
        exp.WindowSpec, exp.With,
    }
)  # fmt: skip
"""Syntax that means the same on both engines, or that sqlglot translates."""

FUNCTIONS: Final[dict[str, type[exp.Expr]]] = {
    "abs": exp.Abs,
    "and": exp.And,
    "array_length": exp.ArraySize,
    "bool_and": exp.LogicalAnd,
    "bool_or": exp.LogicalOr,
    "case": exp.Case,
    "cast": exp.Cast,
    "ceil": exp.Ceil,
    "chr": exp.Chr,
    "coalesce": exp.Coalesce,
    "concat": exp.Concat,
    "contains": exp.Contains,
    "count": exp.Count,
    "day": exp.Day,
    "dense_rank": exp.DenseRank,
    "ends_with": exp.EndsWith,
    "exists": exp.Exists,
    "first_value": exp.FirstValue,
    "flatten": exp.Flatten,
    "floor": exp.Floor,
    "greatest": exp.Greatest,
    "if": exp.If,
    "lag": exp.Lag,
    "last_value": exp.LastValue,
    "lead": exp.Lead,
    "least": exp.Least,
    "left": exp.Left,
    "length": exp.Length,
    "list": exp.ArrayAgg,
    "list_contains": exp.ArrayContains,
    "list_distinct": exp.ArrayDistinct,
    "list_sort": exp.ArraySort,
    "list_value": exp.Array,
    "lower": exp.Lower,
    "make_date": exp.DateFromParts,
    "max": exp.Max,
    "max_by": exp.ArgMax,
    "md5": exp.MD5,
    "min": exp.Min,
    "min_by": exp.ArgMin,
    "month": exp.Month,
    "nullif": exp.Nullif,
    "or": exp.Or,
    "quarter": exp.Quarter,
    "rank": exp.Rank,
    "regexp_extract": exp.RegexpExtract,
    "regexp_full_match": exp.RegexpFullMatch,
    "replace": exp.Replace,
    "right": exp.Right,
    "round": exp.Round,
    "row_number": exp.RowNumber,
    "split_part": exp.SplitPart,
    "starts_with": exp.StartsWith,
    "string_agg": exp.GroupConcat,
    "struct_pack": exp.Struct,
    "substring": exp.Substring,
    "sum": exp.Sum,
    "try_cast": exp.TryCast,
    "unnest": exp.Explode,
    "upper": exp.Upper,
    "year": exp.Year,
}
"""Functions that both engines have, by the name that stages use."""

_TEXT = "CAST({} AS STRING)"

OWN: Final[dict[str, str]] = {
    "ratio": "IF({1} = 0, NULL, CAST({0} AS DOUBLE) / CAST({1} AS DOUBLE))",
    "text_trim": f"TRIM(BOTH '{BLANKS}' FROM {_TEXT})",
    "to_int": (
        f"CASE WHEN TRIM(BOTH '{BLANKS}' FROM {_TEXT}) RLIKE '^[+-]?[0-9]{{{{1,18}}}}([.]0*)?\\\\z' THEN"
        f" CAST(REGEXP_EXTRACT(TRIM(BOTH '{BLANKS}' FROM {_TEXT}), '[+-]?[0-9]+', 0) AS BIGINT) END"
    ).replace("CAST({} ", "CAST({0} "),
    "days_between": "DATEDIFF(CAST({1} AS DATE), CAST({0} AS DATE))",
    "months_later": "ADD_MONTHS(CAST({0} AS DATE), CAST({1} AS INT))",
    "text_length": f"LENGTH({_TEXT})",
    "text_part": (
        "CASE WHEN {1} IS NOT NULL AND {2} IS NOT NULL AND {0} IS NOT NULL THEN"
        " CASE WHEN {1} < 1 OR {2} < 1 THEN '' ELSE SUBSTRING(CAST({0} AS STRING), {1}, {2}) END END"
    ),
    "year_of": "YEAR(CAST({} AS DATE))",
    "month_of": "MONTH(CAST({} AS DATE))",
    "first_of_month": "TRUNC(CAST({} AS DATE), 'MM')",
    "legal_day": "CAST(CAST({} AS TIMESTAMP) + INTERVAL '8' HOUR AS DATE)",
    "legal_time": ("DATE_FORMAT(CAST({} AS TIMESTAMP) + INTERVAL '8' HOUR, 'yyyy-MM-dd\\'T\\'HH:mm:ss\\'+08:00\\'')"),
    "list_slice": "SLICE({0}, {1}, GREATEST({2} - {1} + 1, 0))",
}
"""Functions that are written out from a template: the platform's own (``functions.py``), and list_slice."""

_ALLOWED: Final = _CONSTRUCTS | frozenset(FUNCTIONS.values())


@functools.lru_cache(maxsize=4096)
def to_spark(query: str) -> str:
    """A query of the portable SQL in Spark's dialect.

    Raises:
        StageError: it is not SQL, or uses what is not on the list (the message names it).
    """
    try:
        trees = sqlglot.parse(query, read=_READ)
    except (SqlglotError, RecursionError) as error:
        raise StageError(f"不是 SQL：{error}", f"not SQL: {error}") from error
    if len(trees) != 1 or trees[0] is None:
        raise StageError("一步只能有一条 SELECT", "a step is one SELECT")
    for node in trees[0].walk():
        _refuse(node)
    return _Generator(dialect="spark", identify=True, comments=False).generate(trees[0])


@functools.lru_cache(maxsize=1024)
def spark_type(kind: str) -> str:
    """The Spark name of a column type given by its DuckDB name."""
    return exp.DataType.build(kind, dialect=_READ).sql(dialect="spark")


def _refuse(node: exp.Expr) -> None:
    word = ""
    if isinstance(node, exp.Anonymous):
        word = "" if str(node.name).lower() in {*OWN, "cat"} else str(node.name)
    elif type(node) not in _ALLOWED:
        word = node.sql(dialect=_READ)[:80] or node.key
    elif isinstance(node, exp.SetOperation) and node.args.get("by_name"):
        word = "UNION BY NAME"
    elif isinstance(node, exp.Chr) and not (
        len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Literal)
    ):
        word = node.sql(dialect=_READ)[:80]
    elif isinstance(node, exp.Join) and (node.method or node.args.get("kind", "") == "POSITIONAL"):
        word = f"{node.method} JOIN"
    elif isinstance(node, exp.Star) and node.args.get("replace"):
        word = "* REPLACE"
    if word:
        raise StageError(
            f"可移植 SQL 中没有 {word}，请换一种写法（见 engine/sparksql.py 的清单）",
            f"the portable SQL has no {word}: write it another way (the list is in engine/sparksql.py)",
            word=word,
        )


Write = Callable[[Any, Any], str]


def _concat(self: Any, node: exp.Concat) -> str:
    return _joined(self, node.expressions)


def _joined(self: Any, values: list[exp.Expr]) -> str:
    """Texts joined, NULL as empty text: what DuckDB's concat and the platform's cat do."""
    texts = [self.sql(v) if isinstance(v, exp.Literal) and v.is_string else _TEXT.format(self.sql(v)) for v in values]
    return f"CONCAT_WS('', {', '.join(texts)})"


def _by(name: str) -> Write:
    """min_by and max_by pass over rows whose value is NULL."""

    def write(self: Any, node: exp.ArgMin | exp.ArgMax) -> str:
        value, place = self.sql(node, "this"), self.sql(node, "expression")
        return f"{name}({value}, IF({value} IS NULL, NULL, {place}))"

    return write


def _list(self: Any, node: exp.ArrayAgg, condition: str = "") -> str:
    """list: NULLs stay, and no rows at all give NULL."""
    value, order, distinct = _ordered(node.this)
    items, in_order = _gathered(self, value, order, distinct, condition)
    return f"IF(SIZE({items}) = 0, NULL, TRANSFORM({in_order}, s -> s.v))"


def _string_agg(self: Any, node: exp.GroupConcat, condition: str = "") -> str:
    """string_agg: NULLs are passed over, and nothing to join gives NULL."""
    value, order, distinct = _ordered(node.this)
    present = f"{self.sql(value)} IS NOT NULL"
    items, in_order = _gathered(self, value, order, distinct, f"{condition} AND {present}" if condition else present)
    separator = self.sql(node, "separator") or "','"
    return f"IF(SIZE({items}) = 0, NULL, ARRAY_JOIN(TRANSFORM({in_order}, s -> s.v), {separator}))"


def _ordered(node: exp.Expr) -> tuple[exp.Expr, list[exp.Ordered], bool]:
    order: list[exp.Ordered] = []
    if isinstance(node, exp.Order):
        node, order = node.this, node.expressions
    if isinstance(node, exp.Distinct):
        return node.expressions[0], order, True
    return node, order, False


def _gathered(self: Any, value: exp.Expr, order: list[exp.Ordered], distinct: bool, condition: str) -> tuple[str, str]:
    """The values as structs ``v`` with the keys of their order, as they come and in that order."""
    fields = [f"'v', {self.sql(value)}"] + [f"'k{n}', {self.sql(one, 'this')}" for n, one in enumerate(order)]
    items = f"{'COLLECT_SET' if distinct else 'COLLECT_LIST'}(NAMED_STRUCT({', '.join(fields)}))"
    if condition:
        items += f" FILTER(WHERE {condition})"
    if not order:
        return items, items
    compared = "0"
    for number, one in reversed(list(enumerate(order))):
        left, right = f"l.k{number}", f"r.k{number}"
        null = "-1" if one.args.get("nulls_first") else "1"
        other = "1" if null == "-1" else "-1"
        less, more = ("1", "-1") if one.args.get("desc") else ("-1", "1")
        compared = (
            f"CASE WHEN {left} <=> {right} THEN {compared} WHEN {left} IS NULL THEN {null}"
            f" WHEN {right} IS NULL THEN {other} WHEN {left} < {right} THEN {less} ELSE {more} END"
        )
    return items, f"ARRAY_SORT({items}, (l, r) -> {compared})"


def _filter(self: Any, node: exp.Filter) -> str:
    condition = self.sql(node.expression, "this")
    if isinstance(node.this, exp.ArrayAgg):
        return _list(self, node.this, condition)
    if isinstance(node.this, exp.GroupConcat):
        return _string_agg(self, node.this, condition)
    if isinstance(node.this, (exp.ArgMin, exp.ArgMax)):
        return f"{self.sql(node, 'this')} FILTER(WHERE {condition})"
    return str(self.filter_sql(node))


def _like(self: Any, node: exp.Like) -> str:
    """DuckDB's LIKE has no escape character; the sign that Spark needs is one that no text holds."""
    return f"{self.binary(node, 'LIKE')} ESCAPE '\\u0001'"


def _compact(name: str) -> Write:
    """list_distinct and flatten leave NULL entries out."""

    def write(self: Any, node: exp.Expr) -> str:
        return f"{name}(ARRAY_COMPACT({self.sql(node, 'this')}))"

    return write


def _chr(self: Any, node: exp.Chr) -> str:
    return str(self.sql(exp.Literal.string(chr(int(node.expressions[0].name)))))


def _full_match(self: Any, node: exp.RegexpFullMatch) -> str:
    pattern = exp.Literal.string(f"\\A(?:{node.expression.name})\\z")
    return f"{self.sql(node, 'this')} RLIKE {self.sql(pattern)}"


def _own(self: Any, node: exp.Anonymous) -> str:
    name = str(node.name).lower()
    if name == "cat":
        return _joined(self, node.expressions)
    return OWN[name].format(*(f"({self.sql(each)})" for each in node.expressions))


class _Generator(SparkGenerator):
    """Spark's SQL with the platform's meaning of what both engines have."""

    TRANSFORMS = {  # noqa: RUF012
        **SparkGenerator.TRANSFORMS,
        exp.Anonymous: _own,
        exp.ArgMax: _by("MAX_BY"),
        exp.ArgMin: _by("MIN_BY"),
        exp.ArrayAgg: _list,
        exp.ArrayDistinct: _compact("ARRAY_DISTINCT"),
        exp.Chr: _chr,
        exp.Concat: _concat,
        exp.Filter: _filter,
        exp.Flatten: _compact("FLATTEN"),
        exp.GroupConcat: _string_agg,
        exp.Like: _like,
        exp.RegexpFullMatch: _full_match,
    }
