"""Slips in unified codes: the code that was meant is among those found, and citizen numbers are never kept."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from shutong.standards.code_rules import USCC_ALPHABET, check_uscc, make_citizen_id, make_uscc
from shutong.standards.code_slips import meant_codes, meant_columns, slipped_code

codes = st.builds(
    lambda head, area, rest: make_uscc(head + area + rest),
    st.text(USCC_ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
)


@given(codes, st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_one_wrong_character(code: str, place: int, other: str) -> None:
    found = meant_codes(code[:place] + other + code[place + 1 :])
    assert code in found
    assert all(check_uscc(one).valid for one in found)
    assert len(found) <= 40


@given(codes, st.integers(0, 16))
def test_two_neighbours_exchanged(code: str, place: int) -> None:
    assert code in meant_codes(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


@given(codes)
def test_look_alikes_and_full_width_are_read_back(code: str) -> None:
    spelled = code.translate(str.maketrans("0125", "OIZS"))
    wide = "".join(chr(ord(character) + 0xFEE0) for character in spelled)
    kept = slipped_code(wide)
    assert kept == code
    assert meant_codes(kept) == (code,)


def test_what_is_no_slip_of_a_code_is_not_kept() -> None:
    personal = make_citizen_id("11010519491231002")
    for text in (
        personal,
        personal[:-1] + ("0" if personal[-1] != "0" else "1"),
        personal.lower(),
        "12345",
        "无",
        "9" * 19,
    ):
        assert slipped_code(text) is None
    assert meant_codes("V1350100M00010VY43") == ()


@given(st.lists(st.one_of(
    st.text(USCC_ALPHABET, min_size=18, max_size=18),
    st.builds(lambda n, place, other: make_uscc(f"91110000MA{n:07}")[:place] + other + make_uscc(f"91110000MA{n:07}")[place + 1 :],
              st.integers(0, 9_999_999), st.integers(0, 17), st.sampled_from(USCC_ALPHABET + "VX")),
    st.builds(lambda n, place: (lambda c: c[:place] + c[place + 1] + c[place] + c[place + 2 :])(make_uscc(f"91110000MA{n:07}")),
              st.integers(0, 9_999_999), st.integers(0, 16)),
    st.sampled_from(["V1350100M00010VY43", "91350100M000100Y43", "", "9", "0" * 18]),
), max_size=12))  # fmt: skip
def test_a_column_of_codes_has_the_answers_of_each(texts: list[str]) -> None:
    parents, codes = meant_columns(pa.array(texts, pa.string()))
    found: list[list[str]] = [[] for _ in texts]
    for parent, code in zip(parents.tolist(), codes.to_pylist(), strict=True):
        found[parent].append(code)
    assert [sorted(each) for each in found] == [list(meant_codes(text)) for text in texts]
