"""Values of the demo city for an item with a code set must be in it, or every row of the city would be rejected."""

from __future__ import annotations

from collections.abc import Iterator

from shutong.spec.findings import Findings
from shutong.spec.models import Resource
from shutong.spec.problems import meant


def check_demo_codes(resource: Resource, at: Findings) -> None:
    """Report each value written in a resource's demo block that its item's code set does not know."""
    for name, value in resource.demo.values.items() if resource.demo else ():
        item = resource.items.get(name)
        if item is None or item.codes is None:
            continue
        try:
            codes = at.catalog.code_set(item.codes)
        except (KeyError, ValueError):
            continue  # told at the item, or at the code set
        for text in _written(value):
            if not codes.check(text).valid:
                zh, en = f"代码集 {item.codes} 中没有 {text}", f"the code set {item.codes} has no {text}"
                titles = [word for code in codes.codes.values() for word in (code.code, code.zh)]
                at.add("demo.code", zh, en, "demo", "values", name, hint=meant(text, titles))


def _written(value: object) -> Iterator[str]:
    """The texts that a value of the demo block writes out, whatever its form."""
    if isinstance(value, list):
        for one in value:
            yield from _written(one)
    elif isinstance(value, dict):
        if isinstance(value.get("weighted"), dict):
            yield from map(str, value["weighted"])
        elif "optional" in value:
            yield from _written(value["optional"])
    elif isinstance(value, (str, int)):
        yield str(value)
