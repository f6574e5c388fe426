"""Why an expression or a statement is refused: every reason once, in both languages, with what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TEXTS: dict[str, tuple[str, str, str]] = {
    "sql.empty": ("表达式为空", "nothing is written here", ""),
    "sql.too-long": (
        "超过 8000 个字符或 2000 个词",
        "longer than 8000 characters or 2000 words",
        "拆成几个 / split it",
    ),
    "sql.too-deep": ("嵌套过深", "nested too deeply", "用 WITH 拆开 / name its parts with WITH"),
    "sql.syntax": ("语法错误：{}", "not SQL: {}", ""),
    "sql.character": ("不允许的字符 {}", "the character {} is not allowed", "用半角标点 / use half-width punctuation"),
    "sql.comment": ("不允许注释", "comments are not allowed", "写在 title 或 YAML 的 # 里 / use YAML comments"),
    "sql.second-statement": ("只能有一条语句", "only one statement is allowed", "去掉分号 / remove the semicolon"),
    "sql.not-select": ("只能是 SELECT，不能是 {}", "only SELECT is allowed, not {}", ""),
    "sql.not-expression": ("这里要写一个表达式", "a row expression is wanted here", "例如 / such as fine >= 0"),
    "sql.parameter": ("不允许参数 {}", "parameters such as {} are not allowed", "直接写值 / write the value"),
    "sql.string-form": (
        "只能用 '…' 写文字",
        "texts are written '…' only",
        "单引号，内部写两次 / single quotes, doubled inside",
    ),
    "sql.unknown-view": ("没有视图 {}", "there is no view {}", ""),
    "sql.no-view": ("没有读取任何视图", "no view is read", "FROM 已声明的资源 / FROM a declared resource"),
    "sql.qualified-view": (
        "不允许带库名的表 {}",
        "a table with a schema is not allowed: {}",
        "只写视图名 / write the view only",
    ),
    "sql.file": ("不能把文件当表读：{}", "a file can't be read as a table: {}", "先声明资源 / declare a resource"),
    "sql.table-function": (
        "FROM 里不允许函数 {}",
        "functions are not allowed in FROM: {}",
        "只能用已声明的视图 / use declared views",
    ),
    "sql.name": ("名称 {} 不可用", "the name {} can't be used", "字母、数字和下划线 / letters, digits and underscores"),
    "sql.cte-shadows": (
        "WITH 名称 {} 与视图同名",
        "the WITH name {} is a view's name",
        "换一个名称 / choose another name",
    ),
    "sql.cte-twice": ("WITH 名称 {} 重复", "the WITH name {} stands twice", "换一个名称 / choose another name"),
    "sql.recursive": ("不允许递归", "recursion is not allowed", ""),
    "sql.unknown-column": ("没有列 {}", "there is no column {}", ""),
    "sql.ambiguous-column": (
        "列 {} 不知属于哪个表",
        "the column {} is in more than one table",
        "写成 表.列 / write table.column",
    ),
    "sql.unknown-function": ("函数 {} 不在清单里", "the function {} is not on the list", ""),
    "sql.function-arguments": ("函数 {} 不能这样调用", "the function {} can't be called this way", ""),
    "sql.aggregate-here": (
        "行表达式里不能用 {}",
        "{} can't be used in a row expression",
        "改用清单、指标的 SQL / use it in a list or indicator",
    ),
    "sql.subquery-here": (
        "行表达式里不能有子查询",
        "a row expression can't hold a query",
        "改用核验 verification / use a verification",
    ),
    "sql.division": ("不允许 /，各引擎结果不同", "/ is refused: engines differ", "ratio(a, b)"),
    "sql.integer-division": ("不允许 //", "// is refused: engines differ", "to_int(floor(ratio(a, b)))"),
    "sql.modulo": ("% 右边必须是非零整数", "the right side of % must be a whole number other than 0", ""),
    "sql.concatenation": ("不允许 ||，空值结果不同", "|| is refused: engines differ on NULL", "cat(a, b)"),
    "sql.average": ("不允许 avg", "avg is refused: engines differ", "ratio(sum(x), count(x))"),
    "sql.cast": (
        "不允许转换为 {}",
        "a cast to {} is refused",
        "to_int(x)；DATE、VARCHAR、DOUBLE、DECIMAL(p,s) 可用 / these are allowed",
    ),
    "sql.interval": (
        "不允许 INTERVAL，日期加减结果类型不同",
        "INTERVAL is refused: engines differ in the type",
        "months_later(d, n), d + 7",
    ),
    "sql.date-minus-date": (
        "不允许两个日期相减",
        "a date minus a date is refused: engines differ",
        "days_between(a, b)",
    ),
    "sql.instant": (
        "时刻不能当作日期用：它在世界时的日期不是法定日",
        "an instant can't stand for a day: its day in UTC is not the legal day",
        "legal_day(x)",
    ),
    "sql.cast-text": (
        "文字转为 {} 时可能出错，使整个运行停下",
        "a text that is no {} would stop the whole run",
        "TRY_CAST(x AS {0})",
    ),
    "sql.one-value": (
        "这里的子查询只能有一行",
        "an inner query stands for one value here and may have one row only",
        "SELECT max(x) FROM …，或 / or ORDER BY x NULLS LAST LIMIT 1",
    ),
    "sql.replace": (
        "replace 只能换成不更长的固定文字",
        "replace takes a fixed text and puts one in its place that is no longer",
        "replace(x, 'ab', 'c')",
    ),
    "sql.like": (
        "LIKE 的模式须是固定文字，不含反斜杠；含 _ 时 % 至多两个",
        "a LIKE pattern is a fixed text without backslash; where it has _, % may stand twice",
        "LIKE '%x%', starts_with(x, 'a'), contains(x, 'a')",
    ),
    "sql.clock": ("不允许读取时钟", "the clock can't be read", "business_day()"),
    "sql.nulls-order": (
        "ORDER BY 要写明空值位置",
        "ORDER BY must say where NULL goes",
        "加 NULLS FIRST 或 NULLS LAST / add one of them",
    ),
    "sql.order-needed": (
        "{} 需要 ORDER BY，否则每次结果不同",
        "{} needs ORDER BY, or its result changes from run to run",
        "",
    ),
    "sql.limit-order": ("LIMIT 需要 ORDER BY", "LIMIT needs ORDER BY", "ORDER BY x NULLS LAST LIMIT n"),
    "sql.star": ("不允许 {}", "{} is not allowed here", "逐一写出列名 / name the columns"),
    "sql.join-condition": (
        "连接必须有相等条件",
        "a join needs a condition that columns are equal",
        "JOIN … ON a.x = b.x AND …, JOIN … USING (x)",
    ),
    "sql.join-kind": ("不允许这种连接：{}", "this kind of join is not allowed: {}", "JOIN, LEFT JOIN, FULL JOIN"),
    "sql.window-needed": ("{} 需要 OVER", "{} needs OVER (…)", "{0} OVER (PARTITION BY … ORDER BY … NULLS LAST)"),
    "sql.substring": ("substring 的起点从 1 数", "substring counts from 1", "substring(x, 1, n)"),
    "sql.pattern": (
        "不允许正则匹配",
        "regular expressions are refused: engines differ",
        "items 的 pattern，或 / or LIKE, starts_with",
    ),
    "sql.output-missing": ("结果缺少列 {}", "the result lacks the column {}", "SELECT … AS {0}"),
    "sql.output-twice": ("结果有两个列 {}", "the result has two columns {}", "用 AS 改名 / rename one with AS"),
    "sql.output-unnamed": ("第 {} 个结果列没有名字", "column {} of the result has no name", "加 AS 名称 / add AS name"),
    "sql.output-unknown": ("多余的结果列 {}", "the result has a column too many: {}", ""),
    "sql.type": ("类型不符：{}", "types don't fit: {}", ""),
    "sql.not-by-subject": (
        "{} 使一个主体的结果取决于其他主体",
        "{} makes one subject's result depend on other subjects",
        "按 subject_id 分组、分区和连接 / group, partition and join by subject_id",
    ),
    "sql.day-here": ("这里没有业务日", "there is no business day here", "received_on"),
    "sql.construct": ("不允许的写法：{}", "not allowed: {}", ""),
}
"""Code to (Chinese, English, hint). ``{}`` takes the word that was refused."""


@dataclass(frozen=True)
class Refusal:
    """One reason why a text is refused.

    Args:
        code: key of ``TEXTS``.
        word: the word it is about; empty where the reason names none.
        hint: what to write instead.
        line: line in the text, from 1.
    """

    code: str
    word: str = ""
    hint: str = ""
    line: int = 1

    @property
    def zh(self) -> str:
        """The reason in Chinese."""
        return TEXTS[self.code][0].replace("{}", self.word)

    @property
    def en(self) -> str:
        """The reason in English."""
        return TEXTS[self.code][1].replace("{}", self.word)


def refusal(code: str, word: str = "", hint: str = "", line: int = 1) -> Refusal:
    """A refusal with the usual hint of its code where none is given."""
    return Refusal(code, word, hint or TEXTS[code][2].replace("{0}", word), line)


class SqlRefused(ValueError):
    """An expression or statement that may not reach an engine, with every reason found."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = list(refusals)
        super().__init__("; ".join(f"{item.code}: {item.en}" for item in self.refusals))
