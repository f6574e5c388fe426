"""What is written into the truth: each row, each personal value, the subjects, what was planted for rules to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from shutong.democity.identity import Known
from shutong.democity.names import KINDS
from shutong.democity.organisations import EVENTS, NEVER, as_dates
from shutong.democity.scene import Scene
from shutong.democity.soiled import LABELS, Soiled
from shutong.democity.text import Flags, Ints, Text, constant, matches, pick, rows_at
from shutong.democity.truth import Truth
from shutong.spec.models import Resource

MAIN_REGISTER = "registration"
"""The register that grounds of lists start from, where the catalog has it."""


PERSONAL = {"citizen-id": "citizen-id", "mobile": "mobile", "telephone": "mobile"}
"""Data elements whose values must never be seen on a public page."""


@dataclass(frozen=True)
class Where:
    """File and row number of each delivered row, in the order of delivery."""

    file: pa.StringArray
    row_no: pa.Int64Array


def note_records(
    truth: Truth, scene: Scene, resource: Resource, soiled: Soiled, found: Flags, order: Ints, where: Where
) -> None:
    """Write what is true of each row; ``order`` is the order of delivery."""
    rows = soiled.rows.chosen(order)
    truth.add(
        "records",
        {
            "resource": constant(resource.resource, len(rows)),
            "file": where.file,
            "row_no": where.row_no,
            "received_on": as_dates(rows.delivered),
            **{part: _numbers(getattr(rows, part), scene.start) for part in ("subject", "person", "place")},
            **{label: pa.array(getattr(soiled, label)[order], pa.string()) for label in LABELS},
            "identifiable": pa.array(found[order]),
        },
    )


def note_personal(
    truth: Truth, scene: Scene, resource: Resource, cells: dict[str, Text], person: Ints, where: Where
) -> None:
    """Write every citizen number, with its slip too, and telephone in the files; all columns in the order of delivery."""
    for name, item in resource.items.items():
        if item.element not in PERSONAL:
            continue
        there = np.flatnonzero(matches(cells[name], r"^(.{18}|[0-9]{11})$"))
        kept = rows_at(there)
        truth.add(
            "planted_personal",
            {
                "value": cells[name].take(kept),
                "kind": constant(PERSONAL[item.element], len(there)),
                "resource": constant(resource.resource, len(there)),
                "file": where.file.take(kept),
                "row_no": where.row_no.take(kept),
                "item": constant(name, len(there)),
                "person": _numbers(person[there], scene.start),
            },
        )


def note_subjects(truth: Truth, scene: Scene, known: Known) -> None:
    """Write the block's organisations."""
    organisations, planted = scene.organisations, scene.organisations.planted
    rows = np.arange(len(organisations), dtype=np.int64)
    later = organisations.event > 0
    columns = {
        key: organisations.attribute(key, rows, later)
        for key in (
            "uscc", "org_code", "registration_no", "taxpayer_no", "certificate_no", "name", "area", "former_name", "status",
        )
    }  # fmt: skip
    columns |= {f"first_{key}": organisations.before[key] for key in ("name", "area")}
    truth.add(
        "subjects",
        {
            **columns,
            "subject": pa.array(rows + scene.start),
            "kind": pick(KINDS, organisations.kind),
            "established_on": as_dates(organisations.established),
            "ended_on": as_dates(organisations.ended),
            "event": pick(EVENTS, organisations.event),
            "event_on": as_dates(organisations.event_day),
            "head": _numbers(planted.head, scene.start),
            "merged_into": _numbers(organisations.merged_into, scene.start),
            "twin": pa.array(planted.twin),
            "lookalike": pa.array(planted.lookalike),
            "near": _numbers(planted.near, scene.start),
            "group": _numbers(planted.group, scene.start),
            "registered": pa.array(known.organisations),
            "owner": _numbers(planted.owner, scene.start),
        },
    )


def note_patterns(truth: Truth, scene: Scene, patterns: dict[str, Ints], known: Known, told: dict[str, Ints]) -> None:
    """Write the planted patterns, and firms that look like non-filers because their report was bad or cannot be placed."""
    organisations = scene.organisations
    registered = known.by_register.get(MAIN_REGISTER, known.organisations)
    nobody = np.zeros(0, np.int64)
    parts: list[tuple[str, str, Ints]] = []
    for name, planted in sorted(patterns.items()):
        seen = registered[planted]
        if name == "unreachable":
            seen = seen & np.isin(planted, told.get(name, nobody))
        parts.append((name, "planted", planted[seen]))
        parts.append((name, "planted, but its row was rejected or cannot be placed", planted[~seen]))
    if "no-annual-report" in patterns:
        opening = int(np.datetime64(f"{scene.window.year}-01-01").astype(np.int64))
        owing = registered & (organisations.kind < 3) & (organisations.established < opening)
        owing &= organisations.ended == NEVER
        for known_before in (patterns["no-annual-report"], patterns["late-annual-report"], told["reported"]):
            owing[known_before] = False
        parts.append(("no-annual-report", "its report was rejected or cannot be placed", np.flatnonzero(owing)))
    names = [name for name, _, subjects in parts for _ in range(len(subjects))]
    reasons = [reason for _, reason, subjects in parts for _ in range(len(subjects))]
    numbers = np.concatenate([subjects for _, _, subjects in parts]) if parts else np.zeros(0, np.int64)
    truth.add(
        "patterns",
        {
            "pattern": pa.array(names, pa.string()),
            "subject": pa.array(numbers + scene.start),
            "because": pa.array(reasons, pa.string()),
        },
    )


def _numbers(index: Ints, start: int) -> pa.Array[Any]:
    return pa.array(np.where(index >= 0, index + start, -1))
