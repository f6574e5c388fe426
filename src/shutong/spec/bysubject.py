"""Whether a statement judges each subject by its own rows, so that it may be computed for the changed subjects only.

Grounds of lists and members of libraries are computed again for the subjects of a change, over views narrowed to
them. That equals a rebuild only where no row of another subject can change the answer: groups and windows are within
a subject, joins meet on the subject, and an inner query is tied to the subject of the outer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from shutong.spec.functions import function_of
from shutong.spec.refusals import Refusal, refusal
from shutong.spec.sql import Statement
from shutong.spec.sqltree import line_of

SUBJECT = "subject_id"


def by_subject_refusals(statement: Statement, views: Mapping[str, pa.Schema]) -> list[Refusal]:
    """Why a statement can't be computed subject by subject; empty where it can.

    Args:
        statement: checked, with a result column ``subject_id``.
        views: the views it was checked against; those without ``subject_id`` count as constant.
    """
    queries: dict[int, _Query] = {}
    found: list[Refusal] = []
    top: _Query | None = None
    for scope in traverse_scope(statement.tree):
        top = _Query(scope, views, queries)
        queries[id(scope)] = top
        found += top.refusals()
    if not found and (top is None or SUBJECT not in top.subjects):
        found.append(_refuse("subject_id", statement.tree))
    return list(dict.fromkeys(found))


def _refuse(word: str, node: exp.Expr) -> Refusal:
    return refusal("sql.not-by-subject", word, line=line_of(node))


class _Query:
    """One query, looked at after the queries inside it.

    ``sources``: what it reads of subjects, by alias, with the columns that hold the subject's id. ``local``: whether
    it or a query inside it reads rows of subjects. ``outputs``: its result columns. ``subjects``: those of them that
    are the subject's id.
    """

    def __init__(self, scope: Scope, views: Mapping[str, pa.Schema], queries: Mapping[int, _Query]) -> None:
        self.scope = scope
        self.tree = scope.expression
        self.inner: list[_Query] = [queries[id(part)] for part in scope.subquery_scopes]
        self.parts: list[_Query] = [queries[id(part)] for part in scope.set_operation_scopes]
        self.sources: dict[str, frozenset[str]] = {}
        for name, (_, source) in scope.selected_sources.items():
            if isinstance(source, Scope):
                if queries[id(source)].local:
                    self.sources[name] = queries[id(source)].subjects
            elif SUBJECT in views[source.name].names:
                self.sources[name] = frozenset({SUBJECT})
        self.local: bool = bool(self.sources) or any(query.local for query in [*self.inner, *self.parts])
        selects = self.tree.selects if isinstance(self.tree, exp.Query) else []
        self.outputs: tuple[str, ...] = tuple(select.alias_or_name for select in selects)
        self.subjects: frozenset[str] = self._subjects(selects)

    def _subjects(self, selects: list[exp.Expr]) -> frozenset[str]:
        if not self.parts:
            return frozenset(select.alias_or_name for select in selects if self._is_subject(select))
        left, right = self.parts
        return frozenset(
            mine
            for mine, theirs in zip(left.outputs, right.outputs, strict=False)
            if mine in left.subjects and theirs in right.subjects
        )

    def refusals(self) -> Iterator[Refusal]:
        """What keeps this query from being computed for some subjects only."""
        if not self.local:
            return
        if self.parts:
            if not self.subjects:
                yield _refuse("UNION", self.tree)
            return
        if self.tree.args.get("limit") or self.tree.args.get("offset"):
            yield _refuse("LIMIT", self.tree)
        if any(not subjects for subjects in self.sources.values()) or len(self._components()) > 1:
            yield _refuse("FROM", self.tree)
        elif self.sources:
            yield from self._groups()
        for query in self.inner:
            if query.local and not self._tied(query):
                yield _refuse("SELECT", query.tree)

    def _is_subject(self, node: exp.Expr | None) -> bool:
        if isinstance(node, (exp.Alias, exp.Paren)):
            return self._is_subject(node.this)
        if isinstance(node, exp.Coalesce):
            return all(self._is_subject(part) for part in (node.this, *node.expressions))
        return isinstance(node, exp.Column) and node.name in self.sources.get(node.table, frozenset())

    def _equalities(self) -> Iterator[exp.EQ | exp.NullSafeEQ]:
        """The equalities that must hold of every row: of WHERE and of the joins."""
        conditions = [join.args.get("on") for join in self.tree.args.get("joins") or []]
        where = self.tree.args.get("where")
        conditions.append(where.this if where else None)
        for condition in conditions:
            parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
            yield from (part for part in parts if isinstance(part, (exp.EQ, exp.NullSafeEQ)))

    def _components(self) -> list[set[str]]:
        """The sources, those together that meet on their subject."""
        components = [{name} for name in self.sources]
        for equality in self._equalities():
            if self._is_subject(equality.this) and self._is_subject(equality.expression):
                met = {column.table for column in equality.find_all(exp.Column)}
                joined = [component for component in components if component & met]
                components = [component for component in components if not component & met]
                components.append(set().union(*joined))
        return components

    def _pins(self) -> list[exp.Column]:
        """Columns of queries around this one that its subject must be equal to."""
        return [
            theirs
            for equality in self._equalities()
            for mine, theirs in ((equality.this, equality.expression), (equality.expression, equality.this))
            if self._is_subject(mine) and isinstance(theirs, exp.Column)
            if theirs.table not in self.scope.selected_sources
        ]

    def _tied(self, query: _Query) -> bool:
        """Whether an inner query sees the rows of the outer row's subject only, or tells subjects for an IN."""
        member = query.tree.find_ancestor(exp.In, exp.Select)
        if isinstance(member, exp.In) and self._is_subject(member.this):
            return bool(query.outputs) and query.outputs[0] in query.subjects
        return any(self._is_subject(column) for column in query._pins())

    def _groups(self) -> Iterator[Refusal]:
        if self.scope.is_subquery and self._pins():
            return
        group = self.tree.args.get("group")
        windows = list(self.scope.find_all(exp.Window))
        over = {id(node) for window in windows for node in window.this.walk()}
        totals = any(
            id(node) not in over and (function := function_of(node)) is not None and function.use == "aggregate"
            for node in self.scope.find_all(exp.Func)
        )
        keys = group.expressions if group else []
        if (group or totals) and not any(self._is_subject(key) for key in keys):
            yield _refuse("GROUP BY", group or self.tree)
        for window in windows:
            if not any(self._is_subject(key) for key in window.args.get("partition_by") or []):
                yield _refuse("OVER", window)
