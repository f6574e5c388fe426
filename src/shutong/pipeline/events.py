"""What became of ids that were published: merged into another, separated from it again, vanished, returned.

A run compares the subjects that a row shows, and the redirects of merged ones, with those of the run before, and stages
what differs in the same commit. So an event is written once, whatever is killed; and it is a log of what runs found: a
rebuild from nothing, which has nothing to compare with, writes none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from shutong.engine.run import LakeRun
from shutong.engine.sqltext import Parameter, literal
from shutong.spec.catalog import Catalog
from shutong.spec.columns import REPLACED
from shutong.spec.models import Resource
from shutong.subjects.mentions import accepted_table, accepted_view, subjects_of
from shutong.subjects.scopes import SUBJECTS_OF_RUN
from shutong.subjects.tables import EVENTS, EVENTS_TABLE

_FOUND = "scope/events"
"""The events of this run before they are explained."""


@dataclass(frozen=True)
class Since:
    """Where the run before got: the last delivery it took in, and its business day."""

    seq: int
    day: dt.date


def stage_events(run: LakeRun, catalog: Catalog, since: Since, day: dt.date, *, increment: bool) -> int:
    """Stage the events that the run found, after its links and before its commit; returns how many.

    Args:
        since: where the run before got; there must have been one.
        day: the business day, which is the events' day.
        increment: only the subjects of the run can have changed.

    Raises:
        StageError: a query fails.
    """
    logged = run.table(EVENTS_TABLE)
    views = {"links": "links", "mentions": "mentions", "identifiers": "identifiers"}
    if logged.segments:
        views["logged"] = EVENTS_TABLE
    if increment:
        views["scope"] = SUBJECTS_OF_RUN
    found = run.peek(
        _found_sql(logged=bool(logged.segments), increment=increment), views, before=_before("identifiers")
    )
    if not found.num_rows:
        return 0
    run.stage_table(_FOUND, found, "replace")
    params: dict[str, Parameter] = {"since_seq": since.seq, "since_day": since.day, "as_of": day}
    params |= {"run_id": run.run_id, "before": logged.stored_rows}
    resources = [one for one in subjects_of(catalog) if run.table(accepted_table(one.resource)).segments]
    views = {"events": _FOUND, "links": "links", "mentions": "mentions"}
    views |= {accepted_view(one.resource): accepted_table(one.resource) for one in resources}
    told = run.peek(_explained_sql(resources), views, params, before=_before())
    run.stage_table(EVENTS_TABLE, told.cast(EVENTS))
    return told.num_rows


def _before(*more: str) -> dict[str, str]:
    """The views of tables as the run before left them."""
    return {f"{name}_before": name for name in ("links", "mentions", *more)}


_NEW = "(seq > :since_seq OR received_on > :since_day) AND received_on <= :as_of"


def _states_sql(suffix: str, of: str) -> str:
    """SELECT of every id that leads somewhere: a subject with a row that shows and names it, or one merged into another."""
    return (
        f"SELECT DISTINCT l.subject_id AS id, CAST(NULL AS VARCHAR) AS target FROM links{suffix} l"
        f" JOIN mentions{suffix} m ON m.record_id = l.record_id AND m.role = l.role"
        " WHERE l.current AND (l.kind <> 'organisation' OR m.registry OR m.name_key IS NOT NULL)"
        f"{of.format(column='l.subject_id')}"
        f" UNION ALL SELECT value, subject_id FROM identifiers{suffix} WHERE kind = 'redirected'"
        f"{of.format(column='subject_id')}"
    )


def _found_sql(*, logged: bool, increment: bool) -> str:
    """SELECT of event, subject_id, other_id: how the states before and after differ."""
    of = " AND {column} IN (SELECT subject_id FROM scope)" if increment else ""
    last = (
        "SELECT subject_id AS id, max_by(event, position) AS event FROM logged GROUP BY subject_id"
        if logged
        else "SELECT CAST(NULL AS VARCHAR) AS id, CAST(NULL AS VARCHAR) AS event WHERE FALSE"
    )
    # An id that was merged together with the one it had been merged into before was not separated from it.
    return f"""WITH b AS ({_states_sql("_before", of)}), a AS ({_states_sql("", of)}), last AS ({last}),
