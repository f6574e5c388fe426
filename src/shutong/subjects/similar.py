"""Similar names: what exact codes and names leave over is compared with the subjects that share a block with it.

The unit is the case: rows that say the same of an organisation (``case_key``) are compared once. Each pair of a case and
a subject gets a level of agreement per comparison, and the sum of the model's weights for them (Fellegi and Sunter
1969: hundredths of a bit, estimated by ``shutong train``). The best subject is linked when its sum is high enough and no
other comes near; in between a person decides. Never paired at all: a branch with its parent or with another branch,
codes that contradict each other, and what a person has ruled out.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from rapidfuzz.distance import Levenshtein

from shutong.engine.stage import ArrowStep, SqlStep, Step
from shutong.subjects.blocks import MARKS, blocks_sql
from shutong.subjects.model import LEVELS, SETTINGS, model_sql
from shutong.subjects.tables import columns

CODES = ("org_code", "registration_no", "taxpayer_no", "certificate_no")

COMPARED = columns(case_key=pa.string(), subject_id=pa.string(), brand=pa.int32(), trade=pa.int32())

_SAID = ("parts", "area", "address_key", "legal_rep", "phone_key", *CODES)


def similar_steps() -> Iterator[Step]:
    """The steps from ``left`` (case_key; one row per case) and ``ruled_out`` (case_key, subject_id) to ``likened``.

    ``likened`` has a row per case with ``subject_id``, ``verdict`` (link, review, or tie: two subjects fit equally),
    ``weight``, the levels by name, ``runner_up`` and ``model`` (version). ``asked`` has the blocks that each case looked into.
    """
    yield SqlStep("model", model_sql("models"), materialise=True)
    said = ", ".join(f"min({column}) AS {column}" for column in _SAID)
    own = "CASE WHEN m.org_code IS NOT NULL THEN m.org_code WHEN length(m.taxpayer_no) = 15 THEN substring(m.taxpayer_no, 7, 9) END"
    yield SqlStep(
        "cases",
        f"SELECT case_key, {said} FROM (SELECT m.case_key, m.parts, m.area, m.address_key, m.legal_rep, m.phone_key,"
        f" {own} AS org_code, m.registration_no, m.taxpayer_no, m.certificate_no"
        " FROM mentions m JOIN left_cases l ON l.case_key = m.case_key) GROUP BY case_key",
        materialise=True,
    )
    yield SqlStep("asked", blocks_sql("cases", ("case_key",)), materialise=True)
    yield SqlStep(
        "offered",
        "SELECT i.value AS block, i.subject_id FROM identifiers i"
        " JOIN (SELECT DISTINCT block FROM asked) b ON b.block = i.value WHERE i.kind = 'block'",
        materialise=True,
    )
    yield SqlStep("small", _SMALL)
    yield SqlStep(
        "pairs",
        "SELECT DISTINCT a.case_key, o.subject_id FROM asked a JOIN small s ON s.block = a.block"
        " JOIN offered o ON o.block = a.block",
        materialise=True,
    )
    yield SqlStep("held", _held_sql(), materialise=True)
    yield SqlStep(
        "named_pairs",
        "SELECT p.case_key, p.subject_id, c.parts AS said, i.value AS held FROM pairs p"
        " JOIN cases c ON c.case_key = p.case_key JOIN identifiers i ON i.subject_id = p.subject_id AND i.kind = 'parts'"
        " WHERE c.parts IS NOT NULL",
    )
    yield ArrowStep("compared", "named_pairs", compare_names, COMPARED)
    yield SqlStep("named", _NAMED)
    yield SqlStep("weighed_pairs", _weighed_sql(), materialise=True)
    yield SqlStep("likened", _likened_sql(), materialise=True)


# A block that many share says little and would cost much.
_SMALL = f"""SELECT o.block FROM (SELECT block, count(*) AS subjects FROM offered GROUP BY block) o
 JOIN model m ON m.part = 'cap' AND m.term = substring(o.block, 1, 1)
WHERE o.subjects <= m.weight AND substring(o.block, 1, 1) IN ({", ".join(f"'{mark}'" for mark in MARKS)})"""


def _held_sql() -> str:
    """Per pair how the subject's area, representative, telephone, address and codes agree with what is said.

    An area of the whole city (ending in 00), or none, contradicts no area. A pair is left out where a code of the case
    is of a kind of which the subject holds others only, or where a person ruled it out.
    """
    levels = [
        "CASE WHEN c.area IS NULL OR c.area LIKE '%00' THEN 1 ELSE"
        " coalesce(max(CASE WHEN i.kind = 'area' THEN CASE WHEN i.value = c.area THEN 2 ELSE 0 END END), 1) END AS area"
    ]
    for kind, column in (("legal_rep", "legal_rep"), ("phone", "phone_key"), ("address", "address_key")):
        levels.append(
            f"CASE WHEN c.{column} IS NULL THEN 1 ELSE coalesce(max(CASE WHEN i.kind = '{kind}' THEN"
            f" CASE WHEN i.value = c.{column} THEN 2 ELSE 0 END END), 1) END AS {kind}"
        )
    clashes = " OR ".join(
        f"(c.{code} IS NOT NULL AND coalesce(max(CASE WHEN i.kind = '{code}' AND i.current THEN"
        f" CASE WHEN i.value = c.{code} THEN 1 ELSE 0 END END), 1) = 0)"
        for code in CODES
    )
    said = ", ".join(f"c.{column}" for column in _SAID if column != "parts")
    kinds = ", ".join(f"'{kind}'" for kind in ("area", "legal_rep", "phone", "address", *CODES))
    return (
        f"SELECT p.case_key, p.subject_id, {', '.join(levels)}, ({clashes}) AS clashes FROM pairs p"
        " JOIN cases c ON c.case_key = p.case_key"
        f" LEFT JOIN identifiers i ON i.subject_id = p.subject_id AND i.kind IN ({kinds})"
        " WHERE NOT EXISTS (SELECT 1 FROM ruled_out r WHERE r.case_key = p.case_key AND r.subject_id = p.subject_id)"
        f" GROUP BY p.case_key, p.subject_id, {said}"
    )


# The best of a subject's names, present and former.
_NAMED = """SELECT case_key, subject_id, brand, trade FROM (SELECT *, row_number() OVER (
 PARTITION BY case_key, subject_id ORDER BY brand + trade DESC, brand DESC) AS place FROM compared) WHERE place = 1"""


def compare_names(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Levels of agreement of brand and trade; pairs of which only one is a branch, or of two branches, are left out."""
    rows: dict[str, list[int | str]] = {name: [] for name in COMPARED.names}
    given = (batch.column(name).to_pylist() for name in ("case_key", "subject_id", "said", "held"))
    for case, subject, said, held in zip(*given, strict=True):
        brand, trade, branch = said.split("|")
        other_brand, other_trade, other_branch = held.split("|")
        if branch != other_branch:
            continue
        brand, trade = resplit(brand, trade, other_brand, other_trade)
        rows["case_key"].append(case)
        rows["subject_id"].append(subject)
        rows["brand"].append(brand_level(brand, other_brand))
        rows["trade"].append(trade_level(trade, other_trade))
    return pa.RecordBatch.from_pydict(rows, schema=COMPARED)


