"""The columns of what rules find."""

from __future__ import annotations

import pyarrow as pa

from shutong.subjects.tables import columns

_IDS = pa.list_(pa.string())

CANDIDATES = columns(
    candidate_id=pa.string(),
    list=pa.string(),
    ground=pa.string(),
    subject_id=pa.string(),
    since=pa.date32(),
    record_ids=_IDS,
    rule_version=pa.string(),
    next_change_on=pa.date32(),
)

OBSERVATIONS = columns(
    indicator=pa.string(),
    area=pa.string(),
    series=pa.string(),
    period=pa.date32(),
    value=pa.float64(),
    record_ids=_IDS,
    records=pa.int64(),
    rule_version=pa.string(),
)

DISAGREEMENTS = columns(
    verification=pa.string(),
    key=pa.string(),
    item=pa.string(),
    left_value=pa.string(),
    right_value=pa.string(),
    record_ids=_IDS,
    rule_version=pa.string(),
    subject_id=pa.string(),
    departments=_IDS,
)
"""``verification`` is the name of a declared one, or ``library.attribute`` where the sources of a library differ: then
``key`` is the subject (and its licence or case), ``item`` the two resources, and ``record_ids`` are the record of the
left value and that of the right one, in this order. ``departments`` are those that get a ticket."""
