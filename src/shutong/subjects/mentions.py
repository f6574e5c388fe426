"""Mentions: what each record says of whom it is about, and the registry in which subject ids are minted.

A mention is one row per record and ``about`` entry. Minting is a function of the whole history, not of current rows:
an identity belongs to the first record that ever carried it, so a rebuild from nothing gives the same ids.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import pyarrow as pa

from shutong.engine.stage import ArrowStep, Read, SqlStep, Stage, Step, Write
from shutong.spec.catalog import Catalog, key_column, row_columns, sealed, stored_columns, view_name
from shutong.spec.columns import faulty_column, repairable
from shutong.spec.models import Resource, Subject
from shutong.spec.sql import check_expression, render
from shutong.subjects.current import needs_batches, versions_sql
from shutong.subjects.keys import ADDRESS_KEYS, NAME_KEYS, address_keys, name_keys
from shutong.subjects.tables import BATCHES, MENTIONS, SUBJECTS, columns, no_rows_sql

VERSION = 3

ROW_COLUMNS = ("record_id", "key_id", "received_on", "seq", "row_no", "operation")
PARTS = (
    "uscc",
    "org_code",
    "registration_no",
    "taxpayer_no",
    "certificate_no",
    "person_key",
    "name",
    "former_name",
    "area",
    "address",
    "legal_rep",
    "phone_key",
    "faulty",
)
"""What an ``about`` entry may take from a row."""

ENTRY_POSITION = "seq * 68719476736 + row_no * 16 + entry"
"""Order of a mention over the home as one number: delivery, row (below 2^32), entry (below 16)."""

ORG_CODE = (
    "coalesce(substring(uscc, 9, 9), org_code,"
    " CASE WHEN length(taxpayer_no) = 15 THEN substring(taxpayer_no, 7, 9) END)"
)
"""The organisation code that a mention carries, given or inside another code: characters 9-17 of a unified code
(GB 32100), 7-15 of an old taxpayer number."""

PLACE = "concat(address_key, '|', coalesce(area, ''))"
"""Identity of a place: normalised address and area."""

IDENTITY_KIND = f"""CASE kind
 WHEN 'organisation' THEN CASE WHEN uscc IS NOT NULL THEN 'uscc' WHEN NOT registry THEN NULL
  WHEN {ORG_CODE} IS NOT NULL THEN 'org_code' WHEN registration_no IS NOT NULL THEN 'registration_no'
  WHEN certificate_no IS NOT NULL THEN 'certificate_no' WHEN name_key IS NOT NULL THEN 'name_area' END
 WHEN 'person' THEN CASE WHEN person_key IS NOT NULL THEN 'person_key' END
 WHEN 'place' THEN CASE WHEN registry AND address_key IS NOT NULL THEN 'place' END END"""
"""The kind of identity under which a mention may mint a subject; NULL where it may not."""

IDENTITY = f"""CASE kind
 WHEN 'organisation' THEN CASE WHEN uscc IS NOT NULL THEN uscc WHEN NOT registry THEN NULL
  WHEN {ORG_CODE} IS NOT NULL THEN {ORG_CODE} WHEN registration_no IS NOT NULL THEN registration_no
  WHEN certificate_no IS NOT NULL THEN certificate_no
  WHEN name_key IS NOT NULL THEN concat(name_key, '|', coalesce(area, '')) END
 WHEN 'person' THEN person_key
 WHEN 'place' THEN CASE WHEN registry AND address_key IS NOT NULL THEN {PLACE} END END"""
"""The identity itself, beside ``IDENTITY_KIND``."""

CASE_KEY = (
    "CASE WHEN kind = 'organisation' AND uscc IS NULL AND NOT registry THEN md5(concat("
    + ", '|', ".join(
        f"coalesce({part}, '')"
        for part in ("name_key", "area", "org_code", "registration_no", "taxpayer_no", "certificate_no", "faulty",
                     "legal_rep", "phone_key", "address_key")
    )
    + ")) END"
)  # fmt: skip
"""What a row without a unified code says of an organisation, as one hash: rows that say the same are one case."""

_PREFIX = {"organisation": "o", "person": "p", "place": "l"}


def subjects_of(catalog: Catalog) -> Iterator[Resource]:
    """The resources whose rows are about somebody."""
    return (resource for resource in catalog.resources.values() if resource.about)


def accepted_table(resource: str) -> str:
    """The lake table of a resource's accepted rows."""
    return f"accepted/{resource}"


def accepted_view(resource: str) -> str:
    """The view under which stages see a resource's accepted rows."""
    return f"accepted_{view_name(resource)}"


