"""References between declarations: each mistake is told with its code, file, line and hint."""

from pathlib import Path

import pytest

from shutong.spec.checks import load_checked, pack_check, pack_summary
from shutong.spec.problems import PackError, Problem
from tests.spec.test_loader import HEAD, PACKS, make

RESOURCE = """resource: r
title: 资源
department: d
basis: 法
delivery: changes
key: [no]
about: {kind: organisation, uscc: code, name: name}
open: {type: open}
items:
  no: {title: 编号, required: true}
  name: {element: org-name, title: 名称}
  code: {element: uscc, title: 代码}
  amount: {element: money, title: 金额}
  day: {element: date, title: 日期, required: true}
  kind: {codes: k, title: 种类}
checks:
  - {name: c, expr: "day <= received_on"}
fact: {kind: f, on: day, shows: [no]}
publicity: {rule: double-publicity}
demo: {volume: 1 per subject, values: {amount: {between: [1, 9]}}}
"""
CODES = "codes: k\ntitle: 种类\nsource: 自编\nvalues: {'1': 甲, '2': 乙}\n"
LIBRARY = """library: l
title: 库
kind: organisation
attributes:
  name: {title: 名称, element: org-name, from: [r.name]}
"""
LIST = """list: x
title: 名单
basis: 法
entry: decision
department: d
grounds:
  g:
    title: 情形
    basis: 第一条
    sql: |
      SELECT subject_id, max(day) AS since, record_set(record_id) AS record_ids
      FROM r
      WHERE subject_id IS NOT NULL
      GROUP BY subject_id
"""
INDICATOR = """indicator: i
title: 指标
sql: SELECT first_of_month(day) AS period, sum(amount) AS value, record_sample(record_id) AS record_ids FROM r GROUP BY 1
"""
VERIFICATION = """verification: v
title: 核验
departments: [d]
sql: SELECT no AS key, 'name' AS item, name AS left_value, no AS right_value, record_set(record_id) AS record_ids
  FROM r GROUP BY 1, 2, 3, 4
"""
FILES = {
    "pack": HEAD.replace("departments", "steward: 某人\ndepartments"),
    "resources__r": RESOURCE,
    "codes__k": CODES,
    "libraries__l": LIBRARY,
    "lists__x": LIST,
    "indicators__i": INDICATOR,
    "verifications__v": VERIFICATION,
}


def found(tmp_path: Path, file: str, old: str, new: str) -> list[Problem]:
    assert old in FILES[file], old
    return pack_check(make(tmp_path, **FILES | {file: FILES[file].replace(old, new, 1)}))


def test_the_pack_that_the_mistakes_are_made_in_is_good(tmp_path: Path) -> None:
    assert pack_check(make(tmp_path, **FILES)) == []


def test_the_sample_pack_is_good() -> None:
    assert pack_check(PACKS) == []
    (summary,) = pack_summary(load_checked(PACKS))
    assert summary.counts["resource"] == 3 and summary.with_demo == 2


