"""Turns pydantic's findings into problems that name file, line and what to write instead."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shutong.spec.catalog import Place
from shutong.spec.problems import Problem, meant

_TEXTS: dict[str, tuple[str, str, str]] = {
    "missing": ("key.missing", "缺少必填项 {key}", "the key {key} is missing"),
    "string_pattern_mismatch": ("value.form", "{key} 的写法不合要求", "{key} is not written as it must be"),
    "string_type": ("value.type", "{key} 应为文字", "{key} must be text"),
    "string_too_long": ("value.too-long", "{key} 过长", "{key} is too long"),
    "string_too_short": ("value.empty", "{key} 不能为空", "{key} must not be empty"),
    "too_short": ("value.empty", "{key} 不能为空", "{key} must not be empty"),
    "bool_type": ("value.type", "{key} 应为 true 或 false", "{key} must be true or false"),
    "bool_parsing": ("value.type", "{key} 应为 true 或 false", "{key} must be true or false"),
    "int_type": ("value.type", "{key} 应为整数", "{key} must be a whole number"),
    "int_parsing": ("value.type", "{key} 应为整数", "{key} must be a whole number"),
    "dict_type": ("value.type", "{key} 应为键和值", "{key} must be keys and values"),
    "model_type": ("value.type", "{key} 应为键和值", "{key} must be keys and values"),
    "tuple_type": ("value.type", "{key} 应为列表", "{key} must be a list"),
}

_PATTERN_HINTS = {
    "^[a-z][a-z0-9-]": "小写字母、数字和连字符，字母开头 / lower case letters, digits and hyphens, a letter first",
    "^[a-z][a-z0-9_]": "小写字母、数字和下划线，字母开头 / lower case letters, digits and underscores, a letter first",
    r"^\d+\.\d+\.\d+$": "例如 / for instance 1.0.0",
}


def validation_problems(error: ValidationError, model: type[BaseModel], place: Place) -> Iterator[Problem]:
    """One problem per finding, at the line of the key it is about (of the mapping, where the key is missing)."""
    for details in error.errors(include_url=False):
        location = tuple(part for part in details["loc"] if part != "[key]")
        path, line = place.of(*location)
        if line == 1 and any(isinstance(part, int) for part in location):
            path, line = place.of(*[part for part in location if not isinstance(part, int)])
        code, zh, en, hint = _explain(details, location, model)
        yield Problem(path, line, code, zh, en, hint)


def _explain(
    details: ErrorDetails, location: tuple[str | int, ...], model: type[BaseModel]
) -> tuple[str, str, str, str]:
    key = ".".join(str(part) for part in location) or "-"
    last = str(location[-1]) if location else ""
    kind = details["type"]
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        return "key.unknown", f"不认识的键 {last}", f"unknown key {last}", meant(last, known)
    if kind == "literal_error":
        given = str(details.get("input"))
        allowed = _literals_at(model, location)
        hint = "可用 / one of: " + (", ".join(allowed) if allowed else str(context.get("expected", "")))
        return "value.unknown", f"{key} 的值 {given} 不可用", f"{key} can't be {given}", hint
    if kind in _TEXTS:
        code, zh, en = _TEXTS[kind]
        hints = (hint for start, hint in _PATTERN_HINTS.items() if str(context.get("pattern", "")).startswith(start))
        hint = next(hints, "")
        if kind == "string_type" and isinstance(details.get("input"), (int, float)):
            hint = f"加引号 / put it in quotes: '{details.get('input')}'"
        return code, zh.format(key=key), en.format(key=key), hint
    return "value.invalid", f"{key}：{details['msg']}", f"{key}: {details['msg']}", ""


def _models_in(annotation: Any) -> Iterator[Any]:
    """The annotation itself, taken out of unions and Annotated."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from _models_in(inner)
    elif origin is not None and hasattr(annotation, "__metadata__"):
        yield from _models_in(get_args(annotation)[0])
    else:
        yield annotation


def _step(annotations: list[Any], part: str | int) -> list[Any]:
    found: list[Any] = []
    for annotation in annotations:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, info in annotation.model_fields.items():
                if part in (name, info.alias):
                    found += _models_in(info.annotation)
        elif origin is dict or (origin is tuple and isinstance(part, int)):
            found += _models_in(arguments[1] if origin is dict else arguments[0])
    return found


def _at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[Any]:
    annotations: list[Any] = [model]
    for part in location:
        annotations = _step(annotations, part) or (annotations if isinstance(part, int) else [])
    return annotations


def _keys_at(model: type[BaseModel], location: tuple[str | int, ...]) -> set[str]:
    """The keys that may stand in the mapping at a location."""
    keys: set[str] = set()
    for annotation in _at(model, location):
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            keys |= {info.alias or name for name, info in annotation.model_fields.items()}
    return keys


def _literals_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    return [
        str(value)
        for annotation in _at(model, location)
        if get_origin(annotation) is Literal
        for value in get_args(annotation)
    ]