both_sides AS (SELECT coalesce(b.id, a.id) AS id, b.id IS NOT NULL AS was, a.id IS NOT NULL AS is_there,
  b.target AS old_target, a.target AS new_target, coalesce(last.event = 'vanished', FALSE) AS had_vanished
 FROM b FULL JOIN a ON a.id = b.id LEFT JOIN last ON last.id = coalesce(b.id, a.id))
SELECT 'separated' AS event, s.id AS subject_id, s.old_target AS other_id FROM both_sides s
 LEFT JOIN a further ON further.id = s.old_target
WHERE s.old_target IS NOT NULL AND s.new_target IS DISTINCT FROM s.old_target
 AND NOT coalesce(further.target = s.new_target, FALSE)
UNION ALL SELECT 'merged', id, new_target FROM both_sides
WHERE new_target IS NOT NULL AND new_target IS DISTINCT FROM old_target AND (was OR had_vanished)
UNION ALL SELECT 'vanished', id, NULL FROM both_sides WHERE was AND NOT is_there
UNION ALL SELECT 'returned', id, NULL FROM both_sides
WHERE is_there AND new_target IS NULL AND NOT was AND had_vanished"""


def _explained_sql(resources: Sequence[Resource]) -> str:
    """SELECT of the rows of the log for ``events``, each with the record that explains it."""
    new_rows = []
    for one in resources:
        view = accepted_view(one.resource)
        new_rows.append(f"SELECT key_id, record_id, operation, seq, row_no FROM {view} WHERE {_NEW}")
        if one.replaces:
            new_rows.append(
                f"SELECT {REPLACED}, record_id, operation, seq, row_no FROM {view} WHERE {REPLACED} IS NOT NULL AND {_NEW}"
            )
    whole = ", ".join(literal(one.resource) for one in resources if one.delivery == "snapshot")
    return _EXPLAINED.format(new_rows=" UNION ALL ".join(new_rows), whole=whole or "NULL")


# A merger or separation is explained by the newest row that came with this run and is about one of the two, a register's
# before others'; that something vanished by the new version, or the withdrawal, of a row that had shown it.
_EXPLAINED = """WITH newest AS (SELECT l.subject_id, max_by(l.record_id, row(m.registry, m.seq, m.row_no)) AS record_id
 FROM links l JOIN mentions m ON m.record_id = l.record_id AND m.role = l.role
 WHERE l.current AND l.subject_id IN (SELECT subject_id FROM events UNION SELECT other_id FROM events)
  AND (m.seq > :since_seq OR m.received_on > :since_day) GROUP BY l.subject_id),
lost AS (SELECT l.subject_id, m.key_id, m.resource, m.registry FROM links_before l
 JOIN mentions_before m ON m.record_id = l.record_id AND m.role = l.role
 WHERE l.current AND l.subject_id IN (SELECT subject_id FROM events WHERE event = 'vanished')),
new_rows AS ({new_rows}),
ended AS (SELECT lost.subject_id,
  max_by(n.record_id, row(lost.registry, n.seq, n.row_no)) AS record_id,
  max_by(CASE WHEN n.operation = 'withdraw' THEN 'withdrawn' ELSE 'row' END, row(lost.registry, n.seq, n.row_no)) AS cause
 FROM lost JOIN new_rows n ON n.key_id = lost.key_id GROUP BY lost.subject_id),
dropped AS (SELECT DISTINCT subject_id FROM lost WHERE resource IN ({whole})),
told AS (SELECT e.event, e.subject_id, e.other_id,
  CASE WHEN e.event = 'vanished' THEN ended.record_id ELSE coalesce(own.record_id, other.record_id) END AS record_id,
  CASE WHEN e.event = 'vanished' THEN coalesce(ended.cause, CASE WHEN dropped.subject_id IS NOT NULL THEN 'dropped' END)
   WHEN coalesce(own.record_id, other.record_id) IS NOT NULL THEN 'row' END AS cause
 FROM events e LEFT JOIN newest own ON own.subject_id = e.subject_id LEFT JOIN newest other ON other.subject_id = e.other_id
  LEFT JOIN ended ON ended.subject_id = e.subject_id LEFT JOIN dropped ON dropped.subject_id = e.subject_id)
SELECT :before + row_number() OVER (ORDER BY subject_id, array_position(['separated', 'merged', 'returned', 'vanished'],
  event), other_id) AS position, event, subject_id, other_id, :as_of AS on_day, :run_id AS run_id, record_id, cause
FROM told ORDER BY position"""