def mentions_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``mentions`` and mints subject ids.

    Parameters: ``:as_of``. Scope: record ids; it must hold every version of each key it touches
    (``scopes.changed_records_stage`` sees to that).
    """
    resources = list(subjects_of(catalog))
    reads = [
        Read(accepted_table(r.resource), accepted_view(r.resource), stored_columns(r), scope="record_id")
        for r in resources
    ]
    reads.append(Read("subjects", "registry", SUBJECTS))
    if any(needs_batches(r) for r in resources):
        reads.append(Read("batches", "batches", BATCHES))
    return Stage(
        name="mentions",
        reads=tuple(reads),
        steps=tuple(_steps(resources)),
        writes=(
            Write("mentions", "mentions", key="record_id", schema=MENTIONS),
            Write("subjects", "minted", mode="append", schema=SUBJECTS),
        ),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def about_hash(catalog: Catalog) -> str:
    """Hash of everything that identification reads of the declarations."""
    hashes = [catalog.hash_of("resource", r.resource) for r in subjects_of(catalog)]
    return hashlib.sha256(" ".join(sorted(hashes)).encode()).hexdigest()[:20]


def _steps(resources: list[Resource]) -> Iterator[Step]:
    for resource in resources:
        needed = columns_needed(resource)
        sql = versions_sql(resource, needed, accepted_view(resource.resource))
        yield SqlStep(f"versions_{view_name(resource.resource)}", sql, materialise=len(resource.about) > 1)
    entries = [_entry_sql(r, i, entry) for r in resources for i, entry in enumerate(r.about)]
    yield SqlStep("said", " UNION ALL ".join(entries) if entries else no_rows_sql(_SAID), materialise=True)
    yield SqlStep(
        "raw_names",
        "SELECT name AS raw FROM said WHERE kind = 'organisation' AND name IS NOT NULL"
        " UNION SELECT former_name FROM said WHERE kind = 'organisation' AND former_name IS NOT NULL",
    )
    yield ArrowStep("name_keys", "raw_names", name_keys, NAME_KEYS)
    yield SqlStep(
        "raw_addresses", "SELECT DISTINCT address AS raw FROM said WHERE kind <> 'person' AND address IS NOT NULL"
    )
    yield ArrowStep("address_keys", "raw_addresses", address_keys, ADDRESS_KEYS)
    yield SqlStep("keyed", _KEYED)
    chosen = ", ".join(f"{CASE_KEY} AS case_key" if name == "case_key" else f'"{name}"' for name in MENTIONS.names)
    yield SqlStep("mentions", f"SELECT {chosen} FROM keyed WHERE kept")
    yield SqlStep("first_seen", _FIRST_SEEN)
    yield ArrowStep("minted", "first_seen", mint, SUBJECTS)


def columns_needed(resource: Resource) -> list[str]:
    """The columns of the accepted table that the ``about`` entries read, after those of every row."""
    needed = list(ROW_COLUMNS)
    for entry in resource.about:
        needed += [column for part in PARTS if (column := _column(resource, entry, part))]
        if entry.only_if:
            needed += sorted(check_expression(entry.only_if, row_columns(resource)).columns)
    return list(dict.fromkeys(needed))


def _column(resource: Resource, entry: Subject, part: str) -> str | None:
    """The stored column of one part of an entry. Sealed names, areas and codes take no part: only keys can match."""
    if part == "faulty":
        return faulty_column(str(entry.uscc)) if entry.uscc in repairable(resource) else None
    item = getattr(entry, _ITEM_OF.get(part, part))
    if item is None or item not in resource.items:
        return None
    if sealed(resource.items[item]):
        return key_column(item) if part in _ITEM_OF else None
    return None if part in _ITEM_OF else str(item)


_ITEM_OF = {"person_key": "citizen_id", "phone_key": "phone"}
"""Parts that are matching keys of sealed items, by the entry of ``about`` that names the item."""


def _entry_sql(resource: Resource, number: int, entry: Subject) -> str:
    """SELECT of the mentions that one ``about`` entry makes of the versions of a resource's rows."""
    parts = {part: _column(resource, entry, part) for part in PARTS}
    selected = [f"CAST({_quoted(column)} AS VARCHAR) AS {part}" for part, column in parts.items()]
    condition = _condition(resource, entry)
    before = [_condition(resource, earlier) for earlier in resource.about[:number]]
    principal = "NOT (" + " OR ".join(before) + ")" if before else "TRUE"
    kept = "state = 'current'" if resource.delivery == "snapshot" else "state <> 'gone'"
    named = [column for column in parts.values() if column]
    present = " OR ".join(f"{_quoted(column)} IS NOT NULL" for column in named) or "FALSE"
    return (
        f"SELECT record_id, key_id, '{entry.role}' AS role, CAST({number} AS INTEGER) AS entry,"
        f" {principal} AS principal, '{resource.resource}' AS resource, '{entry.kind}' AS kind,"
        f" {'TRUE' if entry.registry else 'FALSE'} AS registry, state = 'current' AS current, {kept} AS kept,"
        f" coalesce(operation, 'upsert') <> 'withdraw' AS may_mint,"
        f" {', '.join(selected)}, received_on, seq, row_no FROM versions_{view_name(resource.resource)}"
        f" WHERE {condition} AND ({principal} OR {present})"
    )


