"""What must hold of a resource beyond its form: its items, keys, subjects, expressions, masks and demo values."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping

import duckdb
import pyarrow as pa

from shutong.spec.binding import Binder
from shutong.spec.check_demo import check_demo
from shutong.spec.check_demo_codes import check_demo_codes
from shutong.spec.columns import (
    FIXED_COLUMNS,
    REPLACED,
    check_columns,
    element_of,
    item_type,
    personal_mark,
    row_columns,
    sealed,
)
from shutong.spec.findings import Findings
from shutong.spec.models import Item, Resource, Subject
from shutong.spec.refusals import SqlRefused, refusal
from shutong.spec.sql import check_expression
from shutong.standards.codesets import code_sets
from shutong.standards.elements import ELEMENTS
from shutong.standards.terms import term_names

RESERVED = {*FIXED_COLUMNS.names, REPLACED, "subject_id", "row_id", "reasons", "resource"}
TEXT_MASKS = {"surname", "middle", "last4", "address"}
UNMARKED = {"telephone", "email"}
"""Elements that may be an organisation's or a person's: the declaration should say which."""

SUITABLE: Mapping[str, set[str]] = {
    "uscc": {"uscc"},
    "org_code": {"org-code"},
    "registration_no": {"registration-no"},
    "taxpayer_no": {"taxpayer-no"},
    "certificate_no": {"text", "code"},
    "citizen_id": {"citizen-id"},
    "name": {"org-name", "person-name", "text"},
    "former_name": {"org-name", "person-name", "text"},
    "area": {"area"},
    "address": {"address", "text"},
    "legal_rep": {"person-name", "text"},
    "phone": {"mobile", "telephone"},
}
"""Which elements an item named in ``about`` may have."""

_IDENTIFIES = {
    "organisation": ("uscc", "org_code", "registration_no", "taxpayer_no", "certificate_no", "name"),
    "person": ("citizen_id", "name"),
    "place": ("address", "name"),
}


def check_resource(resource: Resource, at: Findings, binder: Binder) -> None:
    """Report everything that is wrong with one resource."""
    at.known(resource.department, at.catalog.departments, ("部门", "department"), "department")
    for name, item in resource.items.items():
        _item(name, item, resource, at)
    _headers(resource, at)
    _columns(resource, at)
    for index, subject in enumerate(resource.about):
        _subject(index, subject, resource, at, binder)
    _roles(resource, at)
    _row_checks(resource, at, binder)
    _fact(resource, at)
    _sharing(resource, at)
    check_demo(resource, at)
    check_demo_codes(resource, at)


def _item(name: str, item: Item, resource: Resource, at: Findings) -> None:
    here = ("items", name)
    if name in RESERVED or "__" in name:
        zh, en = f"列名 {name} 由平台使用", f"the name {name} is taken by the platform"
        at.add("item.reserved", zh, en, *here, hint="换一个名称 / choose another name")
    at.known(element_of(item), ELEMENTS, ("数据元", "data element"), *here, "element")
    at.known(item.codes, {*at.catalog.codes, *code_sets()}, ("代码集", "code set"), *here, "codes")
    if item.codes and item.element not in {"text", "code"}:
        zh, en = "codes 和 element 只能写一个", "codes and element exclude each other"
        at.add("item.codes", zh, en, *here, "element", hint="删去 element / remove element")
    if element_of(item) == "code" and not item.codes:
        at.add("item.codes", "缺少代码集 codes", "the code set is missing", *here, hint="codes: 名称 / codes: name")
    _limits(item, at, here)
    element = ELEMENTS.get(element_of(item))
    units = [unit for unit in element.units if unit] if element and not item.codes else []
    if item.unit is not None and item.unit not in units:
        hint = "可用 / one of: " + ", ".join(units) if units else "删去 unit / remove unit"
        at.add("item.unit", f"单位 {item.unit} 不可用", f"the unit {item.unit} can't be used", *here, "unit", hint=hint)
    if item.from_ is not None and item.from_ in resource.items:
        zh, en = f"旧名 {item.from_} 仍是一个信息项", f"the earlier name {item.from_} is still an item"
        at.add("item.from", zh, en, *here, "from")
    if element_of(item) in UNMARKED and item.personal is None:
        zh, en = f"{name} 是否个人信息？", f"is {name} personal information?"
        at.warn("item.personal", zh, en, *here, hint="personal: no, personal")
    if item.mask in TEXT_MASKS and not pa.types.is_string(item_type(item)):
        zh, en = f"遮盖 {item.mask} 只用于文字", f"the mask {item.mask} is for text only"
        at.add("item.mask", zh, en, *here, "mask", hint="hide")
    if resource.open.type == "open" and item.mask in {None, "none"} and not item_is_plain(item):
        zh = f"开放资源的 {name} 含个人信息或分级，须写明遮盖"
        en = f"{name} is personal or graded and the resource is open: say how it is masked"
        at.add("item.mask-missing", zh, en, *here, hint="mask: hide, surname, middle, last4, address")


def item_is_plain(item: Item) -> bool:
    """Whether an item may be shown to anybody as it is: grade 1 and not personal."""
    return item.grade == 1 and personal_mark(item) == "no" and not sealed(item)


def _limits(item: Item, at: Findings, here: tuple[str, ...]) -> None:
    kind = item_type(item)
    number = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    text = pa.types.is_string(kind)
    if item.min is not None and not number:
        at.add("item.limit", "min 只用于数字", "min is for numbers only", *here, "min", hint="用 checks / use checks")
    if item.max is not None and not (number or text):
        zh, en = "max 只用于数字和文字", "max is for numbers and text only"
        at.add("item.limit", zh, en, *here, "max", hint="用 checks / use checks")
    if item.max is not None and text and (item.max <= 0 or item.max != int(item.max)):
        at.add("item.limit", "文字的 max 是字符数", "max of text is a number of characters", *here, "max")
    if item.min is not None and item.max is not None and item.min > item.max:
        at.add("item.limit", "min 大于 max", "min is greater than max", *here, "min")
    if item.pattern is not None:
        if not text:
            at.add("item.pattern", "pattern 只用于文字", "pattern is for text only", *here, "pattern")
        try:
            _own_duckdb().cursor().execute("SELECT regexp_full_match('', ?)", [item.pattern]).fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            at.add("item.pattern", f"正则有误：{reason}", f"not a regular expression: {reason}", *here, "pattern")


@functools.cache
def _own_duckdb() -> duckdb.DuckDBPyConnection:
    # Without threads, and not the one that the module shares: that one is closed in a site, which forks.
    return duckdb.connect(config={"threads": 1, "memory_limit": "64MB"})


def _headers(resource: Resource, at: Findings) -> None:
    """No header may stand for two items, and none that is taken may be ignored."""
    owners: dict[str, str] = {}
    for name, item in resource.items.items():
        for header in dict.fromkeys((name, item.title.zh, *item.columns)):
            other = owners.setdefault(header, name)
            if other != name:
                zh, en = f"表头 {header} 同时属于 {other}", f"the header {header} also stands for {other}"
                at.add("item.header", zh, en, "items", name, hint="改 title 或 columns / change title or columns")
    for header in resource.ignore:
        if header in owners:
            zh, en = f"忽略的表头 {header} 属于 {owners[header]}", f"the ignored header {header} is {owners[header]}'s"
            at.add("item.header", zh, en, "ignore")


def _columns(resource: Resource, at: Findings) -> None:
    items = resource.items
    for index, name in enumerate(resource.key):
        known = at.known(name, items, ("信息项", "item"), "key", index)
        if known and not items[name].required and name not in resource.key_empty:
            zh, en = f"主键 {name} 必须 required: true", f"the key item {name} must be required"
            at.add("key.required", zh, en, "items", name, hint=f"required: true, key_empty: [{name}]")
    _key_empty(resource, at)
    for name in sorted({name for name, count in Counter(resource.key).items() if count > 1}):
        at.add("key.twice", f"主键 {name} 重复", f"the key item {name} stands twice", "key")
    for name, share in resource.expects.fill.items():
        at.known(name, items, ("信息项", "item"), "expects", "fill", name)
        if not 0 <= share <= 1:
            at.add("expects.fill", "填充率在 0 和 1 之间", "a fill rate is between 0 and 1", "expects", "fill", name)
    least, most = resource.expects.rows.get("min", 0), resource.expects.rows.get("max")
    if least < 0 or (most is not None and most < least):
        at.add("expects.rows", "rows 的 min 大于 max", "rows: min is greater than max", "expects", "rows")
    if resource.operation is not None:
        at.known(resource.operation, items, ("信息项", "item"), "operation")
        if resource.delivery != "changes":
            zh, en = "operation 只用于 delivery: changes", "operation goes with delivery: changes only"
            at.add("resource.operation", zh, en, "operation")
    _changes(resource, at)


def _changes(resource: Resource, at: Findings) -> None:
    """Why a row is withdrawn, and which earlier one it stands for."""
    items = resource.items
    if resource.reason is not None:
        at.known(resource.reason, items, ("信息项", "item"), "reason")
        if resource.operation is None:
            at.add("resource.reason", "有 reason 就要有 operation", "reason goes with operation", "reason")
    if resource.replaces is None or not at.known(resource.replaces, items, ("信息项", "item"), "replaces"):
        return
    if resource.delivery != "changes" or len(resource.key) != 1:
        zh, en = (
            "replaces 只用于 delivery: changes 且主键为一项的资源",
            "replaces goes with delivery: changes and a key of one item",
        )
        at.add("resource.replaces", zh, en, "replaces")
    elif resource.key[0] in items:
        key, other = items[resource.key[0]], items[resource.replaces]
        if (element_of(key), sealed(key)) != (element_of(other), sealed(other)):
            zh, en = (
                f"{resource.replaces} 的数据元须与主键相同",
                f"{resource.replaces} must have the element of the key",
            )
            at.add("resource.replaces", zh, en, "replaces", hint=f"element: {element_of(key)}, grade: {key.grade}")


def _key_empty(resource: Resource, at: Findings) -> None:
    """Items that may be empty in the key belong to it and are not required; one of the key always has a value."""
    for index, name in enumerate(resource.key_empty):
        known = at.known(name, resource.key, ("主键项", "key item"), "key_empty", index)
        if known and name in resource.items and resource.items[name].required:
            zh, en = f"{name} 是必填项，不会为空", f"{name} is required, so it is never empty"
            at.add("key.empty", zh, en, "key_empty", index, hint="删去其一 / remove one of the two")
    if set(resource.key) <= set(resource.key_empty):
        zh, en = "主键至少有一项不得为空", "at least one item of the key is never empty"
        at.add("key.empty", zh, en, "key_empty", hint="从 key_empty 中删去一项 / remove an item from key_empty")


def _subject(index: int, subject: Subject, resource: Resource, at: Findings, binder: Binder) -> None:
    named = {role: getattr(subject, role) for role in SUITABLE if getattr(subject, role) is not None}
    for role, column in named.items():
        if not at.known(column, resource.items, ("信息项", "item"), "about", index, role):
            continue
        element = element_of(resource.items[column])
        if element not in SUITABLE[role]:
            zh, en = f"{role} 不能是数据元 {element}", f"{role} can't be an item of the element {element}"
            hint = "可用 / one of: " + ", ".join(sorted(SUITABLE[role]))
            at.add("about.element", zh, en, "about", index, role, hint=hint)
    wanted = _IDENTIFIES[subject.kind]
    if not set(wanted) & set(named):
        zh, en = "没有识别主体的信息项", "no item says who the subject is"
        at.add("about.empty", zh, en, "about", index, hint="至少一个 / at least one of: " + ", ".join(wanted))
    evidence = {"name", "former_name", "area", "address", "legal_rep", "phone"}
    if subject.registry and set(named) <= evidence and subject.kind != "place":
        zh, en = "登记类资源须有代码", "a register needs a code, not only names"
        at.add("about.registry", zh, en, "about", index)
    if subject.only_if is not None:
        _boolean(subject.only_if, row_columns(resource), at, binder, "about", index, "only_if")


def _boolean(text: str, columns: Mapping[str, pa.DataType], at: Findings, binder: Binder, *location: str | int) -> None:
    try:
        checked = check_expression(text, columns)
        if checked.uses_business_day:
            # a row is judged by the day it came in, or the same row would be good today and bad tomorrow
            raise SqlRefused([refusal("sql.day-here")])
        kind = binder.expression_type(checked, columns)
    except SqlRefused as error:
        at.refused(error, text, *location)
        return
    if not pa.types.is_boolean(kind):
        zh, en = f"结果应为真假，实为 {kind}", f"the result must be true or false, it is {kind}"
        at.add("sql.not-boolean", zh, en, *location, hint="写成比较 / write a comparison, such as fine >= 0")


def _roles(resource: Resource, at: Findings) -> None:
    counts = Counter(subject.role for subject in resource.about)
    for index, subject in enumerate(resource.about):
        if counts[subject.role] > 1:
            zh, en = f"角色 {subject.role} 重复", f"the role {subject.role} stands twice"
            at.add("about.role", zh, en, "about", index, hint="role: 另起名称 / role: another name")


def _row_checks(resource: Resource, at: Findings, binder: Binder) -> None:
    seen: set[str] = set()
    for index, check in enumerate(resource.checks):
        if check.name in seen:
            zh, en = f"检查 {check.name} 重复", f"the check {check.name} stands twice"
            at.add("check.twice", zh, en, "checks", index, "name")
        seen.add(check.name)
        _boolean(check.expr, check_columns(resource), at, binder, "checks", index, "expr")


def _date_item(column: str | None, resource: Resource, at: Findings, *location: str | int) -> None:
    if column is None or not at.known(column, resource.items, ("信息项", "item"), *location):
        return
    item = resource.items[column]
    if not pa.types.is_date(item_type(item)):
        zh, en = f"{column} 不是日期", f"{column} is not a date"
        at.add("item.not-date", zh, en, *location, hint="element: date")
    elif sealed(item):
        at.add("item.sealed-date", f"{column} 已加密存放", f"{column} is stored sealed", *location, hint="grade: 1, 2")


def _fact(resource: Resource, at: Findings) -> None:
    fact = resource.fact
    if fact is not None:
        _date_item(fact.on, resource, at, "fact", "on")
        _date_item(fact.until, resource, at, "fact", "until")
        if fact.on in resource.items and not resource.items[fact.on].required:
            zh, en = f"事项日期 {fact.on} 必须 required: true", f"the fact's date {fact.on} must be required"
            at.add("fact.required", zh, en, "items", fact.on, hint="required: true")
        for index, column in enumerate(fact.shows):
            at.known(column, resource.items, ("信息项", "item"), "fact", "shows", index)
        if not resource.about:
            zh, en = "有 fact 就要有 about", "a fact needs about: whose fact is it?"
            at.add("fact.subject", zh, en, "fact", hint="about: {kind: organisation, …}")
    for key, rule in (("publicity", resource.publicity), ("retain", resource.retain)):
        if rule is not None:
            at.known(rule.rule, term_names(), ("法定期限", "legal term"), key, "rule")
            _date_item(rule.from_, resource, at, key, "from")
    if resource.publicity is not None and resource.publicity.from_ is None and fact is None:
        zh, en = "公示期限没有起算日", "the publicity term has no day to start from"
        at.add("publicity.from", zh, en, "publicity", hint="from: 日期项 / a date item")


def _sharing(resource: Resource, at: Findings) -> None:
    if resource.share.type == "conditional" and not resource.share.condition:
        at.add("share.condition", "有条件共享须写条件", "conditional sharing needs its condition", "share")
    if resource.share.type != "none" and not resource.share.methods:
        hint = "methods: [api, batch]"
        at.add("share.methods", "没有写共享方式", "the methods of sharing are missing", "share", hint=hint)
    if resource.open.type == "conditional" and not resource.open.condition:
        at.add("open.condition", "有条件开放须写条件", "conditional opening needs its condition", "open")
