"""What follows from declarations: stored columns, views, masks, hashes, code sets."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shutong.spec.catalog import (
    Catalog,
    default_mask,
    dump,
    item_type,
    parse,
    public_items,
    row_columns,
    sealed,
    stored_columns,
)
from shutong.spec.loader import load_packs
from shutong.spec.models import Item, Resource

PACKS = Path(__file__).parent / "packs"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_packs([PACKS])


def item(**keys: Any) -> Item:
    return Item.model_validate({"title": "x", **keys})


def changed(catalog: Catalog, **keys: Any) -> Catalog:
    """The catalog with some keys of the resource ``penalty`` changed."""
    resource = Resource.model_validate(dump(catalog.resources["penalty"]) | keys)
    return Catalog(resources={"penalty": resource}, codes=catalog.codes)


def test_types_follow_from_elements() -> None:
    assert item_type(item(element="money")) == pa.decimal128(18, 2)
    assert item_type(item(element="date")) == pa.date32()
    assert item_type(item(codes="sex")) == pa.string()
    assert item_type(item(element="datetime")) == pa.timestamp("us", "UTC")


@pytest.mark.parametrize(
    ("keys", "is_sealed"),
    [
        ({"element": "citizen-id"}, True),
        ({"element": "mobile"}, True),
        ({"element": "telephone"}, False),
        ({"element": "telephone", "personal": "personal"}, True),
        ({"element": "person-name"}, False),
        ({"grade": 2}, False),
        ({"grade": 3}, True),
        ({"grade": "important"}, True),
        ({"grade": "core"}, True),
    ],
)
def test_what_is_sealed(keys: dict[str, Any], is_sealed: bool) -> None:
    assert sealed(item(**keys)) is is_sealed


def test_a_sealed_item_is_stored_as_key_and_ciphertext_and_seen_by_its_key(catalog: Catalog) -> None:
    enterprise = catalog.resources["enterprise"]
    stored = stored_columns(enterprise)
    assert stored.names[:8] == ["record_id", "key_id", "batch_id", "seq", "row_no", "received_on", "operation", "flags"]
    assert stored.names[-2:] == ["phone__key", "phone__sealed"]
    assert stored.field("phone__sealed").type == pa.binary()
    assert "phone" not in stored.names
    view = catalog.views()["enterprise"]
    assert "phone__key" in view.names and "phone__sealed" not in view.names and "phone" not in view.names
    assert "phone__key" in row_columns(enterprise)


def test_views_have_sql_names_and_subjects(catalog: Catalog) -> None:
    views = catalog.views()
    assert {"enterprise", "penalty", "tax_penalty", "legal_entity", "facts"} == set(views)
    assert views["penalty"].names[:4] == ["record_id", "batch_id", "received_on", "subject_id"]
    assert views["legal_entity"].names == ["subject_id", "name", "founded_on"]


def test_masks_where_nothing_is_said() -> None:
    assert default_mask(item()) == "none"
    assert default_mask(item(element="mobile")) == "middle"
    assert default_mask(item(element="person-name", grade=2)) == "surname"
    assert default_mask(item(grade=2)) == "hide"
    assert default_mask(item(grade=3, mask="last4")) == "last4"


def test_the_public_sees_open_resources_without_hidden_items(catalog: Catalog) -> None:
    shown = public_items(catalog.resources["enterprise"])
    assert shown["legal_rep"] == "surname" and "phone" not in shown
    assert not public_items(changed(catalog, open={"type": "none"}).resources["penalty"])


def test_a_hash_changes_with_what_changes_a_result_only(catalog: Catalog) -> None:
    before = Catalog(resources=catalog.resources, codes=catalog.codes).hash_of("resource", "penalty")
    same = [{"title": {"zh": "另一个名字"}}, {"demo": None}, {"abstract": "说明"}, {"cycle": "daily"}]
    same += [{"files": {"pattern": "penalties/*.csv", "day": "name"}}, {"key_empty": []}]
    for keys in same:
        assert changed(catalog, **keys).hash_of("resource", "penalty") == before, keys
    other = [{"key": ["doc_no"]}, {"checks": []}, {"delivery": "append"}, {"ignore": ["序号"]}, {"fact": None}]
    for keys in other:
        assert changed(catalog, **keys).hash_of("resource", "penalty") != before, keys
    items = dump(catalog.resources["penalty"])["items"]
    renamed = changed(catalog, items=items | {"fine": items["fine"] | {"title": "罚款"}})
    assert renamed.hash_of("resource", "penalty") != before, "an item's Chinese title is accepted as a header"


def test_a_code_table_is_part_of_the_hash_of_its_resource(catalog: Catalog) -> None:
    table = parse("codes", dump(catalog.codes["sample-category"]) | {"values": {"01": "警告"}})
    other = Catalog(resources=catalog.resources, codes={"sample-category": table})  # type: ignore[dict-item]
    assert other.hash_of("resource", "penalty") != catalog.hash_of("resource", "penalty")


def test_an_item_may_be_called_title_or_demo(catalog: Catalog) -> None:
    one = {"resource": "r", "title": "x", "department": "d", "basis": "b", "key": ["title"]}
    with_title = parse("resource", one | {"items": {"title": {"title": "标题", "required": True}}})
    with_more = parse("resource", one | {"items": {"title": {"title": "标题", "required": True, "max": 9}}})
    hashes = {Catalog(resources={"r": r}).hash_of("resource", "r") for r in (with_title, with_more)}  # type: ignore[dict-item]
    assert len(hashes) == 2


def test_declarations_survive_being_stored_as_json(catalog: Catalog) -> None:
    for kind in ("pack", "resource", "library", "list", "indicator", "verification", "codes"):
        for name, model in catalog.of_kind(kind).items():
            assert parse(kind, dump(model)) == model, name


def test_code_tables_of_packs_and_standards_are_asked_the_same_way(catalog: Catalog) -> None:
    assert catalog.code_set("sample-category").check("罚款").canonical == "02"
    assert catalog.code_set("penalty-category").check("罚款").valid
    with pytest.raises(KeyError):
        catalog.code_set("nowhere")
