"""Cells of the rows: from ``demo.values``, from whom the row is about, or from the item's data element.

``demo.values`` understands, per item:

- a list: one of its members (a member named twice comes twice as often), or a single text or number;
- ``{weighted: {member: weight}}``: one of its members by weight;
- ``{between: [a, b]}``: a number, with the decimals that the bounds are written with;
- ``{amount: [a, b]}``: an amount with two decimals, small ones more often;
- ``{days_before: [a, b]}``: a day before the delivery; on the row's own date item, how soon it is delivered;
- ``{days_after: [a, b]}``: a day after the row's own day;
- ``{text: '…{n}…'}``: text with a number that no other row of the resource has, ``{year}``, ``{month}`` and ``{day}``
  of the row's day, and ``{city}``;
- ``{of_subject: attribute}``: an attribute of whom the row is about;
- ``{of_person: attribute}``: an attribute of some resident, the same one in all items of the row;
- ``{optional: value, share: 0.3}``: empty cells but for the share.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from shutong.democity.scene import DemoError, Rows, Scene
from shutong.democity.text import (
    Text,
    amounts,
    constant,
    iso_dates,
    join,
    padded,
    parts_of_date,
    pick,
    plain,
    stream,
    take,
    where,
)
from shutong.spec.models import Item, Resource

PERSON_ATTRIBUTES = {"name", "citizen_id", "phone", "sex", "born_on", "area", "address"}
ABOUT_ITEMS = (
    "uscc", "org_code", "registration_no", "taxpayer_no", "certificate_no", "name", "former_name", "area", "address",
    "legal_rep", "phone",
)  # fmt: skip
_PIECE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Filling:
    """What filling one resource needs: ``serial`` is the number of its first row here, unique over the blocks."""

    resource: Resource
    values: dict[str, Any]
    scene: Scene
    rows: Rows
    random: np.random.Generator
    serial: int
    anchor: str | None
    codes: Callable[[Item], list[str]]


def fill(filling: Filling, given: dict[str, Text]) -> dict[str, Text]:
    """All items of the resource in declared order; ``given`` are those that an event has filled.

    Raises:
        DemoError: a value that the city does not understand.
    """
    roles = _roles(filling.resource)
    cells: dict[str, Text] = {}
    for name, item in filling.resource.items.items():
        if name in given:
            cells[name] = given[name]
        elif name == filling.anchor:
            cells[name] = iso_dates(filling.rows.day)
        elif name in filling.values:
            cells[name] = _value(filling, name, filling.values[name])
        elif name in roles:
            cells[name] = _attribute(filling, name, roles[name])
        else:
            cells[name] = _by_element(filling, name, item)
    return cells


def anchor_of(resource: Resource) -> str | None:
    """The date item that holds the row's own day: the fact's, the publicity clock's, or the first required date."""
    if resource.fact:
        return resource.fact.on
    if resource.publicity and resource.publicity.from_:
        return resource.publicity.from_
    dates = [name for name, item in resource.items.items() if item.element == "date" and item.required]
    return dates[0] if dates else None


def lags_of(values: dict[str, Any], anchor: str | None) -> tuple[int, int]:
    """Fewest and most days between the row's own day and its delivery; 1 to 5 where nothing is said."""
    value = values.get(anchor) if anchor else None
    if isinstance(value, dict) and "days_before" in value:
        low, high = value["days_before"]
        return int(low), int(high)
    return 1, 5


def _roles(resource: Resource) -> dict[str, str]:
    """Items that ``about`` names, with the attribute of the subject that each holds."""
    roles: dict[str, str] = {}
    for entry in resource.about:
        if entry.kind == "organisation":
            roles |= {item: key for key in ABOUT_ITEMS if (item := getattr(entry, key)) and item not in roles}
        elif entry.kind == "person":
            alone = entry.only_if is not None or len(resource.about) == 1
            names = (
                {"citizen_id": "citizen_id", "name": "name"}
                if alone
                else {"citizen_id": "legal_rep_id", "name": "legal_rep"}
            )
            keys = {**names, "area": "area", "address": "address"}
            roles |= {item: value for key, value in keys.items() if (item := getattr(entry, key)) and item not in roles}
        else:
            roles |= {item: key for key in ("address", "area") if (item := getattr(entry, key)) and item not in roles}
    return roles


def _attribute(filling: Filling, item: str, attribute: str) -> Text:
    """An attribute of whom each row is about: an organisation, else a person, else a house."""
    rows, scene = filling.rows, filling.scene
    known = scene.organisations.before
    column = constant(None, len(rows))
    if attribute in known:
        column = scene.organisations.attribute(attribute, rows.subject, rows.later)
    nobody = rows.subject < 0
    if nobody.any():
        if attribute == "party_kind":
            column = where(nobody, "自然人", column)
        elif attribute in scene.people.columns:
            column = where(nobody & (rows.person >= 0), take(scene.people.columns[attribute], rows.person), column)
        if attribute in scene.places.columns:
            alone = nobody & (rows.person < 0)
            column = where(alone, take(scene.places.columns[attribute], rows.place), column)
    if attribute not in known and attribute not in scene.people.columns and attribute not in scene.places.columns:
        valid = sorted({*known, *scene.people.columns, *scene.places.columns})
        raise DemoError(
            f"{filling.resource.resource}.{item}: 城市主体没有属性 '{attribute}'，可用：{'、'.join(valid)} / "
            "subjects of the city have no such attribute: use one of these"
        )
    return column


