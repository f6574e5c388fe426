"""What is generated from the models: JSON Schema for editors and the reference page."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
from pydantic import BaseModel

from shutong.spec.models import KINDS
from shutong.spec.reference import reference_page
from shutong.spec.schema import json_schema, write_schemas
from shutong.spec.yamltext import read_yaml

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "packs" / "sample"


def kind_of(data: dict[str, object]) -> str:
    return next(kind for kind in KINDS if kind in data)


def test_the_schema_allows_what_the_loader_allows() -> None:
    for path in SAMPLE.rglob("*.yml"):
        if "tests" not in path.parts:
            data = read_yaml(path).data
            jsonschema_rs.validator_for(json_schema(kind_of(data))).validate(data)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("penalty", {"titel": "x"}),
        ("penalty", {"key": []}),
        ("tax-penalty", {"itmes": {}}),
        ("penalty", {"items": None}),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(name: str, change: dict[str, object]) -> None:
    data = read_yaml(SAMPLE / "resources" / f"{name}.yml").data | change
    assert not jsonschema_rs.validator_for(json_schema("resource")).is_valid(data)


def test_schemas_are_written_for_editors(tmp_path: Path) -> None:
    written = write_schemas(tmp_path)
    assert {path.name for path in written} == {f"{kind}.schema.json" for kind in (*KINDS, "case")}
    for path in written:
        jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8")))


def test_the_reference_page_is_up_to_date() -> None:
    page = ROOT / "docs" / "pack-authors" / "reference.md"
    if page.read_text(encoding="utf-8") != reference_page():
        pytest.fail("docs/pack-authors/reference.md is out of date: write it anew with `shutong pack reference`")


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    if model not in seen:
        seen.add(model)
        for info in model.model_fields.values():
            for inner in _inside(info.annotation):
                _models(inner, seen)
    return seen


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _inside(part)


def test_every_key_is_described() -> None:
    seen: set[type[BaseModel]] = set()
    for model in KINDS.values():
        _models(model, seen)
    for model in seen:
        assert model.__doc__, model
        for name, info in model.model_fields.items():
            # a key that holds a mapping is described by the mapping's own text
            assert info.description or any(_inside(info.annotation)), (model, name)
