"""What a receiver asks of a grant: items, conditions, order, a page, or only how many."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import pyarrow as pa

from shutong.exchange.refusals import ExchangeError

Operator = Literal["=", "<>", "<", "<=", ">", ">=", "begins", "empty", "filled"]
OPERATORS: Final[tuple[str, ...]] = get_args(Operator)

MOST_CONDITIONS: Final = 20
MOST_TEXT: Final = 1000
MOST_PLACES: Final = 18
"""Places of a decimal number behind the point; sixteen before it are left of the engine's 38."""
MOST_ROWS: Final = 10_000
"""Rows of one page; whole sets leave as a stream."""


@dataclass(frozen=True)
class Condition:
    """One condition on one item; ``value`` is text as it came, read as the item's type. ``empty`` and ``filled`` have none."""

    item: str
    operator: Operator
    value: str = ""


@dataclass(frozen=True)
class Question:
    """A question. All conditions must hold; rows come in the order of ``order`` (item, descending), then of their ids.

    Args:
        items: what is wanted; None for all that is granted.
        after: the record id after which a page begins; only in the order of ids.
        limit: rows of the page; None for all of them.
        count: only the number of rows.
    """

    items: tuple[str, ...] | None = None
    where: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    after: str = ""
    limit: int | None = None
    count: bool = False


def check_form(question: Question) -> None:
    """That a question is one, whatever it is asked of.

    Raises:
        ExchangeError: too many conditions, an unknown operator, too long a value, a page of no or too many rows, a page
            that begins after a record in another order than theirs.
    """
    if len(question.where) > MOST_CONDITIONS or len(question.order) > MOST_CONDITIONS:
        raise ExchangeError(f"条件最多 {MOST_CONDITIONS} 个", f"at most {MOST_CONDITIONS} conditions")
    for one in question.where:
        if one.operator not in OPERATORS:
            known = "、".join(OPERATORS)
            raise ExchangeError(f"没有这种比较，可用：{known}", f"no such comparison, only: {', '.join(OPERATORS)}")
        if len(one.value) > MOST_TEXT:
            raise ExchangeError(f"条件的值最长 {MOST_TEXT} 字", f"a value has at most {MOST_TEXT} characters")
    if question.limit is not None and not 1 <= question.limit <= MOST_ROWS:
        raise ExchangeError(f"每页 1 至 {MOST_ROWS} 行", f"a page has 1 to {MOST_ROWS} rows")
    if question.after and question.order:
        raise ExchangeError("翻页时不能另行排序", "a page after a record comes in the order of record ids only")


Value = str | int | bool | decimal.Decimal | float | dt.date | dt.datetime

_TRUTH: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}


def read_value(text: str, kind: pa.DataType) -> Value:
    """A condition's value as the type of its item.

    Raises:
        ExchangeError: it is none.
    """
    try:
        return _reader(kind)(text)
    except (ValueError, KeyError, decimal.InvalidOperation, OverflowError):
        raise ExchangeError(
            f"条件的值不能读作 {_called(kind)[0]}", f"the value of a condition is no {_called(kind)[1]}"
        ) from None


def _reader(kind: pa.DataType) -> Callable[[str], Value]:
    if pa.types.is_boolean(kind):
        return lambda text: _TRUTH[text.lower()]
    if pa.types.is_integer(kind):
        return _whole
    if pa.types.is_decimal(kind):
        return _decimal
    if pa.types.is_floating(kind):
        return _float
    if pa.types.is_date(kind):
        return dt.date.fromisoformat
    if pa.types.is_timestamp(kind):
        return _moment
    return _text


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError
    return text


def _whole(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise OverflowError
    return value


def _decimal(text: str) -> decimal.Decimal:
    value = decimal.Decimal(text)
    # More places would make the engine cast the item's column to fewer digits before the point, which fails on a large
    # amount of a row that the asker does not see.
    if not value.is_finite() or abs(value) >= 10**16 or int(value.as_tuple().exponent) < -MOST_PLACES:
        raise OverflowError
    return value


def _float(text: str) -> float:
    value = float(text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError
    return value


def _moment(text: str) -> dt.datetime:
    value = dt.datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError
    return value


def _called(kind: pa.DataType) -> tuple[str, str]:
    if pa.types.is_boolean(kind):
        return "真假值", "truth value"
    if pa.types.is_date(kind):
        return "日期（2024-01-02）", "date (2024-01-02)"
    if pa.types.is_timestamp(kind):
        return "带时区的时间", "moment with its zone"
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return "数", "number"
    return "文本", "text"
