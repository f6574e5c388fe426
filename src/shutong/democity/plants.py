"""What makes subjects easy to confuse, planted before anything is delivered. Registers hold all of it as it is.

======================  ==============================================================================================
name twins              2 % of individual businesses have the name of another one, half of them in the same county
legal forms             2 % of enterprises have brand and trade of another one and differ in the legal form only
one character           2 % of enterprises have a neighbour in their county whose name differs in one character
groups                  4 % of enterprises belong to groups of 3 to 8: one brand, one county, each another trade;
                        six in ten members have the leader's representative
branches                5 % of enterprises are branches of another one, half of them in its county
owners                  12 % of organisations belong to somebody who has another one; a few own dozens
book-keeping agencies   8 % of enterprises and 3 % of individual businesses give the telephone of their agency in the
                        register, 30 to 200 of them the same one
shared offices          5 % of enterprises are registered in a room that 20 to 100 share
======================  ==============================================================================================

In a city too small for one cluster of that size the share makes one smaller cluster. A name that is planted is still
nobody else's by accident: groups and pairs get a third syllable that no other name with their brand has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shutong.democity.geography import Places
from shutong.democity.names import LAYERS, NameParts, trades_of
from shutong.democity.text import Flags, Ints

TWINS = FORM_PAIRS = CHARACTER_PAIRS = 0.02
GROUPS, BRANCHES, SHARED_OWNERS = 0.04, 0.05, 0.12
GROUP_SIZE, AGENCY_SIZE, OFFICE_SIZE = (3, 8), (30, 200), (20, 100)
LED = 0.6
"""Share of a group's members that have the leader's representative."""
AGENCY_ENTERPRISES, AGENCY_INDIVIDUALS, OFFICES = 0.08, 0.03, 0.05
_FIRST_EXTRA = 4
"""Third syllables up to this number belong to plain first and later names (``names.spell``)."""


@dataclass(frozen=True)
class Planted:
    """Names and places of a block after planting; row indexes within the block, -1 for none.

    ``near`` is the other one of a pair that differs in one character, ``group`` the leader of the group, ``agency`` and
    ``office`` the number of the cluster.
    """

    names: NameParts
    place: Ints
    owner: Ints
    twin: Flags
    lookalike: Flags
    near: Ints
    group: Ints
    head: Ints
    agency: Ints
    office: Ints


def plant(
    random: np.random.Generator, names: NameParts, place: Ints, places: Places, owner: Ints, quiet: Flags
) -> Planted:
    """Plant everything into a block.

    Args:
        names: as drawn; their county is that of ``place``.
        owner: the person behind each organisation.
        quiet: organisations to which nothing happens within the days of the city; only they are touched.
    """
    names, place, twin = _twins(random, names, place, places, quiet)
    pool = random.permutation(np.flatnonzero((names.kind == 0) & quiet))
    of = len(pool)
    forms, pool = _some(pool, names.form[pool] < 2, int(of * FORM_PAIRS) // 2 * 2)
    pairs, pool = _some(pool, np.ones(len(pool), np.bool_), int(of * CHARACTER_PAIRS) // 2 * 2)
    members, pool = _some(pool, np.ones(len(pool), np.bool_), int(of * GROUPS))
    names, lookalike = _legal_forms(names, forms)
    names, place, near = _one_character(names, place, places, pairs)
    names, place, owner, group = _groups(random, names, place, places, owner, members)
    office, place = _offices(random, pool, place, of)
    branches = int(of * BRANCHES)
    # The firms of groups have branches more often than others.
    parents = np.concatenate([members[::3], pool])[:branches]
    branch = pool[len(pool) - branches :]
    head = np.full(len(place), -1, np.int64)
    head[branch] = parents[: len(branch)]
    beside = branch[::2]
    place = _moved(place, places, beside, head[beside])
    agency = _agencies(random, names.kind, quiet)
    return Planted(names, place, owner, twin, lookalike, near, group, head, agency, office)


def several_owners(random: np.random.Generator, count: int, people: int) -> Ints:
    """The person behind each organisation: mostly one's own, else one of those who own several."""
    own = np.arange(count, dtype=np.int64) % people
    often = (people * random.random(count) ** 2).astype(np.int64)
    return np.where(random.random(count) < SHARED_OWNERS, often, own)


def _some(pool: Ints, able: Flags, count: int) -> tuple[Ints, Ints]:
    """The first ``count`` of the able ones, and the rest of the pool."""
    chosen = pool[able][:count]
    return chosen, pool[~np.isin(pool, chosen)]