MISTAKES = [
    ("resources__r", "department: d", "department: dd", "reference.unknown", 3),
    ("resources__r", "element: money", "element: mony", "reference.unknown", 13),
    ("resources__r", "key: [no]", "key: [no]\nreason: nam", "reference.unknown", 7),
    ("resources__r", "key: [no]", "key: [no]\nreason: name", "resource.reason", 7),
    ("resources__r", "key: [no]", "key: [no]\nreplaces: nam", "reference.unknown", 7),
    ("resources__r", "key: [no]", "key: [no]\nreplaces: day", "resource.replaces", 7),
    ("resources__r", "key: [no]", "key: [no, day]\nreplaces: name", "resource.replaces", 7),
    ("resources__r", "  kind:", "  replaced_key:", "item.reserved", 15),
    ("resources__r", "codes: k", "codes: kk", "reference.unknown", 15),
    ("resources__r", "codes: k", "codes: k, element: date", "item.codes", 15),
    ("resources__r", "codes: k", "element: code", "item.codes", 15),
    ("resources__r", "  kind:", "  batch_id:", "item.reserved", 15),
    ("resources__r", "  kind:", "  kind__key:", "item.reserved", 15),
    ("resources__r", "element: money", "element: money, unit: yen", "item.unit", 13),
    ("resources__r", "element: date", "element: date, unit: yuan", "item.unit", 14),
    ("resources__r", "element: date", "element: date, min: 1", "item.limit", 14),
    ("resources__r", "element: money", "element: money, min: 5, max: 1", "item.limit", 13),
    ("resources__r", "element: money", "element: money, mask: surname", "item.mask", 13),
    ("resources__r", "title: 编号", "title: 编号, pattern: '(['", "item.pattern", 10),
    ("resources__r", "title: 编号", "title: 编号, from: name", "item.from", 10),
    ("resources__r", "title: 编号", "title: 编号, grade: 2", "item.mask-missing", 10),
    ("resources__r", "title: 编号", "title: 编号, personal: sensitive, mask: none", "item.mask-missing", 10),
    ("resources__r", "element: org-name", "element: person-name", "item.mask-missing", 11),
    ("resources__r", "title: 编号", "title: 名称", "item.header", 11),
    ("resources__r", "key: [no]", "key: [no]\nignore: [名称]", "item.header", 7),
    ("resources__r", "key: [no]", "key: [number]", "reference.unknown", 6),
    ("resources__r", "key: [no]", "key: [no, name]", "key.required", 11),
    ("resources__r", "key: [no]", "key: [no, no]", "key.twice", 6),
    ("resources__r", "key: [no]", "key: [no, name]\nkey_empty: [name]", "", 0),
    ("resources__r", "key: [no]", "key: [no]\nkey_empty: [no]", "key.empty", 7),
    ("resources__r", "key: [no]", "key: [no]\nkey_empty: [name]", "reference.unknown", 7),
    ("resources__r", "key: [no]", "key: [no]\nfiles: {pattern: 'in/*.csv', day: name}", "", 0),
    ("resources__r", "key: [no]", "key: [no]\nfiles: {pattern: '../*.csv'}", "value.invalid", 7),
    ("resources__r", "key: [no]", "key: [no]\nexpects: {fill: {nam: 0.5}}", "reference.unknown", 7),
    ("resources__r", "key: [no]", "key: [no]\nexpects: {fill: {name: 50}}", "expects.fill", 7),
    ("resources__r", "key: [no]", "key: [no]\nexpects: {rows: {min: 9, max: 1}}", "expects.rows", 7),
    ("resources__r", "delivery: changes", "delivery: append\noperation: kind", "resource.operation", 6),
    ("resources__r", "uscc: code", "uscc: cod", "reference.unknown", 7),
    ("resources__r", "uscc: code", "uscc: day", "about.element", 7),
    ("resources__r", ", uscc: code, name: name", "", "about.empty", 7),
    ("resources__r", "uscc: code, name", "registry: true, name", "about.registry", 7),
    ("resources__r", "uscc: code", "only_if: no, uscc: code", "sql.not-boolean", 7),
    ("resources__r", "uscc: code", "only_if: missing = 1, uscc: code", "sql.unknown-column", 7),
    ("resources__r", "day <= received_on", "day <= recieved_on", "sql.unknown-column", 17),
    ("resources__r", "day <= received_on", "amount", "sql.not-boolean", 17),
    ("resources__r", "day <= received_on", "day <= business_day()", "sql.day-here", 17),
    ("resources__r", "day <= received_on", "amount > day", "sql.type", 17),
    ("resources__r", "day <= received_on", "amount / 2 > 1", "sql.division", 17),
    ("resources__r", '"}', '"}\n  - {name: c, expr: no IS NOT NULL}', "check.twice", 18),
    ("resources__r", "on: day", "on: no", "item.not-date", 18),
    ("resources__r", "on: day", "on: days", "reference.unknown", 18),
    ("resources__r", "title: 日期, required: true", "title: 日期", "fact.required", 14),
    ("resources__r", "element: date,", "element: date, grade: 3, mask: hide,", "item.sealed-date", 18),
    ("resources__r", "shows: [no]", "shows: [not]", "reference.unknown", 18),
    ("resources__r", "about: {kind: organisation, uscc: code, name: name}\n", "", "fact.subject", 17),
    ("resources__r", "rule: double-publicity", "rule: duoble-publicity", "reference.unknown", 19),
    ("resources__r", "open: {type: open}", "open: {type: conditional}", "open.condition", 8),
    ("resources__r", "open: {type: open}", "share: {type: conditional, methods: [api]}", "share.condition", 8),
    ("resources__r", "open: {type: open}", "share: {type: unconditional}", "share.methods", 8),
    ("resources__r", "1 per subject", "some per subject", "demo.volume", 20),
    ("resources__r", "{amount: {", "{amounts: {", "reference.unknown", 20),
    ("resources__r", "between: [1, 9]", "betwen: [1, 9]", "demo.value", 20),
    ("resources__r", "between: [1, 9]", "between: 1", "demo.value", 20),
    ("resources__r", "{between: [1, 9]}}", "{between: [1, 9]}, kind: [甲, 乙]}", "", 0),
    ("resources__r", "{between: [1, 9]}}", "{between: [1, 9]}, kind: [甲, 丙]}", "demo.code", 20),
    ("resources__r", "{between: [1, 9]}}", "{between: [1, 9]}, kind: {weighted: {甲: 3, 丙: 1}}}", "demo.code", 20),
    ("resources__r", "{between: [1, 9]}}", "{between: [1, 9]}, kind: {optional: 丙, share: 0.1}}", "demo.code", 20),
    ("codes__k", "'2': 乙", "'2': 甲", "codes.spelling", 4),
    ("codes__k", "codes: k", "codes: sex", "file.name", 1),
    ("libraries__l", "r.name", "rr.name", "reference.unknown", 5),
    ("libraries__l", "r.name", "r.nam", "reference.unknown", 5),
    ("libraries__l", "r.name", "name", "library.source", 5),
    ("libraries__l", "r.name", "r.day", "library.type", 5),
    ("libraries__l", "kind: organisation", "kind: place", "library.kind", 5),
    ("libraries__l", "  name:", "  subject_id:", "item.reserved", 5),
    ("libraries__l", "kind: organisation", "kind: organisation\nonly: SELECT no FROM r", "sql.output-missing", 4),
    ("libraries__l", "title: 名称", "title: 名称, grade: 2", "", 0),
    ("libraries__l", "kind: organisation", "kind: organisation\nspace: {at: seat}", "space.kind", 4),
    ("libraries__l", "kind: organisation", "kind: organisation\npublic: true\nspace: {}", "space.at", 5),
    ("libraries__l", "kind: organisation", "kind: organisation\npublic: true\nspace: {at: seat}", "space.role", 5),
    ("libraries__l", "kind: organisation", "kind: organisation\npublic: true\nspace: {area: name}", "space.element", 5),
    (
        "libraries__l",
        "kind: organisation",
        "kind: organisation\npublic: true\nspace: {area: no, at: x}",
        "space.twice",
        5,
    ),
    ("libraries__l", "kind: organisation", "kind: organisation\npublic: true\nspace: {since: name}", "space.date", 5),
    ("libraries__l", "title: 名称", "title: 名称, verify: exact", "library.verify", 5),
    ("libraries__l", "kind: organisation", "kind: organisation\neach: [name]", "", 0),
    ("libraries__l", "kind: organisation", "kind: organisation\neach: [nam]", "reference.unknown", 4),
    ("libraries__l", "title: 名称", "title: 名称, verify: loosely", "value.unknown", 5),
    ("lists__x", "      GROUP BY subject_id\n", "      GROUP BY subject_id LIMIT 3\n", "sql.limit-order", 14),
    ("lists__x", "max(day) AS since", "max(day) OVER () AS since", "sql.not-by-subject", 11),
    ("lists__x", "department: d", "department: e", "reference.unknown", 5),
    ("lists__x", "max(day) AS since", "max(no) AS since", "sql.output-type", 10),
    ("lists__x", "max(day) AS since", "max(day)", "sql.output-unnamed", 11),
    ("lists__x", "max(day) AS since", "max(days) AS since", "sql.unknown-column", 11),
    ("lists__x", "      FROM r\n", "      FROM rr\n", "sql.unknown-view", 12),
    ("lists__x", "subject_id IS NOT NULL", "avg(amount) > 1", "sql.average", 13),
    ("lists__x", "department: d", "department: d\nterm: {rule: forever}", "reference.unknown", 6),
    ("lists__x", "    sql: |", "    absence: [rr]\n    sql: |", "reference.unknown", 10),
    ("indicators__i", "sum(amount) AS value", "max(no) AS value", "sql.output-type", 3),
    ("indicators__i", "sum(amount) AS value", "sum(amount) AS total", "sql.output-missing", 3),
    ("verifications__v", "[d]", "[d, e]", "reference.unknown", 3),
    ("pack", "steward: 某人\n", "", "pack.steward", 1),
    ("pack", "steward: 某人\n", "steward: 某人\nrequires: [q]\n", "reference.unknown", 5),
]


