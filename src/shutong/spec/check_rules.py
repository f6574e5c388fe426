"""What must hold of libraries, lists, indicators and verifications beyond their form: sources, SQL and its results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from shutong.spec.binding import Binder
from shutong.spec.bysubject import by_subject_refusals
from shutong.spec.check_space import check_space
from shutong.spec.columns import element_of, item_type, resource_view, sealed, view_name
from shutong.spec.findings import Findings
from shutong.spec.models import Attribute, Ground, Indicator, Library, RuleRef, SubjectList, Verification
from shutong.spec.problems import meant
from shutong.spec.refusals import SqlRefused
from shutong.spec.sql import check_statement
from shutong.standards.codesets import code_sets
from shutong.standards.elements import ELEMENTS
from shutong.standards.terms import term_names

Test = Callable[[pa.DataType], bool]


def _text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind)


def _ids(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) and pa.types.is_string(kind.value_type)


def _number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind)


def _any(kind: pa.DataType) -> bool:
    return not pa.types.is_nested(kind)


@dataclass(frozen=True)
class Shape:
    """The result that a kind of statement must have: column to (test of its type, what it must be).

    ``by_subject``: it is computed for the subjects of a change only, so it must judge each by its own rows.
    """

    required: Mapping[str, tuple[Test, str]]
    optional: Mapping[str, tuple[Test, str]]
    by_subject: bool = False


_IDS = (_ids, "record_set(record_id)")
GROUND = Shape(
    {"subject_id": (_text, "text"), "since": (pa.types.is_date, "DATE"), "record_ids": _IDS},
    {"next_change_on": (pa.types.is_date, "DATE")},
    by_subject=True,
)
"""Result of a ground of a list: who, since when, by which records, and when the answer may change by itself."""

INDICATOR = Shape(
    {"period": (pa.types.is_date, "DATE"), "value": (_number, "number"), "record_ids": _IDS},
    {"area": (_text, "text"), "series": (_text, "text"), "records": (pa.types.is_integer, "count(*)")},
)
"""Result of an indicator: one row per period, area and series."""

VERIFICATION = Shape(
    {"key": (_text, "text"), "item": (_text, "text"), "left_value": (_any, ""), "right_value": (_any, "")}
    | {"record_ids": _IDS},
    {},
)
"""Result of a verification: one row per pair that disagrees."""

MEMBERS = Shape({"subject_id": (_text, "text")}, {}, by_subject=True)
"""Result of a library's ``only``."""


def check_sql(
    text: str, views: Mapping[str, pa.Schema], shape: Shape, at: Findings, binder: Binder, *location: str | int
) -> frozenset[str]:
    """Check a statement and the types of its result; answers the views it reads (empty where it is refused)."""
    try:
        statement = check_statement(text, views, tuple(shape.required), tuple(shape.optional))
        found = by_subject_refusals(statement, views) if shape.by_subject else []
        if found:
            raise SqlRefused(found)
        result = binder.statement_schema(statement)
    except SqlRefused as error:
        at.refused(error, text, *location)
        return frozenset()
    for name, kind in zip(statement.outputs, result.types, strict=True):
        test, wanted = {**shape.required, **shape.optional}[name]
        if not test(kind):
            zh, en = f"结果列 {name} 的类型是 {kind}", f"the result's column {name} has the type {kind}"
            at.add("sql.output-type", zh, en, *location, hint=f"应为 / it must be {wanted}")
    return statement.views


def _terms(rules: Iterable[tuple[str, RuleRef | None]], at: Findings) -> None:
    for key, rule in rules:
        if rule is not None:
            at.known(rule.rule, term_names(), ("法定期限", "legal term"), key, "rule")


def check_list(declared: SubjectList, at: Findings, binder: Binder) -> None:
    """Report everything that is wrong with one list."""
    at.known(declared.department, at.catalog.departments, ("部门", "department"), "department")
    _terms(
        (
            ("enter_within", declared.enter_within),
            ("release_within", declared.release_within),
            ("term", declared.term),
        ),
        at,
    )
    views = at.catalog.views()
    for name, ground in declared.grounds.items():
        read = check_sql(ground.sql, views, GROUND, at, binder, "grounds", name, "sql")
        check_reach(read, at, "grounds", name, "sql")
        _absence(ground, read, at, name)


def _absence(ground: Ground, read: Iterable[str], at: Findings, name: str) -> None:
    """A ground can rest on the absence of rows that its rule looks for and that can be about an organisation."""
    for place, missing in enumerate(ground.absence):
        here = ("grounds", name, "absence", place)
        if not at.known(missing, at.catalog.resources, ("资源", "resource"), *here):
            continue
        if not any(subject.kind == "organisation" for subject in at.catalog.resources[missing].about):
            zh, en = (
                f"资源 {missing} 不涉及组织",
                f"{missing} is not about organisations: none of its rows waits for review",
            )
            at.add("ground.absence", zh, en, *here, hint="about: {kind: organisation, …}")
        elif view_name(missing) not in set(read):
            zh, en = f"规则没有查 {missing}", f"the rule does not look for rows of {missing}"
            at.add("ground.absence", zh, en, *here, hint=f"LEFT JOIN {view_name(missing)} …")


def check_indicator(declared: Indicator, at: Findings, binder: Binder) -> None:
    """Report everything that is wrong with one indicator."""
    read = check_sql(declared.sql, at.catalog.views(), INDICATOR, at, binder, "sql")
    check_reach(read, at, "sql")


def check_verification(declared: Verification, at: Findings, binder: Binder) -> None:
    """Report everything that is wrong with one verification."""
    for index, name in enumerate(declared.departments):
        at.known(name, at.catalog.departments, ("部门", "department"), "departments", index)
    read = check_sql(declared.sql, at.catalog.views(), VERIFICATION, at, binder, "sql")
    check_reach(read, at, "sql")


