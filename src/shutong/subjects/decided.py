"""What people decided on cases of identification, and the conclusion from all of it.

A decision says that a case (rows that say the same, ``case_key``) is or is not about a subject. It holds in every later
run, also for rows that come later and say the same, until another decision undoes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutong.engine.stage import SqlStep, Step
from shutong.subjects.model import LEVELS

SIMILAR_SCORE = 850
"""The highest score of a link by similar names, below every exact method."""

DECISION_SCORE = 1000


def decision_steps() -> Iterator[Step]:
    """The steps to ``same`` and ``ruled_out``: case_key, subject_id (redirected where it was merged), decision_id."""
    yield SqlStep("in_force", _IN_FORCE, materialise=True)
    yield SqlStep("same", _SAME, materialise=True)
    yield SqlStep(
        "ruled_out",
        "SELECT DISTINCT case_key, subject_id FROM in_force WHERE verb = 'different'",
        materialise=True,
    )


_IN_FORCE = """SELECT d.decision_id, d.position, d.verb, d.case_key, coalesce(r.subject_id, d.subject_id) AS subject_id
FROM decisions d LEFT JOIN (SELECT value, min(subject_id) AS subject_id FROM identifiers WHERE kind = 'redirected'
 GROUP BY value) r ON r.value = d.subject_id
WHERE d.made_on <= :as_of AND d.verb IN ('same', 'different') AND NOT EXISTS (SELECT 1 FROM decisions u
 WHERE u.verb = 'undo' AND u.undoes = d.decision_id AND u.made_on <= :as_of)"""

# The later of two decisions on one case counts; a subject that is gone can't be anybody's.
_SAME = """SELECT f.case_key, max_by(f.subject_id, f.position) AS subject_id, max_by(f.decision_id, f.position) AS decision_id
FROM in_force f WHERE f.verb = 'same' AND EXISTS (SELECT 1 FROM identifiers i WHERE i.subject_id = f.subject_id)
GROUP BY f.case_key"""


def concluded_sql(evidence: str) -> str:
    """SELECT of the final answer per mention of an organisation: a decision, else the exact methods, else similar names.

    Args:
        evidence: SQL of the evidence of a row of ``decided``, under the name ``d``.
    """
    levels = ", ".join(f'\'","{part}":"\', m.{part}' for part in LEVELS)
    said = (
        f'concat(\'{{"similar":"\', m.subject_id, {levels}, \'","weight":\', m.weight, \',"model":\', m.model,'
        " CASE WHEN m.runner_up IS NOT NULL THEN concat(',\"runner_up\":\"', m.runner_up, '\"') ELSE '' END,"
        " CASE WHEN m.verdict = 'review' THEN concat(',\"candidate\":\"', m.subject_id, '\"') ELSE '' END, '}')"
    )
    return f"""SELECT d.record_id, d.role, d.entry, d.principal, d.current, d.resource, d.kind,
 CASE WHEN s.case_key IS NOT NULL THEN s.subject_id WHEN r.case_key IS NULL AND d.subject_id IS NOT NULL
  THEN d.subject_id WHEN m.verdict = 'link' THEN m.subject_id END AS subject_id,
 CASE WHEN s.case_key IS NOT NULL THEN 'decision' WHEN r.case_key IS NULL AND d.subject_id IS NOT NULL THEN d.method
  WHEN m.verdict = 'link' THEN 'similar' END AS method,
 CAST(CASE WHEN s.case_key IS NOT NULL THEN {DECISION_SCORE} WHEN r.case_key IS NULL AND d.subject_id IS NOT NULL
  THEN d.score WHEN m.verdict = 'link' THEN least({SIMILAR_SCORE}, 600 + floor(m.weight * 0.1)) END AS INTEGER) AS score,
 CASE WHEN s.case_key IS NOT NULL OR (r.case_key IS NULL AND d.subject_id IS NOT NULL) OR m.verdict = 'link' THEN NULL
  WHEN m.verdict = 'review' THEN 'review' WHEN m.verdict = 'tie' THEN 'ambiguous'
  WHEN r.case_key IS NOT NULL THEN 'ruled-out' ELSE d.reason END AS reason,
 CASE WHEN s.case_key IS NOT NULL THEN concat('{{"decision":"', s.decision_id, '"}}')
  WHEN (r.case_key IS NOT NULL OR d.subject_id IS NULL) AND m.case_key IS NOT NULL THEN {said}
  ELSE {evidence} END AS evidence
FROM decided d LEFT JOIN same s ON s.case_key = d.case_key
 LEFT JOIN ruled_out r ON r.case_key = d.case_key AND r.subject_id = d.subject_id
 LEFT JOIN likened m ON m.case_key = d.case_key"""