def resplit(brand: str, trade: str, held_brand: str, held_trade: str) -> tuple[str, str]:
    """Brand and trade of a name that is spelled with a slip, parted where the registered name is.

    A trade with a wrong character is not recognised as one and stays in the brand: 云帆网络料技 beside 云帆 and 网络科技.
    """
    if brand == held_brand:
        return brand, trade
    body = brand + trade
    if len(held_brand) > 1 and body.startswith(held_brand):
        return held_brand, body[len(held_brand) :]
    if held_trade and trade != held_trade and body.endswith(held_trade):
        return body[: -len(held_trade)], held_trade
    return brand, trade


def brand_level(one: str, other: str) -> int:
    """How two brands agree, as a number of ``LEVELS['brand']``; distances count characters, not bytes."""
    if one == other:
        return 4 if one else 0
    if max(len(one), len(other)) >= 2 and Levenshtein.distance(one, other, score_cutoff=1) <= 1:
        return 3 if min(len(one), len(other)) >= 2 and max(len(one), len(other)) > 2 else 2
    if min(len(one), len(other)) >= 2 and (one in other or other in one):
        return 1
    return 0


def trade_level(one: str, other: str) -> int:
    """How two trades agree, as a number of ``LEVELS['trade']``."""
    if one == other:
        return 3 if one else 1
    if not one or not other:
        return 1
    near = Levenshtein.distance(one, other, score_cutoff=1) <= 1
    if one in other or other in one or (near and max(len(one), len(other)) > 2):
        return 2
    # One of two characters may be a slip, or make another trade (物流 and 物业): it says nothing.
    return 1 if near else 0


def _weighed_sql() -> str:
    """Every pair with the sum of its weights; a brand that is frequent counts for less where the model says so."""
    joins = [
        f"JOIN model w_{part} ON w_{part}.part = '{part}' AND w_{part}.term IS NULL AND w_{part}.level = {source}.{part}"
        for part, source in [("brand", "n"), ("trade", "n"), *((p, "h") for p in LEVELS if p not in {"brand", "trade"})]
    ]
    weights = " + ".join(
        ["coalesce(t.weight, w_brand.weight)", *(f"w_{part}.weight" for part in LEVELS if part != "brand")]
    )
    return (
        "SELECT n.case_key, n.subject_id, n.brand, n.trade, h.area, h.legal_rep, h.phone, h.address,"
        f" {weights} AS weight, w_area.version AS model FROM named n"
        " JOIN held h ON h.case_key = n.case_key AND h.subject_id = n.subject_id JOIN cases c ON c.case_key = n.case_key "
        + " ".join(joins)
        + " LEFT JOIN model t ON t.part = 'brand' AND t.level = n.brand AND t.term = split_part(c.parts, '|', 1)"
        " WHERE NOT h.clashes AND n.brand > 0"
    )


def _likened_sql() -> str:
    names = ", ".join(
        f"CASE b.{part} {' '.join(f'WHEN {level} THEN {name!r}' for level, name in enumerate(levels))} END AS {part}"
        for part, levels in LEVELS.items()
    )
    limits = " ".join(f"JOIN model {name} ON {name}.part = '{name}'" for name in SETTINGS)
    ranked = "SELECT *, row_number() OVER (PARTITION BY case_key ORDER BY weight DESC, subject_id) AS place FROM weighed_pairs"
    return (
        f"WITH ranked AS ({ranked}) SELECT b.case_key, b.subject_id, CASE WHEN b.weight >= link.weight AND"
        " b.weight - coalesce(s.weight, b.weight - margin.weight) >= margin.weight THEN 'link' WHEN b.weight = s.weight THEN 'tie'"
        " ELSE 'review' END AS"
        f" verdict, b.weight, {names}, s.subject_id AS runner_up, b.model FROM ranked b"
        " LEFT JOIN ranked s ON s.case_key = b.case_key AND s.place = 2"
        f" {limits} WHERE b.place = 1 AND b.weight >= review.weight"
    )
