"""Which resources say which attributes of the base libraries, of how many subjects, and where several say the same one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def supplied_sql(libraries: Iterable[str]) -> str:
    """SELECT of library, attribute, resource over the view ``v`` of the table ``values``."""
    return f"SELECT DISTINCT library, attribute, resource FROM v WHERE library IN ({_quoted(libraries)})"


def shared_sql(libraries: Sequence[str], one_in: int = 1) -> str:
    """SELECT of ``library``, ``attribute``, ``authority``, ``resource``, ``subjects``, ``in_both`` over ``v``, as above.

    A row for every resource that says an attribute of subjects of whom a resource with more authority says it too.

    Args:
        one_in: look at every so manieth subject only, always the same ones; the counts are of those.
    """
    return f"""WITH said AS (SELECT library, attribute, subject_id, resource, min(rank) AS rank FROM v
 WHERE library IN ({_quoted(libraries)}) AND hash(subject_id) % {one_in} = 0 GROUP BY library, attribute, subject_id, resource),
several AS (SELECT library, attribute, resource, count(*) AS subjects FROM said GROUP BY library, attribute, resource),
heard AS (SELECT *, min_by(resource, rank) OVER (PARTITION BY library, attribute, subject_id) AS authority FROM said)
SELECT h.library, h.attribute, h.authority, h.resource, s.subjects, count(*) AS in_both FROM heard h
 JOIN several s ON s.library = h.library AND s.attribute = h.attribute AND s.resource = h.resource
WHERE h.resource <> h.authority GROUP BY h.library, h.attribute, h.authority, h.resource, s.subjects
ORDER BY in_both DESC, h.library, h.attribute, h.resource"""


def _quoted(libraries: Iterable[str]) -> str:
    return ", ".join(f"'{one}'" for one in libraries) or "NULL"
