"""Conflicts: where two sources say different things of one attribute of a subject (多元校核).

Compared are the chosen value and the current value of every other source, for the attributes that a library declares
to be verified. Both sides stand in the row with their records, so that two departments can talk about the same thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as compute

from shutong.engine.stage import ArrowStep, Read, SqlStep, Stage, Step, Write
from shutong.libraries.tables import CONFLICTS, VALUES
from shutong.libraries.values import library_hash
from shutong.spec.catalog import Catalog, element_of, sealed
from shutong.spec.models import Attribute
from shutong.standards.text import fold
from shutong.subjects.keys import address_keys, name_keys
from shutong.subjects.tables import columns, no_rows_sql

VERSION = 1

SHOWN_SEALED = "***"
"""What a conflict shows of a sealed value: that the two differ is known by their keys, what they are is not."""

_SPELLED = columns(form=pa.string(), raw=pa.string(), spelled=pa.string())


def conflicts_stage(catalog: Catalog) -> Stage:
    """The stage that writes ``conflicts``. Scope: subject ids. It reads no clock."""
    compared = dict(verified(catalog))
    return Stage(
        name="conflicts",
        reads=(Read("values", "_values", VALUES, scope="subject_id"),),
        steps=tuple(_steps(compared)),
        writes=(Write("conflicts", "conflicts", key="subject_id", schema=CONFLICTS),),
        version=VERSION,
        declarations=library_hash(catalog),
    )


def verified(catalog: Catalog) -> Iterator[tuple[tuple[str, str], Attribute]]:
    """The attributes whose sources are compared, by library and name."""
    for library in catalog.libraries.values():
        for name, attribute in library.attributes.items():
            if attribute.verify is not None:
                yield (library.library, name), attribute


def _steps(compared: Mapping[tuple[str, str], Attribute]) -> Iterator[Step]:
    if not compared:
        yield SqlStep("conflicts", no_rows_sql(CONFLICTS))
        return
    yield SqlStep("told", _told_sql(compared), materialise=True)
    yield SqlStep("latest", _LATEST)
    yield SqlStep("differing", _DIFFERING, materialise=True)
    yield SqlStep(
        "raw_texts",
        "SELECT form, left_value AS raw FROM differing WHERE form <> 'exact'"
        " UNION SELECT form, right_value FROM differing WHERE form <> 'exact'",
    )
    yield ArrowStep("spelled", "raw_texts", spelled_texts, _SPELLED)
    yield SqlStep("conflicts", _conflicts_sql())


def _told_sql(compared: Mapping[tuple[str, str], Attribute]) -> str:
    """The current values of the attributes that are verified, each with how it is compared."""
    forms = " ".join(
        f"WHEN library = '{library}' AND attribute = '{name}' THEN '{_form(attribute)}'"
        for (library, name), attribute in compared.items()
    )
    hidden = [
        f"library = '{library}' AND attribute = '{name}'" for (library, name), one in compared.items() if sealed(one)
    ]
    return (
        f"SELECT * FROM (SELECT subject_id, library, coalesce(instance, '') AS instance, attribute, resource, value,"
        f" record_id, chosen, valid_from, received_on, CASE {forms} END AS form,"
        f" {' OR '.join(hidden) or 'FALSE'} AS hidden FROM _values WHERE valid_to IS NULL) WHERE form IS NOT NULL"
    )


def _form(attribute: Attribute) -> str:
    """How two values are compared: as they are, or by what is left of them without differences of spelling."""
    if attribute.verify == "exact" or sealed(attribute):
        return "exact"
    return {"org-name": "name", "address": "address"}.get(element_of(attribute), "text")


# What each source says now: the value that took effect last.
_LATEST = """SELECT subject_id, library, instance, attribute, resource, min_by(value, place) AS value,
 min_by(record_id, place) AS record_id FROM (SELECT *, struct_pack(a := days_between(valid_from, DATE '9999-12-31'),
  b := days_between(received_on, DATE '9999-12-31'), c := record_id) AS place FROM told)
GROUP BY subject_id, library, instance, attribute, resource"""

_DIFFERING = """SELECT t.subject_id, t.library, t.instance, t.attribute, t.form, t.hidden, t.value AS left_value,
 t.resource AS left_resource, t.record_id AS left_record, l.value AS right_value, l.resource AS right_resource,
 l.record_id AS right_record
FROM told t JOIN latest l ON l.subject_id = t.subject_id AND l.library = t.library AND l.instance = t.instance
 AND l.attribute = t.attribute
WHERE t.chosen AND l.resource <> t.resource AND l.value <> t.value"""


def _conflicts_sql() -> str:
    written = {
        "instance": "CASE WHEN d.instance <> '' THEN d.instance END AS instance",
        **{
            f"{side}_value": f"CASE WHEN d.hidden THEN '{SHOWN_SEALED}' ELSE d.{side}_value END AS {side}_value"
            for side in ("left", "right")
        },
    }
    selected = ", ".join(written.get(name, f"d.{name}") for name in CONFLICTS.names)
    return (
        f"SELECT {selected} FROM differing d"
        " LEFT JOIN spelled a ON a.form = d.form AND a.raw = d.left_value"
        " LEFT JOIN spelled b ON b.form = d.form AND b.raw = d.right_value"
        " WHERE d.form = 'exact' OR coalesce(a.spelled, '') <> coalesce(b.spelled, '')"
    )


def spelled_texts(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Columns ``form`` (name, address, text) and ``raw`` to the text by which spellings of the same meet."""
    forms, raw = batch.column("form"), batch.column("raw")
    names = name_keys(pa.RecordBatch.from_arrays([raw], names=["raw"])).column("name_key")
    addresses = address_keys(pa.RecordBatch.from_arrays([raw], names=["raw"])).column("address_key")
    texts = pa.array([text and fold(text) for text in raw.to_pylist()], pa.string())
    by_form = {form: compute.equal(forms, pa.scalar(form)) for form in ("name", "address")}
    spelled = compute.if_else(by_form["name"], names, compute.if_else(by_form["address"], addresses, texts))
    return pa.RecordBatch.from_arrays([forms, raw, spelled], schema=_SPELLED)
