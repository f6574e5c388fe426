"""Makes a new pack that passes ``pack check`` and appears in the demo city without any Python."""

from __future__ import annotations

import re
from pathlib import Path

from shutong.spec.problems import PackError, Problem

_NAME = re.compile(r"[a-z][a-z0-9-]{0,50}")

_FILES = {
    "pack.yml": """\
pack: {name}
title: {{zh: 新专题, en: New pack}}
version: 0.1.0
steward: 请填写 / fill in
departments:
  {name}-office: {{title: {{zh: 示例局, en: Example office}}}}
""",
    "resources/{name}-record.yml": """\
resource: {name}-record
title: {{zh: 示例检查记录, en: Example inspection records}}
department: {name}-office
basis: 请填写依据的法律或文件 / the law or document under which it is collected
cycle: daily
delivery: changes
key: [record_no]
expects: {{rows: {{min: 1, max: 100000}}, fill: {{party_code: 0.6}}}}
about: {{kind: organisation, uscc: party_code, name: party_name}}
share: {{type: conditional, condition: 履行职责, methods: [api, batch]}}
open: {{type: open}}
items:
  record_no:    {{element: text, title: 记录编号, required: true, max: 64}}
  party_name:   {{element: org-name, title: 单位名称, required: true}}
  party_code:   {{element: uscc, title: 统一社会信用代码}}
  result:       {{codes: {name}-result, title: 检查结果, required: true}}
  inspected_on: {{element: date, title: 检查日期, required: true}}
checks:
  - name: inspected-before-received
    expr: inspected_on <= received_on
    on_fail: reject
    message: {{zh: 检查日期晚于收到日期：请核对, en: Inspected after the day of receipt}}
fact: {{kind: {name}-record, on: inspected_on, shows: [result, record_no]}}
demo:
  volume: 0.2 per subject-year
  values:
    record_no: {{text: "检字〔{{year}}〕{{n}}号"}}
    result: [合格, 合格, 合格, 不合格]
""",
    "codes/{name}-result.yml": """\
codes: {name}-result
title: {{zh: 检查结果, en: Results of inspection}}
source: 请填写来源 / where the codes come from
values:
  "1": {{zh: 合格, en: Passed}}
  "2": {{zh: 不合格, en: Failed}}
""",
    "indicators/{name}-failed.yml": """\
indicator: {name}-failed
title: {{zh: 每月不合格数, en: Failures by month}}
unit: 次
sql: |
  SELECT first_of_month(inspected_on) AS period,
         count(*) AS value,
         record_sample(record_id) AS record_ids
  FROM {view}_record
  WHERE result = '2'
  GROUP BY first_of_month(inspected_on)
""",
    "tests/first/case.yml": """\
title: {{zh: 一行可用，一行被退回, en: One row in and one rejected}}
received_on: 2024-03-01
""",
    "tests/first/input-{name}-record.csv": """\
记录编号,单位名称,统一社会信用代码,检查结果,检查日期
检字〔2024〕1号,云安示例有限公司,91350100M000100Y43,合格,2024-02-28
检字〔2024〕2号,云安示例有限公司,91350100M000100Y43,合格,2024-03-05
""",
    "tests/first/expect-accepted-{name}-record.csv": """\
row_no,party_code,result,inspected_on
1,91350100M000100Y43,1,2024-02-28
""",
    "tests/first/expect-rejected.csv": """\
resource,row_no,code,item
{name}-record,2,check:inspected-before-received,inspected_on
""",
}


def new_pack(name: str, target: Path) -> list[Path]:
    """Make a pack: head, one resource with checks and a demo block, its code set, an indicator and a test case.

    Args:
        name: lower case letters, digits and hyphens, at most 51 characters.
        target: the folder of packs, in which the pack's own folder is made.

    Returns:
        The files written.

    Raises:
        PackError: the name can't be used, or the folder is there already.
    """
    folder = target / name
    if not _NAME.fullmatch(name):
        hint = "小写字母、数字和连字符，字母开头 / lower case letters, digits and hyphens, a letter first"
        raise PackError(
            [Problem(target, 0, "pack.name", f"包名 {name} 不可用", f"{name} can't be a pack's name", hint)]
        )
    if folder.exists():
        zh, en = "文件夹已存在，不会覆盖", "the folder is there already; nothing was written"
        raise PackError([Problem(folder, 0, "pack.exists", zh, en, "换一个名称 / choose another name")])
    written = []
    for pattern, text in _FILES.items():
        path = folder / pattern.format(name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(name=name, view=name.replace("-", "_")), encoding="utf-8")
        written.append(path)
    return written
