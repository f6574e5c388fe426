"""Tests as data: read into typed values, compared as sets of rows on the columns that the author names."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from shutong.spec.cases import Expectation, canonical, case_problems, compare, load_cases
from shutong.spec.loader import load_packs
from tests.spec.test_loader import PACKS

CATALOG = load_packs([PACKS])
HEAD = "title: 一例\nreceived_on: 2024-03-01\n"
INPUT = "决定书文号,行政相对人名称\n1号,甲公司\n"
EXPECT = "row_no,doc_no,fine\n1,1号,\n"


def case(folder: Path, **files: str) -> Path:
    """A pack folder with one case of the given files (``__`` stands for the dot before csv)."""
    path = folder / "tests" / "one"
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name.replace("_", "-").replace("--", ".")).write_text(text, encoding="utf-8")
    return folder


def expectation(table: str, columns: tuple[str, ...], *rows: tuple[str | None, ...]) -> Expectation:
    return Expectation(table, Path("x.csv"), columns, rows)


def test_a_case_is_read(tmp_path: Path) -> None:
    pack = case(tmp_path, case__yml=HEAD, input_penalty__csv=INPUT, expect_accepted_penalty__csv=EXPECT)
    (read,) = load_cases(pack, CATALOG)
    assert (read.name, read.received_on, read.business_day) == ("one", date(2024, 3, 1), date(2024, 3, 1))
    assert read.inputs[0].rows == (("1号", "甲公司"),)
    assert read.expects[0] == Expectation(
        "accepted/penalty", read.expects[0].path, ("row_no", "doc_no", "fine"), (("1", "1号", None),)
    )


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"input_nothing__csv": INPUT}, "reference.unknown"),
        ({"input_penalty__txt": INPUT}, "case.file"),
        ({"given_penalty__csv": INPUT}, "case.file"),
        ({"expect_accepted_penalty__csv": "row_no,phone\n1,2\n"}, "case.column"),
        ({"expect_accepted_enterprise__csv": "phone\n1\n"}, "case.column"),
        ({"expect_something__csv": "a\n1\n"}, "case.table"),
        ({"expect_library_nothing__csv": "subject\n1\n"}, "reference.unknown"),
        ({"expect_library_legal_entity__csv": "subject,nothing\n1,2\n"}, "case.column"),
        ({"expect_values_legal_entity__csv": "subject,record_id\n1,2\n"}, "case.column"),
        ({"expect_candidates_nobody__csv": "subject\n1\n"}, "reference.unknown"),
        ({"expect_disagreements_legal_entity__name__csv": "subject\n1\n"}, "reference.unknown"),
        ({"input_penalty__csv": "a,b\n1\n"}, "case.csv"),
        ({"input_penalty__csv": ""}, "case.csv"),
        ({"case__yml": "title: x\n"}, "key.missing"),
        ({"case__yml": HEAD + "recieved_on: 1\n"}, "key.unknown"),
        ({"case__yml": HEAD.replace("2024-03-01", "2024-13-01")}, "value.invalid"),
    ],
)
def test_mistakes_in_a_case(tmp_path: Path, files: dict[str, str], code: str) -> None:
    good = {"case__yml": HEAD, "input_penalty__csv": INPUT, "expect_accepted_penalty__csv": EXPECT}
    found = case_problems(case(tmp_path, **good | files), CATALOG)
    assert code in {item.code for item in found}


def test_a_delivery_of_another_day_and_what_stages_make(tmp_path: Path) -> None:
    pack = case(tmp_path, case__yml=HEAD, expect_library_legal_entity__csv="subject,name\nA,甲公司\n")
    folder = pack / "tests" / "one"
    (folder / "input-penalty--2024-03-05.csv").write_text(INPUT, encoding="utf-8")
    (read,) = load_cases(pack, CATALOG)
    assert (read.inputs[0].resource, read.inputs[0].received_on) == ("penalty", date(2024, 3, 5))
    assert (read.expects[0].table, read.expects[0].columns) == ("library/legal-entity", ("subject", "name"))
    (folder / "input-penalty--soon.csv").write_text(INPUT, encoding="utf-8")
    assert [item.code for item in case_problems(pack, CATALOG)] == ["case.day"]


def test_a_case_without_input_or_expectation_is_told(tmp_path: Path) -> None:
    found = case_problems(case(tmp_path, case__yml=HEAD), CATALOG)
    assert [item.code for item in found] == ["case.empty", "case.empty"]


def test_rows_are_compared_in_any_order_and_counted() -> None:
    table = pa.table({"doc_no": ["b", "a", "a"], "fine": pa.array([Decimal("2.50"), None, None], pa.decimal128(18, 2))})
    columns = ("doc_no", "fine")
    assert compare(expectation("accepted/penalty", columns, ("a", None), ("a", None), ("b", "2.5")), table) == []
    found = compare(expectation("accepted/penalty", columns, ("a", None), ("c", "2.5")), table)
    assert [(item.kind, item.row["doc_no"]) for item in found] == [
        ("missing", "c"),
        ("unexpected", "b"),
        ("unexpected", "a"),
    ]
    assert "c" in found[0].zh and "NULL" in found[2].en


def test_rejected_rows_are_compared_by_reason() -> None:
    reason = pa.struct([("code", pa.string()), ("item", pa.string()), ("zh", pa.string()), ("en", pa.string())])
    reasons = [[{"code": "required", "item": "doc_no"}, {"code": "check", "item": None}]]
    table = pa.table({"resource": ["penalty"], "row_no": [2], "reasons": pa.array(reasons, pa.list_(reason))})
    columns = ("row_no", "code", "item")
    assert compare(expectation("rejected", columns, ("2", "required", "doc_no"), ("2", "check", None)), table) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        (True, "true"),
        (Decimal("10.00"), "10"),
        (Decimal("-0.50"), "-0.5"),
        (date(2024, 1, 2), "2024-01-02"),
        (["a", "b"], "a;b"),
        ("1.2.3", "1.2.3"),
        (100, "100"),
    ],
)
def test_values_have_one_text(value: object, text: str | None) -> None:
    assert canonical(value) == text
