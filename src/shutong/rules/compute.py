"""The stages of rules: candidates of lists, observations of indicators, disagreements of verifications."""

from __future__ import annotations

from shutong.rules.figures import indicators_stage, verifications_stage
from shutong.rules.lists import lists_stage, time_bound

__all__ = ["indicators_stage", "lists_stage", "time_bound", "verifications_stage"]
