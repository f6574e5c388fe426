"""Matching keys of names and addresses, computed once per distinct text."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as compute

from shutong.standards.addresses import column_normalise_address
from shutong.standards.names import column_name_key, column_normalise_name, name_key, split_name
from shutong.subjects.tables import columns

NAME_KEYS = columns(raw=pa.string(), name_key=pa.string(), variant_key=pa.string())
ADDRESS_KEYS = columns(raw=pa.string(), address_key=pa.string())

SHORTEST_VARIANT = 2
"""Characters of brand and trade below which a name says too little to be recognised by its variant key."""

_FORMS = (("集团公司", "集团公司"), ("公司", "公司"), ("合作社", "合作社"))
"""Endings of legal forms and the short form that stands for all that end so."""


_SIGNS = r"[^\pL\pN]+"
"""Brackets and every other sign; what they hold stays, since it tells an area, a form or a branch."""


def name_keys(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keys of organisation names: ``raw`` to the exact ``name_key`` and the looser ``variant_key``.

    The exact key keeps the legal form as it is written: 有限公司 and 有限责任公司 may be two firms. A blank name has
    neither key.
    """
    raw = batch.column("raw")
    exact = compute.replace_substring_regex(column_normalise_name(raw), _SIGNS, "")
    cores = pa.array([_core(text) for text in raw.to_pylist()], pa.string())
    keys = [
        pa.array([key or None for key in column.to_pylist()], pa.string()) for column in (exact, column_name_key(cores))
    ]
    return pa.RecordBatch.from_arrays([raw, *keys], schema=NAME_KEYS)


def variant_key(text: str) -> str | None:
    """The key under which spelling variants of a name meet: without its area, with the legal form cut short.

    The branch stays, so a branch never has the key of its parent. None where brand and trade are too short to tell
    firms apart. Only of use together with an area, and where it is unique there.
    """
    core = _core(text)
    return name_key(core) if core else None


def _core(text: Any) -> str | None:
    """What is left of a name without its area and the long spelling of its legal form."""
    parts = split_name(text)
    body = (parts.brand or "") + (parts.trade or "")
    if len(body) < SHORTEST_VARIANT:
        return None
    return body + _short_form(parts.form or "") + (parts.branch or "")


@cache
def _short_form(form: str) -> str:
    plain = form.replace("(", "").replace(")", "").replace("集团有限", "集团").replace("集团股份有限", "集团")
    return next((short for ending, short in _FORMS if plain.endswith(ending)), form)


def address_keys(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keys of addresses: ``raw`` to ``address_key``."""
    raw = batch.column("raw")
    keys = [key or None for key in column_normalise_address(raw).to_pylist()]
    return pa.RecordBatch.from_arrays([raw, pa.array(keys, pa.string())], schema=ADDRESS_KEYS)