def _value(filling: Filling, name: str, value: Any) -> Text:
    count, random = len(filling.rows), filling.random
    if isinstance(value, (list, tuple)):
        words = [_plain_text(member) for member in value]
        return pick(words, random.integers(0, len(words), count))
    if not isinstance(value, dict):
        return constant(_plain_text(value), count)
    if "weighted" in value:
        weights = np.array(list(value["weighted"].values()), np.float64)
        chosen = random.choice(len(weights), count, p=weights / weights.sum())
        return pick([_plain_text(member) for member in value["weighted"]], chosen)
    if "optional" in value:
        return where(
            random.random(count) < float(value.get("share", 0.5)), _value(filling, name, value["optional"]), None
        )
    if "between" in value:
        low, high = value["between"]
        return _between(random, low, high, count)
    if "amount" in value:
        low, high = (np.log(float(bound)) for bound in value["amount"])
        return amounts(np.exp(random.uniform(low, high, count) + np.log(100)).astype(np.int64))
    if "days_before" in value or "days_after" in value:
        low, high = value.get("days_before") or value["days_after"]
        shift = random.integers(int(low), int(high) + 1, count)
        rows = filling.rows
        return iso_dates(rows.delivered - shift if "days_before" in value else rows.day + shift)
    if "text" in value:
        return _template(filling, str(value["text"]))
    if "of_person" in value:
        return _bystander(filling, name, str(value["of_person"]))
    if "of_subject" in value:
        return _attribute(filling, name, str(value["of_subject"]))
    raise DemoError(
        f"{filling.resource.resource}.{name}: demo.values 不认识 {sorted(value)} / is not understood; write a list or one of "
        "weighted, between, amount, days_before, days_after, text, of_subject, of_person, optional"
    )


def _bystander(filling: Filling, name: str, attribute: str) -> Text:
    people = filling.scene.people
    if attribute not in people.columns:
        raise DemoError(
            f"{filling.resource.resource}.{name}: 居民没有属性 '{attribute}' / residents have no such attribute: use one of "
            f"{sorted(people.columns)}"
        )
    random = stream(filling.scene.seed, "bystanders", filling.resource.resource, filling.scene.start)
    return take(people.columns[attribute], random.integers(0, len(people), len(filling.rows)))


def _plain_text(value: Any) -> str:
    return ("是" if value else "否") if isinstance(value, bool) else str(value)


def _between(random: np.random.Generator, low: Any, high: Any, count: int) -> Text:
    places = max(0, *(-int(Decimal(str(bound)).as_tuple().exponent) for bound in (low, high)))
    scale = 10**places
    drawn = random.integers(int(Decimal(str(low)) * scale), int(Decimal(str(high)) * scale) + 1, count)
    if places == 0:
        return plain(drawn)
    return join(plain(drawn // scale), ".", padded(drawn % scale, places))


def _template(filling: Filling, text: str) -> Text:
    numbers = filling.serial + np.arange(len(filling.rows), dtype=np.int64)
    year, month, day = parts_of_date(filling.rows.day)
    known: dict[str, Callable[[], Text | str]] = {
        "n": lambda: plain(numbers + 100_001),
        "year": lambda: plain(year),
        "month": lambda: padded(month, 2),
        "day": lambda: padded(day, 2),
        "city": lambda: filling.scene.geography.city,
    }
    pieces = _PIECE.split(text)
    unknown = sorted(set(pieces[1::2]) - set(known))
    if unknown:
        raise DemoError(
            f"{filling.resource.resource}: 文本中的 {unknown} 不认识 / is not known in a text: use {sorted(known)}"
        )
    parts = [known[piece]() if place % 2 else piece for place, piece in enumerate(pieces)]
    if all(isinstance(part, str) for part in parts):
        return constant("".join(str(part) for part in parts), len(numbers))
    return join(*parts)


def _by_element(filling: Filling, name: str, item: Item) -> Text:
    """A plausible value where nothing is said."""
    count, random = len(filling.rows), filling.random
    if item.codes:
        words = filling.codes(item)
        return pick(words, random.integers(0, len(words), count))
    if name in filling.resource.key:
        return _template(filling, f"{item.title.zh[:2]}{{year}}{{n}}")
    low = int(item.min) if item.min is not None else 1
    high = int(item.max) if item.max is not None else low + 99
    by_element: dict[str, Callable[[], Text]] = {
        "org-name": lambda: _attribute(filling, name, "name"),
        "person-name": lambda: _attribute(filling, name, "legal_rep"),
        "citizen-id": lambda: _attribute(filling, name, "legal_rep_id"),
        "mobile": lambda: _attribute(filling, name, "phone"),
        "telephone": lambda: _attribute(filling, name, "phone"),
        "industry": lambda: _attribute(filling, name, "industry"),
        "area": lambda: _attribute(filling, name, "area"),
        "address": lambda: _attribute(filling, name, "address"),
        "uscc": lambda: _attribute(filling, name, "uscc"),
        "date": lambda: iso_dates(filling.rows.day),
        "datetime": lambda: join(iso_dates(filling.rows.day), " 09:30:00"),
        "integer": lambda: plain(random.integers(low, high + 1, count)),
        "decimal": lambda: _between(random, f"{low}.00", f"{high}.00", count),
        "money": lambda: _between(random, f"{low}.00", f"{high}.00", count),
        "percent": lambda: plain(random.integers(0, 101, count)),
        "boolean": lambda: pick(["是", "否"], random.integers(0, 2, count)),
        "text": lambda: join(item.title.zh, plain(random.integers(1, 30, count))),
    }
    return by_element.get(item.element, lambda: constant(None, count))()
