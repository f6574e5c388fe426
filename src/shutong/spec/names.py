"""Names that declarations refer to and the standards own: code sets and legal terms."""

from __future__ import annotations

from shutong.standards.codesets import code_sets


def code_set_names() -> frozenset[str]:
    """The code sets that ship with the standards."""
    return frozenset(code_sets())


def term_names() -> frozenset[str]:
    """The legal terms and retention rules of the standards."""
    return frozenset({"double-publicity"})
