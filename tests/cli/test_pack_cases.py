"""``shutong pack test``: the cases that a pack brings as data are delivered, and what came out is compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shutong.cli.outcome import RefusedError
from shutong.cli.work.cases import run_cases
from shutong.spec.scaffold import new_pack

INPUT = "tests/first/input-water-record.csv"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A new pack, as the scaffold makes it."""
    new_pack("water", tmp_path)
    return tmp_path / "water"


def results(pack: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, object]]]:
    code = run_cases(pack, json=True)
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_case_of_a_new_pack_passes(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert results(pack, capsys) == (0, [{"pack": "water", "case": "first", "passed": True, "differences": []}])
    assert results(pack.parent, capsys)[0] == 0, "a folder of packs is taken too"


def test_rows_that_come_out_otherwise_are_named(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(pack / INPUT, "2024-03-05", "2024-02-05")
    code, (case,) = results(pack, capsys)
    assert (code, case["passed"]) == (1, False)
    told = [one["en"] for one in case["differences"]]  # type: ignore[attr-defined]
    assert told == [
        "accepted/water-record has an unexpected row: row_no=2, party_code=91350100M000100Y43, result=1, "
        "inspected_on=2024-02-05",
        "rejected lacks the row: resource=water-record, row_no=2, code=check:inspected-before-received, "
        "item=inspected_on",
    ]


def test_a_file_that_is_refused_as_a_whole_says_why(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(pack / INPUT, "记录编号", "记录号码")
    code, (case,) = results(pack, capsys)
    assert code == 1
    refused = case["differences"][0]  # type: ignore[index]
    assert refused["en"].startswith("input-water-record.csv was refused as a whole: ")
    assert "记录编号" in refused["zh"]


def test_a_pack_with_errors_is_not_run(pack: Path) -> None:
    change(pack / "resources/water-record.yml", "cycle: daily", "cycel: daily")
    with pytest.raises(RefusedError, match=r"water-record\.yml:\d+: key\.unknown"):
        run_cases(pack, json=False)


def test_a_pack_without_cases_says_so(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (pack / "tests/first").iterdir():
        path.unlink()
    (pack / "tests/first").rmdir()
    assert results(pack, capsys) == (0, [])
