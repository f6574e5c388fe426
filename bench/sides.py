"""What the benchmarks share: the row each prints, and sides that run in processes of their own, in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
THREADS = 2
"""Of every side that can be told; the goals speak of two cores."""

RECORDS_PER_SUBJECT = 14.45
"""Of a demo city of all shipped packs; what really came is reported."""

Row = dict[str, Any]
Figures = dict[str, Any]


class SideError(Exception):
    """A side did not answer; the text is the last line it wrote."""


def row(
    name: str,
    peer_name: str,
    goal: float | None,
    *,
    ours: float | None = None,
    peer: float | None = None,
    met: bool | None = None,
    digits: int = 3,
    ratio: float | None = None,
    **sizes: Any,
) -> Row:
    """One row of results: name, ours, peer, peer_name, ratio (ours / peer unless given), goal, met, sizes."""
    if ratio is None and ours is not None and peer is not None:
        ratio = ours / peer
    rounded = None if ratio is None else round(ratio, digits)
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "ratio": rounded,
        "goal": goal,
        "met": met,
        "sizes": sizes,
    }


def side(command: Sequence[str]) -> Figures:
    """Run one side and read the JSON line it prints last.

    Raises:
        SideError: it failed.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": str(THREADS)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise SideError((done.stderr.strip().splitlines() or ["no answer"])[-1])
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def fastest(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Figures]:
    """Each side's fastest run of several rounds, the sides in turn, so that a busy moment falls on all of them.

    The peak of memory is the largest of all rounds.
    """
    runs: dict[str, list[Figures]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(side(command))
    answer = {}
    for name, figures in runs.items():
        best = min(figures, key=lambda one: one["seconds"])
        answer[name] = {**best, "peak_mb": max(one["peak_mb"] for one in figures)}
    return answer


def demo_home(home: Path, subjects: int) -> None:
    """Make a demo home of all shipped packs; its ``summary.json`` has the records and the seconds of each step.

    Raises:
        SideError: it could not be made.
    """
    words = ["demo", "--home", str(home), "--subjects", str(subjects), "--no-serve"]
    command = [sys.executable, "-m", "shutong.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise SideError((done.stderr.strip().splitlines() or ["no home"])[-1])