def _condition(resource: Resource, entry: Subject) -> str:
    if not entry.only_if:
        return "TRUE"
    return f"coalesce({render(check_expression(entry.only_if, row_columns(resource)))}, FALSE)"


def _quoted(column: str | None) -> str:
    return f'"{column}"' if column else "NULL"


_SAID = pa.schema(
    [
        *(
            field
            for field in MENTIONS
            if field.name in {"person_key", "phone_key"} or not field.name.endswith(("_key", "parts"))
        ),
        *columns(former_name=pa.string(), address=pa.string(), kept=pa.bool_(), may_mint=pa.bool_()),
    ]
)
"""The step ``said``, where no resource is about anybody."""


# A condition on the left side alone would cost a nested loop, so it stands inside the key.
_KEYED = """SELECT s.record_id, s.key_id, s.role, s.entry, s.principal, s.resource, s.kind, s.registry, s.current,
 s.kept, s.may_mint, coalesce(s.uscc, CASE WHEN length(s.taxpayer_no) = 18 THEN s.taxpayer_no END) AS uscc,
 s.org_code, s.registration_no, CASE WHEN length(s.taxpayer_no) = 15 THEN s.taxpayer_no END AS taxpayer_no,
 s.certificate_no, s.person_key, s.name, n.name_key, n.variant_key, f.name_key AS former_name_key,
 f.variant_key AS former_variant_key, n.parts, f.parts AS former_parts, s.area, d.address_key, s.legal_rep, s.phone_key,
 s.faulty, s.received_on, s.seq, s.row_no
FROM said s LEFT JOIN name_keys n ON n.raw = CASE WHEN s.kind = 'organisation' THEN s.name END
 LEFT JOIN name_keys f ON f.raw = CASE WHEN s.kind = 'organisation' THEN s.former_name END
 LEFT JOIN address_keys d ON d.raw = CASE WHEN s.kind <> 'person' THEN s.address END"""

_FIRST_SEEN = f"""SELECT i.kind, i.identifier_kind, i.identifier, i.minted_by, i.role, i.position, i.minted_on FROM (
 SELECT kind, identifier_kind, identifier, min_by(record_id, position) AS minted_by, min_by(role, position) AS role,
  min(position) AS position, min_by(received_on, position) AS minted_on FROM (
   SELECT kind, {IDENTITY_KIND} AS identifier_kind, {IDENTITY} AS identifier, record_id, role, received_on,
    {ENTRY_POSITION} AS position FROM keyed WHERE may_mint)
 WHERE identifier_kind IS NOT NULL GROUP BY kind, identifier_kind, identifier) i
WHERE NOT EXISTS (SELECT 1 FROM registry r
 WHERE r.kind = i.kind AND r.identifier_kind = i.identifier_kind AND r.identifier = i.identifier)"""


def subject_id(kind: str, record_id: str, role: str) -> str:
    """The id that a record mints for the subject in a role: ``o``, ``p`` or ``l`` and 12 base32 characters.

    It derives from the record's id, never from what the record says, so it holds nothing of a personal number.
    """
    digest = hashlib.sha256(f"{kind}:{record_id}:{role}".encode()).digest()
    return _PREFIX[kind] + base64.b32encode(digest[:10]).decode().lower()[:12]


def mint(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give each identity that is not in the registry yet its subject id."""
    given = {name: batch.column(name) for name in SUBJECTS.names if name != "subject_id"}
    said = zip(*(given[name].to_pylist() for name in ("kind", "minted_by", "role")), strict=True)
    ids = pa.array([subject_id(kind, record, role) for kind, record, role in said], pa.string())
    return pa.RecordBatch.from_arrays(
        [ids if name == "subject_id" else given[name].cast(SUBJECTS.field(name).type) for name in SUBJECTS.names],
        schema=SUBJECTS,
    )
