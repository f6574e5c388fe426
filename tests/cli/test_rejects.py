"""The clerk's loop on the command line: rejected rows go out as a file, come back corrected, and close the ticket."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

PACK = {
    "pack.yml": "pack: tiny\ntitle: 小城\nversion: 1.0.0\nsteward: 数据局\n"
    "departments:\n  market: {title: {zh: 市场监管局, en: Market bureau}}\n",
    "resources/register.yml": """resource: register
title: {zh: 登记, en: Register}
department: market
basis: 登记条例
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: 名称, required: true}
  founded: {element: date, title: 成立日期, required: true}
about: {kind: organisation, registry: true, uscc: uscc, name: name}
""",
}
ROWS = "代码,名称,成立日期\n91350100M000100Y43,青禾食品有限公司,2020-02-30\n91350100M000100Y43,青禾食品有限公司,2020-03-02\n"
COMMANDS = """
import json, sys
from shutong.cli.main import app
for words in json.loads(sys.argv[1]):
    app(words, standalone_mode=False)
"""


def run(home: Path, *commands: list[str]) -> subprocess.CompletedProcess[str]:
    words = json.dumps([[*words, "--home", str(home)] for words in commands])
    return subprocess.run(
        [sys.executable, "-c", COMMANDS, words], capture_output=True, text=True, timeout=300, check=True
    )


def tickets(home: Path) -> list[tuple[str, int]]:
    with sqlite3.connect(home / "state.sqlite3") as state:
        return state.execute("SELECT state, open_rows FROM quality_ticket").fetchall()


def test_rejected_rows_go_out_and_come_back_corrected(tmp_path: Path) -> None:
    for name, text in PACK.items():
        (tmp_path / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tiny" / name).write_text(text, encoding="utf-8")
    home, delivered, rejected = tmp_path / "home", tmp_path / "register.csv", tmp_path / "rejected.csv"
    delivered.write_text(ROWS, encoding="utf-8")
    made = run(
        home,
        ["init", "--pack", str(tmp_path / "tiny")],
        ["collect", "register", str(delivered), "--received-on", "2026-07-01", "--json"],
    )
    receipt = json.loads(made.stdout)
    assert (receipt["accepted"], receipt["rejected"], tickets(home)) == (1, 1, [("open", 1)])

    run(home, ["rejects", receipt["batch"], str(rejected)])
    header, row = rejected.read_text(encoding="utf-8-sig").splitlines()
    assert header == "回执行号,退回原因,代码,名称,成立日期"
    assert "2020-02-30" in row and "不存在的日期" in row

    rejected.write_text(f"{header}\n{row.replace('2020-02-30', '2020-02-28')}\n", encoding="utf-8")
    again = run(
        home,
        ["collect", "register", str(rejected), "--corrects", receipt["batch"], "--received-on", "2026-07-02", "--json"],
        ["rejects", receipt["batch"], str(tmp_path / "nothing.csv")],
        ["audit", "--json"],
    )
    corrected, audit = map(json.loads, again.stdout.splitlines())
    assert len(corrected["corrected"]) == 1
    assert audit["ok"] and audit["faults"] == [] and audit["segments"] == 1
    assert not (tmp_path / "nothing.csv").exists(), "no row is left to correct"
    assert tickets(home) == [("closed", 0)]
    entries = [line for path in (home / "audit").glob("*.log") for line in path.read_text().splitlines()]
    assert sum("quality.rejects_download" in line for line in entries) == 1, "that it was written is in the audit log"
