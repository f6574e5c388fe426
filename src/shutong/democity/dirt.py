"""The usual dirt: rows that departments really deliver wrong, incomplete or spelled their own way, with the truth of each.

Shares are of the rows of a resource, those of evidence of its rows about organisations outside registers:

====================  ======  =====================================================================================
older number only      12 %   the unified code is missing, one older number is there
name and area only      8 %   no code at all
name variant            5 %   no code, and the name is spelled another way
check digit             2 %   the last character of the code is wrong: rejected in a register, flagged elsewhere
wrong date              1 %   a day that does not exist, or a decision after its delivery
duplicate               1 %   the key again in the same delivery
late                    3 %   delivered after the legal term (not in registers)
swapped               0.2 %   two neighbouring cells exchanged
====================  ======  =====================================================================================

On top of these come spellings that must be read without loss: dashes for nothing, dates in other forms, full-width digits.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shutong.democity.organisations import EVENTS
from shutong.democity.scene import Rows, Scene, about_of, is_register
from shutong.democity.text import Flags, Ints, Text, constant, filled, iso_dates, pick, replace_rows, take, where
from shutong.democity.variants import date_spelling, full_width, name_variant
from shutong.spec.models import Item, Resource, Subject

OLD_NUMBER, NAME_AREA, NAME_VARIANT = 0.12, 0.08, 0.05
CHECK_DIGIT, WRONG_DATE, DUPLICATE, LATE, SWAPPED = 0.02, 0.01, 0.01, 0.03, 0.002
NAMED_PERSON = 0.1
"""Share of rows about natural persons that give no citizen number; a person is never found by name alone."""
EMPTY_MARKS = ("— —", "无", "/")
MARKED, RESPELLED, WIDENED = 0.06, 0.04, 0.01
IMPOSSIBLE = ("2026-02-30", "2025-02-29", "2025-04-31", "2026-06-31", "2025-09-31", "2025-11-31")
OLD_NUMBERS = ("registration_no", "taxpayer_no", "org_code", "certificate_no")
CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

Labels = npt.NDArray[np.object_]


@dataclass
class Soiled:
    """Rows as delivered, with what is true of each of them. Labels are None where nothing is to be said."""

    rows: Rows
    cells: dict[str, Text]
    evidence: Labels
    bad_reason: Labels
    bad_item: Labels
    dirt: Labels
    readable: Labels
    variant: Labels

    def good(self) -> Flags:
        """Rows that the platform must accept."""
        return np.asarray([reason is None for reason in self.bad_reason.tolist()], np.bool_)

    def label(self, rows: Ints, dirt: str, reason: str | None = None, item: str | None = None) -> None:
        """Say what was planted in some rows."""
        self.dirt[rows], self.bad_reason[rows], self.bad_item[rows] = dirt, reason, item


def shares(random: np.random.Generator, candidates: Ints, of: int, share: float) -> tuple[Ints, Ints]:
    """The share of ``of`` rows drawn from the candidates, and the candidates that are left, both shuffled."""
    wanted = of * share
    count = int(wanted) + int(random.random() < wanted - int(wanted))
    shuffled = random.permutation(candidates)
    return shuffled[:count], shuffled[count:]


def choose_late(
    random: np.random.Generator, resource: Resource, rows: Rows, scene: Scene, term: int
) -> tuple[Rows, Flags]:
    """Move the day of some rows so far back that their delivery comes after the term of ``term`` working days."""
    late = np.zeros(len(rows), np.bool_)
    if is_register(resource):
        return rows, late
    back = rows.delivered - (term * 7 // 5 + 12 + random.integers(0, 15, len(rows)))
    born = np.where(rows.subject >= 0, scene.organisations.established[rows.subject], back)
    chosen, _ = shares(random, np.flatnonzero(born < back), len(rows), LATE)
    late[chosen] = True
    event_day = scene.organisations.event_day[rows.subject]
    later = np.where(late & (rows.subject >= 0), (back > event_day) & rows.later, rows.later)
    return Rows(rows.subject, rows.person, rows.place, np.where(late, back, rows.day), rows.delivered, later), late


def clean(rows: Rows, cells: dict[str, Text]) -> Soiled:
    """The rows as they are, without any dirt."""
    evidence, reason, item, dirt, readable, variant = (np.full(len(rows), None, object) for _ in range(6))
    return Soiled(rows, cells, evidence, reason, item, dirt, readable, variant)


def soil(
    random: np.random.Generator, resource: Resource, rows: Rows, cells: dict[str, Text], scene: Scene, late: Flags,
    anchor: str | None,
) -> Soiled:  # fmt: skip
    """Plant the usual dirt in rows that were filled cleanly."""
    soiled = clean(rows, cells)
    _evidence(random, resource, soiled, scene)
    soiled.label(np.flatnonzero(late), "late")
    left = np.flatnonzero(~late)
    left = _check_digits(random, resource, soiled, left)
    left = _wrong_dates(random, resource, soiled, left, anchor)
    left = _swapped(random, resource, soiled, left)
    original, left = shares(random, left, len(rows), DUPLICATE)
    _spellings(random, resource, soiled, left)
    return _duplicated(soiled, original)


def _evidence(random: np.random.Generator, resource: Resource, soiled: Soiled, scene: Scene) -> None:
    rows, cells = soiled.rows, soiled.cells
    about = about_of(resource, "organisation")
    person = about_of(resource, "person")
    nameless = rows.subject < 0
    if person and person.citizen_id and not is_register(resource):
        natural = np.flatnonzero(nameless & (rows.person >= 0))
        bare, known = shares(random, natural, len(natural), NAMED_PERSON)
        soiled.evidence[known], soiled.evidence[bare] = "citizen-id", "person-name"
        cells[person.citizen_id] = replace_rows(cells[person.citizen_id], bare, constant(None, len(bare)))
    if is_register(resource):
        soiled.evidence[:] = "register"
        return
    if about is None or about.uscc is None or about.name is None:
        return
    about_rows = np.flatnonzero(~nameless)
    soiled.evidence[about_rows] = "uscc"
    numbers = [item for key in OLD_NUMBERS if (item := getattr(about, key))]
    held = np.zeros((len(rows), len(numbers)), np.bool_)
    for place, item in enumerate(numbers):
        held[:, place] = filled(cells[item])
    with_number = about_rows[held[about_rows].any(axis=1)]
    old, _ = shares(random, with_number, len(about_rows), OLD_NUMBER)
    rest = np.setdiff1d(about_rows, old)
    named, rest = shares(random, rest, len(about_rows), NAME_AREA)
    varied, rest = shares(random, rest, len(about_rows), NAME_VARIANT)
    soiled.evidence[old], soiled.evidence[named], soiled.evidence[varied] = "old-number", "name-area", "name-variant"
    kept = _kept_number(random, held, old)
    codeless = np.concatenate([old, named, varied])
    cells[about.uscc] = replace_rows(cells[about.uscc], codeless, constant(None, len(codeless)))
    blank = np.zeros(len(rows), np.bool_)
    blank[named] = blank[varied] = True
    # Half of the rows with a unified code give their older numbers too.
    blank[rest[::2]] = True
    for place, item in enumerate(numbers):
        other = blank.copy()
        other[old] = kept != place
        cells[item] = where(other, None, cells[item])
    _vary_names(random, about, soiled, scene, varied)


def _kept_number(random: np.random.Generator, held: Flags, rows: Ints) -> Ints:
    """For each row the place of the one older number that stays, any of those it holds."""
    if not held.shape[1]:
        return np.zeros(len(rows), np.int64)
    return np.asarray((random.random((len(rows), held.shape[1])) * held[rows]).argmax(axis=1), np.int64)


def _vary_names(random: np.random.Generator, about: Subject, soiled: Soiled, scene: Scene, varied: Ints) -> None:
    """Spell the names of some rows another way, and note every name that is no longer the registered one."""
    organisations, rows = scene.organisations, soiled.rows
    item = str(about.name)
    subject = rows.subject
    old = (subject >= 0) & (organisations.event[subject] == EVENTS.index("renamed")) & ~rows.later
    soiled.variant[old] = "former"
    names = cast("list[str]", take(soiled.cells[item], varied).to_pylist())
    formers = organisations.attribute("former_name", subject[varied], rows.later[varied]).to_pylist()
    draws = random.integers(0, 1 << 30, len(varied)).tolist()
    spelled = [
        name_variant(name, former, draw, scene.geography)
        for name, former, draw in zip(names, formers, draws, strict=True)
    ]
    soiled.variant[varied] = [kind for _, kind in spelled]
    soiled.cells[item] = replace_rows(soiled.cells[item], varied, pa.array([text for text, _ in spelled], pa.string()))


def _check_digits(random: np.random.Generator, resource: Resource, soiled: Soiled, left: Ints) -> Ints:
    about = about_of(resource, "organisation") or about_of(resource, "person")
    item = about and (about.uscc or about.citizen_id)
    if about is None or not item or (about.kind == "person" and not about.registry):
        return left
    whole = filled(soiled.cells[item])
    of = len(soiled.rows) if about.registry else int((soiled.rows.subject >= 0).sum())
    chosen, _ = shares(random, left[whole[left]], of, CHECK_DIGIT)
    codes = cast("list[str]", take(soiled.cells[item], chosen).to_pylist())
    alphabet = CODE_ALPHABET if about.uscc else "0123456789"
    shift = random.integers(1, len(alphabet) - 1, len(chosen))
    spoiled = [
        code[:-1] + alphabet[(max(alphabet.find(code[-1]), 0) + int(step)) % len(alphabet)]
        for code, step in zip(codes, shift, strict=True)
    ]
    soiled.cells[item] = replace_rows(soiled.cells[item], chosen, pa.array(spoiled, pa.string()))
    reason = "uscc.check-digit" if about.uscc else "citizen-id.check-digit"
    soiled.label(chosen, "check-digit", reason if about.registry else None, item)
    if not about.registry:
        soiled.evidence[chosen] = "name-area" if about.area else "name"
    return np.setdiff1d(left, chosen)


def _wrong_dates(
    random: np.random.Generator, resource: Resource, soiled: Soiled, left: Ints, anchor: str | None
) -> Ints:
    dates = [name for name, item in resource.items.items() if item.element == "date" and item.on_fault != "flag"]
    item = anchor if anchor in dates else (dates[0] if dates else None)
    if item is None:
        return left
    able = left[filled(soiled.cells[item])[left]]
    chosen, _ = shares(random, able, len(soiled.rows), WRONG_DATE)
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


def _swapped(random: np.random.Generator, resource: Resource, soiled: Soiled, left: Ints) -> Ints:
    pair = _swappable(resource)
    if pair is None:
        return left
    first, second, reason = pair
    a, b = soiled.cells[first], soiled.cells[second]
    chosen, _ = shares(random, left[(filled(a) & filled(b))[left]], len(soiled.rows), SWAPPED)
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


def _spellings(random: np.random.Generator, resource: Resource, soiled: Soiled, left: Ints) -> None:
    """Other ways to write the same, in rows that are otherwise good."""
    count = len(soiled.rows)
    marked, rest = shares(random, left, count, MARKED)
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
    respelled, rest = shares(random, rest, count, RESPELLED)
    numbers = [
        n for n, item in resource.items.items() if item.element in {"money", "integer", "decimal", "date", "uscc"}
    ]
    widened, _ = shares(random, rest, count, WIDENED)
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
    labels = {
        name: getattr(soiled, name)[index]
        for name in ("evidence", "bad_reason", "bad_item", "dirt", "readable", "variant")
    }
    cells = {name: take(column, index) for name, column in soiled.cells.items()}
    result = Soiled(soiled.rows.chosen(index), cells, **labels)
    again = np.arange(len(soiled.rows), len(index))
    result.label(again, "duplicate", "key.duplicate", None)
    return result
