"""What a change can touch: the scopes of an incremental run, worked out as stages like any other.

The order of an increment: ``changed_records_stage``; mentions in that scope; ``identifier_changes_stage`` and
``identifiers_patch_stage``; ``affected_records_stage``; links in that scope; ``affected_subjects_stage``; then every
later stage in the scope of those subjects. A link depends on its mention and on the identifiers found under the
mention's own values only, so the mentions that share a value with a subject whose identifiers differ, before or
after, are all that can change.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from shutong.engine.stage import Read, SqlStep, Stage, Write
from shutong.spec.catalog import Catalog, view_name
from shutong.spec.columns import REPLACED
from shutong.spec.models import Resource
from shutong.subjects.current import needs_batches
from shutong.subjects.mentions import ORG_CODE, PLACE, about_hash, accepted_table, accepted_view, subjects_of
from shutong.subjects.registers import identifier_steps
from shutong.subjects.tables import (
    BATCHES,
    DECISIONS,
    IDENTIFIERS,
    LINKS,
    LOOKUPS,
    MENTIONS,
    RECORD_SCOPE,
    SUBJECT_SCOPE,
    SUBJECTS,
    VALUE_SCOPE,
    columns,
)
from shutong.subjects.ties import reach_steps, ties_steps

VERSION = 3

CHANGED = "scope/changed"
TIES_BEFORE = "scope/ties"
RECORDS = "scope/records"
SUBJECTS_OF_RUN = "scope/subjects"
IDENTIFIERS_CHANGED = "scope/identifiers"
IDENTIFIER_ROWS = "scope/identifier-rows"
VALUES_CHANGED = "scope/values"
SUBJECTS_BEFORE = "scope/subjects-before"

PENDING = columns(
    subject_id=pa.string(), list=pa.string(), ground=pa.string(), since=pa.date32(), next_change_on=pa.date32()
)
"""The table ``pending`` of the rules: on which day a subject's rows may change by time alone."""

_NEW = "(seq > :since_seq OR received_on > :since_day) AND received_on <= :as_of"


