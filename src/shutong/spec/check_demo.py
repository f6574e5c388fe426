"""What must hold of a ``demo:`` block: a volume that can be read, and values of known forms for declared items."""

from __future__ import annotations

import re

from shutong.spec.findings import Findings
from shutong.spec.models import Resource
from shutong.spec.problems import meant

VOLUME = re.compile(r"\d+(\.\d+)? per (subject|subject-year|subject-month|day|month)")

FORMS = (
    "weighted", "between", "amount", "days_before", "days_after", "text", "of_subject", "of_person", "optional",
    "of_area", "series", "of_figure",
)  # fmt: skip
"""Forms of a value of the demo city, beside a plain value and a list to draw from."""

_BESIDE = {"share", "every"}
"""Keys that stand beside a form: the share of ``optional``, the months between the figures of ``series``."""

_PAIRS = {"between", "amount", "days_before", "days_after"}


def check_demo(resource: Resource, at: Findings) -> None:
    """Report what is wrong with the demo block of a resource, where it has one."""
    demo = resource.demo
    if demo is None:
        return
    if not VOLUME.fullmatch(demo.volume.strip()):
        hint = "0.08 per subject-year, 1 per subject, 1 per subject-month, 40 per day"
        zh, en = f"数量写法不对：{demo.volume}", f"not a volume: {demo.volume}"
        at.add("demo.volume", zh, en, "demo", "volume", hint=hint)
    for name, value in demo.values.items():
        if at.known(name, resource.items, ("信息项", "item"), "demo", "values", name):
            _value(value, at, "demo", "values", name)


def _value(value: object, at: Findings, *here: str) -> None:
    if isinstance(value, list) and not value:
        at.add("demo.value", "列表为空", "the list is empty", *here)
    if not isinstance(value, dict):
        return
    forms = [str(form) for form in value if form not in _BESIDE]
    for form in forms:
        if form not in FORMS:
            hint = meant(form, FORMS)
            at.add("demo.value", f"不认识的写法 {form}", f"unknown form {form}", *here, hint=hint)
    if len(forms) != 1:
        at.add("demo.value", "只写一种写法", "write exactly one form", *here, hint=", ".join(FORMS))
        return
    inner = value[forms[0]]
    if forms[0] in _PAIRS and not (isinstance(inner, list) and len(inner) == 2):
        at.add("demo.value", f"{forms[0]} 要两个值", f"{forms[0]} takes two values", *here, hint=f"{forms[0]}: [1, 9]")
    if forms[0] == "weighted" and not (isinstance(inner, dict) and inner and _weights(list(inner.values()))):
        at.add("demo.value", "weighted 要 成员: 权重", "weighted takes member: weight", *here)
    if forms[0] == "series" and not (isinstance(inner, dict) and inner and all(_range(one) for one in inner.values())):
        at.add("demo.value", "series 要 名称: [低, 高]", "series takes name: [low, high]", *here)
    if forms[0] == "optional":
        _value(inner, at, *here)


def _range(value: object) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and all(isinstance(one, (int, float)) and one > 0 for one in value)
    )


def _weights(values: list[object]) -> bool:
    numbers = [value for value in values if isinstance(value, (int, float)) and value >= 0]
    return len(numbers) == len(values) and sum(numbers) > 0
