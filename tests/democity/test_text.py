"""Columns of text: permutations, fixed-width numbers, dates, choices."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shutong.democity.text import (
    amounts,
    iso_dates,
    join,
    padded,
    parts_of_date,
    permute,
    pick,
    replace_rows,
    take,
    where,
)


@pytest.mark.parametrize("bits", [2, 5, 8, 13, 16])
def test_permute_is_a_permutation(bits: int) -> None:
    numbers = np.arange(1 << bits, dtype=np.int64)
    for seed in (1, 2):
        assert sorted(permute(numbers, bits, seed, "x").tolist()) == numbers.tolist()
    if bits > 4:
        assert permute(numbers, bits, 1, "x").tolist() != permute(numbers, bits, 2, "x").tolist()


def test_permute_spreads_neighbours() -> None:
    spread = permute(np.arange(10_000, dtype=np.int64), 26, 7, "x")
    steps = np.abs(np.diff(spread))
    assert np.median(steps) > (1 << 26) / 10
    assert len(np.unique(steps)) > 9000


def test_columns() -> None:
    assert padded(np.array([0, 42, 12345]), 5).to_pylist() == ["00000", "00042", "12345"]
    assert amounts(np.array([5, 123456])).to_pylist() == ["0.05", "1234.56"]
    days = np.array(["2024-02-29", "1969-12-31"], "datetime64[D]").astype(np.int64)
    assert iso_dates(days).to_pylist() == ["2024-02-29", "1969-12-31"]
    assert [part.tolist() for part in parts_of_date(days)] == [[2024, 1969], [2, 12], [29, 31]]
    words = pick(["甲", "乙"], np.array([1, 0, 1]))
    assert words.to_pylist() == ["乙", "甲", "乙"]
    assert join(words, "-", pa.array(["a", None, "c"])).to_pylist() == ["乙-a", "甲-", "乙-c"]
    assert take(words, np.array([2, -1, 1])).to_pylist() == ["乙", None, "甲"]
    assert where(np.array([True, False, True]), None, words).to_pylist() == [None, "甲", None]
    assert replace_rows(words, np.array([2, 0]), pa.array(["x", "y"])).to_pylist() == ["y", "甲", "x"]