def changed_records_stage(catalog: Catalog) -> Stage:
    """Writes ``scope/changed``: the new records, and every version of the keys they replace or end; and ``scope/ties``:
    by what those of them that the last run knew were tied to others.

    Parameters: ``:as_of``; ``:since_seq`` and ``:since_day``, the highest ``seq`` and the as-of day of the last run.
    """
    resources = list(subjects_of(catalog))
    known = columns(
        record_id=pa.string(), key_id=pa.string(), seq=pa.int64(), row_no=pa.int64(), received_on=pa.date32()
    )
    replacing = pa.schema([*known, pa.field(REPLACED, pa.string())])
    reads = [
        Read(accepted_table(r.resource), accepted_view(r.resource), replacing if r.replaces else known)
        for r in resources
    ]
    if any(needs_batches(r) for r in resources):
        reads.append(Read("batches", "batches", BATCHES))
    reads.append(Read("mentions", "mentions", MENTIONS))
    steps = [SqlStep(f"touched_{view_name(r.resource)}", _touched_sql(r)) for r in resources]
    union = " UNION ".join(f"SELECT record_id FROM {step.name}" for step in steps)
    steps.append(SqlStep("changed", union or "SELECT CAST(NULL AS VARCHAR) AS record_id WHERE FALSE", materialise=True))
    steps += ties_steps("ties", "(SELECT * FROM mentions WHERE record_id IN (SELECT record_id FROM changed))")
    steps.append(SqlStep("ties_before", "SELECT DISTINCT kind, value FROM ties"))
    return Stage(
        name="changed-records",
        reads=tuple(reads),
        steps=tuple(steps),
        writes=(
            Write(CHANGED, "changed", schema=RECORD_SCOPE),
            Write(TIES_BEFORE, "ties_before", schema=VALUE_SCOPE),
        ),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def _touched_sql(resource: Resource) -> str:
    view = accepted_view(resource.resource)
    if not needs_batches(resource):
        touched = f"SELECT key_id FROM {view} WHERE {_NEW}"
        if resource.replaces:
            touched += f" UNION SELECT {REPLACED} FROM {view} WHERE {REPLACED} IS NOT NULL AND {_NEW}"
        return f"SELECT record_id FROM {view} WHERE received_on <= :as_of AND key_id IN ({touched})"
    whole = f"resource = '{resource.resource}' AND state = 'in'"
    before = (
        f"SELECT max(seq) FROM batches WHERE {whole} AND corrects IS NULL AND NOT ({_NEW}) AND received_on <= :as_of"
    )
    return (
        f"SELECT record_id FROM {view} WHERE received_on <= :as_of"
        f" AND EXISTS (SELECT 1 FROM batches WHERE {whole} AND {_NEW})"
        f" AND key_id IN (SELECT key_id FROM {view} WHERE received_on <= :as_of AND seq >= coalesce(({before}), 0))"
    )


def identifier_changes_stage(catalog: Catalog) -> Stage:
    """Works out the identifiers again that a change reaches, and writes the subjects whose rows differ, those rows, and
    the values in them.

    Reads ``identifiers`` as the last run left it.
    """
    columns_known = ", ".join(IDENTIFIERS.names)
    nearby = "subject_id IN (SELECT subject_id FROM near)"
    differing = (
        f"SELECT DISTINCT subject_id FROM ((SELECT {columns_known} FROM found EXCEPT SELECT {columns_known} FROM before)"
        f" UNION ALL (SELECT {columns_known} FROM before EXCEPT SELECT {columns_known} FROM found))"
    )
    inside = "subject_id IN (SELECT subject_id FROM differing)"
    return Stage(
        name="identifier-changes",
        reads=(
            Read("mentions", "all_mentions", MENTIONS),
            Read("subjects", "registry", SUBJECTS),
            Read(CHANGED, "changed", RECORD_SCOPE),
            Read(TIES_BEFORE, "ties_before", VALUE_SCOPE),
            Read("identifiers", "known", IDENTIFIERS),
        ),
        steps=(
            *reach_steps(),
            *identifier_steps(),
            SqlStep("found", f"SELECT {columns_known} FROM identifiers WHERE {nearby}", materialise=True),
            SqlStep("before", f"SELECT {columns_known} FROM known WHERE {nearby}", materialise=True),
            SqlStep("differing", differing, materialise=True),
            SqlStep("rows", f"SELECT {columns_known} FROM found WHERE {inside}"),
            SqlStep(
                "values_in_them",
                f"SELECT kind, value FROM found WHERE {inside} UNION SELECT kind, value FROM before WHERE {inside}",
            ),
        ),
        writes=(
            Write(IDENTIFIERS_CHANGED, "differing", schema=SUBJECT_SCOPE),
            Write(IDENTIFIER_ROWS, "rows", schema=IDENTIFIERS),
            Write(VALUES_CHANGED, "values_in_them", schema=VALUE_SCOPE),
        ),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def identifiers_patch_stage(catalog: Catalog) -> Stage:
    """Writes the new rows of ``identifiers``. Scope: the subjects of ``scope/identifiers``."""
    return Stage(
        name="identifiers-patch",
        reads=(Read(IDENTIFIER_ROWS, "rows", IDENTIFIERS, scope="subject_id"),),
        steps=(SqlStep("identifiers", "SELECT * FROM rows"),),
        writes=(Write("identifiers", "identifiers", key="subject_id", schema=IDENTIFIERS),),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def affected_records_stage(catalog: Catalog) -> Stage:
    """Writes ``scope/records``: the records whose links may change; and the subjects they are linked to so far.

    Runs after the mentions and identifiers of the increment and before its links. Parameters: ``:since_day``.
    """
    return Stage(
        name="affected-records",
        reads=(
            Read(CHANGED, "changed", RECORD_SCOPE),
            Read(VALUES_CHANGED, "changed_values", VALUE_SCOPE),
            Read("mentions", "mentions", MENTIONS),
            Read("links", "links", LINKS),
            Read("lookups", "lookups", LOOKUPS),
            Read("decisions", "decisions", DECISIONS),
        ),
        steps=(
            SqlStep("records", " UNION ".join(_sharing()), materialise=True),
            SqlStep(
                "before", "SELECT DISTINCT subject_id FROM links WHERE record_id IN (SELECT record_id FROM records)"
            ),
        ),
        writes=(Write(RECORDS, "records", schema=RECORD_SCOPE), Write(SUBJECTS_BEFORE, "before", schema=SUBJECT_SCOPE)),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def _sharing() -> Iterator[str]:
    """The changed records, those of mentions that look a changed value up, and those whose case was decided."""
    yield "SELECT record_id FROM changed"
    yield "SELECT l.record_id FROM lookups l JOIN changed_values v ON v.kind = l.kind AND v.value = l.value"
    # Decisions of the day of the last run may have come after it; linking a case again changes nothing by itself.
    yield (
        "SELECT record_id FROM mentions WHERE case_key IN (SELECT coalesce(d.case_key, o.case_key) FROM decisions d"
        " LEFT JOIN decisions o ON o.decision_id = d.undoes WHERE d.made_on >= :since_day)"
    )
    looked_up = {
        "uscc": "uscc",
        "org_code": ORG_CODE,
        "registration_no": "registration_no",
        "taxpayer_no": "taxpayer_no",
        "certificate_no": "certificate_no",
        "name": "name_key",
        "variant": "variant_key",
        "person_key": "person_key",
        "place": PLACE,
        "register": "concat(record_id, '/', role)",
    }
    of_kind = {"person_key": "person", "place": "place"}
    for kind, value in looked_up.items():
        yield (
            f"SELECT record_id FROM mentions WHERE kind = '{of_kind.get(kind, 'organisation')}'"
            f" AND {value} IN (SELECT value FROM changed_values WHERE kind = '{kind}')"
        )


def affected_subjects_stage(catalog: Catalog) -> Stage:
    """Writes ``scope/subjects``: every subject whose values, facts or candidates may change.

    They are the subjects of the affected records before and now, those with new identifiers, and those whose
    ``next_change_on`` (table ``pending``) has come. Parameters: ``:as_of``.
    """
    return Stage(
        name="affected-subjects",
        reads=(
            Read(RECORDS, "records", RECORD_SCOPE),
            Read(SUBJECTS_BEFORE, "before", SUBJECT_SCOPE),
            Read(IDENTIFIERS_CHANGED, "renamed", SUBJECT_SCOPE),
            Read("links", "links", LINKS),
            Read("pending", "pending", PENDING),
        ),
        steps=(
            SqlStep(
                "affected",
                "SELECT subject_id FROM before UNION SELECT subject_id FROM renamed"
                " UNION SELECT subject_id FROM links WHERE record_id IN (SELECT record_id FROM records)"
                " UNION SELECT subject_id FROM pending WHERE next_change_on <= :as_of",
            ),
        ),
        writes=(Write(SUBJECTS_OF_RUN, "affected", schema=SUBJECT_SCOPE),),
        version=VERSION,
        declarations=about_hash(catalog),
    )
