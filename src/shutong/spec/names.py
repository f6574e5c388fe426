"""Names that declarations refer to and the standards own: data elements, code sets, legal terms."""

from __future__ import annotations

ELEMENT_NAMES: frozenset[str] = frozenset(
    [
        "text",
        "org-name",
        "person-name",
        "uscc",
        "org-code",
        "registration-no",
        "taxpayer-no",
        "citizen-id",
        "mobile",
        "telephone",
        "address",
        "area",
        "industry",
        "date",
        "datetime",
        "integer",
        "decimal",
        "money",
        "percent",
        "boolean",
        "url",
        "email",
        "code",
    ]
)
CODE_SETS: frozenset[str] = frozenset()
TERMS: frozenset[str] = frozenset()
