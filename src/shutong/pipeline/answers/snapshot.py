"""The public metadata of the declarations a run read, copied into the ready answers.

Pages and the JSON API take every title, unit, basis and code text from here, so what they say about a value is what
was declared when the value was computed, also after a newer version of the declaration was published.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from shutong.spec.catalog import Catalog
from shutong.spec.columns import default_mask, element_of, personal_mark, public_items, sealed, title_of
from shutong.spec.models import Attribute, Indicator, Item, Library, Resource, RuleRef, SubjectList, Title
from shutong.standards.codesets import code_set
from shutong.standards.terms import term

from .series import series_codes
from .write import catalog_batch

Content = dict[str, Any]


def snapshot(catalog: Catalog, business_day: dt.date) -> Iterator[pa.RecordBatch]:
    """Rows of ``answer_catalog``: kind, name, position (declared order), content (JSON).

    Kinds: department, resource, library, list, indicator, codes, codeset. The contents are those of the functions below.
    """
    yield catalog_batch(_contents(catalog, business_day))


def _contents(catalog: Catalog, day: dt.date) -> dict[str, Mapping[str, Content]]:
    resources = {name: _resource(resource, day) for name, resource in catalog.resources.items()}
    lists = {name: _list(one, day) for name, one in catalog.lists.items() if one.public}
    libraries = {name: _library(one) for name, one in catalog.libraries.items() if one.public}
    return {
        "department": {
            name: {"title": _title(one.title), "level": one.level, "area": one.area}
            for name, one in catalog.departments.items()
        },
        "resource": resources,
        "library": libraries,
        "list": lists,
        "indicator": {name: _indicator(one, catalog) for name, one in catalog.indicators.items() if one.public},
        "codes": _codes(catalog),
        "codeset": {name: {"title": _codeset_title(catalog, name)} for name in _codesets(catalog)},
    }


def _title(title: Title | None) -> Content | None:
    return {"zh": title.zh, "en": title.en or title.zh} if title else None


def _item(item: Item, mask: str | None) -> Content:
    return {
        "title": _title(title_of(item)),
        "element": element_of(item),
        "codes": item.codes,
        "unit": item.unit,
        "required": item.required,
        "grade": item.grade,
        "personal": personal_mark(item),
        "mask": mask if mask is not None else default_mask(item),
        "public": mask is not None,
        "sealed": sealed(item),
    }


def _resource(resource: Resource, day: dt.date) -> Content:
    public = public_items(resource)
    fact = resource.fact
    return {
        "title": _title(resource.title),
        "department": resource.department,
        "system": resource.system,
        "basis": resource.basis,
        "abstract": resource.abstract,
        "cycle": resource.cycle,
        "delivery": resource.delivery,
        "key": list(resource.key),
        "items": {name: _item(item, public.get(name)) for name, item in resource.items.items()},
        "checks": [
            {"name": check.name, "expr": check.expr, "on_fail": check.on_fail, "message": _title(check.message)}
            for check in resource.checks
        ],
        "share": resource.share.model_dump(mode="json"),
        "open": resource.open.model_dump(mode="json"),
        "fact": None
        if fact is None
        else {
            "kind": fact.kind,
            "title": _title(fact.title or resource.title),
            "weight": fact.weight,
            "shows": list(fact.shows),
        },
        "publicity": _rule(resource.publicity, day),
        "retain": _rule(resource.retain, day),
    }


def _list(one: SubjectList, day: dt.date) -> Content:
    return {
        "title": _title(one.title),
        "basis": one.basis,
        "version": one.version,
        "weight": one.weight,
        "entry": one.entry,
        "department": one.department,
        "grounds": {
            name: {
                "title": _title(ground.title),
                "basis": ground.basis,
                "sql": ground.sql,
                "absence": list(ground.absence),
            }
            for name, ground in one.grounds.items()
        },
        "enter_within": _rule(one.enter_within, day),
        "release_within": _rule(one.release_within, day),
        "term": _rule(one.term, day),
    }


def _indicator(one: Indicator, catalog: Catalog) -> Content:
    return {
        "title": _title(one.title),
        "unit": one.unit,
        "chart": one.chart,
        "version": one.version,
        "sql": one.sql,
        "series_codes": series_codes(one.sql, catalog),
    }


def _library(library: Library) -> Content:
    return {
        "title": _title(library.title),
        "kind": library.kind,
        "class": library.class_,
        "each": list(library.each),
        "space": library.space.model_dump(mode="json") if library.space else None,
        "attributes": {name: _attribute(attribute) for name, attribute in library.attributes.items()},
    }


def _attribute(attribute: Attribute) -> Content:
    return {
        "title": _title(attribute.title),
        "element": element_of(attribute),
        "codes": attribute.codes,
        "grade": attribute.grade,
        "mask": default_mask(attribute),
        "sources": list(attribute.sources),
    }


def _rule(rule: RuleRef | None, day: dt.date) -> Content | None:
    """A legal term as it is in force on the day, with its source."""
    if rule is None:
        return None
    try:
        found = term(rule.rule, day)
    except LookupError:
        return {"rule": rule.rule}
    return {
        "rule": rule.rule,
        "n": found.n,
        "unit": found.unit,
        "title": {"zh": found.zh, "en": found.en},
        "source": found.source,
        "verify": found.verify,
        "in_force_from": str(found.in_force_from) if found.in_force_from else None,
    }


def _codes(catalog: Catalog) -> dict[str, Content]:
    """Texts of every code set that a resource or a public library uses."""
    texts: dict[str, Content] = {}
    for name in _codesets(catalog):
        if name in catalog.codes:
            texts[name] = {code: _title(title) for code, title in catalog.codes[name].values.items()}
        else:
            texts[name] = _standard_codes(name)
    return texts


def _codesets(catalog: Catalog) -> list[str]:
    used = {item.codes for resource in catalog.resources.values() for item in resource.items.values()}
    used |= {one.codes for library in catalog.libraries.values() for one in library.attributes.values()}
    return sorted(one for one in used if one)


def _codeset_title(catalog: Catalog, name: str) -> Content | None:
    if name in catalog.codes:
        return _title(catalog.codes[name].title)
    title = code_set(name).title
    return {"zh": title, "en": name.replace("-", " ")}


def _standard_codes(name: str) -> Content:
    return {code: {"zh": text.zh, "en": text.en or text.zh} for code, text in code_set(name).codes.items()}
