"""Matching keys of names and addresses, computed once per distinct text."""

from __future__ import annotations

import re
from functools import cache

import pyarrow as pa
import pyarrow.compute as compute

from shutong.standards.addresses import column_normalise_address
from shutong.standards.names import NameParts, column_name_key, column_normalise_name, name_key, split_name
from shutong.subjects.tables import columns

NAME_KEYS = columns(raw=pa.string(), name_key=pa.string(), variant_key=pa.string(), parts=pa.string())
ADDRESS_KEYS = columns(raw=pa.string(), address_key=pa.string())

SHORTEST_VARIANT = 2
"""Characters of brand and trade below which a name says too little to be recognised by its variant key."""

_FORMS = (("集团公司", "集团公司"), ("公司", "公司"), ("合作社", "合作社"))
"""Endings of legal forms and the short form that stands for all that end so."""


_ENTITY_FORMS = ("公司", "合作社", "企业", "合伙", "集团", "联社")
"""Endings of legal forms that say nothing of the trade."""

_SIGNS = r"[^\pL\pN]+"
"""Brackets and every other sign; what they hold stays, since it tells an area, a form or a branch."""


def name_keys(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keys of organisation names: ``raw`` to the exact ``name_key``, the looser ``variant_key``, and its ``parts``.

    The exact key keeps the legal form as it is written: 有限公司 and 有限责任公司 may be two firms. A blank name has
    none of them. ``parts`` is ``brand|trade|branch`` (see ``split_name``), in which similar names are compared.
    """
    raw = batch.column("raw")
    exact = compute.replace_substring_regex(column_normalise_name(raw), _SIGNS, "")
    split = [split_name(str(text)) for text in raw.to_pylist()]
    cores = pa.array([_core(name) for name in split], pa.string())
    keys = [
        pa.array([key or None for key in column.to_pylist()], pa.string()) for column in (exact, column_name_key(cores))
    ]
    return pa.RecordBatch.from_arrays([raw, *keys, pa.array(map(_parts, split), pa.string())], schema=NAME_KEYS)


def _parts(name: NameParts) -> str | None:
    """Brand, trade and branch of a name, without signs; None where it has neither brand nor trade."""
    form = name.form or ""
    # 药店, 宾馆 and the like end a name as its form, and say the trade.
    trade = (name.trade or "") + ("" if form.rstrip(")").endswith(_ENTITY_FORMS) else form)
    said = [_bare(part or "") for part in (name.brand, trade, name.branch)]
    return "|".join(said) if said[0] or said[1] else None


def _bare(part: str) -> str:
    return part if part.isalnum() else re.sub(r"[\W_]+", "", part)


def variant_key(text: str) -> str | None:
    """The key under which spelling variants of a name meet: without its area, with the legal form cut short.

    The branch stays, so a branch never has the key of its parent. None where brand and trade are too short to tell
    firms apart. Only of use together with an area, and where it is unique there.
    """
    core = _core(split_name(text))
    return name_key(core) if core else None


def _core(parts: NameParts) -> str | None:
    """What is left of a name without its area and the long spelling of its legal form."""
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
