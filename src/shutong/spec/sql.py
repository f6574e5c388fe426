"""The expression checker: SQL of declarations, parsed and checked before it may reach an engine.

A declaration is third-party content. Its texts pass three gates: the raw text (``sqltext``), the kinds of nodes and
functions (``sqltree``), and the names, which are resolved here against the declared views and columns. What passes
is kept as a syntax tree in which every column is known; ``render`` writes that tree out for an engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, ScopeType, traverse_scope

from shutong.spec.columns import sql_type
from shutong.spec.problems import meant
from shutong.spec.refusals import Refusal, SqlRefused, refusal
from shutong.spec.render import render_tree
from shutong.spec.sqltext import DIALECT, parse_text
from shutong.spec.sqltree import line_of, query_refusals, row_refusals
from shutong.spec.sqltypes import type_refusals

__all__ = [
    "Expression",
    "Refusal",
    "SqlRefused",
    "Statement",
    "check_expression",
    "check_statement",
    "columns_used",
    "render",
    "views_used",
]

Columns = Mapping[str, pa.DataType] | pa.Schema
_UNKNOWN = re.compile(r"Unknown column: (\w+)")
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
Views = Mapping[str, Mapping[str, pa.DataType]]


@dataclass(frozen=True)
class Expression:
    """A checked row expression.

    Args:
        text: as declared; for messages only.
        tree: its syntax tree; every column is one of the allowed ones.
        columns: the columns it reads.
    """

    text: str
    tree: exp.Expr = field(repr=False, compare=False)
    columns: frozenset[str]

    @property
    def uses_business_day(self) -> bool:
        """Whether its result depends on the business day."""
        return _uses_business_day(self.tree)


@dataclass(frozen=True)
class Statement:
    """A checked SELECT over declared views.

    Args:
        text: as declared; for messages only.
        tree: its syntax tree with every table and column resolved.
        outputs: names of the result's columns, in order.
        columns: the columns it reads, by view; every view it reads is a key.
    """

    text: str
    tree: exp.Query = field(repr=False, compare=False)
    outputs: tuple[str, ...]
    columns: Mapping[str, frozenset[str]]

    @property
    def views(self) -> frozenset[str]:
        """The views it reads."""
        return frozenset(self.columns)

    @property
    def uses_business_day(self) -> bool:
        """Whether its result depends on the business day."""
        return _uses_business_day(self.tree)


def check_expression(expr: str, columns: Columns) -> Expression:
    """Check a row expression: listed functions and operators over the given columns, nothing else.

    Args:
        expr: one SQL expression, such as ``decided_on <= received_on``.
        columns: the columns it may read, with their types.

    Raises:
        SqlRefused: with every reason found.
    """
    types = _types(columns)
    tree = parse_text(expr)
    found = list(row_refusals(tree)) or _row_names(tree, types)
    if found:
        raise SqlRefused(found)
    for column in tree.find_all(exp.Column):
        column.set("this", exp.to_identifier(column.name.lower(), quoted=True))
        column.set("table", None)
    found = list(type_refusals(tree, lambda column: types.get(column.name)))
    if found:
        raise SqlRefused(found)
    return Expression(expr, tree, frozenset(column.name for column in tree.find_all(exp.Column)))


def check_statement(
    sql: str, views: Mapping[str, Columns], required: Sequence[str] = (), optional: Sequence[str] | None = None
) -> Statement:
    """Check a statement: one SELECT that only reads declared views.

    Args:
        sql: the statement; WITH, joins with conditions, UNION, GROUP BY, window functions and QUALIFY are allowed.
        views: the views it may read, each with its columns and their types.
        required: columns that its result must have.
        optional: further columns that its result may have; None allows any.

    Raises:
        SqlRefused: with every reason found at the first gate that refuses.
    """
    tree = parse_text(sql)
    # A catalog has many views and a statement reads a few: the columns of the others are not looked at.
    named = {table.name.lower() for table in tree.find_all(exp.Table)}
    known = {name.lower(): _types(columns) if name.lower() in named else {} for name, columns in views.items()}
    found = list(query_refusals(tree)) or _tables(tree, known)
    if found:
        raise SqlRefused(found)
    resolved = _qualified(tree, known)
    reads: dict[str, frozenset[str]] = {}
    found = (
        list(query_refusals(resolved)) or _unresolved(resolved, known, reads) or _outputs(resolved, required, optional)
    )
    if found:
        raise SqlRefused(found)
    outputs = tuple(name.lower() for name in resolved.named_selects)
    return Statement(sql, resolved, outputs, reads)


def render(
    checked: Expression | Statement,
    dialect: str = DIALECT,
    business_day: date | str | None = None,
    qualifier: str | None = None,
) -> str:
    """SQL text of checked SQL, written from its tree; names are quoted.

    Args:
        dialect: ``duckdb`` or ``spark``.
        business_day: the day that ``business_day()`` becomes, as a literal; or the name of a parameter of the run,
            which the engine puts in (``:name``), for stages that are built before the day is known.
        qualifier: table alias put before every column of an expression.

    Raises:
        ValueError: the SQL asks for the business day and none was given.
    """
    if business_day is None and checked.uses_business_day:
        raise ValueError("business_day() needs a business day to be rendered")
    if qualifier is not None and isinstance(checked, Statement):
        raise ValueError("a statement's columns are qualified already")
    return render_tree(checked.tree, dialect, business_day, qualifier)


def columns_used(checked: Expression | Statement) -> frozenset[str]:
    """The columns it reads; for a statement as ``view.column``."""
    if isinstance(checked, Expression):
        return checked.columns
    return frozenset(f"{view}.{column}" for view, columns in checked.columns.items() for column in columns)


def views_used(checked: Statement) -> frozenset[str]:
    """The views a statement reads, for tracking what depends on what."""
    return checked.views


def _types(columns: Columns) -> dict[str, pa.DataType]:
    if isinstance(columns, pa.Schema):
        return {name.lower(): kind for name, kind in zip(columns.names, columns.types, strict=True)}
    return {name.lower(): kind for name, kind in columns.items()}


def _uses_business_day(tree: exp.Expr) -> bool:
    return any(str(node.name).lower() == "business_day" for node in tree.find_all(exp.Anonymous))


def _row_names(tree: exp.Expr, types: Mapping[str, pa.DataType]) -> list[Refusal]:
    found = []
    for column in tree.find_all(exp.Column):
        name = column.name.lower()
        if column.table or name not in types:
            shown = column.sql(DIALECT).replace('"', "")
            found.append(refusal("sql.unknown-column", shown, meant(name, types), line_of(column)))
    return found


def _tables(tree: exp.Expr, views: Mapping[str, object]) -> list[Refusal]:
    """Tables must be declared views or names given by WITH; a WITH name may not hide a view."""
    found = [
        refusal("sql.name", alias.name, line=line_of(alias))
        for alias in tree.find_all(exp.TableAlias)
        if alias.name and not _PLAIN_NAME.fullmatch(alias.name.lower())
    ]
    names: set[str] = set()
    for cte in tree.find_all(exp.CTE):
        name = cte.alias.lower()
        if name in views:
            found.append(refusal("sql.cte-shadows", name, line=line_of(cte.args["alias"])))
        if name in names:
            found.append(refusal("sql.cte-twice", name, line=line_of(cte.args["alias"])))
        names.add(name)
    for table in tree.find_all(exp.Table):
        name = table.name.lower()
        if name in views or name in names:
            table.this.set("this", name)
        elif any(sign in name for sign in "./\\:*"):
            found.append(refusal("sql.file", table.name, line=line_of(table)))
        else:
            found.append(refusal("sql.unknown-view", table.name, meant(name, {*views, *names}), line_of(table)))
    return found


def _qualified(tree: exp.Expr, views: Views) -> exp.Query:
    schema: dict[str, object] = {
        view: {name: sql_type(kind) for name, kind in columns.items()} for view, columns in views.items() if columns
    }
    try:
        resolved = qualify(tree, schema=schema, dialect=DIALECT, validate_qualify_columns=False)
    except (SqlglotError, RecursionError, LookupError, AttributeError, TypeError, ValueError) as error:
        # the resolver fails in many ways on what a parser lets through; none of them may reach the caller
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        unknown = _UNKNOWN.search(reason)
        if unknown:
            everything = {name for columns in views.values() for name in columns}
            name = unknown.group(1)
            line = min((line_of(c) for c in tree.find_all(exp.Column) if c.name.lower() == name), default=1)
            found = refusal("sql.unknown-column", name, meant(name, everything), line)
            raise SqlRefused([found]) from error
        raise SqlRefused([refusal("sql.syntax", reason)]) from error
    if not isinstance(resolved, exp.Query):
        raise SqlRefused([refusal("sql.not-select", resolved.key.upper())])
    return resolved


def _unresolved(tree: exp.Expr, views: Views, reads: dict[str, frozenset[str]]) -> list[Refusal]:
    """Columns that stand for nothing; fills ``reads`` with the columns read of each view."""
    found: list[Refusal] = []
    sources: dict[int, exp.Table] = {}
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if isinstance(source, exp.Table):
                # a WITH name of another query doesn't reach here, so the engine would look for a file or a variable
                if source.name not in views:
                    found.append(refusal("sql.unknown-view", source.name, meant(source.name, views), line_of(source)))
                reads.setdefault(source.name, frozenset())
        for column in scope.columns:
            found += _resolve(column, scope, views, reads, sources)
    for column in tree.find_all(exp.Column):
        if not column.table and column.name not in _aliases(column):
            found.append(_unplaced(column, reads, views))
    if not reads:
        found.append(refusal("sql.no-view"))
    if found:
        return list(dict.fromkeys(found))

    def type_of(column: exp.Column) -> pa.DataType | None:
        table = sources.get(id(column))
        return views[table.name].get(column.name) if table is not None else None

    return list(type_refusals(tree, type_of))


def _unplaced(column: exp.Column, reads: Mapping[str, object], views: Views) -> Refusal:
    owners = [view for view in reads if column.name in views.get(view, {})]
    if len(owners) > 1:
        return refusal("sql.ambiguous-column", column.name, line=line_of(column))
    everything = {name for columns in views.values() for name in columns}
    return refusal("sql.unknown-column", column.name, meant(column.name, everything), line_of(column))


def _resolve(
    column: exp.Column,
    scope: Scope,
    views: Views,
    reads: dict[str, frozenset[str]],
    sources: dict[int, exp.Table],
) -> list[Refusal]:
    name, table = column.name, column.table
    if not table:
        return []
    source = _source(scope, table)
    if isinstance(source, exp.Table):
        known = views.get(source.name, {})
        if name not in known:
            return [refusal("sql.unknown-column", f"{source.name}.{name}", meant(name, known), line_of(column))]
        reads[source.name] = reads.get(source.name, frozenset()) | {name}
        sources[id(column)] = source
        return []
    if isinstance(source, Scope):
        query = source.expression
        outputs = {output.lower() for output in query.named_selects} if isinstance(query, exp.Query) else set()
        return (
            []
            if name in outputs
            else [refusal("sql.unknown-column", f"{table}.{name}", meant(name, outputs), line_of(column))]
        )
    return [refusal("sql.unknown-column", f"{table}.{name}", line=line_of(column))]


def _source(scope: Scope, table: str) -> exp.Table | Scope | None:
    """What a table name stands for: in its own SELECT, or in one around a correlated subquery."""
    at: Scope | None = scope
    while at is not None:
        if table in at.sources:
            source: exp.Table | Scope = at.sources[table]
            return source
        at = at.parent if at.is_subquery or at.scope_type is ScopeType.SET_OPERATION else None
    return None


def _aliases(column: exp.Column) -> set[str]:
    """Result names that ORDER BY, QUALIFY and HAVING of a query may use in place of a column."""
    place = column.find_ancestor(exp.Order, exp.Qualify, exp.Having, exp.Query)
    query = place.parent if isinstance(place, (exp.Order, exp.Qualify, exp.Having)) else None
    return {name.lower() for name in query.named_selects} if isinstance(query, exp.Query) else set()


def _outputs(tree: exp.Query, required: Sequence[str], optional: Sequence[str] | None) -> list[Refusal]:
    names = [name.lower() for name in tree.named_selects]
    found = [refusal("sql.output-unnamed", str(at + 1)) for at, name in enumerate(names) if not _named(name)]
    found += [refusal("sql.output-twice", name) for name in sorted({name for name in names if names.count(name) > 1})]
    found += [refusal("sql.output-missing", name) for name in required if name not in names]
    if optional is not None:
        allowed = {*required, *optional}
        found += [
            refusal("sql.output-unknown", name, meant(name, allowed - set(names)))
            for name in names
            if name not in allowed and _named(name)
        ]
    return found


def _named(name: str) -> bool:
    return bool(name) and not name.startswith("_col_")
