"""Codes: the vectors of the standards, wrong ones, derivations, made ones, and python-stdnum as a second opinion."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from stdnum.cn import ric, uscc

from shutong.standards import codes
from shutong.standards.verdict import REASONS

USCCS = [
    "91350100M000100Y43",
    "91440300708461136T",
    "914403001922038216",
    "91330100799655058B",
    "91110000802100433B",
]
REGISTRATION_NOS = ["110108000000016", "440301103097413", "440301103448669"]
CITIZEN_ID = "11010519491231002X"


@pytest.mark.parametrize("code", USCCS)
def test_unified_codes_of_the_standard_are_valid(code):
    verdict = codes.check_uscc(code)
    assert (verdict.valid, verdict.canonical, verdict.reason) == (True, code, None)
    assert uscc.is_valid(code)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "empty"),
        ("", "empty"),
        ("　", "empty"),
        ("— —", "empty"),
        ("无", "empty"),
        ("/", "empty"),
        ("null", "empty"),
        ("91350100M000100Y4", "uscc.length"),
        ("91350100M000100Y433", "uscc.length"),
        ("110108000000016", "uscc.length"),
        ("91350100M0001OOY43", "uscc.characters"),
        ("91350100M000100Y4３\x00", "uscc.length"),
        ("91350100M000100Y\x003", "uscc.characters"),
        ("9135O100M000100Y43", "uscc.characters"),
        ("9135A100M000100Y43", "uscc.area"),
        ("91350100M000100Y44", "uscc.check-digit"),
        ("19350100M000100Y43", "uscc.check-digit"),
        ("9.135010000010001E+17", "code.scientific"),
        ("统一社会信用代码", "uscc.length"),
    ],
)
def test_wrong_unified_codes_say_why(text, reason):
    verdict = codes.check_uscc(text)
    assert not verdict.valid
    assert verdict.reason == reason
    assert verdict.reason_zh == REASONS[reason].zh
    assert codes.column_uscc(pa.array([text], pa.string())).reason_at(0) == reason


@pytest.mark.parametrize(
    "text", [" 91350100m000100y43\n", "９１３５０１００Ｍ０００１００Ｙ４３", "9135 0100 M000100Y 43\u200b"]
)
def test_other_spellings_of_a_unified_code_have_its_canonical_form(text):
    assert codes.check_uscc(text).canonical == "91350100M000100Y43"
    assert codes.column_uscc(pa.array([text])).canonical.to_pylist() == ["91350100M000100Y43"]


@pytest.mark.parametrize("authority", ["11", "51", "92", "93", "Y1", "A1", "N1", "31"])
def test_every_registration_authority_may_lead(authority):
    code = codes.make_uscc(authority + "440300708461136")
    assert codes.check_uscc(code).valid
    assert codes.column_uscc(pa.array([code])).fault.to_pylist() == [0]


def test_organisation_codes():
    assert codes.check_org_code("M000100Y4").valid
    assert codes.check_org_code("m000100y-4").canonical == "M000100Y4"
    assert codes.check_org_code("M000100Y-").reason == "org-code.length"
    assert codes.check_org_code("M000100Y5").reason == "org-code.check-digit"
    assert codes.check_org_code("M000100YA").reason == "org-code.characters"
    assert codes.check_org_code("-----").reason == "org-code.length"


@pytest.mark.parametrize("code", REGISTRATION_NOS)
def test_registration_numbers(code):
    assert codes.check_registration_no(code).valid
    for digit in "0123456789":
        assert codes.check_registration_no(code[:14] + digit).valid == (digit == code[14])


def test_a_unified_code_in_the_column_of_registration_numbers_is_named():
    assert codes.check_registration_no(USCCS[0]).reason == "registration-no.is-uscc"
    assert codes.check_registration_no("1101081234567").reason == "registration-no.length"
    assert codes.check_registration_no("440301NA0000016").reason == "registration-no.characters"


def test_taxpayer_numbers_are_a_unified_code_or_area_and_organisation_code():
    assert codes.check_taxpayer_no(USCCS[0]).canonical == USCCS[0]
    assert codes.check_taxpayer_no("350100M000100Y4").valid
    assert codes.check_taxpayer_no("350100M000100Y5").reason == "taxpayer-no.check-digit"
    assert codes.check_taxpayer_no("35010AM000100Y4").reason == "taxpayer-no.characters"
    assert codes.check_taxpayer_no("35010").reason == "taxpayer-no.length"
    assert codes.check_taxpayer_no("91350100M000100Y44").reason == "uscc.check-digit"


def test_citizen_identity_numbers():
    assert codes.check_citizen_id("11010519491231002x").canonical == CITIZEN_ID
    assert codes.check_citizen_id("110105194912310021").reason == "citizen-id.check-digit"
    assert codes.check_citizen_id("11010519490230002X").reason == "citizen-id.birth-date"
    assert codes.check_citizen_id("110105491231002").reason == "citizen-id.15-digits"
    assert codes.check_citizen_id("1101051949123100XX").reason == "citizen-id.characters"
    assert codes.check_citizen_id("110105").reason == "citizen-id.length"


def test_leap_days_of_birth():
    for year, exists in ((2000, True), (1900, False), (1996, True), (1997, False)):
        number = codes.make_citizen_id(f"110105{year}0229002")
        assert codes.check_citizen_id(number).valid is exists
        assert (codes.column_citizen_id(pa.array([number])).fault.to_pylist() == [0]) is exists


def test_organisation_code_is_derived_from_newer_codes():
    assert codes.org_code_of_uscc(USCCS[0]) == "M000100Y4"
    assert codes.org_code_of_uscc("91350100M000100Y44") is None
    assert codes.org_code_of_taxpayer("350100M000100Y4") == "M000100Y4"
    column = pa.array([USCCS[0], None, "wrong", "350100M000100Y4"])
    assert codes.org_code_of_uscc(column).to_pylist() == ["M000100Y4", None, None, None]
    assert codes.org_code_of_taxpayer(column).to_pylist() == ["M000100Y4", None, None, "M000100Y4"]


def test_a_column_answers_in_every_shape():
    rows = [USCCS[0], None, "", " " + USCCS[1].lower(), "91350100M000100Y44", "一二三四五六", "9135S100M000100Y43"]
    expected = [codes.check_uscc(row) for row in rows]
    plain = pa.array(rows)
    chunked = pa.chunked_array([plain.slice(0, 3), plain.slice(3, 0), plain.slice(3)])
    for column in (plain, chunked, plain.cast(pa.large_string()), plain.dictionary_encode()):
        verdict = codes.column_uscc(column)
        assert verdict.canonical.to_pylist() == [v.canonical for v in expected]
        assert [verdict.reason_at(k) for k in range(len(rows))] == [v.reason for v in expected]
        assert verdict.reason_codes().to_pylist() == [v.reason for v in expected]
    assert codes.column_uscc(plain).counts()["empty"] == 2
    assert len(codes.column_uscc(pa.array([], pa.string()))) == 0
    assert codes.column_uscc(pa.nulls(3)).fault.to_pylist() == [-1, -1, -1]
    assert codes.column_uscc(plain.slice(2, 3)).canonical.to_pylist() == [v.canonical for v in expected[2:5]]


def test_a_wrong_value_leaves_no_bytes_in_the_canonical_column():
    column = codes.column_citizen_id(pa.array([CITIZEN_ID, "110105194912310021"])).canonical
    assert b"110105194912310021" not in b"".join(b.to_pybytes() for b in column.buffers() if b)


def test_check_digits_by_columns_agree_with_one_by_one():
    random = np.random.default_rng(3)
    for width, alphabet, columns, one in (
        (17, "0123456789", codes.check_digits_uscc, codes.make_uscc),
        (8, "0123456789ABCXYZ", codes.check_digits_org_code, codes.make_org_code),
        (14, "0123456789", codes.check_digits_registration_no, codes.make_registration_no),
        (17, "0123456789", codes.check_digits_citizen_id, codes.make_citizen_id),
    ):
        letters = np.frombuffer(alphabet.encode(), np.uint8)
        matrix = letters[random.integers(0, len(letters), (200, width))]
        made = columns(matrix)
        assert [one(row.tobytes().decode())[-1] for row in matrix] == list(made.tobytes().decode())


def test_check_digits_refuse_foreign_characters():
    with pytest.raises(ValueError, match="outside"):
        codes.check_digits_uscc(np.frombuffer(b"9135010OM000100Y4", np.uint8).reshape(1, 17))
    with pytest.raises(ValueError, match="17 columns"):
        codes.check_digits_uscc(np.zeros((2, 3), np.uint8))
    with pytest.raises(ValueError, match="wanted 8"):
        codes.make_org_code("M000")


def test_stdnum_agrees_on_digit_leading_codes_and_identity_numbers():
    random = np.random.default_rng(5)
    digits = np.frombuffer(b"0123456789", np.uint8)
    for _ in range(200):
        code = "91" + digits[random.integers(0, 10, 16)].tobytes().decode()
        assert codes.check_uscc(code).valid == uscc.is_valid(code)
    assert ric.is_valid(CITIZEN_ID)
