"""Identify: each mention linked to a subject with method, score and evidence, or set aside with the reason.

The order: the register row itself; a valid unified code; a code that leads to one (organisation code, registration,
taxpayer or certificate number, through the registers); a unified code with one slip that fits one register row, where
name or area agrees; the exact name in its area; the exact name alone where it is unique and nothing contradicts; a
spelling variant of the name in its area; a similar name with the model's approval (``similar``). A code beside the name
of somebody else is a conflict. Persons are linked by the key of their identity number only, places by address and area.
What a person decided on a case goes before all of it.

The link of a mention depends on the mention, on the identifiers found under its own values and those in ``lookups``, on
decisions on its case, and on nothing else; this is what lets a run compute only the mentions that a change can touch.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutong.engine.stage import Read, SqlStep, Stage, Step, Write
from shutong.spec.catalog import Catalog
from shutong.subjects.decided import concluded_sql, decision_steps
from shutong.subjects.mentions import ORG_CODE, PLACE, about_hash
from shutong.subjects.repair import repair_steps
from shutong.subjects.similar import similar_steps
from shutong.subjects.tables import DECISIONS, IDENTIFIERS, LINKS, LOOKUPS, MENTIONS, MODELS, UNIDENTIFIED

VERSION = 2

SCORES = {
    "registry": 1000,
    "uscc": 990,
    "org_code": 980,
    "registration_no": 975,
    "taxpayer_no": 970,
    "certificate_no": 965,
    "uscc_repaired": 945,
    "person_key": 1000,
    "place": 950,
    "name_area": 940,
    "name": 900,
    "name_variant": 860,
}
"""Score of a link in per mille, by method; a code beside a name that is not the subject's loses ``NAME_DIFFERS``."""

NAME_DIFFERS = 40

SAID = ("absent", "equal", "variant", "other", "unknown", "shared", "repaired", "open")
"""What a piece of evidence says; until the end it is a number, its place here."""
ABSENT, EQUAL, VARIANT, OTHER, UNKNOWN, SHARED, REPAIRED, OPEN = range(len(SAID))

_CODES = ("org_code", "registration_no", "taxpayer_no", "certificate_no")
_COLUMN_OF = {code: code for code in _CODES} | {"org_code": "organisation_code"}


def identify_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``links``, ``unidentified`` and ``lookups``.

    Scope: record ids. ``mentions`` and ``identifiers`` are of the day they were computed for; ``:as_of`` chooses the model
    and the decisions in force.
    """
    return Stage(
        name="identify",
        reads=(
            Read("mentions", "mentions", MENTIONS, scope="record_id"),
            Read("identifiers", "identifiers", IDENTIFIERS),
            Read("decisions", "decisions", DECISIONS),
            Read("models", "models", MODELS),
        ),
        steps=tuple(_steps()),
        writes=(
            Write("links", "links", key="record_id", schema=LINKS),
            Write("unidentified", "unidentified", key="record_id", schema=UNIDENTIFIED),
            Write("lookups", "lookups", key="record_id", schema=LOOKUPS),
        ),
        version=VERSION,
        declarations=about_hash(catalog),
    )


def _steps() -> Iterator[Step]:
    yield SqlStep("numbers", _NUMBERS, materialise=True)
    yield SqlStep("numbered", _NUMBERED, materialise=True)
    yield SqlStep("owners", _OWNERS, materialise=True)
    yield SqlStep("name_areas", _NAME_AREAS, materialise=True)
    yield from repair_steps()
    yield SqlStep("told", _TOLD)
    yield SqlStep("looked_up", _looked_up_sql())
    yield SqlStep("by_code", _BY_CODE, materialise=True)
    yield SqlStep("own_names", _OWN_NAMES, materialise=True)
    yield SqlStep("clashes", _clashes_sql(), materialise=True)
    yield SqlStep("weighed", _WEIGHED)
    yield SqlStep("decided", _decided_sql(), materialise=True)
    yield SqlStep("persons_and_places", _PERSONS_AND_PLACES)
    yield from decision_steps()
    yield SqlStep("left_cases", _LEFT_CASES)
    yield from similar_steps()
    yield SqlStep("concluded", concluded_sql(evidence_sql()))
    yield SqlStep("lookups", _LOOKED_UP_BY)
    both = "SELECT * FROM concluded UNION ALL SELECT * FROM persons_and_places"
    links = ", ".join(LINKS.names)
    unidentified = ", ".join(UNIDENTIFIED.names)
    yield SqlStep("links", f"SELECT {links} FROM ({both}) WHERE reason IS NULL")
    yield SqlStep("unidentified", f"SELECT {unidentified} FROM ({both}) WHERE reason IS NOT NULL")


# Only what identification looks at: every column more is written and read once more.
_TOLD = f"""SELECT record_id, role, entry, principal, current, registry, resource, uscc, org_code IS NOT NULL AS own_org_code,
 registration_no, taxpayer_no, certificate_no, {ORG_CODE} AS organisation_code, name_key, variant_key, area, case_key
