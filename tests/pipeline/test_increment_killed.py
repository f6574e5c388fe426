"""As test_kills, for the increment of a day; a file of its own, so that both run side by side."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.test_kills import check_kills


def test_kills_of_an_increment_at_random_moments_and_between_any_two_steps(tmp_path: Path) -> None:
    check_kills(tmp_path, "increment")
