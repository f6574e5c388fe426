"""Which rows can be identified at all: by what they hold, a careful clerk who sees all registers names their subject.

A row is identifiable when it is good, its subject stands in a register by a good row, and

- it holds the unified code or an older number, or
- it holds the unified code with a slip (no two codes of the city are one slip apart), and the registers give the
  subject the row's name or its area, or
- its name leads to one subject. The clerk looks for names, present and former, among those whom the registers place in
  the row's area (everywhere, where it is the city's or there is none), each time only as far as nobody was found:
  (1) the same name but for signs, blanks and traditional characters; (2) the same but for the area in front; (3) the
  same but for the way to write the legal form; (4) where most of the name is left out: the same brand and a trade that
  begins so, no branches; else: brand and trade with one character other, more or less, and the same branch.
  Where several subjects are found, the legal representative, the telephone and the address of the row decide, if
  the registers give one of the subjects more of them than any other one.

It is not identifiable when this leads to nobody, to several, or to another subject. A person is found by the citizen
number only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shutong.democity.book import KEPT, Book, NameKeys, keys_of
from shutong.democity.hashes import Hashes, hash_texts
from shutong.democity.scene import Scene, about_of
from shutong.democity.soiled import Soiled
from shutong.democity.text import Flags, Ints, constant, filled, take
from shutong.spec.models import Resource


@dataclass
class Known:
    """Who of a block stands in a register by a good row."""

    organisations: Flags
    people: Flags
    places: Flags
    by_register: dict[str, Flags]

    @staticmethod
    def nobody(scene: Scene) -> Known:
        """Before any register was read."""
        organisations, people, places = (
            np.zeros(len(part), np.bool_) for part in (scene.organisations, scene.people, scene.places)
        )
        return Known(organisations, people, places, {})

    def learn(self, resource: Resource, soiled: Soiled) -> None:
        """Take in the good rows of a register; other resources teach nothing."""
        good = soiled.good()
        rows = soiled.rows
        for entry in resource.about:
            if entry.registry:
                known, index = {
                    "organisation": (self.organisations, rows.subject),
                    "person": (self.people, rows.person),
                    "place": (self.places, rows.place),
                }[entry.kind]
                named = index[good & (index >= 0)]
                known[named] = True
                if entry.kind == "organisation":
                    own = self.by_register.setdefault(resource.resource, np.zeros(len(known), np.bool_))
                    own[named] = True


def identifiable(resource: Resource, soiled: Soiled, scene: Scene, known: Known, book: Book | None) -> Flags:
    """Per row, whether its principal subject can be found from what the row holds; the module says when.

    Args:
        book: all registers of the city; None while they are being written, for the rows of registers.
    """
    good = soiled.good()
    if any(entry.registry for entry in resource.about):
        return good
    rows, evidence = soiled.rows, soiled.evidence
    registered = known.organisations[np.maximum(rows.subject, 0)] & (rows.subject >= 0)
    person = known.people[np.maximum(rows.person, 0)] & (rows.person >= 0)
    found = registered & ((evidence == "uscc") | (evidence == "old-number"))
    found |= person & (evidence == "citizen-id")
    if book is not None:
        by_name = np.isin(evidence.astype(str), ("name-area", "name-variant", "bad-code"))
        asked = np.flatnonzero(registered & by_name & good)
        question = _question(resource, soiled, scene, asked)
        slipped = (evidence[asked] == "bad-code") & _agrees(question, book)
        found[asked] = slipped | singled_out(question, book)
    return np.asarray(found & good, np.bool_)


@dataclass(frozen=True)
class Question:
    """What rows hold of their subjects beside codes; ``number`` is the true subject, ``wide`` rows look everywhere."""

    number: Ints
    keys: NameKeys
    short: Flags
    wide: Flags
    values: dict[str, tuple[Hashes, Flags]]

    def __len__(self) -> int:
        return len(self.number)


def _question(resource: Resource, soiled: Soiled, scene: Scene, asked: Ints) -> Question:
    rows = soiled.rows.chosen(asked)
    names = scene.organisations.named(rows.subject, rows.later)
    short = np.zeros(len(soiled.rows), np.bool_)
    if soiled.varied is not None:
        place = np.full(len(soiled.rows), -1, np.int64)
        place[soiled.varied.rows] = np.arange(len(soiled.varied.rows))
        names = names.changed(place[asked] >= 0, soiled.varied.names.chosen(place[asked]))
        short[soiled.varied.rows] = soiled.varied.short
    values: dict[str, tuple[Hashes, Flags]] = {}
    wide = np.ones(len(asked), np.bool_)
    about = about_of(resource, "organisation")
    for kind in KEPT:
        item = getattr(about, kind, None)
        if item is not None:
            cells = take(soiled.cells[item], asked)
            values[kind] = hash_texts(cells), filled(cells)
            if kind == "area":
                wide = ~filled(cells) | (values[kind][0] == hash_texts(constant(scene.geography.city_code, 1)))
    return Question(rows.subject + scene.start, keys_of(names), short[asked], wide, values)


def _agrees(question: Question, book: Book) -> Flags:
    """Whether the registers give the true subject the row's name or area."""
    agrees = book.holds(None, question.number, question.keys.whole)
    if "area" in question.values:
        agrees |= book.holds("area", question.number, question.values["area"][0])
    return agrees


def singled_out(question: Question, book: Book) -> Flags:
    """Whether name, area and contacts lead to the true subject and to no other."""
    found = np.zeros(len(question), np.bool_)
    left = np.arange(len(question))
    for step in ("whole", "bare", "core", "rest"):
        keys = question.keys.chosen(left)
        if step == "rest":
            begun, near = book.begins(keys), book.near(keys)
            row, number = (np.concatenate(pair) for pair in zip(begun, near, strict=True))
            of_begun = np.arange(len(row)) < len(begun[0])
            kept = question.short[left][row] == of_begun
            row, number = row[kept], number[kept]
        else:
            row, number = book.same(keys, step)
        row = left[row]
        row, number = _in_area(question, book, row, number)
        found |= _one_is_right(question, book, row, number)
        left = np.setdiff1d(left, row)
    return found


def _in_area(question: Question, book: Book, row: Ints, number: Ints) -> tuple[Ints, Ints]:
    """Each pair of row and subject once, of subjects whom a register places in the row's area."""
    once = np.unique(row << 32 | number)
    row, number = once >> 32, once & 0xFFFFFFFF
    if "area" not in question.values:
        return row, number
    here = question.wide[row] | book.holds("area", number, question.values["area"][0][row])
    return row[here], number[here]


def _one_is_right(question: Question, book: Book, row: Ints, number: Ints) -> Flags:
    """Rows whose only candidate, or only candidate with the most contacts, is the true subject."""
    agreeing = np.zeros(len(row), np.int64)
    for kind in KEPT[1:]:
        if kind in question.values:
            values, there = question.values[kind]
            agreeing += there[row] & book.holds(kind, number, values[row])
    most = np.zeros(len(question), np.int64)
    np.maximum.at(most, row, agreeing)
    best = agreeing == most[row]
    alone = np.bincount(row[best], minlength=len(question)) == 1
    right = np.zeros(len(question), np.bool_)
    right[row[best & (number == question.number[row])]] = True
    return np.asarray(alone & right, np.bool_)
