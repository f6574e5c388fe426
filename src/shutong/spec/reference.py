"""Writes the pack reference page from the models, the standards and the lists of the checker.

``docs/pack-authors/reference.md`` is this page; a test compares both, ``shutong pack reference`` writes it anew.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shutong.spec.cases import (
    CANDIDATE_COLUMNS,
    DISAGREEMENT_COLUMNS,
    OBSERVATION_COLUMNS,
    REJECTED_COLUMNS,
    VALUES_COLUMNS,
    CaseHead,
)
from shutong.spec.columns import FACTS_VIEW, FIXED_COLUMNS, sql_type
from shutong.spec.functions import FUNCTIONS, REPLACED
from shutong.spec.loader import FOLDERS
from shutong.spec.masks import masked
from shutong.spec.models import KINDS, Mask, Model
from shutong.spec.refusals import TEXTS
from shutong.standards.codesets import code_sets
from shutong.standards.elements import ELEMENTS
from shutong.standards.terms import term_names

TITLES = {
    "pack": "专题包",
    "resource": "信息资源",
    "library": "库",
    "list": "名单",
    "indicator": "指标",
    "verification": "核验",
    "codes": "代码集",
}

_INTRO = """\
# Pack reference (专题包参考)

This page is generated from the models that read the declarations. To write it anew: `shutong pack reference`.

A pack is a folder of declarations. Everything that must happen to the data of a resource follows from its one file.
Unknown keys are errors; `shutong pack check PATH` names file, line and what to write instead, `shutong pack new NAME`
makes a pack to start from.

```
packs/<pack>/pack.yml           the head of the pack 包的说明
"""

_AFTER_TREE = """\
             tests/<case>/      tests as data 用例
```

A declaration's name is its file's name. A title may be a plain string (Chinese) or `{zh: …, en: …}`. A resource that
is `like` another takes over every key that it doesn't give itself: mappings merge key by key, everything else replaces.
"""


def reference_page() -> str:
    """The whole page as Markdown, ending in one newline."""
    parts = [_INTRO.rstrip("\n")]
    parts += [f"             {folder + '/*.yml':<18} {TITLES[kind]}" for folder, kind in FOLDERS.items()]
    parts.append(_AFTER_TREE)
    for kind, model in KINDS.items():
        parts += _kind(kind, model)
    parts += _elements()
    parts += _masks()
    parts += _sql()
    parts += _cases()
    return "\n".join(parts).rstrip("\n") + "\n"


def _kind(kind: str, model: type[Model]) -> Iterator[str]:
    yield f"## {kind} ({TITLES[kind]})\n"
    yield _paragraph(model)
    yield from _keys(model)
    seen: set[type[BaseModel]] = {model}
    waiting = list(_inner(model))
    while waiting:
        key, inner = waiting.pop(0)
        if inner in seen or inner.__name__ == "Title":
            continue
        seen.add(inner)
        yield f"### {kind}: `{key}`\n"
        yield _paragraph(inner)
        yield from _keys(inner)
        waiting += [(f"{key}.{below}", deeper) for below, deeper in _inner(inner)]


def _paragraph(model: type[BaseModel]) -> str:
    text = (model.__doc__ or "").strip()
    return " ".join(text.split()) + "\n"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | value | default | what it is |"
    yield "|---|---|---|---|"
    for name, info in model.model_fields.items():
        yield f"| `{info.alias or name}` | {_cell(_type(info.annotation))} | {_default(info)} | {_cell(_meaning(info))} |"
    yield ""


def _meaning(info: FieldInfo) -> str:
    if info.description:
        return info.description
    return next((_paragraph(model).strip() for _, model in _models(info.annotation, "")), "")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    value = info.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or value in ((), {}):
        return ""
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value)
    return (
        "see below" if isinstance(value, BaseModel) else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(part) for part in arguments if part is not type(None))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"mapping of {_type(arguments[1])}"
    if hasattr(annotation, "__metadata__"):
        return _type(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "title" if annotation.__name__ == "Title" else "mapping"
    names = {"str": "text", "bool": "true / false", "int": "whole number", "float": "number", "Decimal": "number"}
    name = getattr(annotation, "__name__", "value")
    return names.get(name, "value" if name == "Any" else name)


def _inner(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, info in model.model_fields.items():
        yield from _models(info.annotation, info.alias or name)


def _models(annotation: Any, key: str) -> Iterator[tuple[str, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield key, annotation
        return
    step = ".<name>" if get_origin(annotation) is dict else ""
    for part in get_args(annotation):
        if not isinstance(part, str):
            yield from _models(part, key + step)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _elements() -> Iterator[str]:
    yield "## Data elements (数据元)\n"
    yield "The element of an item decides how its cells are parsed, checked and stored.\n"
    yield "| element | 中文 | English | stored as | units |"
    yield "|---|---|---|---|---|"
    for element in ELEMENTS.values():
        units = ", ".join(f"`{unit}`" for unit in element.units if unit) if element.name != "code" else "its code set"
        yield f"| `{element.name}` | {element.title.zh} | {element.title.en} | {sql_type(element.type)} | {units} |"
    yield "\nCitizen identity numbers, mobile numbers, telephones marked personal and every item of grade 3 and above are"
    yield "sealed: rule SQL sees `<item>__key` only, by which equal values match.\n"
    yield "Code sets of the standards (代码集): " + ", ".join(f"`{name}`" for name in sorted(code_sets())) + ".\n"
    yield "Legal terms (法定期限): " + ", ".join(f"`{name}`" for name in sorted(term_names())) + ".\n"


_SHOWN = {"surname": "张小明", "middle": "13800001234", "last4": "13800001234", "address": "澜川市云山区青年路12号"}


def _masks() -> Iterator[str]:
    yield "## Masks (遮盖)\n"
    yield "| mask | value | shown as |"
    yield "|---|---|---|"
    for mask in get_args(Mask):
        value = _SHOWN.get(mask, "张小明")
        yield f"| `{mask}` | {value} | {masked(value, mask)} |".replace("*", "\\*")
    yield ""


_SQL_TEXT = """\
## SQL in declarations (声明中的 SQL)

