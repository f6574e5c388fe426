"""The closed list of functions that declarations may call, each with what it does and the forms it may be called in.

A function is allowed by the syntax node that sqlglot makes of it and by the arguments of its examples, so that a
second spelling or an unforeseen argument is refused and not passed on to an engine. Functions that engines compute
differently are absent; ``REPLACED`` says what stands in for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import sqlglot
from sqlglot import exp

Use = Literal["row", "aggregate", "window"]


@dataclass(frozen=True)
class Function:
    """One function of the language.

    Args:
        examples: every form it may be called in; the arguments seen here are the only ones allowed.
        zh: what it does, in Chinese.
        en: the same in English.
        use: ``row`` over one row, ``aggregate`` over many, ``window`` only with OVER.
    """

    name: str
    examples: tuple[str, ...]
    zh: str
    en: str
    use: Use = "row"


_ROW = (
    Function("business_day", ("business_day()",), "本次运行的业务日", "the business day of the run"),
    Function(
        "text_trim", ("text_trim(a)",), "去掉两端空白，含全角空格", "text without blanks at its ends, full-width too"
    ),
    Function("cat", ("cat(a, b, c)",), "连接文字；空值当作空文字", "texts joined; NULL counts as empty"),
    Function("to_int", ("to_int(a)",), "转为整数；转不了为空", "a whole number; NULL where the text is none"),
    Function("ratio", ("ratio(a, b)",), "两数之比；除数为零时为空", "a divided by b; NULL where b is zero"),
    Function("days_between", ("days_between(a, b)",), "从 a 到 b 的天数", "days from date a to date b"),
    Function("months_later", ("months_later(a, 3)",), "日期加若干个月", "the date n months after a"),
    Function("text_length", ("text_length(a)",), "字符数", "number of characters"),
    Function("text_part", ("text_part(a, 1, 2)",), "从第几个字符起取几个", "n characters from position start, from 1"),
    Function("year_of", ("year_of(a)",), "年", "year of a date"),
    Function("month_of", ("month_of(a)",), "月", "month of a date, 1 to 12"),
    Function("first_of_month", ("first_of_month(a)",), "当月第一天", "the first day of the date's month"),
    Function("legal_day", ("legal_day(a)",), "时刻所在的法定日（北京时间）", "the legal day (UTC+8) of an instant"),
    Function("legal_time", ("legal_time(a)",), "时刻的北京时间写法", "an instant as text in legal time (UTC+8)"),
    Function("coalesce", ("coalesce(a, b)",), "第一个非空值", "the first value that is not NULL"),
    Function("nullif", ("nullif(a, b)",), "两值相等则为空", "NULL where both are equal, else a"),
    Function("if", ("if(a, b, c)",), "条件成立取 b，否则取 c", "b where a is true, else c"),
    Function("abs", ("abs(a)",), "绝对值", "absolute value"),
    Function("round", ("round(a)", "round(a, 2)"), "四舍五入", "rounded, halves away from zero"),
    Function("floor", ("floor(a)",), "向下取整", "the whole number below"),
    Function("ceil", ("ceil(a)",), "向上取整", "the whole number above"),
    Function("greatest", ("greatest(a, b)",), "最大的一个值", "the greatest of the values"),
    Function("least", ("least(a, b)",), "最小的一个值", "the least of the values"),
    Function("lower", ("lower(a)",), "转小写", "lower case"),
    Function("upper", ("upper(a)",), "转大写", "upper case"),
    Function("length", ("length(a)",), "字符数", "number of characters"),
    Function("left", ("left(a, 2)",), "左边若干字符", "the first n characters"),
    Function("right", ("right(a, 2)",), "右边若干字符", "the last n characters"),
    Function(
        "substring", ("substring(a, 1)", "substring(a, 1, 2)"), "从第几个字符起取（从 1 数）", "part of a text, from 1"
    ),
    Function("replace", ("replace(a, 'b', 'c')",), "替换文字", "text with b replaced by c"),
    Function("contains", ("contains(a, 'b')",), "是否包含", "whether the text contains b"),
    Function("starts_with", ("starts_with(a, 'b')",), "是否以此开头", "whether the text begins with b"),
    Function("ends_with", ("ends_with(a, 'b')",), "是否以此结尾", "whether the text ends with b"),
    Function("year", ("year(a)",), "年", "year of a date"),
    Function("month", ("month(a)",), "月", "month of a date, 1 to 12"),
    Function("day", ("day(a)",), "日", "day of the month"),
    Function("quarter", ("quarter(a)",), "季度", "quarter of a date, 1 to 4"),
    Function("make_date", ("make_date(a, b, c)",), "由年月日得日期", "the date of year, month and day"),
)

_AGGREGATES = (
    Function("count", ("count(*)", "count(a)", "count(distinct a)"), "行数", "number of rows or values", "aggregate"),
    Function("sum", ("sum(a)",), "合计", "total", "aggregate"),
    Function("min", ("min(a)",), "最小值", "least value", "aggregate"),
    Function("max", ("max(a)",), "最大值", "greatest value", "aggregate"),
    Function("bool_and", ("bool_and(a)",), "全部成立", "whether all are true", "aggregate"),
    Function("bool_or", ("bool_or(a)",), "任一成立", "whether any is true", "aggregate"),
    Function(
        "record_set",
        ("record_set(a)",),
        "去重排序的记录号列表",
        "the record ids as a list, sorted, each once",
        "aggregate",
    ),
    Function(
        "record_sample",
        ("record_sample(a)",),
        "至多 20 个记录号",
        "at most 20 record ids, the least ones, where there are many",
        "aggregate",
    ),
    Function("list", ("list(a order by b)",), "有序列表", "the values as a list; ORDER BY is needed", "aggregate"),
    Function(
        "string_agg",
        ("string_agg(a, ',' order by b)",),
        "有序连接文字",
        "the texts joined; ORDER BY is needed",
        "aggregate",
    ),
)

_WINDOWS = (
    Function("row_number", ("row_number()",), "行号", "number of the row", "window"),
    Function("rank", ("rank()",), "名次（有并列空位）", "rank with gaps", "window"),
    Function("dense_rank", ("dense_rank()",), "名次（无空位）", "rank without gaps", "window"),
    Function("lag", ("lag(a)", "lag(a, 1)"), "前一行的值", "the value of an earlier row", "window"),
    Function("lead", ("lead(a)", "lead(a, 1)"), "后一行的值", "the value of a later row", "window"),
    Function("first_value", ("first_value(a)",), "首行的值", "the value of the first row", "window"),
    Function("last_value", ("last_value(a)",), "末行的值", "the value of the last row", "window"),
)

FUNCTIONS: dict[str, Function] = {function.name: function for function in (*_ROW, *_AGGREGATES, *_WINDOWS)}
"""Every function a declaration may call, by name."""

ALIASES = {"substr": "substring", "array_agg": "list", "len": "length", "ceiling": "ceil"}
"""Second spellings that the parser reads as the same function."""

REPLACED: dict[str, str] = {
    "avg": "ratio(sum(x), count(x))",
    "mean": "ratio(sum(x), count(x))",
    "concat": "cat(a, b)",
    "trim": "text_trim(x)",
    "ltrim": "text_trim(x)",
    "rtrim": "text_trim(x)",
    "now": "business_day()",
    "today": "business_day()",
    "current_date": "business_day()",
    "current_timestamp": "business_day()",
    "date_diff": "days_between(a, b)",
    "datediff": "days_between(a, b)",
    "date_sub": "days_between(a, b)",
    "date_add": "months_later(d, n), d + 7",
    "date_part": "year(d), month(d), day(d)",
    "ifnull": "coalesce(a, b)",
    "nvl": "coalesce(a, b)",
    "any_value": "min(x)",
    "first": "min(x)",
    "iif": "if(a, b, c)",
}
"""What to write instead of functions that engines compute differently or that depend on chance or the clock."""

ANONYMOUS = {
    name for name, f in FUNCTIONS.items() if type(sqlglot.parse_one(f.examples[0], read="duckdb")) is exp.Anonymous
}
"""Functions that no dialect knows: ours."""


@cache
def _by_node() -> dict[type[exp.Expr], tuple[Function, frozenset[str]]]:
    found: dict[type[exp.Expr], tuple[Function, frozenset[str]]] = {}
    for function in FUNCTIONS.values():
        for example in function.examples:
            node = sqlglot.parse_one(example, read="duckdb")
            if type(node) is exp.Anonymous:
                continue
            arguments = {name for name, value in node.args.items() if value not in (None, False, [])}
            before = found.get(type(node), (function, frozenset()))
            found[type(node)] = (function, before[1] | arguments)
    return found


def function_of(node: exp.Expr) -> Function | None:
    """The listed function that a syntax node calls, or None."""
    if type(node) is exp.Anonymous:
        return FUNCTIONS.get(str(node.name).lower()) if str(node.name).lower() in ANONYMOUS else None
    found = _by_node().get(type(node))
    return found[0] if found else None


def allowed_arguments(node: exp.Expr) -> frozenset[str]:
    """The argument slots of a listed function's node that its examples use."""
    if type(node) is exp.Anonymous:
        return frozenset({"this", "expressions"})
    found = _by_node().get(type(node))
    return found[1] if found else frozenset()
