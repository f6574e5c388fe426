"""What follows from a committed run: listings, tickets of disagreements, ready answers. All of it is repeatable."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from shutong.accounts.actors import SYSTEM
from shutong.engine.engine import Engine
from shutong.engine.home import Home
from shutong.engine.sqltext import literal
from shutong.libraries.conflicts import verified
from shutong.pipeline.answers.change import apply_listings, renew
from shutong.pipeline.answers.snapshot import snapshot
from shutong.pipeline.answers.store import AnswersMissing, AnswerStore
from shutong.quality.actions import open_disagreement_ticket
from shutong.quality.models import Ticket
from shutong.rules.actions import Candidate, Waiting, reconcile_listings
from shutong.spec.catalog import Catalog
from shutong.spec.models import Title
from shutong.subjects.actions import reconcile_cases


@dataclass(frozen=True)
class Position:
    """Where the lake stands: the last committed run of the way, its kind and business day, and the run before it."""

    run_id: str
    kind: str
    business_day: dt.date
    previous: str | None


def after_commit(
    home: Home,
    engine: Engine,
    catalog: Catalog,
    reached: Position,
    progress: Callable[[str, int, int], None],
) -> None:
    """Write the decisions that follow from what the rules found, and renew the ready answers.

    Args:
        reached: where the lake stands now, and from where it came.
        progress: told of the steps.
    """
    day = reached.business_day
    progress("listings", 1, 2)
    reconcile_listings(catalog, candidates(engine), day, waiting(engine, catalog))
    found = _disagreements(engine)
    asked = set(Ticket.objects.filter(kind=Ticket.Kind.DISAGREEMENT).values_list("subject", flat=True))
    for name, title in verification_titles(catalog).items():
        if name in found or name in asked:
            open_disagreement_ticket(name, title.zh, found.get(name, ()), day, acting=SYSTEM)
    reconcile_cases(cases(engine), day, acting=SYSTEM)
    progress("answers", 2, 2)
    shown = shown_run(home)
    # The answers may lag behind by a run that was killed after its commit: then its subjects are not known here.
    if reached.run_id == shown and _shows(home, catalog, day):
        apply_listings(home.answers, catalog)
        return
    # A new title or mask changes no table of the lake, but what is shown of every subject.
    full = reached.run_id == shown or reached.kind == "full" or shown != reached.previous
    with engine.undivided():
        renew(engine, home.answers, catalog, day, reached.run_id, full=full)


def _shows(home: Home, catalog: Catalog, day: dt.date) -> bool:
    """Whether the ready answers were made with these declarations."""
    wanted = {tuple(row.values()) for batch in snapshot(catalog, day) for row in batch.to_pylist()}
    rows = AnswerStore(home.answers).fetch("SELECT kind, name, position, content FROM answer_catalog")
    return {tuple(row.values()) for row in rows} == wanted


def shown_run(home: Home) -> str | None:
    """The run whose tables the ready answers show; None where there are none."""
    try:
        return AnswerStore(home.answers).meta().get("run_id")
    except AnswersMissing:
        return None


def verification_titles(catalog: Catalog) -> dict[str, Title]:
    """Every declared verification, and every attribute of a library whose sources are compared, with its title."""
    titles = {name: one.title for name, one in catalog.verifications.items()}
    for (library, attribute), one in verified(catalog):
        of = catalog.libraries[library].title
        both = f"{of.en}: {one.title.en}" if of.en and one.title.en else None
        titles[f"{library}.{attribute}"] = Title(zh=f"{of.zh}：{one.title.zh}", en=both)
    return titles


def _disagreements(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    if "disagreements" in engine.lake.tables():
        sql = "SELECT * FROM t ORDER BY verification, key, item"
        for row in engine.query(sql, {"t": "disagreements"}).to_pylist():
            found.setdefault(row["verification"], []).append(row)
    return found


# Rows that say the same are one case; its evidence is the same for all of them.
_CASES = """SELECT m.case_key, min(u.reason) AS reason, min(u.evidence) AS evidence, min(m.record_id) AS record_id,
 count(*) AS records, list(DISTINCT m.resource ORDER BY m.resource) AS resources, min(m.name) AS name, min(m.area) AS area,
 min(m.legal_rep) AS legal_rep, min(m.address_key) AS address, min(m.faulty) AS uscc, min(m.org_code) AS org_code,
 min(m.registration_no) AS registration_no, min(m.taxpayer_no) AS taxpayer_no, min(m.certificate_no) AS certificate_no
FROM u JOIN m ON m.record_id = u.record_id AND m.role = u.role
WHERE u.reason IN ('review', 'conflict') AND u.current AND m.case_key IS NOT NULL AND u.evidence LIKE '%"candidate"%'
GROUP BY m.case_key"""

_SAID = ("name", "area", "legal_rep", "address", "uscc", "org_code", "registration_no", "taxpayer_no", "certificate_no")


def cases(engine: Engine) -> Iterator[dict[str, Any]]:
    """The cases of identification that wait for a person, as the last committed run left them."""
    if "unidentified" not in engine.lake.tables():
        return
    for row in engine.query(_CASES, {"u": "unidentified", "m": "mentions"}).to_pylist():
        evidence = json.loads(row["evidence"])
        yield {
            **{name: row[name] for name in ("case_key", "reason", "record_id", "records", "resources")},
            "candidate": evidence["candidate"],
            "runner_up": evidence.get("runner_up") or evidence.get("name_of") or "",
            "weight": evidence.get("weight", 0),
            "evidence": evidence,
            "said": {name: row[name] for name in _SAID if row[name]},
        }


_WAITING = """SELECT record_id, resource, evidence FROM u WHERE principal AND current AND kind = 'organisation'
 AND reason IN ('review', 'conflict', 'ambiguous') AND resource IN ({resources})
 AND (evidence LIKE '%"candidate"%' OR evidence LIKE '%"runner_up"%')"""

_COMPARED = ("candidate", "similar", "runner_up", "name_of")
"""Where evidence names the subjects that a record may be about."""


def waiting(engine: Engine, catalog: Catalog) -> Waiting:
    """The records of resources on whose absence a ground rests that may be somebody's own and wait for a person."""
    wanted = {name for one in catalog.lists.values() for ground in one.grounds.values() for name in ground.absence}
    if not wanted or "unidentified" not in engine.lake.tables():
        return {}
    sql = _WAITING.format(resources=", ".join(literal(name) for name in sorted(wanted)))
    found: dict[str, dict[str, list[str]]] = {}
    for row in engine.query(sql, {"u": "unidentified"}).to_pylist():
        evidence = json.loads(row["evidence"])
        for subject in {evidence[name] for name in _COMPARED if evidence.get(name)}:
            found.setdefault(row["resource"], {}).setdefault(subject, []).append(row["record_id"])
    return found


def candidates(engine: Engine) -> list[Candidate]:
    """What the rules found in the last committed run."""
    if "candidates" not in engine.lake.tables():
        return []
    rows = engine.query(
        "SELECT candidate_id, list, ground, subject_id, since, record_ids, rule_version FROM candidates",
        {"candidates": "candidates"},
    )
    return [Candidate(**{**row, "record_ids": tuple(row["record_ids"] or ())}) for row in rows.to_pylist()]
