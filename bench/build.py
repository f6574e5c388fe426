"""The full way (collect, check, identify … answers) at three sizes: how the cost grows, and the peak memory."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.sides import RECORDS_PER_SUBJECT, Row, demo_home, row

GOAL_EXPONENT = 1.05
DEFAULT = (12_000, 50_000, 200_000)
FULL = (50_000, 200_000, 800_000)


def run(full: bool = False, size: int | None = None) -> list[Row]:
    """Seconds of the whole way per size, the exponent fitted over them, and the largest peak of the process tree.

    ``ours`` is the exponent, the peer is linear growth; ``sizes`` tells the exponent from each size to the next too,
    since costs that do not grow flatter the fit at small sizes.

    Args:
        full: the sizes of the goal: 50,000, 200,000 and 800,000 records.
        size: so many records as the largest size, a quarter and a sixteenth of it beside.
    """
    sizes = (size // 16, size // 4, size) if size else FULL if full else DEFAULT
    measured = [_measure(max(100, round(size / RECORDS_PER_SUBJECT))) for size in sizes]
    points = [(one["records"], one["seconds"]) for one in measured]
    exponent = fitted(points)
    return [
        row(
            "build",
            "linear growth",
            GOAL_EXPONENT,
            ours=round(exponent, 3),
            peer=1.0,
            met=exponent <= GOAL_EXPONENT,
            unit="exponent of seconds over records",
            records=[one["records"] for one in measured],
            seconds=[round(one["seconds"], 1) for one in measured],
            records_per_second=[round(one["records"] / one["seconds"]) for one in measured],
            exponents=[round(fitted(points[k : k + 2]), 3) for k in range(len(points) - 1)],
            peak_mb=[round(one["peak_bytes"] / 1e6) for one in measured],
        )
    ]


def _measure(subjects: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        home = Path(folder) / "home"
        demo_home(home, subjects)
        summary = json.loads((home / "summary.json").read_text(encoding="utf-8"))
    steps = [stage for stage in summary["stages"] if stage["stage"] != "generate"]
    return {
        "records": summary["total"]["received"],
        "seconds": sum(stage["seconds"] for stage in steps),
        "peak_bytes": max(stage["peak_bytes"] for stage in steps),
    }


def fitted(points: Sequence[tuple[float, float]]) -> float:
    """Slope of log seconds over log records by least squares."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    above = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return above / sum((x - mean_x) ** 2 for x in xs)
