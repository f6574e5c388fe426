"""All registers of the city as a careful clerk sees them: who has which names, areas and contacts.

Filled block by block while the registers are written, then bound for looking up. A million subjects take about 400 MB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shutong.democity.hashes import Hashes, combine, hash_texts, shorten
from shutong.democity.names import Names
from shutong.democity.scene import Rows, Scene
from shutong.democity.text import Flags, Ints, Text, equal, filled, join, joined, take, where
from shutong.spec.models import Resource

KEPT = ("area", "legal_rep", "phone", "address")
"""What a register tells of a subject beside its codes and names."""
_NAME = len(KEPT)
_SHORTER = {
    "有限公司": "公司", "有限责任公司": "公司", "股份有限公司": "公司", "股份公司": "公司", "集团有限公司": "集团公司",
    "专业合作社": "合作社",
}  # fmt: skip

Pairs = tuple[Ints, Ints]
"""Rows of a question and, beside each, one answer to it."""


@dataclass(frozen=True)
class NameKeys:
    """Hashes under which names meet, from strict to loose, one row per name.

    ``whole`` is everything but signs; ``bare`` leaves out the area; ``core`` takes every way to write a legal form for
    the same; ``brand`` is the brand alone; ``branch`` the branch, which all that are no branch share; ``body`` is brand
    and trade as text.
    """

    whole: Hashes
    bare: Hashes
    core: Hashes
    brand: Hashes
    branch: Hashes
    body: Text

    def chosen(self, rows: Ints) -> NameKeys:
        """Some of the names."""
        return NameKeys(**{key: getattr(self, key)[rows] for key in HASHED}, body=take(self.body, rows))


HASHED = ("whole", "bare", "core", "brand", "branch")


def keys_of(names: Names) -> NameKeys:
    """The keys of names in pieces."""
    body = names.body()
    bare, branch, form = hash_texts(body), hash_texts(names.branch), hash_texts(names.form)
    shorter = names.form
    for long, short in _SHORTER.items():
        shorter = where(equal(names.form, long), short, shorter)
    whole = join(names.head, names.brand, pc.replace_substring_regex(names.middle, "[（）]", ""), names.trade)
    return NameKeys(
        combine(hash_texts(whole), form, branch),
        combine(bare, form, branch),
        combine(bare, hash_texts(shorter), branch),
        hash_texts(names.brand),
        branch,
        body,
    )


def held_hash(kind: str | None, number: Ints, values: Hashes) -> Hashes:
    """The hash under which the book remembers that a subject has a value; ``kind`` is None for a whole name."""
    return combine(_NAME if kind is None else KEPT.index(kind), number.astype(np.uint64), values)


class OpenBook:
    """Takes in the good rows of registers; :meth:`bind` makes it ready for looking up."""

    def __init__(self) -> None:
        self._block: list[tuple[Ints, NameKeys]] = []
        self._names: list[tuple[Ints, NameKeys]] = []
        self._told: list[Hashes] = []
        self._held: list[Hashes] = []

    def learn(self, resource: Resource, rows: Rows, scene: Scene) -> None:
        """Take in rows of a register that a platform must accept."""
        rows = rows.chosen(rows.subject >= 0)
        number, organisations = rows.subject + scene.start, scene.organisations
        for entry in resource.about:
            if not entry.registry or entry.kind != "organisation":
                continue
            for item, names in ((entry.name, organisations.named), (entry.former_name, organisations.formerly)):
                if item is not None:
                    spelled = names(rows.subject, rows.later)
                    there = np.flatnonzero(filled(spelled.brand))
                    keys = keys_of(spelled.chosen(there))
                    self._block.append((number[there], keys))
                    self._told.append(held_hash(None, number[there], keys.whole))
            for kind in KEPT:
                if getattr(entry, kind) is not None:
                    values = organisations.attribute(kind, rows.subject, rows.later)
                    there = np.flatnonzero(filled(values))
                    self._told.append(held_hash(kind, number[there], hash_texts(take(values, there))))

    def end_block(self) -> None:
        """Keep once what several registers say of a subject; no later block speaks of it."""
        if self._block:
            number, keys = _joined(self._block)
            _, first = np.unique(combine(number.astype(np.uint64), keys.whole), return_index=True)
            self._names.append((number[first], keys.chosen(first)))
            self._held.append(np.unique(np.concatenate(self._told)))
        self._block, self._told = [], []

    def bind(self) -> Book:
        """The book for looking up; afterwards nothing is taken in any more."""
        self.end_block()
        number, keys = _joined(self._names) if self._names else (np.zeros(0, np.int64), keys_of(_NOBODY))
        held = np.sort(np.concatenate([*self._held, np.zeros(0, np.uint64)]))
        self._names, self._held = [], []
        return Book(number, keys, held)


_NOBODY = Names(*(pa.array([], pa.string()) for _ in range(6)))


def _joined(parts: list[tuple[Ints, NameKeys]]) -> tuple[Ints, NameKeys]:
    number = np.concatenate([number for number, _ in parts])
    hashes = {key: np.concatenate([getattr(keys, key) for _, keys in parts]) for key in HASHED}
    body = joined(keys.body for _, keys in parts)
    return number, NameKeys(**hashes, body=body)


class Book:
    """Who is registered under which name, and what else the registers say of everybody.

    Every look-up gives pairs: a row of the question and the number of a subject; a pair may come several times.
    """

    def __init__(self, number: Ints, keys: NameKeys, held: Hashes) -> None:
        self._number = number.astype(np.int32)
        self._branch, self._body = keys.branch, keys.body
        self._length = np.asarray(pc.utf8_length(keys.body)).astype(np.int8)
        self._by = {key: _index(getattr(keys, key)) for key in HASHED[:4]}
        short = shorten(keys.body)
        order = np.argsort(short.hash, kind="stable").astype(np.int32)
        self._short = _Index(short.hash[order], short.row[order])
        self._place = short.place[order]
        self._held = held

    def holds(self, kind: str | None, number: Ints, values: Hashes) -> Flags:
        """Whether the registers say that each subject has the value; ``kind`` as in :func:`held_hash`."""
        wanted = held_hash(kind, number, values)
        if not len(self._held):
            return np.zeros(len(wanted), np.bool_)
        place = np.minimum(np.searchsorted(self._held, wanted), len(self._held) - 1)
        return np.asarray(self._held[place] == wanted)

    def same(self, keys: NameKeys, key: str) -> Pairs:
        """Subjects with a name that has the same ``whole``, ``bare`` or ``core`` key."""
        row, at = self._by[key].find(getattr(keys, key))
        return row, self._number[self._by[key].entry[at]].astype(np.int64)

    def begins(self, keys: NameKeys) -> Pairs:
        """Subjects, no branches, with the brand and a trade that begins as the name does."""
        row, at = self._by["brand"].find(keys.brand)
        entry = self._by["brand"].entry[at].astype(np.int64)
        said, registered = take(keys.body, row), take(self._body, entry)
        length = np.asarray(pc.utf8_length(said))
        fits = np.zeros(len(row), np.bool_)
        for some in np.unique(length).tolist():
            fits |= (length == some) & equal(pc.utf8_slice_codeunits(registered, 0, some), said)
        fits &= self._branch[entry] == keys.branch[row]
        return row[fits], self._number[entry[fits]].astype(np.int64)

    def near(self, keys: NameKeys) -> Pairs:
        """Subjects whose brand and trade differ in one character at most (another, one more, one less), same branch."""
        short = shorten(keys.body)
        at, found = self._short.find(short.hash)
        row, place, entry = short.row[at], short.place[at], self._short.entry[found]
        other = self._place[found]
        more = np.asarray(pc.utf8_length(keys.body))[row] - self._length[entry]
        fits = (more == 0) & (place == other) | (more == 1) & (other < 0) | (more == -1) & (place < 0)
        fits &= self._branch[entry] == keys.branch[row]
        return row[fits], self._number[entry[fits]].astype(np.int64)


@dataclass(frozen=True)
class _Index:
    """Hashes in order, each with its entry."""

    hashes: Hashes
    entry: npt.NDArray[np.int32]

    def find(self, wanted: Hashes) -> Pairs:
        """Each row of ``wanted`` beside every place of the index that has its hash."""
        first = np.searchsorted(self.hashes, wanted, side="left")
        count = np.searchsorted(self.hashes, wanted, side="right") - first
        row = np.repeat(np.arange(len(wanted)), count)
        within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        return row, first[row] + within


def _index(hashes: Hashes) -> _Index:
    """The index of hashes whose places are their entries."""
    order = np.argsort(hashes, kind="stable").astype(np.int32)
    return _Index(hashes[order], order)
