"""The stages of identification, in the order in which a full run executes them."""

from __future__ import annotations

from shutong.subjects.identify import identify_stage
from shutong.subjects.mentions import mentions_stage
from shutong.subjects.registers import identifiers_stage

__all__ = ["identifiers_stage", "identify_stage", "mentions_stage"]
