"""Whole numbers, decimals, amounts of money and percentages as they stand in cells.

Understood everywhere: full-width digits, thousands commas in groups of three, a sign, brackets for negative amounts
(accounting), scientific notation of spreadsheets. Amounts also take ``￥``, 元, 万元, 亿元 and written Chinese numerals
(叁万伍仟元整). Amounts are kept in yuan to the fen; finer values are rounded half up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.standards.columns import RETRY, by_distinct, layout, over_blocks, present, reasons_of, settle
from shutong.standards.text import fold, has_controls, is_empty
from shutong.standards.verdict import (
    EMPTY,
    Column,
    ColumnVerdict,
    Faults,
    Values,
    Verdict,
    arrow,
    compute,
    fault,
    passed,
)

INTEGER_REASONS = reasons_of("integer.format", "integer.fraction", "integer.range", "text.control")
DECIMAL_REASONS = reasons_of("decimal.format", "decimal.range", "decimal.scale", "text.control")
MONEY_REASONS = reasons_of("money.format", "money.currency", "money.range", "text.control")
PERCENT_REASONS = reasons_of("percent.format", "percent.range", "text.control")
BOOLEAN_REASONS = reasons_of("boolean.format", "text.control")

DECIMAL = pa.decimal128(28, 8)
MONEY = pa.decimal128(18, 2)
PERCENT = pa.decimal128(18, 6)

MONEY_UNITS = {"yuan": 1, "1k-yuan": 1_000, "10k-yuan": 10_000, "1m-yuan": 1_000_000, "100m-yuan": 100_000_000}
"""Units a declaration may give a column; a unit written in the cell goes before it."""
PERCENT_UNITS = {"percent": Decimal(1), "ratio": Decimal(100), "permille": Decimal("0.1")}

_CELL_UNITS = {
    "元": 1, "块": 1, "千元": 1_000, "万": 10_000, "万元": 10_000, "百万元": 1_000_000, "千万元": 10_000_000,
    "亿": 100_000_000, "亿元": 100_000_000, "万亿元": 10**12,
}  # fmt: skip
_PLAIN = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:E[+-]?[0-9]{1,2})?|[+-]?\.[0-9]+")
_MONEY = re.compile(r"(?:¥|RMB|CNY|人民币)?\s*(?P<number>[^一-鿿¥]*?)\s*(?P<unit>[千百万亿元块]{1,3})?\s*[整正]?")
_FOREIGN = re.compile(r"USD|EUR|HKD|JPY|GBP|\$|€|£|美元|欧元|港元|港币|日元|英镑|美金")
_WRITTEN = {c: k for k, c in enumerate("零壹贰叁肆伍陆柒捌玖")} | {c: k for k, c in enumerate("〇一二三四五六七八九")}
_WRITTEN |= {"貳": 2, "參": 3, "陸": 6, "两": 2}
_STEPS = {"拾": 10, "十": 10, "佰": 100, "百": 100, "仟": 1000, "千": 1000}
_LONGEST = 60
_TRUE = frozenset(["是", "Y", "YES", "TRUE", "T", "1", "真", "√", "对", "有"])
_FALSE = frozenset(["否", "N", "NO", "FALSE", "F", "0", "假", "×", "X", "不是", "没有"])


def _tidy(text: str | None, format_reason: str) -> str | Verdict:
    """Folded text in upper case, or the verdict that ends the matter."""
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    tidy = fold(text).upper()
    return tidy if len(tidy) <= _LONGEST else fault(format_reason)


def _number(tidy: str) -> Decimal | None:
    """The number a folded text writes, exactly; None when it writes none."""
    negative = len(tidy) > 2 and tidy[0] == "(" and tidy[-1] == ")"
    body = tidy[1:-1].strip() if negative else tidy
    if not _PLAIN.fullmatch(body):
        return None
    value = Decimal(body.replace(",", ""))
    return -value if negative else value


def _plain(value: Decimal) -> str:
    """Shortest writing without exponent: 12.5, 100, 0."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def check_integer(text: str | None) -> Verdict:
    """A whole number of 64 bits; ``12.0`` and ``1.2E+3`` count as whole."""
    tidy = _tidy(text, "integer.format")
    if isinstance(tidy, Verdict):
        return tidy
    value = _number(tidy)
    if value is None:
        return fault("integer.format")
    if value != value.to_integral_value():
        return fault("integer.fraction")
    return passed(str(int(value))) if -(2**63) <= value < 2**63 else fault("integer.range")


def check_decimal(text: str | None) -> Verdict:
    """A number of at most 20 digits before the point and 8 behind."""
    tidy = _tidy(text, "decimal.format")
    if isinstance(tidy, Verdict):
        return tidy
    value = _number(tidy)
    if value is None:
        return fault("decimal.format")
    if abs(value) >= 10**20:
        return fault("decimal.range")
    plain = _plain(value)
    return fault("decimal.scale") if len(plain.partition(".")[2]) > 8 else passed(plain)


