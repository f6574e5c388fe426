"""The columns of ``values`` and ``conflicts``; a library's own columns follow from its declaration (``spec.catalog.library_view``)."""

from __future__ import annotations

import pyarrow as pa

from shutong.subjects.tables import columns

VALUES = columns(
    subject_id=pa.string(),
    library=pa.string(),
    instance=pa.string(),
    attribute=pa.string(),
    value=pa.string(),
    rank=pa.int32(),
    chosen=pa.bool_(),
    valid_from=pa.date32(),
    valid_to=pa.date32(),
    record_id=pa.string(),
    resource=pa.string(),
    batch_id=pa.string(),
    received_on=pa.date32(),
    grade=pa.string(),
    sealed=pa.binary(),
)

CONFLICTS = columns(
    subject_id=pa.string(),
    library=pa.string(),
    instance=pa.string(),
    attribute=pa.string(),
    left_value=pa.string(),
    left_resource=pa.string(),
    left_record=pa.string(),
    right_value=pa.string(),
    right_resource=pa.string(),
    right_record=pa.string(),
)
"""``left`` is the chosen value, ``right`` what another source says."""


def library_table(library: str) -> str:
    """The lake table of a library."""
    return f"library/{library}"
