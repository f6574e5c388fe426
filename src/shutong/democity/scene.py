"""One block of the city: its houses, people and organisations, made together, and the rows that are drawn from it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from shutong.democity.geography import Geography, Places, make_places
from shutong.democity.names import KINDS
from shutong.democity.organisations import EVENTS, NEVER, Organisations, Window, make_organisations
from shutong.democity.people import People, make_people
from shutong.democity.text import Flags, Ints, stream
from shutong.spec.models import Demo, Resource, Subject

HISTORY_DAYS = 730
"""Days before the first delivery whose facts the first delivery brings."""
HISTORY_MONTHS = 8
"""Months before the last delivery for volumes per subject-month."""
NATURAL_SHARE = 0.06
"""Share of rows about natural persons where a resource has parties of both kinds."""

_VOLUME = re.compile(r"^\s*(\d+(?:\.\d+)?) per (subject|subject-year|subject-month|day|month)\s*$")


class DemoError(ValueError):
    """A ``demo:`` block asks for what the city cannot give; says which resource, which key and what to write."""


@dataclass(frozen=True)
class Volume:
    """How many rows: ``rate`` per ``per``."""

    rate: float
    per: str


@dataclass(frozen=True)
class Scene:
    """A block of the city with everything that rows are drawn from."""

    seed: int
    window: Window
    geography: Geography
    places: Places
    people: People
    organisations: Organisations

    @property
    def start(self) -> int:
        """Number of the first subject."""
        return self.organisations.start


@dataclass(frozen=True)
class Rows:
    """Rows of one resource: whom they are about (indexes within the block, -1 for nobody), when, and when delivered.

    ``day`` and ``delivered`` are days since 1970-01-01; ``later`` says that the subject's event lies before the row.
    """

    subject: Ints
    person: Ints
    place: Ints
    day: Ints
    delivered: Ints
    later: Flags

    def __len__(self) -> int:
        return len(self.subject)

    def chosen(self, index: Ints | Flags) -> Rows:
        """Some of the rows, in the order of ``index``."""
        return Rows(*(getattr(self, part)[index] for part in self.__dataclass_fields__))


def make_scene(geography: Geography, start: int, count: int, seed: int, window: Window) -> Scene:
    """The block with the subjects ``start`` to ``start + count``."""
    places = make_places(geography, start, max(count * 3 // 5, 1), seed)
    people = make_people(geography, places, start, count, seed)
    organisations = make_organisations(geography, places, people, start, count, seed, window)
    return Scene(seed, window, geography, places, people, organisations)


def volume_of(resource: Resource, demo: Demo) -> Volume:
    """The declared volume.

    Raises:
        DemoError: it is not written as the declaration language says.
    """
    found = _VOLUME.match(demo.volume)
    if not found:
        raise DemoError(
            f"{resource.resource}: demo.volume '{demo.volume}' 不能理解，请写成 '0.08 per subject-year'、'1 per subject'、"
            "'1 per subject-month'、'40 per day' 或 '30 per month' / is not readable: write one of these forms"
        )
    return Volume(float(found[1]), found[2])


def about_of(resource: Resource, kind: str) -> Subject | None:
    """The first entry of ``about`` of a kind."""
    return next((entry for entry in resource.about if entry.kind == kind), None)


def is_register(resource: Resource) -> bool:
    """Whether rows of the resource establish subjects."""
    return any(entry.registry for entry in resource.about)


def eligible(scene: Scene, demo: Demo) -> Ints:
    """Organisations of the kinds that the demo block names."""
    wanted = np.isin(np.arange(len(KINDS)), [KINDS.index(kind) for kind in demo.of])
    return np.flatnonzero(wanted[scene.organisations.kind])


def draw_rows(resource: Resource, demo: Demo, scene: Scene, share: float, lags: tuple[int, int]) -> Rows:
    """Rows by volume alone.

    Args:
        share: the block's share of the city, for volumes per day.
        lags: fewest and most days from the row's day to its delivery.
    """
    volume = volume_of(resource, demo)
    random = stream(scene.seed, "rows", resource.resource, scene.start)
    able = eligible(scene, demo)
    first, last = scene.window.first, scene.window.last
    if volume.per in {"day", "month"}:
        days = (last - first + 1) / (1 if volume.per == "day" else 30)
        count = _rounded(random, volume.rate * days * share)
        organisations = scene.organisations
        able = able[(organisations.established[able] < first) & (organisations.ended[able] > last)]
        subject = random.choice(able, count) if len(able) else np.full(count, -1)
        low = np.full(count, first - lags[1])
    elif volume.per == "subject":
        subject = _repeated(random, able, volume.rate)
        low = np.full(len(subject), first - HISTORY_DAYS)
    elif volume.per == "subject-month":
        return _monthly(random, able, volume.rate, scene, lags)
    else:
        count = _rounded(random, volume.rate * len(able) * (HISTORY_DAYS + last - first) / 365)
        subject = random.choice(able, count) if len(able) else np.zeros(0, np.int64)
        low = np.full(len(subject), first - HISTORY_DAYS)
    high = np.full(len(subject), last - lags[0])
    return place_in_time(random, resource, scene, subject, low, high, lags)


def place_in_time(
    random: np.random.Generator, resource: Resource, scene: Scene, subject: Ints, low: Ints, high: Ints,
    lags: tuple[int, int],
) -> Rows:  # fmt: skip
    """A day within the life of each subject and between ``low`` and ``high``, and the delivery some days later."""
    organisations = scene.organisations
    natural = _natural(random, resource, len(subject))
    subject = np.where(natural, -1, subject)
    there = subject >= 0
    low = np.where(there, np.maximum(low, organisations.established[subject]), low)
    high = np.where(there, np.minimum(high, organisations.ended[subject]), high)
    day = low + (random.random(len(subject)) * (high - low + 1)).astype(np.int64)
    delivered = np.maximum(day + random.integers(lags[0], lags[1] + 1, len(subject)), scene.window.first)
    overdue = np.maximum(delivered - scene.window.last, 0)
    day, delivered = day - overdue, delivered - overdue
    rows = complete(random, resource, scene, subject, day, delivered, natural)
    return rows.chosen((high >= low) & (day >= low))


def complete(
    random: np.random.Generator, resource: Resource, scene: Scene, subject: Ints, day: Ints, delivered: Ints,
    natural: Flags,
) -> Rows:  # fmt: skip
    """Add the persons and places that the rows name."""
    organisations = scene.organisations
    count = len(subject)
    there = subject >= 0
    # Departments learn of a change some days after it; for a third they never do and keep the old name.
    known = day > np.where(there, organisations.event_day[subject], NEVER)
    later = known & (random.random(count) < 0.67)
    person = np.where(natural, random.integers(0, len(scene.people), count), -1)
    place = np.full(count, -1, np.int64)
    if about_of(resource, "person") and not _parties_differ(resource):
        person = owner_of(scene, subject, later)
    if about_of(resource, "place"):
        place = place_of(scene, subject, later)
    return Rows(subject, person, place, day, delivered, later)


def owner_of(scene: Scene, subject: Ints, later: Flags) -> Ints:
    """The person who represents each organisation, before or after its event."""
    organisations = scene.organisations
    replaced = later & (organisations.event[subject] == EVENTS.index("representative"))
    owner = organisations.planted.owner[subject]
    return np.where(subject >= 0, np.where(replaced, (owner + 7) % len(scene.people), owner), -1)


def place_of(scene: Scene, subject: Ints, later: Flags) -> Ints:
    """The house of each organisation, before or after its event."""
    organisations = scene.organisations
    place = np.where(later, organisations.place_after[subject], organisations.planted.place[subject])
    return np.where(subject >= 0, place, -1)


def _parties_differ(resource: Resource) -> bool:
    person = about_of(resource, "person")
    return person is not None and (person.only_if is not None or about_of(resource, "organisation") is None)


def _natural(random: np.random.Generator, resource: Resource, count: int) -> Flags:
    if not _parties_differ(resource):
        return np.zeros(count, np.bool_)
    if about_of(resource, "organisation") is None:
        return np.ones(count, np.bool_)
    return random.random(count) < NATURAL_SHARE


def _monthly(random: np.random.Generator, able: Ints, rate: float, scene: Scene, lags: tuple[int, int]) -> Rows:
    """One row a month, about the tenth of each of the last months, for a share ``rate`` of the subjects."""
    payers = able[random.random(len(able)) < rate]
    last = np.datetime64(scene.window.last - lags[1], "D")
    months = (last.astype("datetime64[M]") - np.arange(HISTORY_MONTHS)).astype("datetime64[D]").astype(np.int64)
    subject = np.repeat(payers, HISTORY_MONTHS)
    day = np.tile(months, len(payers)) + random.integers(4, 15, len(subject))
    delivered = np.maximum(day + random.integers(lags[0], lags[1] + 1, len(subject)), scene.window.first)
    organisations = scene.organisations
    alive = (organisations.established[subject] < day) & (day < organisations.ended[subject])
    later = (day > organisations.event_day[subject]) & (random.random(len(subject)) < 0.67)
    nobody = np.full(len(subject), -1, np.int64)
    rows = Rows(subject, nobody, nobody, day, delivered, later)
    return rows.chosen(alive & (delivered <= scene.window.last))


def _rounded(random: np.random.Generator, wanted: float) -> int:
    return int(wanted) + int(random.random() < wanted - int(wanted))


def _repeated(random: np.random.Generator, able: Ints, rate: float) -> Ints:
    """Each subject floor(rate) times, and one more time for the rest's share."""
    times = np.full(len(able), int(rate)) + (random.random(len(able)) < rate - int(rate))
    return np.repeat(able, times)
