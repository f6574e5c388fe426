"""Identifiers: which codes, names and areas belong to which subject, worked out from the registers.

A register row with a unified code stands for the subject of that code; two valid unified codes never become one
subject. A row without one joins the subject that another row shows to own one of its codes, as long as that is
unique, and stands for itself otherwise. Of the ids minted for the identities so joined the first one survives; the
others are kept as ``redirected``. A unified code that no register holds has a provisional subject of its own
(``registered`` is false), which the register row joins when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    yield SqlStep("held", _HELD, materialise=True)
    yield SqlStep("described", _DESCRIBED, materialise=True)
    yield SqlStep("identifiers", " UNION ALL ".join(_grouped(kind, selects) for kind, selects in _claims().items()))


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

# Every register row with its subject, once: each kind of value is taken from here.
_HELD = """SELECT e.subject_id, a.record_id, a.role, a.current, a.uscc, a.organisation_code, a.registration_no, a.taxpayer_no,
 a.certificate_no, a.name_key, a.variant_key, a.former_name_key, a.former_variant_key, a.parts, a.former_parts, a.area,
 a.address_key, a.legal_rep, a.phone_key, a.received_on, a.position
FROM attached a JOIN entity_ids e ON e.entity = a.entity"""

# What blocks are made of; registers repeat it, and each would give a dozen blocks.
_DESCRIBED = """SELECT subject_id, parts, area, address_key, legal_rep, phone_key, bool_or(current) AS current,
 min_by(record_id, position) AS record_id, min(position) AS position, min(received_on) AS received_on
FROM (SELECT subject_id, parts, area, address_key, legal_rep, phone_key, current, record_id, position, received_on FROM held
 UNION ALL SELECT subject_id, former_parts, area, address_key, NULL, NULL, FALSE, record_id, position, received_on FROM held
  WHERE former_parts IS NOT NULL)
GROUP BY subject_id, parts, area, address_key, legal_rep, phone_key"""

_SHOWN = "record_id, position, received_on"


def _grouped(kind: str, selects: Sequence[str]) -> str:
    """Each value of one kind once per subject.

    Kinds have no rows in common, and a group of one kind is small enough for memory where all together were not.
    """
    return (
        f"SELECT subject_id, '{kind}' AS kind, value, bool_or(current) AS current, bool_or(registered) AS registered,"
        " min_by(record_id, position) AS record_id, min(received_on) AS valid_from"
        f" FROM ({' UNION ALL '.join(selects)}) GROUP BY subject_id, value"
    )


def _claims() -> dict[str, list[str]]:
    """By kind, SELECTs of every value that a row shows a subject to have."""
    claims = {
        kind: [_claim(column, "current", f"current AND {column} IS NOT NULL")] for kind, column in _COLUMN_OF.items()
    }
    for kind, column in (("name", "name_key"), ("variant", "variant_key"), ("parts", "parts")):
        claims[kind] = [
            _claim(column, "current", f"{column} IS NOT NULL"),
            _claim(f"former_{column}", "FALSE", f"former_{column} IS NOT NULL"),
        ]
    for kind, column in (
        ("area", "area"),
        ("address", "address_key"),
        ("legal_rep", "legal_rep"),
        ("phone", "phone_key"),
    ):
        claims[kind] = [_claim(column, "current", f"{column} IS NOT NULL")]
    kept = ("subject_id", "current", "TRUE AS registered", *_SHOWN.split(", "))
    claims["block"] = [f"SELECT *, block AS value FROM ({blocks_sql('described', kept, once=False)})"]
    claims["register"] = [_claim("concat(record_id, '/', role)", "TRUE", "current AND uscc IS NULL")]
    claims["redirected"] = [
        "SELECT e.subject_id, m.subject_id AS value, TRUE AS current, TRUE AS registered, CAST(NULL AS VARCHAR) AS record_id,"
        " m.position, CAST(NULL AS DATE) AS received_on"
        " FROM minted_ids m JOIN entity_ids e ON e.entity = m.entity WHERE m.subject_id <> e.subject_id"
    ]
    claims["uscc"].append(f"SELECT subject_id, uscc, TRUE, FALSE, {_SHOWN} FROM provisional")
    claims["org_code"].append(
        f"SELECT subject_id, substring(uscc, 9, 9), TRUE, FALSE, {_SHOWN} FROM provisional p WHERE NOT EXISTS"
        " (SELECT 1 FROM holders h WHERE h.organisation_code = substring(p.uscc, 9, 9))"
    )
    claims["person_key"] = [
        _minted_claim("person", "person_key", "m.registry AND m.current", "m.person_key IS NOT NULL")
    ]
    claims["place"] = [
        _minted_claim(
            "place", PLACE, "m.registry AND m.current", "m.registry AND m.current AND m.address_key IS NOT NULL"
        )
    ]
    return claims


def _claim(value: str, current: str, condition: str) -> str:
    return f"SELECT subject_id, {value} AS value, {current} AS current, TRUE AS registered, {_SHOWN} FROM held WHERE {condition}"


def _minted_claim(kind: str, identity: str, registered: str, condition: str) -> str:
    """Persons and places: one identity each, so the minted id is the subject."""
    return (
        f"SELECT r.subject_id, r.identifier AS value, TRUE AS current, {registered} AS registered, m.record_id, m.position,"
        f" m.received_on FROM (SELECT *, {identity} AS identity, {ENTRY_POSITION} AS position FROM mentions m"
        f" WHERE m.kind = '{kind}' AND {condition}) m JOIN registry r ON r.kind = '{kind}'"
        f" AND r.identifier_kind = '{'person_key' if kind == 'person' else 'place'}' AND r.identifier = m.identity"
    )
