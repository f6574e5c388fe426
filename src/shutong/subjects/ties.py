"""Ties: what binds register rows and the ids of subjects to each other, so that a change is followed as far as it reaches.

Two register rows are of one subject, or say whether another row is, only where they share a tie: a code, the identity
under which an id is minted, or the key of the row they are versions of. So the rows that are tied to a changed row,
over as many steps as it takes, hold everything that its change can touch, and their identifiers are worked out alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutong.engine.stage import SqlStep
from shutong.subjects.mentions import IDENTITY, IDENTITY_KIND, ORG_CODE

ROUNDS = 6
"""Steps that are followed from a changed row. What reaches farther is worked out with everything, which is slower."""

_REGISTER = "registry AND kind = 'organisation'"
_ROW = "concat(record_id, '/', role)"
_IDENTITY = f"concat({IDENTITY_KIND}, ':', {IDENTITY})"
_OF_REGISTER_ROWS = {
    "org_code": ORG_CODE,
    "registration_no": "registration_no",
    "certificate_no": "certificate_no",
    "version": "concat(key_id, '/', role)",
}


def ties_steps(name: str, mentions: str) -> Iterator[SqlStep]:
    """The steps to ``name`` (``row_id``, ``kind``, ``value``): the ties of the mentions of a view or subquery.

    A row that is in no register has only the identity it may mint and the organisation code inside its unified code:
    by its other codes nothing is joined.
    """
    conditions = dict.fromkeys(_OF_REGISTER_ROWS, _REGISTER) | {"org_code": f"{_REGISTER} OR uscc IS NOT NULL"}
    shown = ", ".join(
        f"CASE WHEN {conditions[kind]} THEN {value} END AS tie_{kind}" for kind, value in _OF_REGISTER_ROWS.items()
    )
    identity = f"CASE WHEN {IDENTITY_KIND} IS NOT NULL THEN {_IDENTITY} END AS tie_identity"
    yield SqlStep(f"{name}_shown", f"SELECT {_ROW} AS row_id, {identity}, {shown} FROM {mentions}", materialise=True)
    yield SqlStep(
        name,
        " UNION ALL ".join(
            f"SELECT row_id, '{kind}' AS kind, tie_{kind} AS value FROM {name}_shown WHERE tie_{kind} IS NOT NULL"
            for kind in ("identity", *_OF_REGISTER_ROWS)
        ),
    )


def reach_steps() -> Iterator[SqlStep]:
    """The steps from the views ``all_mentions``, ``changed``, ``ties_before`` and ``registry`` to what a change reaches.

    ``mentions`` are the mentions it reaches, and ``near`` the ids minted for what they show. Where the change reaches
    farther than ``ROUNDS`` steps, both hold everything.
    """
    yield from ties_steps("ties", f"(SELECT * FROM all_mentions WHERE {_REGISTER})")
    yield from ties_steps(
        "changed_ties", "(SELECT * FROM all_mentions WHERE record_id IN (SELECT record_id FROM changed))"
    )
    yield SqlStep("reached_0", _REACHED_AT_FIRST, materialise=True)
    for number in range(1, ROUNDS + 1):
        yield SqlStep(f"rows_{number}", _rows_showing(f"reached_{number - 1}"), materialise=True)
        yield SqlStep(
            f"reached_{number}",
            f"SELECT kind, value FROM reached_{number - 1} UNION SELECT kind, value FROM ties"
            f" WHERE row_id IN (SELECT row_id FROM rows_{number})",
            materialise=True,
        )
    yield SqlStep(
        "farther",
        f"SELECT (SELECT count(*) FROM reached_{ROUNDS}) > (SELECT count(*) FROM reached_{ROUNDS - 1}) AS yes",
        materialise=True,
    )
    reached = f"(SELECT value FROM reached_{ROUNDS} WHERE kind = '{{}}')"
    identities, codes = reached.format("identity"), reached.format("org_code")
    # Whether a code that no register holds brings its organisation code along hangs on who else shows that.
    yield SqlStep(
        "near_rows",
        f"SELECT row_id FROM rows_{ROUNDS} UNION ALL SELECT {_ROW} FROM all_mentions WHERE NOT ({_REGISTER})"
        f" AND ({_IDENTITY} IN {identities} OR substring(uscc, 9, 9) IN {codes})",
        materialise=True,
    )
    yield SqlStep(
        "mentions",
        f"SELECT * FROM all_mentions WHERE {_ROW} IN (SELECT row_id FROM near_rows) OR (SELECT yes FROM farther)",
        materialise=True,
    )
    yield SqlStep(
        "near",
        f"SELECT subject_id FROM registry WHERE concat(identifier_kind, ':', identifier) IN {identities}"
        f" OR (identifier_kind = 'uscc' AND substring(identifier, 9, 9) IN {codes}) OR (SELECT yes FROM farther)",
        materialise=True,
    )


def _rows_showing(reached: str) -> str:
    return f"SELECT DISTINCT t.row_id FROM ties t JOIN {reached} r ON r.kind = t.kind AND r.value = t.value"


# What the changed rows showed before and show now, and the ids that they once minted though they show nothing any more.
_REACHED_AT_FIRST = """SELECT kind, value FROM ties_before UNION SELECT kind, value FROM changed_ties
UNION SELECT 'identity', concat(identifier_kind, ':', identifier) FROM registry
 WHERE minted_by IN (SELECT record_id FROM changed)
UNION SELECT 'org_code', substring(identifier, 9, 9) FROM registry
 WHERE identifier_kind = 'uscc' AND minted_by IN (SELECT record_id FROM changed)"""
