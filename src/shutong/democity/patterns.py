"""The truth of a block that is no row: its subjects, and what was planted for rules to find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from shutong.democity.identity import Known
from shutong.democity.names import KINDS
from shutong.democity.organisations import EVENTS, NEVER, as_dates
from shutong.democity.scene import Scene
from shutong.democity.text import Ints, pick
from shutong.democity.truth import Truth

MAIN_REGISTER = "registration"
"""The register that grounds of lists start from, where the catalog has it."""


def note_subjects(truth: Truth, scene: Scene, known: Known) -> None:
    """Write the block's organisations."""
    organisations = scene.organisations
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
            "head": _numbers(organisations.head, scene.start),
            "merged_into": _numbers(organisations.merged_into, scene.start),
            "twin": pa.array(organisations.twin),
            "lookalike": pa.array(organisations.lookalike),
            "registered": pa.array(known.organisations),
            "owner": _numbers(organisations.owner, scene.start),
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
