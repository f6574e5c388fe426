"""What rows say of whom they are about: code, older number or name alone, names and codes written wrong, contacts."""

from __future__ import annotations

from typing import cast

import numpy as np
import pyarrow as pa

from shutong.democity.names import PIECES, Names
from shutong.democity.organisations import EVENTS
from shutong.democity.scene import about_of, is_register
from shutong.democity.slips import WAYS, reason_of_citizen_id, reason_of_uscc, slip, slip_citizen_id
from shutong.democity.soiled import Soiled, Soiling, Varied, shares_of
from shutong.democity.text import Flags, Ints, Text, constant, filled, replace_rows, take, where
from shutong.democity.variants import Said, name_variant
from shutong.spec.models import Subject

OLD_NUMBERS = ("registration_no", "taxpayer_no", "org_code", "certificate_no")
CONTACTS = ("legal_rep", "phone", "address")
"""What a row may hold of an organisation beside its codes, its name and its area."""
_PREDECESSOR = 13
"""How far off the person and the house lie that stand in outdated contacts."""


def choose_evidence(task: Soiling, soiled: Soiled) -> None:
    """Decide for each row what it holds of its subject, and take the rest away."""
    _persons(task, soiled)
    if is_register(task.resource):
        soiled.evidence[:] = "register"
        return
    about = about_of(task.resource, "organisation")
    if about is None:
        return
    _contacts(task, about, soiled)
    if about.uscc is not None and about.name is not None:
        _organisations(task, about, soiled)


def _persons(task: Soiling, soiled: Soiled) -> None:
    person = about_of(task.resource, "person")
    if not person or not person.citizen_id or is_register(task.resource):
        return
    natural = np.flatnonzero((soiled.rows.subject < 0) & (soiled.rows.person >= 0))
    bare, known = shares_of(task.random, natural, len(natural), task.shares.named_person)
    soiled.evidence[known], soiled.evidence[bare] = "citizen-id", "person-name"
    cells = soiled.cells[person.citizen_id]
    soiled.cells[person.citizen_id] = replace_rows(cells, bare, constant(None, len(bare)))


def _organisations(task: Soiling, about: Subject, soiled: Soiled) -> None:
    rows, cells, random, shares = soiled.rows, soiled.cells, task.random, task.shares
    about_rows = np.flatnonzero(rows.subject >= 0)
    soiled.evidence[about_rows] = "uscc"
    numbers = [item for key in OLD_NUMBERS if (item := getattr(about, key))]
    held = np.zeros((len(rows), len(numbers)), np.bool_)
    for place, item in enumerate(numbers):
        held[:, place] = filled(cells[item])
    with_number = about_rows[held[about_rows].any(axis=1)]
    old, _ = shares_of(random, with_number, len(about_rows), shares.old_number)
    rest = np.setdiff1d(about_rows, old)
    named, rest = shares_of(random, rest, len(about_rows), shares.name_area)
    varied, rest = shares_of(random, rest, len(about_rows), shares.name_variant)
    soiled.evidence[old], soiled.evidence[named], soiled.evidence[varied] = "old-number", "name-area", "name-variant"
    kept = _kept_number(random, held, old)
    codeless = np.concatenate([old, named, varied])
    cells[str(about.uscc)] = replace_rows(cells[str(about.uscc)], codeless, constant(None, len(codeless)))
    blank = np.zeros(len(rows), np.bool_)
    blank[named] = blank[varied] = True
    # Half of the rows with a unified code give their older numbers too.
    blank[rest[::2]] = True
    for place, item in enumerate(numbers):
        other = blank.copy()
        other[old] = kept != place
        cells[item] = where(other, None, cells[item])
    _vary_names(task, about, soiled, varied)


def _kept_number(random: np.random.Generator, held: Flags, rows: Ints) -> Ints:
    """For each row the place of the one older number that stays, any of those it holds."""
    if not held.shape[1]:
        return np.zeros(len(rows), np.int64)
    return np.asarray((random.random((len(rows), held.shape[1])) * held[rows]).argmax(axis=1), np.int64)