FROM mentions WHERE kind = 'organisation'"""

# A mention is led to a dozen subjects before one is chosen: whole numbers stand for their ids meanwhile.
_NUMBERS = """SELECT subject_id, row_number() OVER (ORDER BY subject_id NULLS LAST) AS number
FROM (SELECT DISTINCT subject_id FROM identifiers)"""

_NUMBERED = """SELECT i.kind, i.value, n.number, i.current, i.registered FROM identifiers i
 JOIN numbers n ON n.subject_id = i.subject_id
WHERE i.kind NOT IN ('redirected', 'parts', 'block', 'legal_rep', 'phone', 'address')"""

_LEFT_CASES = """SELECT DISTINCT d.case_key FROM decided d WHERE d.case_key IS NOT NULL
 AND (d.reason IN ('no-match', 'ambiguous') OR EXISTS (SELECT 1 FROM ruled_out r
  WHERE r.case_key = d.case_key AND r.subject_id = d.subject_id))"""

_LOOKED_UP_BY = """SELECT DISTINCT record_id, 'uscc' AS kind, code AS value FROM meant
UNION ALL SELECT DISTINCT d.record_id, 'block', a.block FROM decided d JOIN asked a ON a.case_key = d.case_key"""

# Who is found under a value: the number of the subject where it is only one, and how many.
_OWNERS = """SELECT kind, value, min(number) AS subject, count(*) AS owners FROM numbered
WHERE kind <> 'area' GROUP BY kind, value"""

_NAME_AREAS = """SELECT n.kind, n.value, a.value AS area, min(n.number) AS subject, count(*) AS owners
FROM numbered n JOIN numbered a ON a.number = n.number AND a.kind = 'area'
WHERE n.kind IN ('name', 'variant') GROUP BY n.kind, n.value, a.value"""


_CARRIED = ("record_id", "role", "entry", "principal", "current", "registry", "resource", "own_org_code",
            "registration_no", "taxpayer_no", "certificate_no", "organisation_code", "name_key", "variant_key", "area",
            "case_key")  # fmt: skip
"""Columns of ``told`` that are needed after the look-up."""


def _looked_up_sql() -> str:
    """Every mention of an organisation with whom its codes and its name lead to."""
    columns = [f"t.{name}" for name in _CARRIED]
    columns += ["t.uscc IS NOT NULL AS own_uscc"]
    columns += ["u.subject AS by_uscc", "g.subject AS by_register", "s.subject AS by_repair"]
    joins = [
        "LEFT JOIN owners u ON u.kind = 'uscc' AND u.value = t.uscc",
        "LEFT JOIN owners g ON g.kind = 'register'"
        " AND g.value = CASE WHEN t.registry AND t.current THEN concat(t.record_id, '/', t.role) END",
        "LEFT JOIN repaired s ON s.record_id = t.record_id AND s.role = t.role",
    ]
    for code in _CODES:
        columns += [f"CASE WHEN {code}_of.owners = 1 THEN {code}_of.subject END AS by_{code}"]
        columns += [f"{code}_of.owners AS {code}_owners"]
        joins.append(
            f"LEFT JOIN owners {code}_of ON {code}_of.kind = '{code}' AND {code}_of.value = t.{_COLUMN_OF[code]}"
        )
    for short, kind in (("name", "name"), ("variant", "variant")):
        columns += [f"CASE WHEN {short}_in.owners = 1 THEN {short}_in.subject END AS by_{short}_area"]
        columns += [f"{short}_in.owners AS {short}_area_owners"]
        joins.append(
            f"LEFT JOIN name_areas {short}_in ON {short}_in.kind = '{kind}' AND {short}_in.value = t.{kind}_key"
            f" AND {short}_in.area = t.area"
        )
    columns += ["CASE WHEN name_of.owners = 1 THEN name_of.subject END AS by_name", "name_of.owners AS name_owners"]
    joins.append("LEFT JOIN owners name_of ON name_of.kind = 'name' AND name_of.value = t.name_key")
    return f"SELECT {', '.join(columns)} FROM told t {' '.join(joins)}"


_AGREEING = ", ".join(f"by_{code}" for code in _CODES)
_ANY_CODE = f"coalesce({_AGREEING})"

# Whom the codes lead to. Where they lead to different subjects, the one that also has the name in its area counts.
_BY_CODE = f"""SELECT *, CASE
  WHEN registry AND current AND coalesce(by_uscc, by_register) IS NOT NULL THEN coalesce(by_uscc, by_register)
  WHEN by_uscc IS NOT NULL THEN by_uscc
  WHEN least({_AGREEING}) = greatest({_AGREEING}) THEN {_ANY_CODE}
  WHEN {_ANY_CODE} IS NOT NULL AND by_name_area IN ({_AGREEING}) THEN by_name_area
  WHEN {_ANY_CODE} IS NULL THEN by_repair END AS code_subject,
 coalesce(by_name_area, CASE WHEN area IS NULL THEN by_name END) AS name_subject,
 CASE WHEN registry AND current AND coalesce(by_uscc, by_register) IS NOT NULL THEN 'registry'
  WHEN by_uscc IS NOT NULL THEN 'uscc' END AS first_method
