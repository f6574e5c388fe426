"""Identifiers: which codes, names and areas belong to which subject, worked out from the registers.

A register row with a unified code stands for the subject of that code; two valid unified codes never become one
subject. A row without one joins the subject that another row shows to own one of its codes, as long as that is
unique, and stands for itself otherwise. Of the ids minted for the identities so joined the first one survives; the
others are kept as ``redirected``. A unified code that no register holds has a provisional subject of its own
(``registered`` is false), which the register row joins when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutong.engine.stage import Read, SqlStep, Stage, Step, Write
from shutong.spec.catalog import Catalog
from shutong.subjects.blocks import blocks_sql
from shutong.subjects.mentions import ENTRY_POSITION, IDENTITY, IDENTITY_KIND, ORG_CODE, PLACE, about_hash
from shutong.subjects.tables import IDENTIFIERS, MENTIONS, SUBJECTS

VERSION = 3

_COLUMN_OF = {
    "uscc": "uscc",
    "org_code": "organisation_code",
    "registration_no": "registration_no",
    "taxpayer_no": "taxpayer_no",
    "certificate_no": "certificate_no",
}
_JOINING = ("org_code", "registration_no", "certificate_no")
"""Codes by which a register row without a unified code joins another, strongest first."""


def identifiers_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``identifiers`` from all register mentions and the registry of ids."""
    return Stage(
        name="identifiers",
        reads=(Read("mentions", "mentions", MENTIONS), Read("subjects", "registry", SUBJECTS)),
        steps=tuple(identifier_steps()),
        writes=(Write("identifiers", "identifiers", key="subject_id", schema=IDENTIFIERS),),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def identifier_steps() -> Iterator[Step]:
    """The steps from the views ``mentions`` and ``registry`` to ``identifiers``."""
    yield SqlStep("register_rows", _REGISTER_ROWS, materialise=True)
    yield SqlStep(
        "level_0",
        "SELECT *, concat('uscc:', uscc) AS entity FROM register_rows WHERE current AND uscc IS NOT NULL",
        materialise=True,
    )
    levels = ["level_0"]
    for number, kind in enumerate((*_JOINING, "name_area"), start=1):
        codes = " UNION ALL ".join(_codes_sql(level, code) for level in levels for code in _JOINING)
        yield SqlStep(
            f"owner_{number}",
            f"SELECT kind, value, min(entity) AS entity FROM ({codes}) GROUP BY kind, value"
            " HAVING min(entity) = max(entity)",
        )
        # Each level reads all before it: as views they would be worked out again at every mention of them.
        yield SqlStep(f"level_{number}", _level_sql(number, kind), materialise=True)
        levels.append(f"level_{number}")
    yield SqlStep("holders", " UNION ALL ".join(f"SELECT * FROM {level}" for level in levels), materialise=True)
    yield SqlStep("attached", _ATTACHED, materialise=True)
    yield SqlStep("identities", _IDENTITIES)
    yield SqlStep("minted_ids", _MINTED_IDS, materialise=True)
    yield SqlStep("entity_ids", _ENTITY_IDS, materialise=True)
    yield SqlStep("provisional", _PROVISIONAL, materialise=True)
    yield SqlStep("blocks", _blocks())
    yield SqlStep("claims", " UNION ALL ".join(_claims()))
    yield SqlStep("identifiers", _IDENTIFIERS)


def _codes_sql(level: str, kind: str) -> str:
    column = _COLUMN_OF[kind]
    return f"SELECT '{kind}' AS kind, {column} AS value, entity FROM {level} WHERE {column} IS NOT NULL"


def _level_sql(number: int, kind: str) -> str:
    """Rows whose strongest identity is of ``kind``: joined to the owner of one of their codes, or for themselves."""
    joins = " ".join(
        f"LEFT JOIN owner_{number} {code} ON {code}.kind = '{code}' AND {code}.value = r.{_COLUMN_OF[code]}"
        for code in _JOINING
    )
    owners = ", ".join(f"{code}.entity" for code in _JOINING)
    return (
        f"SELECT r.*, coalesce({owners}, concat(r.identity_kind, ':', r.identity)) AS entity"
        f" FROM register_rows r {joins} WHERE r.current AND r.uscc IS NULL AND r.identity_kind = '{kind}'"
    )


_REGISTER_ROWS = f"""SELECT record_id, key_id, role, current, uscc, {ORG_CODE} AS organisation_code, registration_no,
 taxpayer_no, certificate_no, name_key, variant_key, former_name_key, former_variant_key, parts, former_parts, area,
 address_key, legal_rep, phone_key, received_on,
 {ENTRY_POSITION} AS position, {IDENTITY_KIND} AS identity_kind, {IDENTITY} AS identity
FROM mentions WHERE registry AND kind = 'organisation'"""

# An earlier version of a register row still tells former names, unless its unified code was another one: then the
# later version corrected it and the earlier one was about somebody else.
_ATTACHED = """SELECT * FROM holders UNION ALL
SELECT s.*, h.entity FROM register_rows s JOIN holders h ON h.key_id = s.key_id AND h.role = s.role
WHERE NOT s.current AND (s.uscc IS NULL OR concat('uscc:', s.uscc) = h.entity)"""

_IDENTITIES = """SELECT DISTINCT entity, identity_kind, identity FROM attached WHERE identity_kind IS NOT NULL"""

# An identity counts for the entity it names, or for the only entity that shows it.
_MINTED_IDS = """SELECT i.entity, r.subject_id, r.position FROM identities i
 JOIN (SELECT identity_kind, identity, count(*) AS entities,
        max(CASE WHEN concat(identity_kind, ':', identity) = entity THEN 1 ELSE 0 END) AS named
       FROM identities GROUP BY identity_kind, identity) n
  ON n.identity_kind = i.identity_kind AND n.identity = i.identity
 JOIN registry r ON r.kind = 'organisation' AND r.identifier_kind = i.identity_kind AND r.identifier = i.identity
WHERE concat(i.identity_kind, ':', i.identity) = i.entity OR (n.entities = 1 AND n.named = 0)"""

_ENTITY_IDS = "SELECT entity, min_by(subject_id, position) AS subject_id FROM minted_ids GROUP BY entity"

_PROVISIONAL = f"""SELECT r.subject_id, m.uscc, m.record_id, m.position, m.received_on FROM (
 SELECT uscc, min_by(record_id, {ENTRY_POSITION}) AS record_id, min({ENTRY_POSITION}) AS position,
  min(received_on) AS received_on FROM mentions WHERE kind = 'organisation' AND uscc IS NOT NULL GROUP BY uscc) m
 JOIN registry r ON r.kind = 'organisation' AND r.identifier_kind = 'uscc' AND r.identifier = m.uscc
WHERE NOT EXISTS (SELECT 1 FROM holders h WHERE h.uscc = m.uscc)"""

_IDENTIFIERS = """SELECT subject_id, kind, value, bool_or(current) AS current, bool_or(registered) AS registered,
 min_by(record_id, position) AS record_id, min(received_on) AS valid_from
FROM claims GROUP BY subject_id, kind, value"""


def _claims() -> Iterator[str]:
    """SELECTs of every value that a row shows a subject to have."""
    for kind, column in _COLUMN_OF.items():
        yield _claim(kind, column, "a.current", f"a.current AND {column} IS NOT NULL")
    for kind, column in (("name", "name_key"), ("variant", "variant_key"), ("parts", "parts")):
        yield _claim(kind, column, "a.current", f"{column} IS NOT NULL")
        yield _claim(kind, f"former_{column}", "FALSE", f"former_{column} IS NOT NULL")
    yield _claim("area", "area", "a.current", "area IS NOT NULL")
    for kind, column in (("address", "address_key"), ("legal_rep", "legal_rep"), ("phone", "phone_key")):
        yield _claim(kind, column, "a.current", f"{column} IS NOT NULL")
    yield (
        "SELECT e.subject_id, 'block', b.block, b.current, TRUE, b.record_id, b.position, b.received_on"
        " FROM blocks b JOIN entity_ids e ON e.entity = b.entity"
    )
    yield _claim("register", "concat(record_id, '/', role)", "TRUE", "a.current AND uscc IS NULL")
    yield (
        "SELECT e.subject_id, 'redirected', m.subject_id, TRUE, TRUE, NULL, m.position, NULL"
        " FROM minted_ids m JOIN entity_ids e ON e.entity = m.entity WHERE m.subject_id <> e.subject_id"
    )
    yield (
        "SELECT subject_id, 'uscc' AS kind, uscc AS value, TRUE AS current, FALSE AS registered, record_id, position,"
        " received_on FROM provisional"
    )
    yield (
        "SELECT subject_id, 'org_code', substring(uscc, 9, 9), TRUE, FALSE, record_id, position, received_on"
        " FROM provisional p WHERE NOT EXISTS"
        " (SELECT 1 FROM holders h WHERE h.organisation_code = substring(p.uscc, 9, 9))"
    )
    yield _minted_claim("person", "person_key", "person_key", "m.registry AND m.current", "m.person_key IS NOT NULL")
    yield _minted_claim(
        "place", "place", PLACE, "m.registry AND m.current", "m.registry AND m.current AND m.address_key IS NOT NULL"
    )


def _blocks() -> str:
    """The blocks of similar names of every register row, under its present and its former name."""
    held = ("entity", "current", "record_id", "position", "received_on")
    former = ", ".join(["entity", "FALSE AS current", *held[2:], "former_parts AS parts", "area", "address_key"])
    present = ", ".join([*held, "parts", "area", "address_key", "legal_rep", "phone_key"])
    rows = (
        f"SELECT {present} FROM attached UNION ALL SELECT {former}, NULL, NULL FROM attached"
        " WHERE former_parts IS NOT NULL"
    )
    return blocks_sql(f"({rows})", held, once=False)


def _claim(kind: str, value: str, current: str, condition: str) -> str:
    return (
        f"SELECT e.subject_id, '{kind}' AS kind, {value} AS value, {current} AS current, TRUE AS registered,"
        f" a.record_id, a.position, a.received_on FROM attached a JOIN entity_ids e ON e.entity = a.entity"
        f" WHERE {condition}"
    )


def _minted_claim(kind: str, identifier_kind: str, identity: str, registered: str, condition: str) -> str:
    """Persons and places: one identity each, so the minted id is the subject."""
    return (
        f"SELECT r.subject_id, '{identifier_kind}', r.identifier, TRUE, {registered}, m.record_id, m.position,"
        f" m.received_on FROM (SELECT *, {identity} AS identity, {ENTRY_POSITION} AS position FROM mentions m"
        f" WHERE m.kind = '{kind}' AND {condition}) m JOIN registry r ON r.kind = '{kind}'"
        f" AND r.identifier_kind = '{identifier_kind}' AND r.identifier = m.identity"
    )
