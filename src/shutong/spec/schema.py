"""JSON Schema of every kind of declaration, generated from the models, for editors and other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shutong.spec.cases import CaseHead
from shutong.spec.models import KINDS, Model

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_MODELS: dict[str, type[Model]] = {**KINDS, "case": CaseHead}


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one kind of declaration: ``pack``, ``resource``, ..., or ``case``.

    It allows what the loader allows: a plain string for a title, one mapping for ``about``, and, where a resource
    is ``like`` another, only the keys that differ.

    Raises:
        KeyError: there is no such kind.
    """
    schema = _MODELS[kind].model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    if "Title" in definitions:
        definitions["Title"] = {"anyOf": [{"type": "string", "description": "Chinese title"}, definitions["Title"]]}
    if kind == "resource":
        about = schema["properties"]["about"]
        schema["properties"]["about"] = {
            "description": about.pop("description", ""),
            "anyOf": [{"$ref": "#/$defs/Subject"}, about],
        }
        schema = _with_like(schema)
    return {"$schema": DRAFT, "$id": f"shutong-{kind}.schema.json"} | schema


def _with_like(schema: dict[str, Any]) -> dict[str, Any]:
    """A resource that is like another may leave out any key; only unknown keys at its top are told."""
    definitions = schema.pop("$defs")
    partial = {
        "type": "object",
        "properties": {
            name: {"description": part.get("description", "")} for name, part in schema["properties"].items()
        },
        "required": ["resource", "like"],
        "additionalProperties": False,
    }
    return {
        "title": schema["title"],
        "description": schema["description"],
        "if": {"required": ["like"]},
        "then": partial,
        "else": schema,
        "$defs": definitions,
    }


def write_schemas(folder: Path) -> list[Path]:
    """Write ``<kind>.schema.json`` for every kind into a folder, for an editor's YAML support."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in _MODELS:
        path = folder / f"{kind}.schema.json"
        path.write_text(json.dumps(json_schema(kind), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        written.append(path)
    return written
