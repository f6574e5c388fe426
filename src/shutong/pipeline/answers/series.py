"""Which code set an indicator's series are codes of: told by the item that its rule takes them from, so nobody says it twice."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from shutong.spec.catalog import Catalog
from shutong.spec.columns import view_name


def series_codes(sql: str, catalog: Catalog) -> str | None:
    """The code set of the column ``series``, where the rule selects an item with codes as it is; else None."""
    try:
        statement = sqlglot.parse_one(sql, dialect="duckdb")
    except SqlglotError:
        return None
    select = statement if isinstance(statement, exp.Select) else statement.find(exp.Select)
    chosen = next((one for one in (select.expressions if select else ()) if one.alias_or_name == "series"), None)
    column = chosen.this if isinstance(chosen, exp.Alias) else chosen
    if not isinstance(column, exp.Column):
        return None
    resources = {view_name(name): resource for name, resource in catalog.resources.items()}
    for table in statement.find_all(exp.Table):
        resource = resources.get(table.name)
        item = resource.items.get(column.name) if resource else None
        if item is not None and item.codes:
            return item.codes
    return None
