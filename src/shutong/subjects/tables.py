"""The columns of the tables that this area reads and writes; docs/developers/tables.md explains them."""

from __future__ import annotations

import pyarrow as pa

from shutong.spec.catalog import sql_type


def columns(**types: pa.DataType) -> pa.Schema:
    """A schema from column names and their Arrow types."""
    return pa.schema([pa.field(name, kind) for name, kind in types.items()])


def no_rows_sql(schema: pa.Schema) -> str:
    """A SELECT of no rows with the columns of a schema, for stages that nothing is declared for."""
    return (
        f"SELECT {', '.join(f'CAST(NULL AS {sql_type(field.type)}) AS {field.name}' for field in schema)} WHERE FALSE"
    )


BATCHES = columns(
    batch_id=pa.string(),
    resource=pa.string(),
    seq=pa.int64(),
    received_on=pa.date32(),
    state=pa.string(),
    corrects=pa.string(),
)
"""What this area relies on of the table ``batches``."""

MENTIONS = columns(
    record_id=pa.string(),
    key_id=pa.string(),
    role=pa.string(),
    entry=pa.int32(),
    principal=pa.bool_(),
    resource=pa.string(),
    kind=pa.string(),
    registry=pa.bool_(),
    current=pa.bool_(),
    uscc=pa.string(),
    org_code=pa.string(),
    registration_no=pa.string(),
    taxpayer_no=pa.string(),
    certificate_no=pa.string(),
    person_key=pa.string(),
    name=pa.string(),
    name_key=pa.string(),
    variant_key=pa.string(),
    former_name_key=pa.string(),
    former_variant_key=pa.string(),
    parts=pa.string(),
    former_parts=pa.string(),
    area=pa.string(),
    address_key=pa.string(),
    legal_rep=pa.string(),
    phone_key=pa.string(),
    faulty=pa.string(),
    case_key=pa.string(),
    received_on=pa.date32(),
    seq=pa.int64(),
    row_no=pa.int64(),
)

SUBJECTS = columns(
    subject_id=pa.string(),
    kind=pa.string(),
    identifier_kind=pa.string(),
    identifier=pa.string(),
    minted_by=pa.string(),
    role=pa.string(),
    position=pa.int64(),
    minted_on=pa.date32(),
)

IDENTIFIERS = columns(
    subject_id=pa.string(),
    kind=pa.string(),
    value=pa.string(),
    current=pa.bool_(),
    registered=pa.bool_(),
    record_id=pa.string(),
    valid_from=pa.date32(),
)

LINKS = columns(
    record_id=pa.string(),
    role=pa.string(),
    entry=pa.int32(),
    principal=pa.bool_(),
    current=pa.bool_(),
    resource=pa.string(),
    kind=pa.string(),
    subject_id=pa.string(),
    method=pa.string(),
    score=pa.int32(),
    evidence=pa.string(),
)

UNIDENTIFIED = columns(
    record_id=pa.string(),
    role=pa.string(),
    entry=pa.int32(),
    principal=pa.bool_(),
    current=pa.bool_(),
    resource=pa.string(),
    kind=pa.string(),
    reason=pa.string(),
    evidence=pa.string(),
)

LOOKUPS = columns(record_id=pa.string(), kind=pa.string(), value=pa.string())
"""Values that a record was looked up by beside those its mention shows: repaired codes and blocks of similar names."""

DECISIONS = columns(
    decision_id=pa.string(),
    made_on=pa.date32(),
    position=pa.int64(),
    verb=pa.string(),
    case_key=pa.string(),
    subject_id=pa.string(),
    undoes=pa.string(),
    actor=pa.string(),
)
"""What people decided on cases of identification (append-only; an input): ``verb`` is same, different or undo."""

MODELS = columns(
    model=pa.string(),
    version=pa.int32(),
    trained_on=pa.date32(),
    part=pa.string(),
    level=pa.int32(),
    term=pa.string(),
    weight=pa.int32(),
)
"""Trained matching models (append-only; an input), a row per weight in hundredths of a bit, cap or threshold."""

EVENTS = columns(
    position=pa.int64(),
    event=pa.string(),
    subject_id=pa.string(),
    other_id=pa.string(),
    on_day=pa.date32(),
    run_id=pa.string(),
    record_id=pa.string(),
    cause=pa.string(),
)
"""What runs found to have become of ids (append-only; a log): ``event`` is merged, separated, vanished or returned.

``other_id`` is the subject it was merged into or separated from. ``record_id`` explains it where that is known, and
``cause`` says how: ``row`` (a new row or version), ``withdrawn``, or ``dropped`` (the latest snapshot is without it).
"""

EVENTS_TABLE = "subject_events"

RECORD_SCOPE = columns(record_id=pa.string())
SUBJECT_SCOPE = columns(subject_id=pa.string())
VALUE_SCOPE = columns(kind=pa.string(), value=pa.string())

CODE_KINDS = ("uscc", "org_code", "registration_no", "taxpayer_no", "certificate_no")
"""Kinds of codes of organisations, strongest first."""
