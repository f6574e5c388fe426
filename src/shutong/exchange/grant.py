"""A grant as a value: who may have what of which resource, for what, how and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shutong.spec.models import Mask


@dataclass(frozen=True)
class Grant:
    """One version of a grant. ``rows`` is a checked row expression, None for all rows; ``quota`` None for no limit."""

    grant: str
    receiver: str
    resource: str
    items: tuple[str, ...]
    rows: str | None
    masks: Mapping[str, Mask]
    methods: frozenset[Literal["api", "batch", "stream", "verify"]]
    purpose: str
    starts_on: date
    ends_on: date
    quota: int | None
    state: Literal["active", "suspended", "withdrawn"]
