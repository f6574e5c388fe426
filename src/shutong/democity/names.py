"""Names of organisations, composed so that no two are alike by accident."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shutong.democity.geography import Geography
from shutong.democity.text import Flags, Ints, Text, constant, filled, join, permute, pick, take, where
from shutong.democity.words import (
    COOPERATIVE_TRADES,
    ENTERPRISE_FORM_SHARES,
    ENTERPRISE_FORMS,
    ENTERPRISE_TRADES,
    INDIVIDUAL_TRADES,
    INSTITUTION_TRADES,
    SOCIAL_TRADES,
    SYLLABLES,
)

KINDS = ("enterprise", "individual", "cooperative", "institution", "social")
KIND_SHARES = (0.56, 0.375, 0.02, 0.018, 0.027)
TRADES = (ENTERPRISE_TRADES, INDIVIDUAL_TRADES, COOPERATIVE_TRADES, INSTITUTION_TRADES, SOCIAL_TRADES)
NAME_BITS = 21
"""A city has at most 2**21 names of its first kind and as many later names."""
BRANDS = len(SYLLABLES) ** 2
LAYERS = -(-(1 << NAME_BITS) // BRANDS)
COUNTY_PREFIX = 4


PIECES = ("head", "brand", "middle", "trade", "form", "branch")
"""What a name is put together from, in this order."""


@dataclass(frozen=True)
class Names:
    """Names in their pieces, one row per name: 澜川市 · 安达 · （澜川） · 科技 · 有限公司 · 澜东分公司.

    A piece that a name does not have is an empty text; a row without a brand has no name at all.
    """

    head: Text
    brand: Text
    middle: Text
    trade: Text
    form: Text
    branch: Text

    def __len__(self) -> int:
        return len(self.brand)

    def text(self) -> Text:
        """The names as they are written; empty cells where there is none."""
        return where(filled(self.brand), join(*(getattr(self, piece) for piece in PIECES)), None)

    def body(self) -> Text:
        """Brand and trade, by which firms are told apart."""
        return join(self.brand, self.trade)

    def chosen(self, rows: Ints) -> Names:
        """Some of the names, in the order of ``rows``; a negative row gives no name."""
        return Names(*(take(getattr(self, piece), rows) for piece in PIECES))

    def changed(self, mask: Flags, other: Names | None) -> Names:
        """Where ``mask`` is true the other name, or none."""
        if other is None:
            return replace(self, brand=where(mask, None, self.brand))
        return Names(*(where(mask, getattr(other, piece), getattr(self, piece)) for piece in PIECES))


@dataclass(frozen=True)
class NameParts:
    """The parts of a name as numbers, one row per organisation."""

    kind: Ints
    prefix: Ints
    brand: Ints
    layer: Ints
    form: Ints
    county: Ints

    def copied(self, to: Ints, source: Ints, *, county: bool) -> NameParts:
        """Rows ``to`` get the name of rows ``source``: planted twins."""
        changed = {
            part: getattr(self, part).copy() for part in ("prefix", "brand", "layer", "form", *(["county"] * county))
        }
        for values in changed.values():
            values[to] = values[source]
        return replace(self, **changed)


def trades_of(kind: Ints) -> Ints:
    """How many trades there are for each kind of organisation."""
    return np.array([len(trades) for trades in TRADES], np.int64)[kind]


def draw_names(random: np.random.Generator, numbers: Ints, kind: Ints, county: Ints, seed: int) -> NameParts:
    """Names of a block; the (brand, layer) pair is a permutation of the subject number, so it never repeats."""
    count = len(numbers)
    spot = permute(numbers, NAME_BITS, seed, "name")
    prefix = random.choice(4, count, p=[0.7, 0.1, 0.1, 0.1])
    local = (kind == 1) & (random.random(count) < 0.6) | (kind == 3)
    form = random.choice(len(ENTERPRISE_FORMS), count, p=ENTERPRISE_FORM_SHARES)
    return NameParts(kind, np.where(local, COUNTY_PREFIX, prefix), spot % BRANDS, spot // BRANDS, form, county)


def renamed(parts: NameParts, numbers: Ints, seed: int) -> NameParts:
    """Another name for everybody, from the layers that first names do not use."""
    spot = permute(numbers, NAME_BITS, seed, "rename")
    return replace(parts, brand=spot % BRANDS, layer=spot // BRANDS + LAYERS)


def spell(parts: NameParts, geography: Geography) -> Names:
    """The names as registered, none of them a branch's."""
    rows = len(parts.kind)
    none = np.zeros(rows, np.int64)
    trade = _trade(parts)
    extra = parts.layer // trades_of(parts.kind)
    words = [word for trades in TRADES for word, _ in trades]
    short = f"（{geography.short_city}）"
    heads = ["", geography.city, geography.short_city, geography.province]
    head = pick(heads, np.select([parts.prefix == 0, parts.prefix == 1, parts.prefix == 2], [1, 2, 3], 0))
    county = join(geography.city, pick(geography.county_names, parts.county))
    front = where(parts.prefix == COUNTY_PREFIX, county, head)
    syllables = list(SYLLABLES)
    brand = join(
        pick(syllables, parts.brand // len(syllables)),
        pick(syllables, parts.brand % len(syllables)),
        pick(["", *syllables], np.where(extra > 0, (extra * 37 + parts.brand * 7) % len(syllables) + 1, 0)),
    )
    middle = pick(["", short], np.where((parts.prefix == 3), 1, none))
    ends = [*ENTERPRISE_FORMS, "专业合作社", ""]
    end = np.select([parts.kind == 0, parts.kind == 2], [parts.form, none + 5], 6)
    return Names(front, brand, middle, pick(words, trade), pick(ends, end), constant("", rows))


def _trade(parts: NameParts) -> Ints:
    """Place of each trade in the lists of all kinds, one behind the other."""
    offsets = np.concatenate(([0], np.cumsum([len(trades) for trades in TRADES])))[parts.kind]
    return np.asarray(offsets + parts.layer % trades_of(parts.kind), np.int64)


def social_kinds(parts: NameParts) -> Ints:
    """0 for an association, 1 for a private non-enterprise unit, 2 for a foundation; meaningless for other kinds."""
    words = [word for word, _ in SOCIAL_TRADES]
    kinds = np.array([2 if word.endswith("基金会") else 0 if word.endswith("会") else 1 for word in words])
    return np.asarray(kinds[parts.layer % len(words)], np.int64)


def industries(parts: NameParts) -> Text:
    """The class of GB/T 4754-2017 that the trade in the name stands for."""
    codes = [code for trades in TRADES for _, code in trades]
    return pick(codes, _trade(parts))
