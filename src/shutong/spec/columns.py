"""From an item's declaration to the columns that hold it: types, sealing, and the views that rules see.

The column lists follow docs/developers/tables.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from shutong.spec.models import Attribute, Item, Library, Mask, Resource, Title
from shutong.standards.elements import ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIXED: list[pa.Field[Any]] = [
    pa.field("record_id", pa.string()),
    pa.field("key_id", pa.string()),
    pa.field("batch_id", pa.string()),
    pa.field("seq", pa.int64()),
    pa.field("row_no", pa.int64()),
    pa.field("received_on", pa.date32()),
    pa.field("operation", pa.string()),
    pa.field("flags", pa.list_(pa.string())),
]

FIXED_COLUMNS = pa.schema(_FIXED)
"""The columns that stand before the items in every ``accepted/<resource>``."""

_FACTS: list[pa.Field[Any]] = [
    pa.field("fact_id", pa.string()),
    pa.field("subject_id", pa.string()),
    pa.field("kind", pa.string()),
    pa.field("resource", pa.string()),
    pa.field("on_date", pa.date32()),
    pa.field("until_date", pa.date32()),
    pa.field("weight", pa.string()),
    pa.field("public", pa.bool_()),
    pa.field("record_id", pa.string()),
    pa.field("batch_id", pa.string()),
    pa.field("received_on", pa.date32()),
    pa.field("shows", pa.string()),
    pa.field("publicity_due", pa.date32()),
    pa.field("publicity_rule", pa.string()),
    pa.field("flags", pa.list_(pa.string())),
]

FACTS_VIEW = pa.schema(_FACTS)
"""The view ``facts``."""

_ALWAYS_SEALED = {"citizen-id", "mobile"}
_SEALED_GRADES = {3, 4, "important", "core"}


def element_of(item: Item | Attribute) -> str:
    """The data element of an item; ``code`` where it names a code set."""
    return "code" if item.codes else item.element


def title_of(item: Item) -> Title:
    """The title of an item; one that is called as its data element is called so in English too."""
    element = ELEMENTS.get(element_of(item))
    if element and not item.title.en and item.title.zh == element.title.zh:
        return Title(zh=item.title.zh, en=element.title.en)
    return item.title


def item_type(item: Item | Attribute) -> pa.DataType:
    """Arrow type of an item's checked value before sealing; moments are read in legal time and kept as instants (UTC)."""
    element = ELEMENTS.get(element_of(item))
    if element is None:
        return pa.string()
    return pa.timestamp("us", "UTC") if pa.types.is_timestamp(element.type) else element.type


def personal_mark(item: Item) -> str:
    """The personal information mark: as declared, else what the element implies."""
    if item.personal is not None:
        return item.personal
    element = element_of(item)
    if element in _ALWAYS_SEALED:
        return "sensitive"
    return "personal" if element == "person-name" else "no"


def sealed(item: Item | Attribute) -> bool:
    """Whether the value is stored only as a key and as ciphertext.

    So are identity numbers, mobile numbers, telephones marked personal, and every item of grade 3 and above.
    """
    element = element_of(item)
    if element in _ALWAYS_SEALED or item.grade in _SEALED_GRADES:
        return True
    return element == "telephone" and isinstance(item, Item) and personal_mark(item) != "no"


def key_column(name: str) -> str:
    """The column with the matching key of a sealed item."""
    return f"{name}__key"


def sealed_column(name: str) -> str:
    """The column with the ciphertext of a sealed item."""
    return f"{name}__sealed"


def faulty_column(name: str) -> str:
    """The column that keeps a unified code which was delivered with a slip, for identification to repair."""
    return f"{name}__faulty"


def repairable(resource: Resource) -> tuple[str, ...]:
    """The items whose faulty unified codes are kept: those beside a name, in rows that are no register's (law 7)."""
    found = [
        entry.uscc
        for entry in resource.about
        if entry.uscc and entry.name and not entry.registry and entry.uscc not in resource.key
    ]
    return tuple(dict.fromkeys(item for item in found if item in resource.items and not sealed(resource.items[item])))


