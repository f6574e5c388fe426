"""The data of the benchmarks, and that both sides find the same in it, at tiny sizes."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bench import check, check_data, check_duckdb, codes, collect
from shutong.standards.codes import check_uscc

ROWS = 4_000
SAME = {
    "item.required": {"uscc.required", "name.required", "doc_no.required", "category.required", "decided_on.required"},
    "uscc.check-digit": {"uscc.check-digit"},
    "item.pattern": {"doc_no.pattern"},
    "key.duplicate": {"doc_no.duplicate"},
    "code.unknown": {"category.code", "status.code"},
    "date.impossible": {"decided_on.date", "valid_to.date"},
    "money.format": {"amount.money"},
    "item.min": {"amount.min", "staff.range"},
    "item.max": {"amount.max", "staff.range"},
    "check:decided-before-received": {"decided-before-received"},
    "check:valid-after-decided": {"valid-after-decided"},
    "check:closed-has-no-amount": {"closed-has-no-amount"},
}
"""What our reasons are called in the query of the peer."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "rows.parquet"
    check_data.write(path, ROWS)
    return path


def test_the_made_codes_are_right_but_every_fiftieth() -> None:
    made = codes.make_codes(200).to_pylist()
    assert [check_uscc(code).valid for code in made] == [number % 50 != 0 for number in range(200)]


def test_the_table_holds_what_every_check_looks_for(rows: Path) -> None:
    table = pq.read_table(rows)
    assert table.num_rows == ROWS
    assert table.column_names == list(check_data.RESOURCE.items)
    for column, bad in (("category", "X99999"), ("decided_on", "2026-02-30"), ("amount", "壹万零"), ("staff", "-3")):
        assert bad in table.column(column).to_pylist()


def test_ours_and_duckdb_find_the_same_rows_for_the_same_reasons(rows: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    failing = check.check_ours(rows, ours)
    assert failing == pq.read_metadata(ours).num_rows
    check_duckdb.run(rows, theirs, 2)
    found = {row["row_no"]: {reason["code"] for reason in row["reasons"]} for row in pq.read_table(ours).to_pylist()}
    other = {row["row_no"]: set(row["reasons"]) for row in pq.read_table(theirs).to_pylist()}
    # to us a row is no duplicate of one that was rejected itself
    only_repeats = {number for number in other.keys() - found.keys() if other[number] == {"doc_no.duplicate"}}
    assert found.keys() == other.keys() - only_repeats
    assert len(only_repeats) < len(found) / 100
    for number, reasons in found.items():
        assert {name for reason in reasons for name in SAME[reason]} >= other[number] - {"doc_no.duplicate"}
        assert all(SAME[reason] & other[number] for reason in reasons)
    assert {reason for reasons in found.values() for reason in reasons} >= {
        "uscc.check-digit", "code.unknown", "date.impossible", "money.format", "item.min", "check:valid-after-decided",
    }  # fmt: skip


def test_the_delivery_is_taken_in_and_the_peer_reads_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "delivery.csv"
    collect.write(path, 500)
    lines = path.read_bytes().decode("gb18030").splitlines()
    assert len(lines) == 501
    assert lines[0].count(",") == len(collect.RESOURCE.items) - 1
    (tmp_path / "peer").mkdir()
    rejected = collect.collect_ours(path, tmp_path)
    assert 5 <= rejected <= 30
    collect.collect_peer(path, tmp_path / "peer")
    assert pq.read_metadata(tmp_path / "peer" / "out.parquet").num_rows == 500