Row expressions (`checks`, `only_if`) are one expression over the row's items and `received_on`. Statements (`grounds`,
`indicators`, `verifications`, `only` of a library) are one SELECT over the views: every resource by its name (current
rows; `-` becomes `_`) with `record_id`, `batch_id`, `received_on`, `subject_id` and its items; every library by its
name with `subject_id` and its attributes; and `facts`.

WITH, JOIN with a condition, UNION, GROUP BY, HAVING, QUALIFY, window functions and subqueries are allowed. Everything
is parsed, checked against the lists below and written anew before it reaches an engine.
"""


def _sql() -> Iterator[str]:
    yield _SQL_TEXT
    yield "### Columns that the platform adds (平台的列)\n"
    yield "| table or view | columns |"
    yield "|---|---|"
    for name, schema in (("accepted/…", FIXED_COLUMNS), ("facts", FACTS_VIEW)):
        yield f"| `{name}` | " + ", ".join(f"`{field.name}` {sql_type(field.type)}" for field in schema) + " |"
    yield "\n### Functions (函数)\n"
    yield "| function | for | 中文 | English |"
    yield "|---|---|---|---|"
    for function in FUNCTIONS.values():
        forms = "<br>".join(f"`{example}`" for example in function.examples)
        yield f"| {forms} | {function.use} | {function.zh} | {function.en} |"
    yield "\nInstead of (代替): " + "; ".join(f"`{name}` → `{by}`" for name, by in REPLACED.items()) + ".\n"
    yield "### Refusals (拒绝的理由)\n"
    yield "| code | 中文 | English | instead |"
    yield "|---|---|---|---|"
    for code, (zh, en, hint) in TEXTS.items():
        cells = (_cell(re.sub(r"\{0?\}", "…", text)) for text in (zh, en, hint))
        yield f"| `{code}` | " + " | ".join(cells) + " |"
    yield ""


_CASES_TEXT = """\
## Tests as data (用例)

A case is a folder `tests/<case>/` with `case.yml`, what is delivered, and what must come out. `shutong pack test` runs
it in a home of its own. An expectation names any of the columns; its rows are all that the table may hold.

| file | holds |
|---|---|
| `input-<resource>.csv` | a delivery, headed as the department heads it |
| `input-<resource>--<day>.csv` | a further delivery, received on that day |
| `expect-accepted-<resource>.csv` | accepted rows: stored columns, sealed items excepted |
| `expect-rejected.csv` | {rejected}: one line per reason |
| `expect-library-<library>.csv` | a library: `subject` and its attributes, sealed ones excepted |
| `expect-values-<library>.csv` | every source's values: {values} |
| `expect-candidates-<list>.csv` | whom the grounds of a list find: {candidates} |
| `expect-observations-<indicator>.csv` | the figures of an indicator: {observations} |
| `expect-disagreements-<name>.csv` | what a verification, or `library.attribute`, finds: {disagreements} |

`subject` is the unified code of an organisation, its matching name where it has none, and the address of a place.
"""


def _cases() -> Iterator[str]:
    columns = {
        "rejected": REJECTED_COLUMNS,
        "values": VALUES_COLUMNS,
        "candidates": CANDIDATE_COLUMNS,
        "observations": OBSERVATION_COLUMNS,
        "disagreements": DISAGREEMENT_COLUMNS,
    }
    yield _CASES_TEXT.format(**{key: ", ".join(f"`{name}`" for name in names) for key, names in columns.items()})
    yield from _keys(CaseHead)
