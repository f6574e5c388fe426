"""Which rows repeat an earlier key: the vectors of ``SeenKeys`` against a plain loop over rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shutong.quality.duplicates import SeenKeys

Row = tuple[int, bool, bool]


def _expected(chunks: list[list[Row]]) -> list[list[bool]]:
    met: set[int] = set()
    answers = []
    for chunk in chunks:
        answer = []
        for key, keyed, rejected in chunk:
            answer.append(keyed and key in met)
            if keyed and not rejected:
                met.add(key)
        answers.append(answer)
    return answers


def _answers(chunks: list[list[Row]], spread: int) -> list[list[bool]]:
    seen = SeenKeys()
    answers = []
    for chunk in chunks:
        keys = np.array([key * spread % 2**64 for key, _, _ in chunk], np.uint64)
        keyed, rejected = (np.array([row[place] for row in chunk], np.bool_) for place in (1, 2))
        answers.append(seen.repeated(keys, keyed, rejected).tolist())
    return answers


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.booleans()), max_size=12), max_size=12),
    st.sampled_from([1, 2**60, 0x9E3779B97F4A7C15]),
)
def test_the_vectors_agree_with_a_loop(chunks: list[list[Row]], spread: int) -> None:
    """Few keys, so that nearly all repeat: within a chunk, across chunks, behind rejected rows, without a key."""
    assert _answers(chunks, spread) == _expected(chunks)


@pytest.mark.parametrize("rows", [1_000, 10_000])
def test_many_keys_outgrow_the_first_map(rows: int) -> None:
    """The map is made anew and runs are joined several times; nothing seen is forgotten, nothing new is taken for old."""
    random = np.random.default_rng(5)
    seen = SeenKeys()
    met = np.zeros(0, np.uint64)
    for _ in range(12):
        keys = random.integers(0, 2**64, rows, dtype=np.uint64)
        old = random.random(rows) < 0.1
        if len(met):
            keys[old] = random.choice(met, np.count_nonzero(old))
        rejected = random.random(rows) < 0.05
        answer = seen.repeated(keys, np.ones(rows, np.bool_), rejected)
        # no two of so few random keys are alike, so every repeat is one of an earlier chunk
        assert (answer == np.isin(keys, met)).all()
        met = np.concatenate([met, keys[~rejected & ~answer]])
    assert len(met) > 0.8 * 12 * rows