REPLACED = "replaced_key"
"""The column with the key id of the row that a row replaces, where the resource declares ``replaces``."""


def stored_columns(resource: Resource) -> pa.Schema:
    """The columns of ``accepted/<resource>``: the fixed ones, then the items in declared order, sealed ones as two.

    At the end stand the faulty spellings of the ``repairable`` items and the key of the row that is replaced.
    """
    fields: list[pa.Field[Any]] = list(FIXED_COLUMNS)
    for name, item in resource.items.items():
        if sealed(item):
            fields += [pa.field(key_column(name), pa.string()), pa.field(sealed_column(name), pa.binary())]
        else:
            fields.append(pa.field(name, item_type(item)))
    fields += [pa.field(faulty_column(name), pa.string()) for name in repairable(resource)]
    fields += [pa.field(REPLACED, pa.string())] if resource.replaces else []
    return pa.schema(fields)


def check_columns(resource: Resource) -> dict[str, pa.DataType]:
    """What a row check sees: every item typed (not yet sealed) and ``received_on``."""
    return {name: item_type(item) for name, item in resource.items.items()} | {"received_on": pa.date32()}


def row_columns(resource: Resource) -> dict[str, pa.DataType]:
    """What a row expression over accepted rows sees (``only_if``): plain items, keys of sealed ones, received_on."""
    columns: dict[str, pa.DataType] = {"received_on": pa.date32()}
    for name, item in resource.items.items():
        columns |= {key_column(name): pa.string()} if sealed(item) else {name: item_type(item)}
    return columns


def view_name(name: str) -> str:
    """The SQL name of a resource or library: hyphens become underscores."""
    return name.replace("-", "_")


def resource_view(resource: Resource) -> pa.Schema:
    """The view of a resource's current rows: record, batch, received day, subject where it has one, then the items.

    Sealed items are there by their key only.
    """
    fields: list[pa.Field[Any]] = [
        pa.field("record_id", pa.string()),
        pa.field("batch_id", pa.string()),
        pa.field("received_on", pa.date32()),
    ]
    if resource.about:
        fields.append(pa.field("subject_id", pa.string()))
    for name, item in resource.items.items():
        fields.append(pa.field(key_column(name), pa.string()) if sealed(item) else pa.field(name, item_type(item)))
    return pa.schema(fields)


def library_view(library: Library) -> pa.Schema:
    """The view (and table) of a library: subject_id, then the attributes, sealed ones by their key."""
    fields: list[pa.Field[Any]] = [pa.field("subject_id", pa.string())]
    for name, attribute in library.attributes.items():
        column = key_column(name) if sealed(attribute) else name
        fields.append(pa.field(column, pa.string() if sealed(attribute) else item_type(attribute)))
    return pa.schema(fields)


def default_mask(item: Item | Attribute) -> Mask:
    """How the value is shown to someone who was not granted it: as declared, else by element and grade."""
    if item.mask is not None:
        return item.mask
    element = element_of(item)
    if element in {"mobile", "telephone", "citizen-id"} and sealed(item):
        return "middle"
    if element == "person-name" and item.grade != 1:
        return "surname"
    return "none" if item.grade == 1 and not sealed(item) else "hide"


def public_items(resource: Resource) -> Mapping[str, Mask]:
    """The items that an anonymous reader may see, with their masks; none where the resource is not open.

    Items of the mask ``hide`` are left out altogether.
    """
    if resource.open.type != "open":
        return {}
    masks = {name: default_mask(item) for name, item in resource.items.items()}
    return {name: mask for name, mask in masks.items() if mask != "hide"}


def sql_type(kind: pa.DataType) -> str:
    """The SQL name of an Arrow type, as the expression checker and the engines read it."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ" if kind.tz else "TIMESTAMP"
    for test, name in _SQL_NAMES:
        if test(kind):
            return name
    return "VARCHAR"


_SQL_NAMES = (
    (pa.types.is_date, "DATE"),
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_int64, "BIGINT"),
    (pa.types.is_int32, "INTEGER"),
    (pa.types.is_floating, "DOUBLE"),
    (pa.types.is_binary, "BLOB"),
)
