"""What the platform's own ledger says of each department: systems, resources that are in and in time, what its base-library
items hold, and what it collects although another department supplies it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shutong.spec.catalog import Catalog
from shutong.spec.models import Attribute, Resource, Subject

DAYS_OF_CYCLE = {"realtime": 2, "daily": 4, "weekly": 9, "monthly": 40, "quarterly": 110, "yearly": 400}
"""Days after which a resource of a cycle counts as late: the cycle and the holidays that may fall into it."""

MOSTLY = 0.5
"""From this share on of the subjects whose value another department supplies too, an item is collected again."""

Freshness = Literal["fresh", "late", "never", "any"]


def freshness_of(cycle: str, latest: dt.date | None, today: dt.date) -> Freshness:
    """How a resource stands against its cycle on a day.

    ``fresh``, ``late``, ``never`` (nothing came yet), or ``any`` (it has no cycle).
    """
    if latest is None:
        return "never"
    days = DAYS_OF_CYCLE.get(cycle)
    if days is None:
        return "any"
    return "late" if (today - latest).days > days else "fresh"


@dataclass(frozen=True)
class Shared:
    """Of the subjects of whom ``resource`` says an attribute, so many have it from ``authority`` with more weight."""

    library: str
    attribute: str
    authority: str
    resource: str
    subjects: int
    in_both: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.in_both / self.subjects if self.subjects else 0.0


@dataclass(frozen=True)
class DepartmentFigures:
    """One department's line; shares are of a hundred, and None where there is nothing to have a share of."""

    department: str
    systems: int
    resources: int
    integrated: int
    due: int
    on_time: int
    base_items: int
    base_filled: int
    repeated: tuple[Shared, ...]

    @property
    def integrated_share(self) -> float | None:
        """Resources of which something is in."""
        return _share(self.integrated, self.resources)

    @property
    def on_time_share(self) -> float | None:
        """Of the resources with a cycle, those that came within it."""
        return _share(self.on_time, self.due)

    @property
    def base_share(self) -> float | None:
        """Of the items that base libraries are declared to take from the department, those that hold values."""
        return _share(self.base_filled, self.base_items)


def _share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def department_figures(
    catalog: Catalog,
    latest: Mapping[str, dt.date],
    filled: Iterable[tuple[str, str, str]],
    shared: Sequence[Shared],
    today: dt.date,
) -> list[DepartmentFigures]:
    """Every department that provides resources, in the order of the catalog.

    Args:
        latest: per resource of which something is in, the day on which it came last.
        filled: library, attribute and resource of which the base libraries hold values.
        shared: attributes that more than one resource says of a subject.
        today: the business day.
    """
    held = set(filled)
    again = list(repeated_collection(catalog, shared))
    found = []
    for name in catalog.departments:
        own = [one for one in catalog.resources.values() if one.department == name]
        if not own:
            continue
        states = [freshness_of(one.cycle, latest.get(one.resource), today) for one in own]
        items = [(library, attribute, resource) for library, attribute, resource, _ in base_items(catalog, own)]
        found.append(
            DepartmentFigures(
                department=name,
                systems=len({one.system for one in own if one.system}),
                resources=len(own),
                integrated=sum(state != "never" for state in states),
                due=sum(one.cycle in DAYS_OF_CYCLE for one in own),
                on_time=states.count("fresh"),
                base_items=len(items),
                base_filled=sum(one in held for one in items),
                repeated=tuple(one for one in again if catalog.resources[one.resource].department == name),
            )
        )
    return found


def base_items(catalog: Catalog, resources: Iterable[Resource]) -> Iterator[tuple[str, str, str, str]]:
    """Library, attribute, resource and item of everything that base libraries are declared to take from ``resources``."""
    names = {one.resource for one in resources}
    for library in catalog.libraries.values():
        if library.class_ != "base":
            continue
        for attribute, declared in library.attributes.items():
            for source in declared.sources:
                resource, _, item = source.partition(".")
                if resource in names:
                    yield library.library, attribute, resource, item


def repeated_collection(catalog: Catalog, shared: Iterable[Shared]) -> Iterator[Shared]:
    """What a department collects although another department supplies it for the same subjects.

    What says whom a row is about is no repetition, nor is what a library declares to be compared (多元校核). One datum, one
    source: 国发〔2016〕51号, 政务数据共享条例.
    """
    for one in shared:
        library, resource = catalog.libraries.get(one.library), catalog.resources.get(one.resource)
        authority = catalog.resources.get(one.authority)
        if library is None or resource is None or authority is None or resource.department == authority.department:
            continue
        declared = library.attributes.get(one.attribute)
        if declared is None or declared.verify or one.share < MOSTLY:
            continue
        if _item(declared, one.resource) not in _identifying(resource.about):
            yield one


def _item(attribute: Attribute, resource: str) -> str:
    return next((each.partition(".")[2] for each in attribute.sources if each.startswith(f"{resource}.")), "")


def _identifying(about: Iterable[Subject]) -> set[str]:
    """Items that say whom a row is about."""
    fixed = {"kind", "role", "registry", "only_if"}
    return {value for one in about for name, value in one.model_dump(exclude_none=True).items() if name not in fixed}
