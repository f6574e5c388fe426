"""Training a new version of the matching model from what the lake holds; a daily run only reads it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pyarrow as pa

from shutong.accounts.actions import require
from shutong.accounts.actors import Actor
from shutong.engine.engine import engine_of
from shutong.engine.home import Home, lease
from shutong.pipeline.inputs import MODELS_TABLE, model_version
from shutong.subjects.model import IDENTIFY
from shutong.subjects.tables import MODELS
from shutong.subjects.train import train

_LEASE_WAIT = 30.0
_MOST_CASES = 300_000

# What exact codes and names left over, and what similar names found for it; the area of the whole city says nothing.
_CASES = f"""SELECT m.case_key AS unique_id, {{parts}}, min(CASE WHEN m.area NOT LIKE '%00' THEN m.area END) AS area,
 min(m.legal_rep) AS legal_rep, min(m.phone_key) AS phone, min(m.address_key) AS address
FROM mentions m JOIN lookups l ON l.record_id = m.record_id AND l.kind = 'block'
WHERE m.case_key IS NOT NULL AND m.parts IS NOT NULL GROUP BY m.case_key, m.parts ORDER BY m.case_key LIMIT {_MOST_CASES}"""

_REGISTER = """SELECT i.subject_id || i.value AS unique_id, {parts}, min(a.value) AS area, min(r.value) AS legal_rep,
 min(p.value) AS phone, min(d.value) AS address FROM i LEFT JOIN i a ON a.subject_id = i.subject_id AND a.kind = 'area'
 LEFT JOIN i r ON r.subject_id = i.subject_id AND r.kind = 'legal_rep' AND r.current
 LEFT JOIN i p ON p.subject_id = i.subject_id AND p.kind = 'phone' AND p.current
 LEFT JOIN i d ON d.subject_id = i.subject_id AND d.kind = 'address' AND d.current
WHERE i.kind = 'parts' GROUP BY i.subject_id, i.value"""


@dataclass(frozen=True)
class Trained:
    """A new version of the model: how many cases and names it was estimated from, and its weights."""

    version: int
    cases: int
    names: int
    weights: dict[str, dict[int, int]]
    terms: int


def train_model(home: Home, *, acting: Actor) -> Trained:
    """Train on what the last run left over and append the new version; the next run links everything by it.

    Raises:
        NotAllowedError: the actor may not run the stages.
        TooFewCasesError: there is too little to learn from; nothing was changed.
        LeaseError: a run holds the home.
    """
    require(acting, "pipeline.run", what="pipeline.train_model")
    with lease(home, wait=_LEASE_WAIT, purpose="train"):
        engine = engine_of(home)
        try:
            day = home.today()
            views = {"mentions": "mentions", "lookups": "lookups"}
            cases = engine.query(_CASES.format(parts=_parts("m.parts")), views)
            register = engine.query(_REGISTER.format(parts=_parts("i.value")), {"i": "identifiers"})
            rows = train(cases, register, home.tmp, home.settings.memory_bytes // 2)
            with engine.run(f"train-{secrets.token_hex(6)}", "train", day) as run:
                version = model_version(run, day) + 1
                head = {"model": IDENTIFY, "version": version, "trained_on": day}
                content = [{**head, "part": p, "level": n, "term": t, "weight": w} for p, n, t, w in rows]
                run.stage_table(MODELS_TABLE, pa.Table.from_pylist(content, MODELS))
                run.commit()
        finally:
            engine.close()
    weights: dict[str, dict[int, int]] = {}
    for part, level, term, weight in rows:
        if term is None:
            weights.setdefault(part, {})[level] = weight
    terms = sum(part == "brand" and term is not None for part, _, term, _ in rows)
    return Trained(version, cases.num_rows, register.num_rows, weights, terms)


def _parts(column: str) -> str:
    return ", ".join(
        f"nullif(split_part({column}, '|', {place}), '') AS {part}" for place, part in ((1, "brand"), (2, "trade"))
    )
