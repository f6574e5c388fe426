"""Matching keys of names and addresses, computed once per distinct text."""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa

from shutong.subjects.tables import columns

NAME_KEYS = columns(raw=pa.string(), name_key=pa.string(), variant_key=pa.string())
ADDRESS_KEYS = columns(raw=pa.string(), address_key=pa.string())

_BLANK = re.compile(r"[\s·•.,，。、\-_'\"“”‘’]+")
_FORM = re.compile(r"(?:有限责任公司|股份有限公司|有限公司|股份公司)")
_AREA = re.compile(r"^(?:[^()]{2,4}省)?(?:[^()]{2,4}市)?(?:[^()]{2,4}[区县])?")


def _normalise(text: str) -> str:
    return _BLANK.sub("", unicodedata.normalize("NFKC", text).translate(str.maketrans("【】[]〔〕", "()()()"))).upper()


def _variant(key: str) -> str:
    short = _FORM.sub("公司", key)
    short = _AREA.sub("", short) or short
    return short.replace("(", "").replace(")", "")


def name_keys(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keys of organisation names: the exact one, and the looser one for variants."""
    raw = batch.column("raw")
    keys = [_normalise(str(text)) or None for text in raw.to_pylist()]
    variants = [_variant(key) if key else None for key in keys]
    return pa.RecordBatch.from_arrays(
        [raw, pa.array(keys, pa.string()), pa.array(variants, pa.string())], schema=NAME_KEYS
    )


def address_keys(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keys of addresses."""
    raw = batch.column("raw")
    keys = [_normalise(str(text)) or None for text in raw.to_pylist()]
    return pa.RecordBatch.from_arrays([raw, pa.array(keys, pa.string())], schema=ADDRESS_KEYS)
