"""Files that are not what they say, through the real ``collect``: refused or their rows rejected, in words, and nothing in is touched."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from tests.cli.shell import Shell

PACK = {
    "pack.yml": "pack: tiny\ntitle: 小城\nversion: 1.0.0\nsteward: 数据局\n"
    "departments:\n  market: {title: {zh: 市场监管局, en: Market bureau}}\n",
    "resources/note.yml": """resource: note
title: {zh: 检查记录, en: Inspection notes}
department: market
basis: 检查办法
key: [number]
items:
  number: {element: text, title: 编号, required: true}
  place: {element: text, title: 地点}
  checked_on: {element: date, title: 检查日期, required: true}
""",
}
HEADER = "编号,地点,检查日期\n"
GOOD = HEADER + "1,镜湖区,2026-07-01\n2,南桥区,2026-07-02\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A home with one resource and one good batch of it."""
    folder = tmp_path_factory.mktemp("bad")
    for name, text in PACK.items():
        (folder / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tiny" / name).write_text(text, encoding="utf-8")
    (folder / "good.csv").write_text(GOOD, encoding="utf-8")
    shell = Shell(folder / "home")
    shell("init", "--pack", folder / "tiny")
    shell("collect", "note", folder / "good.csv")
    yield shell
    shell.close()


def accepted(shell: Shell) -> list[dict[str, Any]]:
    assert shell.home
    engine = engine_of(Home.open(shell.home))
    try:
        return engine.query("SELECT * FROM t ORDER BY seq, row_no", {"t": "accepted/note"}).to_pylist()
    finally:
        engine.close()


def workbook(change: Callable[[Any], None] | None = None, *rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("编号", "地点", "检查日期"), *rows):
        sheet.append(row)
    if change:
        change(book)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def bomb() -> bytes:
    """A workbook whose sheet unfolds to 400 MB."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(None, ("1", "甲", "2026-07-01")))) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            if name.endswith("sheet1.xml"):
                with target.open(name, "w") as sheet:
                    for _ in range(400):
                        sheet.write(b" " * 1_000_000)
            else:
                target.writestr(name, source.read(name))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file.empty"),
        (os.urandom(50_000), None),
        (b"\x7fELF" + bytes(5_000), "file.kind"),
        (bytes(100_000), "file.kind"),
        (HEADER.encode() + bytes(range(128, 256)) * 100, "file.encoding"),
        (gzip.compress(GOOD.encode() * 2_000)[:-40], "file.truncated"),
        (gzip.compress((HEADER + "甲,1,1\n" * 4_000_000).encode(), 9), "file.bomb"),
        (workbook(None, ("1", "甲", "2026-07-01"))[:-400], None),
        (bomb(), "file.bomb"),
        (b"PK\x03\x04" + os.urandom(4_000), None),
        ("编号,地点\n1,甲\n".encode(), "header.missing"),
        ("编号,编号,检查日期\n1,1,2026-07-01\n".encode(), "header.duplicate"),
        (",".join(["编号", *map(str, range(3_000))]).encode() + b"\n", "header.too-many"),
        (b'{"rows": ', "file.truncated"),
    ],
    ids=[
        "zero bytes", "noise", "program", "NUL bytes", "no encoding", "cut gzip", "gzip bomb", "cut workbook",
        "zip bomb", "no zip", "a column missing", "a column twice", "columns without end", "cut json",
    ],
)  # fmt: skip
def test_the_file_is_refused_and_nothing_changes(home: Shell, tmp_path: Path, data: bytes, code: str | None) -> None:
    before = accepted(home)
    (tmp_path / "file.csv").write_bytes(data)
    done = home("collect", "note", tmp_path / "file.csv", "--json", code=3)
    receipt = done.json
    assert (receipt["state"], receipt["received"], receipt["accepted"]) == ("refused", 0, 0)
    assert receipt["refusal"]["zh"] and receipt["refusal"]["en"]
    assert code is None or receipt["refusal"]["code"] == code
    assert accepted(home) == before


def _dates_and_formulas(book: Any) -> None:
    sheet = book.active
    sheet.insert_rows(1, 2)
    sheet["A1"] = "镜湖区检查记录表（2026 年）"
    sheet.merge_cells("A1:C1")
    sheet.append(["=1+1", "甲", dt.date(2026, 7, 1)])
    hidden = book.create_sheet("旧")
    hidden.append(["不是数据"])
    hidden.sheet_state = "hidden"


@pytest.mark.parametrize(
    ("data", "figures", "reasons"),
    [
        (HEADER.encode() + b"a1,\x00,2026-07-01\na2,x,2026-07-01\n", (2, 1), {"cell.control"}),
        ((HEADER + f"b1,{'长' * 1_000_000},2026-07-01\nb2,短,2026-07-01\n").encode(), (2, 1), {"cell.too-long"}),
        ((HEADER + "c1,甲,2026-07-01,多,余\nc2\nc3,乙,2026-07-01\n").encode(), (3, 1), None),
        ((HEADER + "=1+1,@SUM(A1),2026-07-01\n+2,-3,2026-07-01\n").encode("gb18030"), (2, 2), set()),
        (("编号,地点,检查日期,备注\n" + "d1,甲,2026-07-01,多一列\n").encode("utf-16"), (1, 1), set()),
        (workbook(_dates_and_formulas, ("e1", "乙", dt.date(2026, 7, 2))), None, None),
    ],
    ids=["NUL in a cell", "a cell of a million", "more and fewer columns", "formulas stay text", "one column more",
         "a clerk's workbook"],
)  # fmt: skip
def test_bad_rows_are_rejected_and_good_ones_are_in(
    home: Shell, tmp_path: Path, data: bytes, figures: tuple[int, int] | None, reasons: set[str] | None
) -> None:
    before = accepted(home)
    (tmp_path / "file.csv").write_bytes(data)
    receipt = home("collect", "note", tmp_path / "file.csv", "--json").json
    after = accepted(home)
    assert after[: len(before)] == before and len(after) == len(before) + receipt["accepted"] > len(before)
    assert receipt["received"] == receipt["accepted"] + receipt["rejected"]
    if figures is not None:
        assert (receipt["received"], receipt["accepted"]) == figures, receipt["reasons"]
    found = {reason["code"] for reason in receipt["reasons"] if reason["rejected"]}
    assert reasons is None or found == reasons
    assert all(reason["zh"] and reason["rows"] for reason in receipt["reasons"])
    texts = {row["number"] for row in after}
    assert texts.isdisjoint({"2", ""}) or "2" in {row["number"] for row in before}
    if b"@SUM" in data:
        assert {"=1+1", "+2"} <= texts and {"@SUM(A1)", "-3"} <= {row["place"] for row in after}


def test_a_file_of_ten_gigabytes_is_refused_at_once_in_little_memory(home: Shell, tmp_path: Path) -> None:
    """The limit is a setting; below it a file is streamed (see the readers' own test)."""
    assert home.home
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write((HEADER + "9,镜湖区,2026-07-01\n" * 1_000).encode())
        file.truncate(10 << 30)
    code = "import resource, sys; from shutong.cli.main import execute; code = execute(); "
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
    began = time.process_time()
    done = subprocess.run(
        [sys.executable, "-c", code, "collect", "note", str(path), "--json", "--home", str(home.home)],
        env={**os.environ, "SHUTONG_LIMITS_MAX_FILE_BYTES": "20000000"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["refusal"]["code"] == "file.too-large"
    assert int(done.stderr.split()[-1]) < 700_000
    assert time.process_time() - began < 20


def test_deliveries_at_once_do_not_mix_and_a_kill_leaves_nothing_half(home: Shell, tmp_path: Path) -> None:
    assert home.home
    before = accepted(home)
    files = []
    for name in "pqr":
        files.append(tmp_path / f"{name}.csv")
        rows = "".join(f"{name}{number},{name},2026-07-01\n" for number in range(30_000))
        files[-1].write_text(HEADER + rows, encoding="utf-8")
    command = [sys.executable, "-m", "shutong.cli.main", "collect", "note", "--home", str(home.home)]
    running = [subprocess.Popen([*command, str(file)], stderr=subprocess.DEVNULL) for file in files]
    time.sleep(1.5)
    running[2].send_signal(signal.SIGKILL)
    assert [process.wait(timeout=120) for process in running[:2]] == [0, 0]
    running[2].wait(timeout=60)
    again = home("collect", "note", files[2], "--json").json
    assert (again["accepted"], again["rejected"]) == (30_000, 0)
    rows = accepted(home)[len(before) :]
    batches: dict[str, set[str]] = {}
    for row in rows:
        batches.setdefault(row["batch_id"], set()).add(row["place"])
    assert len(rows) == 90_000 and sorted(batches.values(), key=str) == [{"p"}, {"q"}, {"r"}]
    assert not list((home.home / "files").glob("incoming-*"))


def test_a_full_disk_refuses_the_delivery_and_leaves_nothing(home: Shell, tmp_path: Path) -> None:
    assert home.home
    before = accepted(home)
    path = tmp_path / "much.csv"
    path.write_text(HEADER + "".join(f"z{n},{n * 7919},2026-07-01\n" for n in range(60_000)), encoding="utf-8")

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    command = [sys.executable, "-m", "shutong.cli.main", "collect", "note", str(path), "--home", str(home.home)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small, timeout=120)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "磁盘" in done.stderr or "文件大小" in done.stderr, done.stderr
    assert accepted(home) == before
    assert home("collect", "note", path, "--json").json["accepted"] == 60_000