@pytest.mark.parametrize(("file", "old", "new", "code", "line"), MISTAKES)
def test_a_mistake_is_told_where_it_is(tmp_path: Path, file: str, old: str, new: str, code: str, line: int) -> None:
    problems = found(tmp_path, file, old, new)
    if not code:
        assert problems == []
        return
    places = {(item.code, item.path.stem if item.path else "") for item in problems}
    assert (code, file.rpartition("__")[2]) in places, [str(item) for item in problems]
    lines = {item.line for item in problems if item.code == code}
    assert line in lines, [str(item) for item in problems]
    assert all(item.zh and item.en for item in problems)


def test_a_sealed_source_needs_a_sealed_attribute(tmp_path: Path) -> None:
    resource = RESOURCE.replace("title: 编号", "title: 编号, grade: 3, mask: hide")
    library = LIBRARY.replace("element: org-name, from: [r.name]", "from: [r.no]")
    pack = make(tmp_path, **FILES | {"resources__r": resource, "libraries__l": library, "verifications__v": ""})
    (pack / "verifications" / "v.yml").unlink()
    assert "library.sealed" in {item.code for item in pack_check(pack)}


def test_what_another_pack_declares_needs_requires(tmp_path: Path) -> None:
    make(tmp_path, **FILES)
    other = tmp_path / "q"
    (other / "indicators").mkdir(parents=True)
    (other / "pack.yml").write_text("pack: q\ntitle: 包\nversion: 1.0.0\nsteward: x\n", encoding="utf-8")
    text = INDICATOR.replace("indicator: i", "indicator: j")
    (other / "indicators" / "j.yml").write_text(text, encoding="utf-8")
    assert {item.code for item in pack_check(tmp_path)} == {"pack.requires"}
    assert "sql.unknown-view" in {item.code for item in pack_check(other)}
    (other / "pack.yml").write_text("pack: q\ntitle: 包\nversion: 1.0.0\nsteward: x\nrequires: [p]\n", encoding="utf-8")
    assert pack_check(tmp_path) == []
    assert pack_check(other) == [], "the required pack is looked for beside it"


