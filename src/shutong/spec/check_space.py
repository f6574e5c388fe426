"""What must hold of a library's place in space: public, of no person, and told by attributes that fit."""

from __future__ import annotations

import pyarrow as pa

from shutong.spec.columns import element_of, item_type
from shutong.spec.findings import Findings
from shutong.spec.models import Library, Space


def check_space(library: Library, at: Findings) -> None:
    """Report what is wrong with the space block of a library, where it has one."""
    space = library.space
    if space is None:
        return
    if library.kind == "person" or not library.public:
        # Where a person lives is never drawn on a map.
        zh, en = "只有公开的组织库和地点库可以上图", "only public libraries of organisations and places are placed"
        at.add("space.kind", zh, en, "space", hint="删去 space / remove space")
    told = [name for name in ("point", "area", "at") if getattr(space, name) is not None]
    if len(told) > 1:
        zh, en = f"{'、'.join(told)} 只能写一个", f"write one of {', '.join(told)} only"
        at.add("space.twice", zh, en, "space", told[1])
    if library.kind == "organisation" and told != ["at"]:
        zh, en = "组织的位置是登记的住所", "an organisation stands at its registered address"
        at.add("space.at", zh, en, "space", hint="at: 角色 / at: role of a place")
    if library.kind == "place" and space.at is not None:
        at.add("space.at", "地点自己就有位置", "a place stands where it is", "space", "at", hint="删去 at / remove at")
    _attributes(library, space, at)
    if space.at is not None and not any(
        entry.kind == "place" and entry.role == space.at
        for resource in at.catalog.resources.values()
        if any(one.registry and one.kind == "organisation" for one in resource.about)
        for entry in resource.about
    ):
        zh, en = f"没有登记资源以角色 {space.at} 写出地点", f"no register names a place in the role {space.at}"
        at.add("space.role", zh, en, "space", "at", hint="about: [{kind: place, role: …}]")


def _attributes(library: Library, space: Space, at: Findings) -> None:
    for place, element in enumerate(("longitude", "latitude") if space.point else ()):
        name = (space.point or ())[place]
        if at.known(name, library.attributes, ("属性", "attribute"), "space", "point", place):
            _element(name, element, library, at, "point", place)
    if space.area is not None and at.known(space.area, library.attributes, ("属性", "attribute"), "space", "area"):
        _element(space.area, "area", library, at, "area")
    for key in ("since", "until"):
        day = getattr(space, key)
        if day is None or not at.known(day, library.attributes, ("属性", "attribute"), "space", key):
            continue
        if not pa.types.is_date(item_type(library.attributes[day])):
            at.add("space.date", f"{day} 不是日期", f"{day} is not a date", "space", key, hint="element: date")


def _element(name: str, element: str, library: Library, at: Findings, *location: str | int) -> None:
    if element_of(library.attributes[name]) != element:
        zh, en = f"{name} 的数据元应为 {element}", f"{name} must be of the element {element}"
        at.add("space.element", zh, en, "space", *location, hint=f"element: {element}")