FROM looked_up"""

# Names are compared with the subject of the code only where the name did not lead there by itself.
_OWN_NAMES = """SELECT b.record_id, b.role, max(CASE WHEN i.kind = 'name' THEN 2 ELSE 1 END) AS likeness
FROM by_code b JOIN numbered i ON i.number = b.code_subject
 AND ((i.kind = 'name' AND i.value = b.name_key) OR (i.kind = 'variant' AND i.value = b.variant_key))
WHERE b.code_subject IS NOT NULL AND b.name_key IS NOT NULL
 AND (b.name_subject IS NULL OR b.name_subject <> b.code_subject)
GROUP BY b.record_id, b.role"""


def _clashes_sql() -> str:
    """Mentions without a subject by code whose code of some kind differs from that of the subject of their name."""
    cases = [
        f"SELECT b.record_id, b.role, i.number, bool_or(i.value = b.{_COLUMN_OF[code]}) AS same FROM named b"
        f" JOIN numbered i ON i.number = b.subject AND i.kind = '{code}' AND i.current"
        f" WHERE b.{_COLUMN_OF[code]} IS NOT NULL GROUP BY b.record_id, b.role, i.number, b.{_COLUMN_OF[code]}"
        for code in _CODES
    ]
    candidate = "coalesce(by_name_area, by_name, by_variant_area)"
    present = " OR ".join(f"{_COLUMN_OF[code]} IS NOT NULL" for code in _CODES)
    return (
        f"WITH named AS (SELECT *, {candidate} AS subject FROM by_code"
        f" WHERE code_subject IS NULL AND {candidate} IS NOT NULL AND ({present}))"
        f" SELECT record_id, role, number FROM ({' UNION ALL '.join(cases)}) WHERE NOT same"
        " GROUP BY record_id, role, number"
    )


# An area of the whole city (ending in 00) or none contradicts no area of the city; another district does.
_WEIGHED = f"""SELECT b.*, o.likeness, c.number AS clash,
 CASE WHEN b.code_subject IS NULL AND {_ANY_CODE} IS NOT NULL THEN TRUE ELSE FALSE END AS codes_disagree,
 CASE WHEN b.area IS NULL OR b.area LIKE '%00' THEN TRUE ELSE FALSE END AS area_open,
 CASE WHEN b.name_key IS NULL THEN {ABSENT}
  WHEN b.code_subject = b.name_subject OR o.likeness = 2 THEN {EQUAL}
  WHEN o.likeness = 1 THEN {VARIANT}
  WHEN b.name_subject IS NOT NULL THEN {OTHER}
  ELSE {UNKNOWN} END AS name_evidence