def _moved(place: Ints, places: Places, rows: Ints, to: Ints) -> Ints:
    """Give some organisations another house: about where they were, in the county of the rows ``to``."""
    counties = int(places.county.max()) + 1
    moved = place.copy()
    here = place[rows] - place[rows] % counties + place[to] % counties
    fits = (here < len(places)) & (places.county[np.minimum(here, len(places) - 1)] == places.county[place[to]])
    moved[rows] = np.where(fits, here, place[to])
    return moved


def _twins(
    random: np.random.Generator, names: NameParts, place: Ints, places: Places, quiet: Flags
) -> tuple[NameParts, Ints, Flags]:
    able = random.permutation(np.flatnonzero((names.kind == 1) & quiet))
    pairs = int(len(able) * TWINS) // 2
    to, source = able[:pairs], able[pairs : 2 * pairs]
    near = np.arange(pairs) % 2 == 0
    prefix = names.prefix.copy()
    # A name that holds the county tells the twins apart; those across counties carry the city only.
    prefix[source[~near]] = 0
    place = place.copy()
    place[to[near]] = place[source[near]]
    names = replace(names, prefix=prefix, county=places.county[place]).copied(to, source, county=False)
    twin = np.zeros(len(place), np.bool_)
    twin[to] = twin[source] = True
    return names, place, twin


def _legal_forms(names: NameParts, rows: Ints) -> tuple[NameParts, Flags]:
    to, source = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    names = names.copied(to, source, county=False)
    form = names.form.copy()
    form[to] = 1 - form[source]
    lookalike = np.zeros(len(form), np.bool_)
    lookalike[rows] = True
    return replace(names, form=form), lookalike


def _one_character(names: NameParts, place: Ints, places: Places, rows: Ints) -> tuple[NameParts, Ints, Ints]:
    to, source = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    names = names.copied(to, source, county=False)
    # Two third syllables that follow from the source's own layer, which no other name with this brand has.
    layer, extra = names.layer.copy(), _FIRST_EXTRA + LAYERS + 2 * names.layer[source]
    trades = trades_of(names.kind[source])
    layer[source], layer[to] = extra * trades + layer[source] % trades, (extra + 1) * trades + layer[source] % trades
    near = np.full(len(place), -1, np.int64)
    near[to], near[source] = source, to
    return replace(names, layer=layer), _moved(place, places, to, source), near


def _groups(
    random: np.random.Generator, names: NameParts, place: Ints, places: Places, owner: Ints, members: Ints
) -> tuple[NameParts, Ints, Ints, Ints]:
    run = _clusters(random, len(members), *GROUP_SIZE)
    members, run = members[run >= 0], run[run >= 0]
    first = np.searchsorted(run, run, side="left")
    leader = members[first]
    trades = trades_of(names.kind[members])
    extra = _FIRST_EXTRA + names.layer[leader] % LAYERS
    layer, brand, group = names.layer.copy(), names.brand.copy(), np.full(len(place), -1, np.int64)
    layer[members] = extra * trades + (names.layer[leader] + np.arange(len(members)) - first) % trades
    brand[members], group[members] = names.brand[leader], leader
    owner = owner.copy()
    led = random.random(len(members)) < LED
    owner[members[led]] = owner[leader[led]]
    others = members != leader
    place = _moved(place, places, members[others], leader[others])
    return replace(names, layer=layer, brand=brand), place, owner, group


def _offices(random: np.random.Generator, pool: Ints, place: Ints, of: int) -> tuple[Ints, Ints]:
    """Rooms that many firms share, each with all firms in one house."""
    firms = pool[: int(of * OFFICES)]
    run = _clusters(random, len(firms), *OFFICE_SIZE)
    firms, run = firms[run >= 0], run[run >= 0]
    office, place = np.full(len(place), -1, np.int64), place.copy()
    office[firms] = run
    place[firms] = place[firms[np.searchsorted(run, run, side="left")]]
    return office, place


def _agencies(random: np.random.Generator, kind: Ints, quiet: Flags) -> Ints:
    clients = [
        random.permutation(np.flatnonzero((kind == wanted) & quiet))[: int((kind == wanted).sum() * share)]
        for wanted, share in ((0, AGENCY_ENTERPRISES), (1, AGENCY_INDIVIDUALS))
    ]
    firms = random.permutation(np.concatenate(clients))
    agency = np.full(len(kind), -1, np.int64)
    agency[firms] = _clusters(random, len(firms), *AGENCY_SIZE)
    return agency


def _clusters(random: np.random.Generator, count: int, fewest: int, most: int) -> Ints:
    """The cluster of each of ``count`` members in a row, -1 for a rest too small to be one; a lone rest is one."""
    ends = np.cumsum(random.integers(fewest, most + 1, count // fewest + 1))
    run = np.searchsorted(ends, np.arange(count), side="right")
    if count and run[-1] > 0 and int((run == run[-1]).sum()) < fewest:
        run[run == run[-1]] = -1
    return np.asarray(run, np.int64)