def test_names_of_views_are_taken_once(tmp_path: Path) -> None:
    library = LIBRARY.replace("library: l", "library: r")
    pack = make(tmp_path, **FILES | {"libraries__r": library})
    assert "name.view" in {item.code for item in pack_check(pack)}


def test_errors_refuse_and_warnings_do_not(tmp_path: Path) -> None:
    pack = make(tmp_path, **FILES | {"pack": HEAD})
    assert load_checked(pack).packs
    (pack / "codes" / "k.yml").unlink()
    with pytest.raises(PackError):
        load_checked(pack)


def test_an_instance_is_told_by_every_source_and_in_plain_text(tmp_path: Path) -> None:
    other = RESOURCE.replace("resource: r", "resource: q")
    told = (
        LIBRARY.replace("attributes:", "each: [name]\nattributes:")
        + "  day: {title: 日, element: date, from: [q.day]}\n"
    )
    pack = make(tmp_path / "a", **FILES | {"resources__q": other, "libraries__l": told})
    assert [(one.code, one.line) for one in pack_check(pack)] == [("library.each", 7)]
    sealed = LIBRARY.replace("attributes:", "each: [name]\nattributes:").replace("org-name,", "org-name, grade: 3,")
    assert [one.code for one in pack_check(make(tmp_path / "b", **FILES | {"libraries__l": sealed}))] == [
        "library.each"
    ]


@pytest.mark.parametrize(
    ("absence", "about", "told"),
    [
        ("[r]", "about: {kind: organisation, uscc: code, name: name}\n", []),
        ("[other]", "about: {kind: organisation, uscc: code, name: name}\n", [("ground.absence", 10)]),
        ("[other]", "", [("ground.absence", 10)]),
    ],
)
def test_a_ground_rests_on_the_absence_of_rows_that_it_looks_for(
    tmp_path: Path, absence: str, about: str, told: list[tuple[str, int]]
) -> None:
    other = RESOURCE.replace("resource: r\n", "resource: other\n").replace("kind: f,", "kind: f2,")
    if not about:
        other = other[: other.index("fact:")]
    other = other.replace("about: {kind: organisation, uscc: code, name: name}\n", about)
    declared = LIST.replace("    sql: |", f"    absence: {absence}\n    sql: |")
    problems = pack_check(make(tmp_path, **FILES | {"lists__x": declared, "resources__other": other}))
    assert [(one.code, one.line) for one in problems if one.severity == "error"] == told
