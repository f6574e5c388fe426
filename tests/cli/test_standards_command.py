"""``shutong standards``: an answer for every line, whatever it holds, and the working-day calendar."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shutong.standards.kinds import KINDS
from tests.cli.shell import Shell

RIGHT = {
    "uscc": ("91350100M000100Y43", "91350100M000100Y43"),
    "org-code": ("M000100Y-4", "M000100Y4"),
    "registration-no": ("110108000000016", "110108000000016"),
    "taxpayer-no": ("91350100M000100Y43", "91350100M000100Y43"),
    "citizen-id": ("11010519491231002x", "11010519491231002X"),
    "area": ("350102", "350102"),
    "industry": ("A0111", "0111"),
    "date": ("２０２６年７月１日", "2026-07-01"),
    "money": ("3.5万元", "35000.00"),
    "org-name": ("福州云海食品有限公司", "福州云海食品有限公司"),
    "address": ("福建省福州市鼓楼区五四路1号", "福建省福州市鼓楼区五四路1号"),
}
WRONG = [
    "",
    "  ",
    "无",
    "/",
    "— —",
    "x" * 5_000,
    "=1+1",
    "'; DROP TABLE",
    "\x00",
    "a\x00b",
    "\u202e",
    "😀",
    "null",
    "\t",
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_of_every_kind_gets_an_answer(shutong: Shell, kind: str) -> None:
    right, canonical = RIGHT.get(kind, ("", None))
    lines = [right.encode(), *(text.encode() for text in WRONG), b"\xff\xfe\xd6\xd0", "末行".encode()]
    done = shutong("standards", "check", kind, stdin=b"\n".join(lines))
    answers = done.lines
    assert len(answers) == len(lines)
    for answer in answers:
        assert {"value", "valid", "reason", "canonical"} <= answer.keys()
        assert (answer["reason"] is None) == answer["valid"] == (answer["canonical"] is not None)
        assert answer["valid"] or (answer["message"]["zh"] and answer["message"]["en"])
    if canonical is not None:
        assert (answers[0]["valid"], answers[0]["canonical"]) == (True, canonical)
    assert [answer["reason"] for answer in answers[1:6]] == ["empty"] * 5
    assert answers[-2]["reason"] == "text.encoding"


def test_names_and_addresses_are_taken_apart(shutong: Shell) -> None:
    name = shutong("standards", "check", "org-name", stdin="福州云海食品有限公司第一分公司".encode()).json
    assert (name["parts"]["area"], name["parts"]["brand"], name["parts"]["form"]) == ("福州", "云海", "有限公司")
    address = shutong("standards", "check", "address", stdin="福建省福州市鼓楼区五四路1号".encode()).json
    assert (address["parts"]["county"], address["parts"]["road"]) == ("鼓楼区", "五四路")


def test_line_ends_and_a_mark_in_front_are_no_part_of_a_value(shutong: Shell) -> None:
    done = shutong("standards", "check", "uscc", stdin=b"\xef\xbb\xbf91350100M000100Y43\r\n\r\n91350100M000100Y43")
    assert [line["value"] for line in done.lines] == ["91350100M000100Y43", "", "91350100M000100Y43"]
    assert shutong("standards", "check", "uscc").out == ""


def test_each_answer_comes_before_the_next_question() -> None:
    command = [sys.executable, "-m", "shutong.cli.main", "standards", "check", "date"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asked:
        assert asked.stdin and asked.stdout
        for text in (b"2026-07-01", b"tomorrow"):
            asked.stdin.write(text + b"\n")
            asked.stdin.flush()
            assert text in asked.stdout.readline()


@pytest.mark.parametrize(
    ("day", "n", "result"),
    [
        ("2026-09-30", "7", "2026-10-15"),
        ("2026-09-30", "1", "2026-10-08"),
        ("2026-10-15", "-7", "2026-09-30"),
        ("2026-10-01", "0", "2026-10-01"),
        ("2026年9月30日", "1", "2026-10-08"),
    ],
)
def test_working_days_are_counted(shutong: Shell, day: str, n: str, result: str) -> None:
    answer = shutong("standards", "workday", "add", day, n).json
    assert (answer["result"], answer["n"], answer["provisional"]) == (result, int(n), False)


def test_days_are_named_and_unpublished_years_marked(shutong: Shell) -> None:
    holiday = shutong("standards", "workday", "is", "2026-10-01").json
    moved = shutong("standards", "workday", "is", "2026-10-10").json
    later = shutong("standards", "workday", "is", "2150-10-01").json
    assert (holiday["is_workday"], holiday["name"]) == (False, "国庆节")
    assert (moved["is_workday"], moved["provisional"]) == (True, False)
    assert (later["is_workday"], later["provisional"]) == (False, True)