def check_money(text: str | None, unit: str | None = None) -> Verdict:
    """An amount; canonical in yuan with two decimals. ``unit`` (of :data:`MONEY_UNITS`) is for cells without."""
    scale = MONEY_UNITS[unit or "yuan"]
    tidy = _tidy(text, "money.format")
    if isinstance(tidy, Verdict):
        return tidy
    if _FOREIGN.search(tidy):
        return fault("money.currency")
    yuan = _amount(tidy, scale)
    if yuan is None:
        return fault("money.format")
    if abs(yuan) >= 10**16:
        return fault("money.range")
    yuan = yuan.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return fault("money.range") if abs(yuan) >= 10**16 else passed(f"{yuan or Decimal('0.00'):f}")


def _amount(tidy: str, scale: int) -> Decimal | None:
    match = _MONEY.fullmatch(tidy)
    if match:
        unit = match["unit"]
        value = _number(match["number"])
        if value is not None and (unit is None or unit in _CELL_UNITS):
            return value * (_CELL_UNITS[unit] if unit else scale)
    return written_amount(tidy.removeprefix("人民币").strip())


def written_amount(numerals: str) -> Decimal | None:
    """Yuan of an amount in Chinese numerals (叁万伍仟元整, 壹佰贰拾元伍角); None when it is none."""
    body, mark, small = numerals.replace("圆", "元").rstrip("整正").partition("元")
    if not mark or not any(character in _WRITTEN or character in _STEPS for character in body):
        return None
    total = section = digit = Decimal(0)
    for character in body:
        if character in _WRITTEN:
            digit = Decimal(_WRITTEN[character])
        elif character in _STEPS:
            section, digit = section + (digit or 1) * _STEPS[character], Decimal(0)
        elif character in "万萬":
            total, section, digit = total + (section + digit) * 10_000, Decimal(0), Decimal(0)
        elif character in "亿億":
            total, section, digit = (total + section + digit) * 10**8, Decimal(0), Decimal(0)
        else:
            return None
    cents = _written_cents(small)
    return None if cents is None else total + section + digit + cents


def _written_cents(small: str) -> Decimal | None:
    match = re.fullmatch(
        r"零?(?:([零壹贰叁肆伍陆柒捌玖一二三四五六七八九])角)?零?(?:([壹贰叁肆伍陆柒捌玖一二三四五六七八九])分)?", small
    )
    if match is None:
        return None
    tenths, hundredths = (_WRITTEN[numeral] if numeral else 0 for numeral in match.groups())
    return Decimal(tenths * 10 + hundredths) / 100


def check_percent(text: str | None, unit: str | None = None) -> Verdict:
    """A percentage; canonical is the number before the percent sign (``12.5``).

    ``unit`` says what a bare number means: ``percent`` (default), ``ratio`` (0.125 is 12.5) or ``permille``.
    """
    bare = PERCENT_UNITS[unit or "percent"]
    tidy = _tidy(text, "percent.format")
    if isinstance(tidy, Verdict):
        return tidy
    scale = {"%": Decimal(1), "‰": Decimal("0.1")}.get(tidy[-1])
    value = _number(tidy[:-1].strip() if scale else tidy)
    if value is None:
        return fault("percent.format")
    value *= scale or bare
    plain = _plain(value) if abs(value) < 10**12 else ""
    return passed(plain) if plain and len(plain.partition(".")[2]) <= 6 else fault("percent.range")


def check_boolean(text: str | None) -> Verdict:
    """Yes or no: 是/否, Y/N, TRUE/FALSE, 1/0, 有/没有, √/×; canonical ``true`` or ``false``."""
    tidy = _tidy(text, "boolean.format")
    if isinstance(tidy, Verdict):
        return tidy
    if tidy in _TRUE:
        return passed("true")
    return passed("false") if tidy in _FALSE else fault("boolean.format")


# ---- columns ------------------------------------------------------------------------------------------------------

_WIDEST = 24
"""Bytes of the longest cell that is read by columns."""

_TEN = np.uint8(10)