FROM by_code b LEFT JOIN own_names o ON o.record_id = b.record_id AND o.role = b.role
 LEFT JOIN clashes c ON c.record_id = b.record_id AND c.role = b.role"""


def _decided_sql() -> str:
    """One row per mention of an organisation: subject and method, or the reason why there is none."""
    led = {code: f"by_{code} = code_subject" for code in _CODES}
    led["org_code"] += " AND own_org_code"
    led["taxpayer_no"] += " OR (taxpayer_no IS NOT NULL AND by_org_code = code_subject)"
    led["uscc_repaired"] = "by_repair = code_subject"
    code_method = " ".join(f"WHEN {condition} THEN '{code}'" for code, condition in led.items())
    has_code = " OR ".join(["own_uscc", *(f"{_COLUMN_OF[code]} IS NOT NULL" for code in _CODES)])
    many = " OR ".join(["name_owners > 1", "name_area_owners > 1", "variant_area_owners > 1"])
    many_codes = " OR ".join(f"{code}_owners > 1" for code in _CODES)
    scores = " ".join(f"WHEN '{method}' THEN {score}" for method, score in SCORES.items())
    codes = ", ".join(
        f"CASE WHEN {_COLUMN_OF[code]} IS NULL THEN {ABSENT} WHEN by_{code} = coalesce(found, other) THEN {EQUAL}"
        f" WHEN by_{code} IS NOT NULL THEN {OTHER} WHEN {code}_owners > 1 THEN {SHARED} ELSE {UNKNOWN} END AS said_{code}"
        for code in _CODES
    )
    return f"""WITH methods AS (SELECT *, CASE
  WHEN code_subject IS NOT NULL AND name_evidence = {OTHER} AND coalesce(first_method, '') <> 'registry' THEN NULL
  WHEN first_method IS NOT NULL THEN first_method
  WHEN code_subject IS NOT NULL THEN CASE {code_method} END
  WHEN codes_disagree THEN NULL
  WHEN by_name_area IS NOT NULL THEN 'name_area'
  WHEN name_area_owners > 1 THEN NULL
  WHEN by_name IS NOT NULL AND area_open THEN 'name'
  WHEN by_variant_area IS NOT NULL AND name_owners IS NULL THEN 'name_variant' END AS tried FROM weighed),
found AS (SELECT *, CASE WHEN tried IN ('name_area', 'name', 'name_variant') AND clash IS NOT NULL THEN NULL
  ELSE tried END AS method FROM methods),
named AS (SELECT *, CASE method WHEN 'name_area' THEN by_name_area WHEN 'name' THEN by_name
  WHEN 'name_variant' THEN by_variant_area ELSE CASE WHEN method IS NOT NULL THEN code_subject END END AS found,
 CASE WHEN method IS NULL THEN coalesce(code_subject, name_subject, by_name, by_variant_area) END AS other FROM found)
