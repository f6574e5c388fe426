"""The neighbourhood of a subject: the records that a run on a past day needs to give the same answer about it.

Whom a record is about depends on what it says itself and on the identifiers found under what it says, and those follow
from register rows that share codes. So the neighbourhood is closed in three steps: the register rows that ever belonged
to the subject; every record that ever showed one of their values; and the register rows, and provisional subjects,
found under anything that those records show, with the register rows tied to them in turn.

``mentions`` holds what today's run knows. What has been withdrawn since, or stood otherwise in an earlier snapshot, is
found in the accepted rows (``hidden_records_stage``) and made a mention again before the rest is worked out.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutong.engine.stage import Read, SqlStep, Stage, Write
from shutong.spec.catalog import Catalog, stored_columns, view_name
from shutong.subjects.blocks import blocks_sql
from shutong.subjects.mentions import (
    ORG_CODE,
    PLACE,
    ROW_COLUMNS,
    about_hash,
    accepted_table,
    accepted_view,
    columns_needed,
    subjects_of,
)
from shutong.subjects.scopes import CHANGED, RECORDS
from shutong.subjects.tables import (
    DECISIONS,
    IDENTIFIERS,
    LINKS,
    LOOKUPS,
    MENTIONS,
    RECORD_SCOPE,
    SUBJECTS,
    VALUE_SCOPE,
)

VERSION = 1

VALUES = "scope/near-values"

_JOINING = (("uscc", "uscc"), ("org_code", ORG_CODE), ("registration_no", "registration_no"),
            ("certificate_no", "certificate_no"))  # fmt: skip
"""Codes by which register rows are tied to each other, each with what a mention shows of it."""

_SHOWN = (
    *_JOINING,
    ("taxpayer_no", "taxpayer_no"),
    ("name", "name_key"),
    ("name", "former_name_key"),
    ("variant", "variant_key"),
    ("variant", "former_variant_key"),
)
"""Everything by which records of an organisation meet, apart from blocks of similar names."""

_REGISTER = "SELECT record_id, parts, area, address_key, legal_rep, phone_key FROM mentions WHERE registry"
_FORMER = (
    "SELECT record_id, former_parts AS parts, area, address_key, NULL AS legal_rep, NULL AS phone_key FROM mentions"
    " WHERE registry AND former_parts IS NOT NULL"
)
_REGISTER_BLOCKS = blocks_sql(f"({_REGISTER} UNION ALL {_FORMER})", ("record_id",))
_CASE_BLOCKS = blocks_sql("mentions WHERE case_key IS NOT NULL", ("record_id",))


def hidden_records_stage(catalog: Catalog) -> Stage:
    """Writes ``scope/changed``: records known on ``:as_of`` of which ``mentions`` shows nothing like it any more.

    They are all versions of keys that had, on that day, a row which says something else of its subjects than every row
    that has a mention now.
    """
    resources = list(subjects_of(catalog))
    steps = []
    for resource in resources:
        view = accepted_view(resource.resource)
        said = [column for column in columns_needed(resource) if column not in ROW_COLUMNS]
        columns = ", ".join(f'"{column}"' for column in ("key_id", *said))
        steps.append(
            SqlStep(
                f"hidden_{view_name(resource.resource)}",
                f"SELECT record_id FROM {view} WHERE received_on <= :as_of AND key_id IN (SELECT key_id FROM ("
                f"SELECT {columns} FROM {view} WHERE received_on <= :as_of EXCEPT SELECT {columns} FROM {view}"
                " WHERE record_id IN (SELECT record_id FROM mentions)))",
            )
        )
    union = " UNION ".join(f"SELECT record_id FROM {step.name}" for step in steps)
    steps.append(SqlStep("hidden", union or "SELECT CAST(NULL AS VARCHAR) AS record_id WHERE FALSE"))
    return Stage(
        name="hidden-records",
        reads=(
            *(Read(accepted_table(r.resource), accepted_view(r.resource), stored_columns(r)) for r in resources),
            Read("mentions", "mentions", MENTIONS),
        ),
        steps=tuple(steps),
        writes=(Write(CHANGED, "hidden", schema=RECORD_SCOPE),),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def own_rows_stage(catalog: Catalog) -> Stage:
    """Writes ``scope/records``: the register rows linked to the subject ``:subject`` or showing a code it ever had."""
    own = "subject_id = :subject OR subject_id IN (SELECT value FROM identifiers WHERE subject_id = :subject AND kind = 'redirected')"
    return Stage(
        name="neighbourhood-own",
        reads=_READS,
        steps=(
            SqlStep(
                "own_values",
                "SELECT kind, value FROM identifiers WHERE subject_id = :subject UNION"
                " SELECT CASE identifier_kind WHEN 'name_area' THEN 'name' ELSE identifier_kind END AS kind,"
                " CASE identifier_kind WHEN 'name_area' THEN split_part(identifier, '|', 1) ELSE identifier END AS value"
                f" FROM registry WHERE {own}",
                materialise=True,
            ),
            SqlStep(
                "records",
                "SELECT record_id FROM links WHERE subject_id = :subject UNION "
                + _sharing("own_values", _JOINING, _IS_REGISTER),
            ),
        ),
        writes=(Write(RECORDS, "records", schema=RECORD_SCOPE), Write(VALUES, "own_values", schema=VALUE_SCOPE)),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def tied_rows_stage(catalog: Catalog) -> Stage:
    """Adds to ``scope/records`` the register rows of the same keys, and those with a joining code of one that is there.

    Run until nothing is added.
    """
    return Stage(
        name="neighbourhood-tied",
        reads=_READS,
        steps=(
            SqlStep("codes", _shown_of("near", _JOINING, _IS_REGISTER), materialise=True),
            SqlStep(
                "records",
                "SELECT record_id FROM near UNION SELECT record_id FROM mentions WHERE registry AND key_id IN"
                " (SELECT key_id FROM mentions WHERE registry AND record_id IN (SELECT record_id FROM near)) UNION "
                + _sharing("codes", _JOINING, _IS_REGISTER),
            ),
        ),
        writes=(Write(RECORDS, "records", schema=RECORD_SCOPE),),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def showing_records_stage(catalog: Catalog) -> Stage:
    """Adds to ``scope/records`` every record that shows, or was looked up by, a value of its register rows or of the subject."""
    return Stage(
        name="neighbourhood-showing",
        reads=_READS,
        steps=(
            SqlStep(
                "values_of_rows",
                f"SELECT kind, value FROM told UNION {_shown_of('near', _SHOWN, _IS_REGISTER)} UNION"
                f" SELECT 'block' AS kind, block AS value FROM ({_REGISTER_BLOCKS}) WHERE record_id IN (SELECT record_id FROM near)",
                materialise=True,
            ),
            SqlStep(
                "records",
                " UNION ".join(
                    [
                        "SELECT record_id FROM near",
                        _sharing("values_of_rows", _SHOWN, "TRUE"),
                        *_persons_and_places(),
                        "SELECT l.record_id FROM lookups l JOIN values_of_rows v ON v.kind = l.kind AND v.value = l.value",
                        f"SELECT b.record_id FROM ({_CASE_BLOCKS}) b JOIN values_of_rows v ON v.kind = 'block'"
                        " AND v.value = b.block",
                        "SELECT record_id FROM mentions WHERE case_key IN"
                        " (SELECT case_key FROM decisions WHERE subject_id = :subject)",
                    ]
                ),
            ),
        ),
        writes=(Write(RECORDS, "records", schema=RECORD_SCOPE),),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def rival_rows_stage(catalog: Catalog) -> Stage:
    """Adds to ``scope/records`` the rows that tell whom else the records there could be about."""
    return Stage(
        name="neighbourhood-rivals",
        reads=_READS,
        steps=(
            SqlStep(
                "values_shown",
                f"{_shown_of('near', _SHOWN, 'TRUE')} UNION"
                " SELECT kind, value FROM lookups WHERE record_id IN (SELECT record_id FROM near) UNION"
                f" SELECT 'block' AS kind, block AS value FROM ({_CASE_BLOCKS}) WHERE record_id IN (SELECT record_id FROM near)",
                materialise=True,
            ),
            SqlStep(
                "records",
                " UNION ".join(
                    [
                        "SELECT record_id FROM near",
                        _sharing("values_shown", _SHOWN, _IS_REGISTER),
                        # a code that no register holds is told by the first row with it
                        _sharing("values_shown", _JOINING[1:2], "uscc IS NOT NULL"),
                        f"SELECT b.record_id FROM ({_REGISTER_BLOCKS}) b JOIN values_shown v ON v.kind = 'block'"
                        " AND v.value = b.block",
                    ]
                ),
            ),
        ),
        writes=(Write(RECORDS, "records", schema=RECORD_SCOPE),),
        version=VERSION,
        declarations=about_hash(catalog),
    )


_IS_REGISTER = "registry"

_READS = (
    Read(RECORDS, "near", RECORD_SCOPE),
    Read(VALUES, "told", VALUE_SCOPE),
    Read("mentions", "mentions", MENTIONS),
    Read("identifiers", "identifiers", IDENTIFIERS),
    Read("subjects", "registry", SUBJECTS),
    Read("links", "links", LINKS),
    Read("lookups", "lookups", LOOKUPS),
    Read("decisions", "decisions", DECISIONS),
)


def _sharing(source: str, shown: tuple[tuple[str, str], ...], condition: str) -> str:
    """SELECT of the records of mentions of organisations that show a value of ``source``."""
    return " UNION ".join(
        f"SELECT record_id FROM mentions WHERE kind = 'organisation' AND {condition}"
        f" AND {value} IN (SELECT value FROM {source} WHERE kind = '{kind}')"
        for kind, value in shown
    )


def _shown_of(records: str, shown: tuple[tuple[str, str], ...], condition: str) -> str:
    """SELECT of kind and value of everything that mentions of organisations in some records show."""
    return " UNION ".join(
        f"SELECT '{kind}' AS kind, {value} AS value FROM mentions WHERE kind = 'organisation' AND {condition}"
        f" AND {value} IS NOT NULL AND record_id IN (SELECT record_id FROM {records})"
        for kind, value in shown
    )


def _persons_and_places() -> Iterator[str]:
    for kind, column, value in (("person", "person_key", "person_key"), ("place", "place", PLACE)):
        yield (
            f"SELECT record_id FROM mentions WHERE kind = '{kind}'"
            f" AND {value} IN (SELECT value FROM values_of_rows WHERE kind = '{column}')"
        )
