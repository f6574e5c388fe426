"""The code checks over whole columns: NumPy on fixed-width bytes, two characters a look-up.

Rows of the right width and alphabet are decided from the Arrow buffers without a Python object per row. The rest
(blanks, lower case, full-width characters, wrong lengths) is normalised by distinct value and decided the same way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.standards import code_rules as rules
from shutong.standards.code_digits import BAD, Table, digit_pairs, next_states, values_of
from shutong.standards.columns import (
    RETRY,
    Bytes,
    Scalar,
    layout,
    over_blocks,
    pair,
    pair_table,
    present,
    rows_of_width,
    settle,
)
from shutong.standards.verdict import Column, ColumnVerdict, Faults, Values, arrow, compute

MatrixCheck = Callable[[Bytes], Faults]

_FOREIGN = 1024
"""Mark of a byte outside the alphabet: above any sum of weighted values, and 18 of them still fit 16 bits."""


def column_uscc(column: Column) -> ColumnVerdict:
    """Twin of :func:`~shutong.standards.code_rules.check_uscc` for a column."""
    return _USCC.run(column)


def column_org_code(column: Column) -> ColumnVerdict:
    """Twin of :func:`~shutong.standards.code_rules.check_org_code` for a column."""
    return _ORG_CODE.run(column)


def column_registration_no(column: Column) -> ColumnVerdict:
    """Twin of :func:`~shutong.standards.code_rules.check_registration_no` for a column."""
    return _REGISTRATION.run(column)


def column_taxpayer_no(column: Column) -> ColumnVerdict:
    """Twin of :func:`~shutong.standards.code_rules.check_taxpayer_no` for a column."""
    return _TAXPAYER.run(column)


def column_citizen_id(column: Column) -> ColumnVerdict:
    """Twin of :func:`~shutong.standards.code_rules.check_citizen_id` for a column."""
    return _CITIZEN.run(column)


@overload
def org_code_of_uscc(code: str | None) -> str | None: ...
@overload
def org_code_of_uscc(code: Column) -> Values: ...
def org_code_of_uscc(code: Any) -> Any:
    """The organisation code inside a unified code (places 9-17): for one value or for a column; null unless valid."""
    if code is None or isinstance(code, str):
        canonical = rules.check_uscc(code).canonical
        return canonical[8:17] if canonical else None
    return compute.utf8_slice_codeunits(column_uscc(code).canonical, 8, 17)


@overload
def org_code_of_taxpayer(code: str | None) -> str | None: ...
@overload
def org_code_of_taxpayer(code: Column) -> Values: ...
def org_code_of_taxpayer(code: Any) -> Any:
    """The organisation code inside a taxpayer number: its last 9 of 15, or places 9-17 of 18; null unless valid."""
    if code is None or isinstance(code, str):
        number = rules.check_taxpayer_no(code).canonical
        return (number[8:17] if len(number) == 18 else number[6:15]) if number else None
    canonical = column_taxpayer_no(code).canonical
    long = compute.equal(compute.binary_length(canonical), 18)
    return compute.if_else(
        long, compute.utf8_slice_codeunits(canonical, 8, 17), compute.utf8_slice_codeunits(canonical, 6, 15)
    )


@dataclass(frozen=True)
class CodeColumn:
    """A code check by columns: matrix checks by width, and the scalar that decides what they leave open."""

    widths: Mapping[int, MatrixCheck]
    scalar: Scalar
    reasons: tuple[str, ...]
    dropped: str

    def run(self, column: Column) -> ColumnVerdict:
        """Check a column; see :class:`ColumnVerdict`."""
        return over_blocks(column, self.check, pa.string(), self.reasons)

    def check(self, block: Values) -> tuple[Values, Faults]:
        """Check one block: the fast way first, then the rest after normalising."""
        fault = self.decide(block)
        retry = np.flatnonzero(fault == RETRY)
        if len(retry) == 0:
            return settle(block, None, fault, self.scalar, pa.string(), self.reasons)
        tidy = self.tidied(block.take(arrow.array(retry)))
        again = self.decide(tidy)
        again[again < 0] = RETRY
        values = block
        if (again == 0).any():
            good = np.flatnonzero(again == 0)
            mask = np.zeros(len(block), np.bool_)
            mask[retry[good]] = True
            values = compute.replace_with_mask(block, pa.array(mask), tidy.take(arrow.array(good)))
        fault[retry] = again
        return settle(values, None, fault, self.scalar, pa.string(), self.reasons)

    def decide(self, block: Values) -> Faults:
        """Faults of the rows that have the right width and alphabet; the others are RETRY, absent ones -1."""
        data, starts = layout(block)
        lengths = np.diff(starts)
        there = present(block)
        fault = np.where(there & (lengths > 0), np.int8(RETRY), np.int8(-1))
        for width, matrix_check in self.widths.items():
            rows, matrix = rows_of_width(data, starts, there & (lengths == width), width)
            if len(rows):
                fault[rows] = matrix_check(matrix)
        return fault

    def tidied(self, values: Values) -> Values:
        """ASCII rows in upper case and without blanks; other rows become a text that is left to the scalar."""
        plain = compute.if_else(compute.string_is_ascii(values), values, "?")
        tidy: Values = compute.replace_substring_regex(compute.ascii_upper(plain), self.dropped, "")
        return tidy


def _sum_tables(alphabet: str, weights: Sequence[int], modulus: int) -> list[npt.NDArray[np.uint16]]:
    """For every place a table of 256: weight x value mod modulus, or the mark of a foreign character."""
    value = values_of(alphabet)
    clean = np.where(value == BAD, 0, value).astype(np.uint32)
    return [np.where(value == BAD, _FOREIGN, clean * weight % modulus).astype(np.uint16) for weight in weights]


def _paired(tables: Sequence[npt.NDArray[np.uint16]]) -> list[Table]:
    return [pair_table(tables[k], tables[k + 1]) for k in range(0, len(tables) - 1, 2)]


def _sum_pairs(matrix: Bytes, tables: Sequence[Table], start: int = 0) -> npt.NDArray[np.uint16]:
    total: npt.NDArray[np.uint16] = tables[0].take(pair(matrix, start))
    for k, table in enumerate(tables[1:], 1):
        total += table.take(pair(matrix, start + 2 * k))
    return total


@functools.cache
def _uscc_tables() -> list[Table]:
    tables = _sum_tables(rules.USCC_ALPHABET, (*rules.USCC_WEIGHTS, 1), 31)
    # A letter among the area digits is marked as foreign here: rare, and the scalar then names the right reason.
    tables[2:8] = _sum_tables("0123456789", rules.USCC_WEIGHTS[2:8], 31)
    return _paired(tables)


def _judge_uscc_as(reasons: tuple[str, ...], matrix: Bytes) -> Faults:
    total = _sum_pairs(matrix, _uscc_tables())
    fault = np.where(total % 31 == 0, 0, reasons.index("uscc.check-digit"))
    return np.where(total >= _FOREIGN, RETRY, fault).astype(np.int8)


@functools.cache
def _org_tables() -> tuple[list[Table], npt.NDArray[np.uint16]]:
    tables = _sum_tables(rules.ORG_ALPHABET, rules.ORG_WEIGHTS, 11)
    return _paired(tables), _sum_tables("0123456789X", (1,), 11)[0]


def _judge_org(matrix: Bytes, start: int, reasons: tuple[str, ...], wrong: str) -> Faults:
    pairs, last = _org_tables()
    total = _sum_pairs(matrix, pairs, start) + last.take(matrix[:, start + 8])
    fault = np.where(total % 11 == 0, 0, reasons.index(wrong))
    return np.where(total >= _FOREIGN, RETRY, fault).astype(np.int8)


def _judge_org_code(matrix: Bytes) -> Faults:
    return _judge_org(matrix, 0, rules.ORG_CODE_REASONS, "org-code.check-digit")


def _judge_taxpayer(matrix: Bytes) -> Faults:
    fault = _judge_org(matrix, 6, rules.TAXPAYER_REASONS, "taxpayer-no.check-digit")
    for place in (0, 2, 4):
        fault[digit_pairs().take(pair(matrix, place)) == BAD] = RETRY
    return fault


def _judge_registration(matrix: Bytes) -> Faults:
    state = np.full(len(matrix), 10, np.uint16)
    for place in range(0, 14, 2):
        state = next_states().take(state * 256 + digit_pairs().take(pair(matrix, place)))
    check = values_of("0123456789").take(matrix[:, 14]).astype(np.int16)
    wrong = rules.REGISTRATION_REASONS.index("registration-no.check-digit")
    fault = np.where((state.astype(np.int16) + check) % 10 == 1, 0, wrong)
    return np.where((state == 0) | (check == BAD), RETRY, fault).astype(np.int8)


@functools.cache
def _citizen_tables() -> list[Table]:
    tables = _sum_tables("0123456789", rules.CITIZEN_WEIGHTS, 11)
    return _paired([*tables, _sum_tables("0123456789X", (1,), 11)[0]])


@functools.cache
def _month_days() -> npt.NDArray[np.int8]:
    """Days by month 0..255 (0 where there is no such month); February of a common year."""
    days = np.zeros(256, np.int8)
    days[1:13] = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return days


def days_in_month(year: npt.NDArray[np.int32], month: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Days of the month of each row, 0 for a month that does not exist (months 0..255)."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days: npt.NDArray[np.int8] = _month_days().take(month) + (leap & (month == 2))
    return days


def _judge_citizen(matrix: Bytes) -> Faults:
    total = _sum_pairs(matrix, _citizen_tables())
    number = digit_pairs()
    year = number.take(pair(matrix, 6)).astype(np.int32) * 100 + number.take(pair(matrix, 8))
    day = number.take(pair(matrix, 12))
    exists = (day >= 1) & (day <= days_in_month(year, number.take(pair(matrix, 10))))
    exists &= (year >= rules.FIRST_BIRTH_YEAR) & (year <= rules.LAST_BIRTH_YEAR)
    fault = np.where(total % 11 == 1, 0, rules.CITIZEN_REASONS.index("citizen-id.check-digit"))
    fault = np.where(exists, fault, rules.CITIZEN_REASONS.index("citizen-id.birth-date"))
    return np.where(total >= _FOREIGN, RETRY, fault).astype(np.int8)


_BLANK = r"[\x09-\x0d ]"
_USCC = CodeColumn(
    {18: functools.partial(_judge_uscc_as, rules.USCC_REASONS)}, rules.check_uscc, rules.USCC_REASONS, _BLANK
)
_ORG_CODE = CodeColumn({9: _judge_org_code}, rules.check_org_code, rules.ORG_CODE_REASONS, r"[\x09-\x0d -]")
_REGISTRATION = CodeColumn({15: _judge_registration}, rules.check_registration_no, rules.REGISTRATION_REASONS, _BLANK)
_TAXPAYER = CodeColumn(
    {18: functools.partial(_judge_uscc_as, rules.TAXPAYER_REASONS), 15: _judge_taxpayer},
    rules.check_taxpayer_no,
    rules.TAXPAYER_REASONS,
    _BLANK,
)
_CITIZEN = CodeColumn({18: _judge_citizen}, rules.check_citizen_id, rules.CITIZEN_REASONS, _BLANK)
