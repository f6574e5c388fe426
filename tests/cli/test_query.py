"""``shutong query``: the answer of the day, computed again from the deliveries, is the ready answer."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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
  legal_rep: {element: person-name, title: 法定代表人, grade: 2, mask: surname}
  phone: {element: telephone, title: 电话, grade: 2, mask: hide}
  founded: {element: date, title: 成立日期, required: true}
about: {kind: organisation, registry: true, uscc: uscc, name: name}
fact: {kind: registration, on: founded, shows: [name]}
open: {type: open}
""",
    "resources/complaint.yml": """resource: complaint
title: {zh: 投诉, en: Complaint}
department: market
basis: 投诉举报办法
key: [number]
items:
  number: {element: text, title: 编号, required: true}
  uscc: {element: uscc, title: 代码, required: true}
  filed_on: {element: date, title: 日期, required: true}
about: {kind: organisation, uscc: uscc}
fact: {kind: complaint, on: filed_on, shows: [number]}
open: {type: none}
""",
    "libraries/firm.yml": """library: firm
title: {zh: 企业, en: Firms}
kind: organisation
class: base
public: true
attributes:
  name: {title: {zh: 名称, en: Name}, from: [register.name]}
  uscc: {title: {zh: 代码, en: Code}, element: uscc, from: [register.uscc]}
  legal_rep: {title: {zh: 法定代表人, en: Representative}, element: person-name, grade: 2, mask: surname, from: [register.legal_rep]}
  phone: {title: {zh: 电话, en: Telephone}, element: telephone, grade: 2, mask: hide, from: [register.phone]}
""",
}
COMMANDS = """
import json, sys
from shutong.cli.main import app
for words in json.loads(sys.argv[1]):
    app(words, standalone_mode=False)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What queries print on a home with a register of one firm and a complaint about it that came a day later.

    All commands run in one process, as starting one is most of what they cost.
    """
    folder = tmp_path_factory.mktemp("query")
    for name, text in PACK.items():
        (folder / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tiny" / name).write_text(text, encoding="utf-8")
    register = (
        "代码,名称,法定代表人,电话,成立日期\n91350100M000100Y43,青禾食品有限公司,林知远,059187654321,2020-03-02\n"
    )
    (folder / "register.csv").write_text(register, encoding="utf-8")
    (folder / "complaint.csv").write_text("编号,代码,日期\n1,91350100M000100Y43,2026-07-02\n", encoding="utf-8")
    commands = [
        ["init", "--pack", str(folder / "tiny")],
        ["collect", "register", str(folder / "register.csv"), "--received-on", "2026-07-01"],
        ["collect", "complaint", str(folder / "complaint.csv"), "--received-on", "2026-07-02"],
        ["run", "--day", "2026-07-02"],
        ["query", "--json", "青禾"],
        ["query", "--json", "青禾", "--as-of", "2026-07-02"],
        ["query", "--json", "青禾", "--as-of", "2026-06-30"],
        ["query", "91350100M000100Y43"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps([[*words, "--home", str(folder / "home")] for words in commands])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_answer_as_of_the_business_day_is_the_ready_answer(told: list[str]) -> None:
    now, then = json.loads(told[0]), json.loads(told[1])
    assert now["total"] == then["total"] == 1
    (ready,), (computed,) = now["subjects"], then["subjects"]
    assert {one["attribute"]: one["value"] for one in ready["attributes"]} == {
        "legal_rep": "林**",
        "name": "青禾食品有限公司",
        "uscc": "91350100M000100Y43",
    }
    for part in ("attributes", "facts", "links", "codes"):
        assert computed[part] == ready[part], part
    assert [one["resource"] for one in ready["links"]] == ["register"], "what is not open is not named"


def test_who_was_not_known_on_the_day_is_not_found(told: list[str]) -> None:
    found = json.loads(told[2])
    assert (found["total"], found["subjects"]) == (0, [])


def test_people_read_a_line_per_value_with_its_source(told: list[str]) -> None:
    lines = told[3:]
    assert lines[0].startswith("青禾食品有限公司  91350100M000100Y43  o")
    assert any(line.split()[:3] == ["法定代表人", "林**", "register"] for line in lines)
    assert any(line.split()[0] == "2020-03-02" and line.split()[-1] == "2026-07-01" for line in lines)