def column_integer(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_integer`; values are int64."""

    def fast(block: Values) -> tuple[Values, Faults]:
        block = _ungrouped(block)
        ready = _digit_rows(block, points=0, most=18)
        return _settled(block, ready, lambda rows: rows.cast(pa.int64()), check_integer, pa.int64(), INTEGER_REASONS)

    return over_blocks(column, fast, pa.int64(), INTEGER_REASONS)


def column_decimal(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_decimal`; values are decimal128(28, 8)."""

    def fast(block: Values) -> tuple[Values, Faults]:
        block = _ungrouped(block)
        ready = _digit_rows(block, points=1, most=18)
        return _settled(block, ready, lambda rows: rows.cast(DECIMAL), check_decimal, DECIMAL, DECIMAL_REASONS)

    return over_blocks(column, fast, DECIMAL, DECIMAL_REASONS)


def _settled(
    block: Values,
    ready: npt.NDArray[np.bool_],
    convert: Callable[[Values], Values],
    scalar: Callable[[str], Verdict],
    kind: pa.DataType,
    reasons: tuple[str, ...],
) -> tuple[Values, Faults]:
    """Convert the ready rows at once (row by row should one not convert), judge the others by distinct value."""
    fault_numbers = np.where(present(block), np.int8(RETRY), np.int8(-1))
    try:
        values = convert(compute.if_else(pa.array(ready), block, None))
        fault_numbers[ready] = 0
    except pa.ArrowInvalid:
        values = arrow.nulls(len(block), kind)
    return settle(block, values, fault_numbers, scalar, kind, reasons, lambda texts: pa.array(texts, pa.string()))


_GROUPED = r"^[0-9]{1,3}(,[0-9]{3}){1,6}(\.[0-9]{1,20})?$"


def _ungrouped(block: Values) -> Values:
    """The cells without thousands commas, where these stand in groups of three; other cells as they are."""
    data, starts = layout(block)
    if not (data[starts[0] : starts[-1]] == ord(",")).any():
        return block
    grouped = compute.match_substring_regex(block, _GROUPED)
    answer: Values = compute.if_else(grouped, compute.replace_substring(block, ",", ""), block)
    return answer


def _digit_rows(block: Values, points: int, most: int) -> npt.NDArray[np.bool_]:
    """n booleans: the cell is ASCII digits, at most ``most`` of them, with at most ``points`` points between."""
    data, starts = layout(block)
    lengths = np.diff(starts)
    ready = present(block) & (lengths > 0) & (lengths <= _WIDEST)
    if not ready.any():
        return ready
    body, bounds = data[starts[0] : starts[-1]], starts - starts[0]
    point = body == ord(".")
    digit = body - np.uint8(ord("0")) < _TEN
    wrong = np.flatnonzero(~(digit | point))
    if len(wrong):
        ready[np.searchsorted(bounds, wrong, side="right") - 1] = False
    ready &= digit.take(bounds[:-1], mode="clip") & digit.take(bounds[1:] - 1)
    places = np.flatnonzero(point)
    if len(places) == len(lengths) and (places >= bounds[:-1]).all() and (places < bounds[1:]).all():
        lengths = lengths - 1
        ready &= points > 0
    elif len(places):
        # of an empty row this counts its neighbour's byte, which changes nothing: it is not ready
        counts = np.add.reduceat(point.view(np.uint8), np.minimum(bounds[:-1], len(body) - 1))
        lengths = lengths - counts
        ready &= counts <= points
    ready &= lengths <= most
    return ready


_EXACT = float(2**48)
"""Below this many fen a double is within 1/16 fen of the amount written, so rounding it is right unless it lies near
a half; those rows, and larger ones, take the exact way."""


def column_money(column: Column, unit: str | None = None) -> ColumnVerdict:
    """Twin of :func:`check_money`; values are decimal128(18, 2) yuan."""
    scale = MONEY_UNITS[unit or "yuan"] * 100

    def scalar(text: str) -> Verdict:
        return check_money(text, unit)

    def fast(block: Values) -> tuple[Values, Faults]:
        block = _ungrouped(block)
        ready = _digit_rows(block, points=1, most=18)
        digits = block if ready.all() else compute.if_else(pa.array(ready), block, "0")
        fen = np.asarray(digits.cast(pa.float64())) * scale
        whole = np.rint(fen)
        ready &= (fen < _EXACT) & (np.abs(fen - whole) < 0.25)
        fault_numbers = np.where(ready, np.int8(0), np.where(present(block), np.int8(RETRY), np.int8(-1)))
        values = _fen_to_yuan(np.where(ready, whole, 0).astype(np.int64))
        return settle(block, values, fault_numbers, scalar, MONEY, MONEY_REASONS, _as_texts)

    return over_blocks(column, fast, MONEY, MONEY_REASONS)


def _fen_to_yuan(fen: npt.NDArray[np.int64]) -> Values:
    words = np.empty((len(fen), 2), np.int64)
    words[:, 0] = fen
    words[:, 1] = fen >> 63
    values: Values = arrow.Array.from_buffers(MONEY, len(fen), [None, arrow.py_buffer(words)])
    return values


def _as_texts(texts: list[str | None]) -> Values:
    return pa.array(texts, pa.string())


def column_percent(column: Column, unit: str | None = None) -> ColumnVerdict:
    """Twin of :func:`check_percent`; values are decimal128(18, 6) percent."""
    return by_distinct(column, lambda text: check_percent(text, unit), PERCENT_REASONS, PERCENT, _as_texts)


def column_boolean(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_boolean`; values are bool."""
    return by_distinct(column, check_boolean, BOOLEAN_REASONS, pa.bool_(), _as_texts)
