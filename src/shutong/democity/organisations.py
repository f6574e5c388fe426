"""The organisations of one block of the city and what happens to them: founded, renamed, moved, merged, cancelled.

Every organisation has two states, before and after its event within the days of the city; most have no event and one
state. Rows of any resource are filled from the state that holds on their day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from shutong.democity.geography import Geography, Places
from shutong.democity.names import (
    KIND_SHARES,
    KINDS,
    NameParts,
    Names,
    draw_names,
    industries,
    renamed,
    social_kinds,
    spell,
)
from shutong.democity.people import PERSON_BITS, People
from shutong.democity.plants import Planted, plant, several_owners
from shutong.democity.text import (
    Flags,
    Ints,
    Text,
    constant,
    digits,
    fixed,
    iso_dates,
    join,
    matrix_of,
    padded,
    permute,
    pick,
    plain,
    stream,
    take,
    where,
)
from shutong.democity.words import LOCAL_PREFIX
from shutong.standards.code_digits import check_digits_org_code, check_digits_registration_no, check_digits_uscc
from shutong.standards.code_rules import USCC_ALPHABET

NEVER = 1 << 30
"""A day that does not come."""
ONE_CODE = int(np.datetime64("2015-10-01").astype(np.int64))
"""The day the unified code replaced the older numbers (三证合一); later founders never had a 15-digit taxpayer number."""
EVENTS = ("none", "founded", "renamed", "moved", "representative", "cancelled", "merged")
EVENT_SHARES = (0.956, 0.012, 0.010, 0.008, 0.006, 0.007, 0.001)
FORMS = (
    ("91", "企业"), ("92", "个体工商户"), ("93", "农民专业合作社"), ("12", "事业单位"), ("59", "社会组织"),
    ("51", "社会团体"), ("52", "民办非企业单位"), ("53", "基金会"),
)  # fmt: skip
"""First two characters of the unified code and the kind they stand for, by kind; social organisations by what they are."""
CODE_BITS = 26
MODERN_BITS = 29


@dataclass(frozen=True)
class Window:
    """The days of the city, as days since 1970-01-01: deliveries from ``first`` to ``last``."""

    first: int
    last: int

    @property
    def year(self) -> int:
        """The year of the last day."""
        return int(np.datetime64(self.last, "D").astype("datetime64[Y]").astype(np.int64)) + 1970


@dataclass(frozen=True)
class Organisations:
    """One block: row i is the subject with number ``start + i``."""

    start: int
    kind: Ints
    established: Ints
    ended: Ints
    event: Ints
    event_day: Ints
    place_after: Ints
    planted: Planted
    merged_into: Ints
    before: dict[str, Text]
    after: dict[str, Text]
    names: tuple[Names, Names]
    formers: tuple[Names, Names]

    def __len__(self) -> int:
        return len(self.kind)

    def named(self, rows: Ints, later: Flags) -> Names:
        """The names of the given rows in their pieces, before or (where ``later``) after the event."""
        return self.names[0].chosen(rows).changed(later, self.names[1].chosen(rows))

    def formerly(self, rows: Ints, later: Flags) -> Names:
        """The names that the given rows had before, in their pieces."""
        return self.formers[0].chosen(rows).changed(later, self.formers[1].chosen(rows))

    def attribute(self, name: str, rows: Ints, later: Flags) -> Text:
        """An attribute of the given rows, in the state before or (where ``later``) after the event.

        Raises:
            KeyError: organisations have no such attribute.
        """
        first = take(self.before[name], rows)
        if name not in self.after:
            return first
        return where(later, take(self.after[name], rows), first)


def make_organisations(
    geography: Geography, places: Places, people: People, start: int, count: int, seed: int, window: Window
) -> Organisations:
    """The organisations with numbers ``start`` to ``start + count``."""
    random = stream(seed, "organisations", start)
    numbers = np.arange(start, start + count, dtype=np.int64)
    kind = random.choice(len(KINDS), count, p=KIND_SHARES)
    place = random.integers(0, len(places), count)
    event, event_day, established, ended = _lives(random, kind, window)
    names = draw_names(random, numbers, kind, places.county[place], seed)
    owner = several_owners(random, count, len(people))
    planted = plant(stream(seed, "plants", start), names, place, places, owner, event == 0)
    names, place = planted.names, planted.place
    place_after = np.where(event == EVENTS.index("moved"), random.integers(0, len(places), count), place)
    former = _formers(random, names, numbers, seed, geography, (event == 0) & (planted.head < 0))
    name = _branch_names(spell(names, geography), planted.head, geography, places.county[place])
    form = np.where(kind == KINDS.index("social"), len(KINDS) + social_kinds(names), kind)
    before = _codes(numbers, kind, form, established, take(places.columns["area"], place), seed)
    before |= _details(random, kind, form, established, geography)
    merged_into = _merge_targets(random, kind, event)
    before |= {
        "name": name.text(),
        "former_name": former.text(),
        "industry": industries(names),
        "established_on": iso_dates(established),
        "ended_on": where(ended < window.first, iso_dates(np.minimum(ended, window.last)), None),
        "status": where(ended < window.first, "注销", "存续"),
        "head_uscc": take(before["uscc"], planted.head),
        "merged_into": constant(None, count),
        **_at(place, places, random, planted.office),
        **_representatives(planted.owner, people),
    }
    before["phone"] = _agency_phones(before["phone"], planted.agency, start, seed)
    after = _after(random, before, event, ended, place_after, places, merged_into, planted.owner, people)
    changed = event == EVENTS.index("renamed")
    name_after = name.changed(changed, spell(renamed(names, numbers, seed), geography))
    former_after = former.changed(changed, name)
    after["name"], after["former_name"] = name_after.text(), former_after.text()
    return Organisations(
        start, kind, established, ended, event, event_day, place_after, planted, merged_into, before, after,
        (name, name_after), (former, former_after),
    )  # fmt: skip


def _lives(random: np.random.Generator, kind: Ints, window: Window) -> tuple[Ints, Ints, Ints, Ints]:
    count = len(kind)
    event = random.choice(len(EVENTS), count, p=EVENT_SHARES)
    public = kind >= 3
    event = np.where(public & (event == EVENTS.index("merged")), 0, event)
    event = np.where((kind != 0) & (event == EVENTS.index("merged")), EVENTS.index("cancelled"), event)
    span = max(window.last - window.first - 1, 1)
    event_day = np.where(event > 0, window.first + 1 + random.integers(0, span, count), NEVER)
    age = np.clip(random.exponential(2300, count), 40, 11_000).astype(np.int64)
    established = np.where(event == EVENTS.index("founded"), event_day, window.first - age)
    gone = (event == 0) & (random.random(count) < 0.03) & (age > 400)
    ended = np.where(gone, window.first - random.integers(5, 360, count), NEVER)
    closing = (event == EVENTS.index("cancelled")) | (event == EVENTS.index("merged"))
    return event, event_day, established, np.where(closing, event_day, ended)


def _formers(
    random: np.random.Generator, names: NameParts, numbers: Ints, seed: int, geography: Geography, able: Flags
) -> Names:
    """Former names as of the first day: four in a hundred were renamed in earlier years."""
    once = able & (random.random(len(numbers)) < 0.04) & (names.kind != 1)
    return spell(renamed(names, numbers, seed), geography).changed(~once, None)


def _branch_names(names: Names, head: Ints, geography: Geography, county: Ints) -> Names:
    """A branch has the name of its head office, the county and 分公司."""
    branch = head >= 0
    named = names.changed(branch, names.chosen(np.maximum(head, 0)))
    place = where(branch, join(geography.short_county(county), "分公司"), "")
    return replace(named, branch=place)


def _merge_targets(random: np.random.Generator, kind: Ints, event: Ints) -> Ints:
    able = np.flatnonzero((kind == 0) & (event == 0))
    target = np.full(len(kind), -1, np.int64)
    merging = np.flatnonzero(event == EVENTS.index("merged"))
    if len(able):
        target[merging] = random.choice(able, len(merging))
    return target


def _codes(numbers: Ints, kind: Ints, form: Ints, established: Ints, area: Text, seed: int) -> dict[str, Text]:
    old = established < ONE_CODE
    early = digits(permute(numbers, CODE_BITS, seed, "org"), 8)
    alphabet = np.frombuffer(USCC_ALPHABET.encode(), np.uint8)
    spot = permute(numbers, MODERN_BITS, seed, "modern")
    modern = np.empty_like(early)
    modern[:, 0], modern[:, 1] = ord("M"), ord("A")
    for place in range(6):
        modern[:, 2 + place] = alphabet[(spot // 31**place) % 31]
    body = np.where(old[:, None], early, modern).astype(np.uint8)
    org = np.column_stack([body, check_digits_org_code(body)])
    # An organisation code whose check is X stands in unified codes as it is: X is in both alphabets.
    area_bytes = matrix_of(area, 6)
    heads = np.array([list(head.encode()) for head, _ in FORMS], np.uint8)[form]
    prefix = np.column_stack([heads, area_bytes, org])
    uscc = fixed(np.column_stack([prefix, check_digits_uscc(prefix)]))
    sequence = numbers % 10_000_000 + np.where(kind == 1, 60_000_000, 0)
    number = np.column_stack([area_bytes, digits(sequence, 8)])
    registration = fixed(np.column_stack([number, check_digits_registration_no(number)]))
    public = kind >= 3
    certificate = join(pick(["事证第", "社证字第"], (kind == 4).astype(np.int64)), "1", area, padded(numbers, 7), "号")
    return {
        "uscc": uscc,
        "org_code": fixed(org),
        "registration_no": where(public, None, registration),
        "taxpayer_no": where(old & (kind != 1) & ~public, fixed(np.column_stack([area_bytes, org])), None),
        "certificate_no": where(public, certificate, None),
        "institution_no": where(kind == 3, certificate, None),
        "social_no": where(kind == 4, certificate, None),
    }


def _details(
    random: np.random.Generator, kind: Ints, form: Ints, established: Ints, geography: Geography
) -> dict[str, Text]:
    count = len(kind)
    scale = np.array([6.2, 4.2, 5.5, 6.0, 4.8])[kind]
    capital = (10 ** random.normal(scale, 0.5, count)).astype(np.int64) // 1000 * 1000 + 1000
    employees = np.clip((10 ** random.normal(np.where(kind == 1, 0.3, 1.0), 0.4, count)).astype(np.int64), 1, 5000)
    offices = np.array(["市场监督管理局", "市场监督管理局", "市场监督管理局", "机构编制委员会办公室", "民政局"])
    licence_day = established + random.integers(0, 5, count)
    return {
        "kind": pick([name for _, name in FORMS], form),
        "party_kind": pick(["法人及非法人组织", "个体工商户"], (kind == 1).astype(np.int64)),
        "capital": plain(capital),
        "employees": plain(employees),
        "authority": join(geography.city, pick([str(office) for office in offices], kind)),
        "licensed_on": iso_dates(licence_day),
    }


def _at(place: Ints, places: Places, random: np.random.Generator, office: Ints | None = None) -> dict[str, Text]:
    """Where each one is; those of one ``office`` are in the same room."""
    count = len(place)
    shared = np.full(count, False) if office is None else office >= 0
    building, number = random.integers(1, 12, count), random.integers(101, 2400, count)
    if office is not None:
        building, number = np.where(shared, 1, building), np.where(shared, 101 + office * 101, number)
    room = join(plain(building), "栋", plain(number), "室")
    house = take(places.columns["address"], place)
    return {
        "area": take(places.columns["area"], place),
        "town": take(places.columns["town"], place),
        "address": where((random.random(count) < 0.6) | shared, join(house, room), house),
    }


def _agency_phones(phone: Text, agency: Ints, start: int, seed: int) -> Text:
    """Clients of a book-keeping agency give its telephone; no person has it."""
    numbers = (1 << PERSON_BITS - 1) + start + np.maximum(agency, 0)
    return where(agency >= 0, join(LOCAL_PREFIX, padded(permute(numbers, PERSON_BITS, seed, "phone"), 8)), phone)


def _representatives(owner: Ints, people: People) -> dict[str, Text]:
    return {
        "legal_rep": take(people.columns["name"], owner),
        "legal_rep_id": take(people.columns["citizen_id"], owner),
        "legal_rep_id_kind": constant("居民身份证", len(owner)),
        "phone": take(people.columns["phone"], owner),
    }


def _after(
    random: np.random.Generator, before: dict[str, Text], event: Ints, ended: Ints, place_after: Ints, places: Places,
    merged_into: Ints, owner: Ints, people: People,
) -> dict[str, Text]:  # fmt: skip
    """What the event changed; attributes that no event touches are missing here."""
    after: dict[str, Text] = {}
    moved = event == EVENTS.index("moved")
    for key, column in _at(place_after, places, random).items():
        after[key] = where(moved, column, before[key])
    other = event == EVENTS.index("representative")
    for key, column in _representatives((owner + 7) % len(people), people).items():
        after[key] = where(other, column, before[key])
    closed = (event == EVENTS.index("cancelled")) | (event == EVENTS.index("merged"))
    after["status"] = where(closed, "注销", before["status"])
    after["ended_on"] = where(closed, iso_dates(np.where(closed, ended, 0)), before["ended_on"])
    after["merged_into"] = take(before["uscc"], merged_into)
    return after


def as_dates(days: Ints) -> pa.Array[Any]:
    """Days as a date column; a day that does not come is empty."""
    return pa.array(np.where(days == NEVER, 0, days).astype(np.int32), pa.date32(), mask=days == NEVER)