def _vary_names(task: Soiling, about: Subject, soiled: Soiled, varied: Ints) -> None:
    """Write the names of some rows another way, and note every name that is no longer the registered one."""
    organisations, rows, scene = task.scene.organisations, soiled.rows, task.scene
    subject = rows.subject
    old = (subject >= 0) & (organisations.event[subject] == EVENTS.index("renamed")) & ~rows.later
    soiled.variant[old] = "former"
    names = _said(organisations.named(subject[varied], rows.later[varied]))
    formers = _said(organisations.formerly(subject[varied], rows.later[varied]))
    draws = task.random.integers(0, 1 << 30, len(varied)).tolist()
    written = [
        name_variant(name, former, draw, scene.geography, areas=about.area is not None)
        for name, former, draw in zip(names, formers, draws, strict=True)
        if name is not None
    ]
    said = [one for one, _ in written]
    soiled.variant[varied] = [way for _, way in written]
    texts = pa.array([one.written() for one in said], pa.string())
    soiled.cells[str(about.name)] = replace_rows(soiled.cells[str(about.name)], varied, texts)
    if about.area is not None:
        wide = varied[[one.whole_city for one in said]] if said else varied
        code = constant(scene.geography.city_code, len(wide))
        soiled.cells[about.area] = replace_rows(soiled.cells[about.area], wide, code)
    pieces = Names(*(pa.array([getattr(one, piece) for one in said], pa.string()) for piece in PIECES))
    soiled.varied = Varied(varied, pieces, np.array([one.short for one in said], np.bool_))


def _said(names: Names) -> list[Said | None]:
    columns = [getattr(names, piece).to_pylist() for piece in PIECES]
    return [Said(*pieces) if pieces[1] is not None else None for pieces in zip(*columns, strict=True)]


def _contacts(task: Soiling, about: Subject, soiled: Soiled) -> None:
    """Contacts that a row leaves empty, and contacts of before: the representative's predecessor, the house before."""
    scene, subject = task.scene, soiled.rows.subject
    owner = (scene.organisations.planted.owner[subject] + _PREDECESSOR) % len(scene.people)
    house = (scene.organisations.planted.place[subject] + _PREDECESSOR) % len(scene.places)
    before: dict[str, tuple[Text, Ints]] = {
        "legal_rep": (scene.people.columns["name"], owner),
        "phone": (scene.people.columns["phone"], owner),
        "address": (scene.places.columns["address"], house),
    }
    there = np.flatnonzero(subject >= 0)
    for key in CONTACTS:
        item = getattr(about, key)
        if item is None:
            continue
        column = soiled.cells[item]
        empty, rest = shares_of(task.random, there, len(there), task.shares.empty_contact)
        outdated, _ = shares_of(task.random, rest, len(there), task.shares.outdated_contact)
        values, who = before[key]
        column = replace_rows(column, outdated, take(values, who[outdated]))
        if not task.resource.items[item].required:
            column = replace_rows(column, empty, constant(None, len(empty)))
        soiled.cells[item] = column


def slip_codes(task: Soiling, soiled: Soiled, left: Ints) -> Ints:
    """Slips in unified codes, in a register of persons in citizen numbers; gives the rows that are left."""
    about = about_of(task.resource, "organisation") or about_of(task.resource, "person")
    item = about and (about.uscc or about.citizen_id)
    if about is None or not item or (about.kind == "person" and not about.registry):
        return left
    whole = filled(soiled.cells[item])
    of = len(soiled.rows) if about.registry else int((soiled.rows.subject >= 0).sum())
    chosen, _ = shares_of(task.random, left[whole[left]], of, task.shares.check_digit)
    codes = cast("list[str]", take(soiled.cells[item], chosen).to_pylist())
    ways = task.random.integers(0, len(WAYS), len(chosen)).tolist()
    draws = task.random.integers(0, 1 << 30, len(chosen)).tolist()
    spoil, reason_of = (slip, reason_of_uscc) if about.uscc else (slip_citizen_id, reason_of_citizen_id)
    spoiled = [spoil(code, way, draw) for code, way, draw in zip(codes, ways, draws, strict=True)]
    texts = [text for text, _ in spoiled]
    soiled.cells[item] = replace_rows(soiled.cells[item], chosen, pa.array(texts, pa.string()))
    soiled.label(chosen, "check-digit", None, item)
    soiled.variant[chosen] = [way for _, way in spoiled]
    if about.registry:
        soiled.bad_reason[chosen] = [reason_of(text) for text in texts]
    else:
        soiled.evidence[chosen] = "bad-code"
    return np.setdiff1d(left, chosen)
