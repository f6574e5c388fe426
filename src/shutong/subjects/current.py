"""Which accepted rows hold now: the law of current rows, written once as SQL.

Of the rows received up to the as-of day, the latest version of each key is current unless it withdraws the key, or a
row of another key that came later says that it replaces it. Of a resource delivered as snapshots only the rows of the
latest whole delivery (and of files that correct it) are.
"""

from __future__ import annotations

from collections.abc import Sequence

from shutong.spec.columns import REPLACED
from shutong.spec.models import Resource

POSITION = "seq * 4294967296 + row_no"
"""Order of arrival of a row as one number: deliveries by ``seq``, rows within a delivery by ``row_no`` (below 2^32)."""


def columns_sql(columns: Sequence[str], alias: str | None = None) -> str:
    """Quoted columns, separated by commas, with a table alias where one is given."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(f'{prefix}"{column}"' for column in columns)


def needs_batches(resource: Resource) -> bool:
    """Whether its current rows depend on the table of deliveries (an empty snapshot ends all rows)."""
    return resource.delivery == "snapshot"


def versions_sql(resource: Resource, columns: Sequence[str], view: str, batches: str = "batches") -> str:
    """SELECT of every row known at ``:as_of`` with ``state``: current, superseded, or gone.

    ``superseded`` rows are earlier versions of a key that still has a current row; ``gone`` rows are of keys that
    were withdrawn, replaced by another, or are missing from the latest snapshot, withdrawals themselves among them.

    Args:
        columns: the columns of ``accepted/<resource>`` that are wanted.
        view: the view of ``accepted/<resource>``.
        batches: the view of ``batches``; read only where ``needs_batches`` says so.
    """
    if needs_batches(resource):
        floor = (
            f"coalesce((SELECT max(seq) FROM {batches} WHERE resource = '{resource.resource}' AND state = 'in'"
            " AND corrects IS NULL AND received_on <= :as_of), 0)"
        )
        gone = f"k.last_operation = 'withdraw' OR k.last_seq < {floor}"
    else:
        gone = "k.last_operation = 'withdraw'"
    replaced = ""
    if resource.replaces:
        gone += " OR r.position > k.last_position"
        replaced = (
            f" LEFT JOIN (SELECT {REPLACED} AS key_id, max({POSITION}) AS position FROM {view} WHERE received_on <= :as_of"
            f" AND coalesce(operation, 'upsert') <> 'withdraw' GROUP BY {REPLACED}) r ON r.key_id = a.key_id"
        )
    return (
        f"SELECT {columns_sql(columns, 'a')}, CASE WHEN {gone} THEN 'gone'"
        f" WHEN a.seq * 4294967296 + a.row_no = k.last_position THEN 'current' ELSE 'superseded' END AS state"
        f" FROM {view} a JOIN (SELECT key_id, max({POSITION}) AS last_position, max(seq) AS last_seq,"
        f" max_by(coalesce(operation, 'upsert'), {POSITION}) AS last_operation"
        f" FROM {view} WHERE received_on <= :as_of GROUP BY key_id) k ON k.key_id = a.key_id{replaced}"
        " WHERE a.received_on <= :as_of"
    )


def current_sql(resource: Resource, columns: Sequence[str], view: str, batches: str = "batches") -> str:
    """SELECT of the current rows of a resource at ``:as_of``. Arguments as for ``versions_sql``."""
    inner = versions_sql(resource, columns, view, batches)
    return f"SELECT {columns_sql(columns)} FROM ({inner}) WHERE state = 'current'"