def check_library(library: Library, at: Findings, binder: Binder) -> None:
    """Report everything that is wrong with one library."""
    if library.only is not None:
        resources = {view_name(name): resource_view(resource) for name, resource in at.catalog.resources.items()}
        read = check_sql(library.only, resources, MEMBERS, at, binder, "only")
        check_reach(read, at, "only")
    _each(library, at)
    check_space(library, at)
    for name, attribute in library.attributes.items():
        here = ("attributes", name)
        if name == "subject_id" or "__" in name:
            zh, en = f"名称 {name} 由平台使用", f"the name {name} is taken by the platform"
            at.add("item.reserved", zh, en, *here, hint="换一个名称 / choose another name")
        at.known(element_of(attribute), ELEMENTS, ("数据元", "data element"), *here, "element")
        at.known(attribute.codes, {*at.catalog.codes, *code_sets()}, ("代码集", "code set"), *here, "codes")
        if library.public and attribute.mask in {None, "none"} and (attribute.grade != 1 or sealed(attribute)):
            zh, en = f"公开的库中 {name} 须写明遮盖", f"the library is public: say how {name} is masked"
            at.add("item.mask-missing", zh, en, *here, hint="mask: hide, surname, middle, last4, address")
        if attribute.verify is not None and len({source.partition(".")[0] for source in attribute.sources}) < 2:
            zh, en = f"{name} 只有一个来源，无从核验", f"{name} has one source only: there is nothing to compare"
            at.add("library.verify", zh, en, *here, "verify", hint="删去 verify / remove verify")
        for index, source in enumerate(attribute.sources):
            _source(source, attribute, library, at, *here, "from", index)


def _each(library: Library, at: Findings) -> None:
    """The attributes that tell instances apart are plain, and every source of the library gives them."""
    for place, telling in enumerate(library.each):
        if not at.known(telling, library.attributes, ("属性", "attribute"), "each", place):
            continue
        if sealed(library.attributes[telling]):
            zh, en = f"{telling} 已加密，不能区分", f"{telling} is sealed and can't tell instances apart"
            at.add("library.each", zh, en, "each", place)
        giving = {source.partition(".")[0] for source in library.attributes[telling].sources}
        for name, attribute in library.attributes.items():
            for index, source in enumerate(attribute.sources):
                resource = source.partition(".")[0]
                if resource not in giving:
                    zh, en = f"{resource} 没有给出 {telling}", f"{resource} gives no {telling}"
                    hint = f"attributes: {{{telling}: {{from: [{resource}.…]}}}}"
                    at.add("library.each", zh, en, "attributes", name, "from", index, hint=hint)


def _source(source: str, attribute: Attribute, library: Library, at: Findings, *location: str | int) -> None:
    resource_name, dot, item_name = source.partition(".")
    if not dot:
        zh, en = f"来源 {source} 的写法不对", f"the source {source} is not written as it must be"
        at.add("library.source", zh, en, *location, hint="资源.信息项 / resource.item")
        return
    if not at.known(resource_name, at.catalog.resources, ("资源", "resource"), *location):
        return
    resource = at.catalog.resources[resource_name]
    if not at.known(item_name, resource.items, ("信息项", "item"), *location):
        return
    item = resource.items[item_name]
    if item_type(item) != item_type(attribute):
        zh, en = f"{source} 的类型与 {element_of(attribute)} 不同", f"{source} has another type than the attribute"
        at.add("library.type", zh, en, *location, hint=f"element: {element_of(item)}")
    if sealed(item) and not sealed(attribute):
        zh, en = f"{source} 已加密，属性却不是", f"{source} is sealed, the attribute is not"
        at.add("library.sealed", zh, en, *location, hint=f"element: {element_of(item)}, grade: {item.grade}")
    if not any(subject.kind == library.kind for subject in resource.about):
        zh, en = f"资源 {resource_name} 不涉及这类主体", f"{resource_name} is not about subjects of this kind"
        at.add("library.kind", zh, en, *location, hint=f"about: {{kind: {library.kind}}}")
    check_reach({view_name(resource_name)}, at, *location)


def check_reach(views: Iterable[str], at: Findings, *location: str | int) -> None:
    """A declaration may use what stands in its own pack and in those its pack requires."""
    catalog = at.catalog
    pack = catalog.pack_of.get((at.kind, at.name))
    if pack is None or pack not in catalog.packs:
        return
    reach = _required(pack, catalog.packs)
    for kind in ("resource", "library"):
        for name in catalog.of_kind(kind):
            owner = catalog.pack_of.get((kind, name))
            if owner is not None and owner not in reach and view_name(name) in set(views):
                zh, en = f"{name} 属于未声明依赖的包 {owner}", f"{name} belongs to the pack {owner}, not required here"
                at.add("pack.requires", zh, en, *location, hint=f"pack.yml: requires: [{owner}]")


def _required(pack: str, packs: Mapping[str, object]) -> set[str]:
    reach: set[str] = set()
    waiting = [pack]
    while waiting:
        name = waiting.pop()
        if name not in reach and name in packs:
            reach.add(name)
            waiting += list(getattr(packs[name], "requires", ()))
    return reach


def check_names(names: Sequence[tuple[str, str]], at: Findings) -> None:
    """Views of one name: a resource and a library, or a name the platform uses."""
    owner = dict(names).get(view_name(at.name))
    if owner is not None and owner != at.kind:
        zh, en = f"名称 {at.name} 已由 {owner} 使用", f"the name {at.name} is already a {owner}'s"
        at.add("name.view", zh, en, at.kind, hint=meant(at.name, ()) or "换一个名称 / choose another name")