SELECT record_id, role, entry, principal, current, resource, 'organisation' AS kind, case_key, f.subject_id, method,
 CAST(CASE method {scores} END - CASE WHEN method NOT IN ('registry', 'name_area', 'name', 'name_variant')
  AND name_evidence IN ({UNKNOWN}, {OTHER}) THEN {NAME_DIFFERS} ELSE 0 END AS INTEGER) AS score,
 CASE WHEN method IS NOT NULL THEN NULL
  WHEN codes_disagree OR clash IS NOT NULL OR name_evidence = {OTHER} AND code_subject IS NOT NULL THEN 'conflict'
  WHEN {many} OR {many_codes} THEN 'ambiguous'
  WHEN name_key IS NULL AND NOT ({has_code}) THEN 'no-identifier' ELSE 'no-match' END AS reason,
 CASE WHEN by_repair = coalesce(found, other) THEN {REPAIRED} WHEN NOT own_uscc THEN {ABSENT}
  WHEN by_uscc = coalesce(found, other) THEN {EQUAL} WHEN by_uscc IS NULL THEN {UNKNOWN} ELSE {OTHER} END AS said_uscc,
 {codes},
 CASE WHEN method IN ('name_area', 'name') THEN {EQUAL} WHEN method = 'name_variant' THEN {VARIANT}
  ELSE name_evidence END AS said_name,
 CASE WHEN area IS NULL THEN {ABSENT} WHEN method IN ('name_area', 'name_variant') OR by_name_area = found THEN {EQUAL}
  WHEN area_open THEN {OPEN} ELSE {UNKNOWN} END AS said_area,
 o.subject_id AS candidate, s.subject_id AS name_of
FROM named LEFT JOIN numbers f ON f.number = found LEFT JOIN numbers o ON o.number = other
 LEFT JOIN numbers s ON s.number = CASE WHEN name_subject <> coalesce(found, other) THEN name_subject END"""


def evidence_sql() -> str:
    """The evidence of a row of ``decided`` as JSON: long texts, so they are written once, into the result."""
    words = " ".join(f"WHEN {place} THEN '{word}'" for place, word in enumerate(SAID))
    pieces = ", ".join(
        f"'{{comma}}\"{name}\":\"', CASE d.said_{name} {words} END, '\"'".replace("{comma}", "," if number else "{")
        for number, name in enumerate(("uscc", *_CODES, "name", "area"))
    )
    return (
        f"concat({pieces}, CASE WHEN d.candidate IS NOT NULL THEN concat(',\"candidate\":\"', d.candidate, '\"') ELSE '' END,"
        " CASE WHEN d.name_of IS NOT NULL THEN concat(',\"name_of\":\"', d.name_of, '\"') ELSE '' END, '}')"
    )


def _others_sql(kind: str, key: str, value: str, method: str, shown: str) -> str:
    """Persons or places: one identity each.

    Args:
        key: kind of the identifier; ``value`` the mention's own, ``shown`` the column that must be there for it.
    """
    return (
        "SELECT m.record_id, m.role, m.entry, m.principal, m.current, m.resource, m.kind,"
        f" CASE WHEN o.owners = 1 THEN n.subject_id END AS subject_id, CASE WHEN o.owners = 1 THEN '{method}' END AS method,"
        f" CAST(CASE WHEN o.owners = 1 THEN {SCORES[method]} END AS INTEGER) AS score,"
        " CASE WHEN o.owners = 1 THEN NULL WHEN o.owners > 1 THEN 'ambiguous'"
        f" WHEN m.{shown} IS NULL THEN 'no-identifier' ELSE 'no-match' END AS reason,"
        f" concat('{{\"{key if kind == 'person' else 'address'}\":\"', CASE WHEN o.owners = 1 THEN 'equal'"
        f" WHEN m.{shown} IS NULL THEN 'absent' ELSE 'unknown' END, '\"}}') AS evidence"
        f" FROM (SELECT *, {value} AS identity FROM mentions WHERE kind = '{kind}') m"
        f" LEFT JOIN owners o ON o.kind = '{key}' AND o.value = m.identity LEFT JOIN numbers n ON n.number = o.subject"
    )


_PERSONS_AND_PLACES = " UNION ALL ".join(
    (
        _others_sql("person", "person_key", "person_key", "person_key", "person_key"),
        _others_sql("place", "place", PLACE, "place", "address_key"),
    )
)
