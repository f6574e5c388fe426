"""The usual dirt: rows that departments really deliver wrong, incomplete or spelled their own way, with the truth of each.

Shares are of the rows of a resource, those of evidence and contacts of its rows about organisations outside registers:

====================  ======  =====================================================================================
older number only      12 %   the unified code is missing, one older number is there
name and area only      8 %   no code at all
name variant            5 %   no code, and the name is written another way (``variants``)
check digit             2 %   a slip in the code (``slips``): rejected in a register, flagged elsewhere
wrong date              1 %   a day that does not exist, or a decision after its delivery
duplicate               1 %   the key again in the same delivery
late                    3 %   delivered after the legal term (not in registers)
swapped               0.2 %   two neighbouring cells exchanged
contact left out       20 %   legal representative, telephone or address is empty, each by itself
contact outdated        3 %   legal representative, telephone or address is that of before
====================  ======  =====================================================================================

On top of these come spellings that must be read without loss: dashes for nothing, dates in other forms, full-width digits.
A dirt of 2 doubles every share, 0 leaves clean rows. What departments never learn of a change is no dirt and stays.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pyarrow as pa

from shutong.democity.evidence import choose_evidence, slip_codes
from shutong.democity.scene import Rows, is_register
from shutong.democity.soiled import LABELS, Soiled, Soiling, clean, shares_of
from shutong.democity.text import Flags, Ints, Text, filled, iso_dates, pick, replace_rows, take, where
from shutong.democity.variants import date_spelling, full_width
from shutong.spec.models import Item, Resource

MAX_DIRT = 3.0
"""Beyond it hardly a row would still carry a unified code: the three kinds of rows without one are a quarter at 1."""
EMPTY_MARKS = ("— —", "无", "/")
IMPOSSIBLE = ("2026-02-30", "2025-02-29", "2025-04-31", "2026-06-31", "2025-09-31", "2025-11-31")


def choose_late(task: Soiling, rows: Rows, term: int) -> tuple[Rows, Flags]:
    """Move the day of some rows so far back that their delivery comes after the term of ``term`` working days."""
    late = np.zeros(len(rows), np.bool_)
    random, scene = task.random, task.scene
    if is_register(task.resource):
        return rows, late
    back = rows.delivered - (term * 7 // 5 + 12 + random.integers(0, 15, len(rows)))
    born = np.where(rows.subject >= 0, scene.organisations.established[rows.subject], back)
    chosen, _ = shares_of(random, np.flatnonzero(born < back), len(rows), task.shares.late)
    late[chosen] = True
    event_day = scene.organisations.event_day[rows.subject]
    later = np.where(late & (rows.subject >= 0), (back > event_day) & rows.later, rows.later)
    return Rows(rows.subject, rows.person, rows.place, np.where(late, back, rows.day), rows.delivered, later), late


def soil(task: Soiling, rows: Rows, cells: dict[str, Text], late: Flags, anchor: str | None) -> Soiled:
    """Plant the usual dirt in rows that were filled cleanly."""
    soiled = clean(rows, cells)
    choose_evidence(task, soiled)
    soiled.label(np.flatnonzero(late), "late")
    left = np.flatnonzero(~late)
    left = slip_codes(task, soiled, left)
    left = _wrong_dates(task, soiled, left, anchor)
    left = _swapped(task, soiled, left)
    original, left = shares_of(task.random, left, len(rows), task.shares.duplicate)
    _spellings(task, soiled, left)
    return _duplicated(soiled, original)


def _wrong_dates(task: Soiling, soiled: Soiled, left: Ints, anchor: str | None) -> Ints:
    resource, random = task.resource, task.random
    dates = [name for name, item in resource.items.items() if item.element == "date" and item.on_fault != "flag"]
    item = anchor if anchor in dates else (dates[0] if dates else None)
    if item is None:
        return left
    able = left[filled(soiled.cells[item])[left]]
    chosen, _ = shares_of(random, able, len(soiled.rows), task.shares.wrong_date)
    check = next((c for c in resource.checks if re.fullmatch(rf"\s*{item}\s*<=\s*received_on\s*", c.expr)), None)
    half = len(chosen) // 2 if check and check.on_fail == "reject" else 0
    after, impossible = chosen[:half], chosen[half:]
    future = soiled.rows.delivered[after] + random.integers(1, 25, len(after))
    column = replace_rows(soiled.cells[item], after, iso_dates(future))
    days = pick(IMPOSSIBLE, random.integers(0, len(IMPOSSIBLE), len(impossible)))
    soiled.cells[item] = replace_rows(column, impossible, days)
    soiled.label(impossible, "date-impossible", "date.impossible", item)
    soiled.label(after, "date-after", f"check:{check.name}" if check else None, item)
    return np.setdiff1d(left, chosen)


def _swapped(task: Soiling, soiled: Soiled, left: Ints) -> Ints:
    pair = _swappable(task.resource)
    if pair is None:
        return left
    first, second, reason = pair
    a, b = soiled.cells[first], soiled.cells[second]
    chosen, _ = shares_of(task.random, left[(filled(a) & filled(b))[left]], len(soiled.rows), task.shares.swapped)
    soiled.cells[first] = replace_rows(a, chosen, take(b, chosen))
    soiled.cells[second] = replace_rows(b, chosen, take(a, chosen))
    soiled.label(chosen, "swapped", reason, first)
    return np.setdiff1d(left, chosen)


def _swappable(resource: Resource) -> tuple[str, str, str] | None:
    """A date beside a name or words, else a coded item: exchanged, the first of the two cannot be read."""
    names = list(resource.items)
    pairs = [*itertools.pairwise(names), *((b, a) for a, b in itertools.pairwise(names))]
    for wordy in ({"org-name", "person-name", "address"}, {"text"}):
        for coded, reason in (("date", "date.format"), ("code", "code.unknown")):
            for first, second in pairs:
                item, other = resource.items[first], resource.items[second]
                readable = _kind(other) in wordy and not other.pattern and second not in resource.key
                if _kind(item) == coded and item.on_fault != "flag" and readable:
                    return first, second, reason
    return None


def _kind(item: Item) -> str:
    return "code" if item.codes else item.element


def _spellings(task: Soiling, soiled: Soiled, left: Ints) -> None:
    """Other ways to write the same, in rows that are otherwise good."""
    resource, random, shares = task.resource, task.random, task.shares
    count = len(soiled.rows)
    marked, rest = shares_of(random, left, count, shares.marked)
    flags = np.zeros(count, np.bool_)
    flags[marked] = True
    mark = pick(EMPTY_MARKS, random.integers(0, len(EMPTY_MARKS), count))
    for name, item in resource.items.items():
        column = soiled.cells[name]
        if column.null_count and not item.required:
            hit = flags & ~filled(column)
            soiled.cells[name] = where(hit, mark, column)
            soiled.readable[hit] = "empty-mark"
    dates = [name for name, item in resource.items.items() if item.element == "date"]
    respelled, rest = shares_of(random, rest, count, shares.respelled)
    numbers = [
        n for n, item in resource.items.items() if item.element in {"money", "integer", "decimal", "date", "uscc"}
    ]
    widened, _ = shares_of(random, rest, count, shares.widened)
    for chosen, names, label, spell in (
        (respelled, dates, "date-spelling", date_spelling),
        (widened, numbers, "full-width", full_width),
    ):
        draws = random.integers(0, 1 << 30, len(chosen)).tolist()
        for name in names:
            texts = take(soiled.cells[name], chosen).to_pylist()
            spelled: list[Any] = [text and spell(text, draw) for text, draw in zip(texts, draws, strict=True)]
            soiled.cells[name] = replace_rows(soiled.cells[name], chosen, pa.array(spelled, pa.string()))
        if names:
            soiled.readable[chosen] = label


def _duplicated(soiled: Soiled, original: Ints) -> Soiled:
    """Append the rows again; they are delivered the same day, behind the first ones."""
    index = np.concatenate([np.arange(len(soiled.rows)), original])
    labels = {name: getattr(soiled, name)[index] for name in LABELS}
    cells = {name: take(column, index) for name, column in soiled.cells.items()}
    result = Soiled(soiled.rows.chosen(index), cells, **labels, varied=soiled.varied)
    again = np.arange(len(soiled.rows), len(index))
    result.label(again, "duplicate", "key.duplicate", None)
    return result
