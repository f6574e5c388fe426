"""The stages of identification.

A full run: ``mentions_stage``, ``identifiers_stage``, ``identify_stage``. An increment: see ``scopes``.
"""

from __future__ import annotations

from shutong.subjects.identify import identify_stage
from shutong.subjects.mentions import mentions_stage
from shutong.subjects.registers import identifiers_stage
from shutong.subjects.scopes import (
    affected_records_stage,
    affected_subjects_stage,
    changed_records_stage,
    identifier_changes_stage,
    identifiers_patch_stage,
)

__all__ = [
    "affected_records_stage",
    "affected_subjects_stage",
    "changed_records_stage",
    "identifier_changes_stage",
    "identifiers_patch_stage",
    "identifiers_stage",
    "identify_stage",
    "mentions_stage",
]
