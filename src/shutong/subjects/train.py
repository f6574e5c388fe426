"""Training of the matching model: Splink estimates what each level of agreement says, and a new version is made of it.

The unsupervised method of Fellegi and Sunter (1969) with expectation maximisation (Winkler 1988), as Splink 5 carries it
out. What is trained on are the cases that exact codes and names leave over, because only those will be judged by the
model; u comes from random pairs. The levels are computed by the same functions that the stage uses.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison

from shutong.subjects.model import LEVELS, built_in
from shutong.subjects.similar import brand_level, trade_level

LEAST_CASES: Final = 200
"""With fewer cases that were left over the estimates would be noise."""

_FREQUENT = 0.0005
"""Share of the register's names above which a brand gets a weight of its own."""
_MOST_TERMS = 2_000
_MOST_WEIGHT = 2_500
_LINK, _REVIEW = 0.95, 0.3
"""Probabilities from which on a case is linked, and from which on a person looks at it."""

Row = tuple[str, int, str | None, int]
Said = Mapping[str, str | None]

COLUMNS: Final = ("brand", "trade", "area", "legal_rep", "phone", "address")
"""What cases and register rows have, besides ``unique_id``."""


class TooFewCasesError(ValueError):
    """There is too little to learn from. Carries a text in Chinese and English."""

    def __init__(self, found: int) -> None:
        self.zh = f"只有 {found} 组未能精确识别的记录，少于 {LEAST_CASES} 组，不足以训练；将继续使用现有模型"
        self.en = f"only {found} cases are left over by exact identification; {LEAST_CASES} are needed: the model stays"
        super().__init__(f"{self.zh} / {self.en}")


def train(cases: pa.Table, register: pa.Table, temp: Path, memory: int, seed: int = 7) -> tuple[Row, ...]:
    """The rows of a new model: weights in hundredths of a bit, brands that are frequent, caps and thresholds.

    Args:
        cases: what was left over: ``unique_id`` and ``COLUMNS``; area NULL where it is the whole city's.
        register: the subjects' names: the same columns, a row per name.
        temp: folder to spill to. memory: bytes that DuckDB may use.

    Raises:
        TooFewCasesError: there is too little to learn from.
    """
    if cases.num_rows < LEAST_CASES:
        raise TooFewCasesError(cases.num_rows)
    # Its progress is told line by line as information; what it warns of stays.
    logging.getLogger("splink").setLevel(logging.WARNING)
    connection: Any = duckdb.connect(
        config={"memory_limit": f"{memory >> 20}MB", "temp_directory": str(temp), "threads": 2}
    )
    try:
        for name, level in (("brand_level", brand_level), ("trade_level", trade_level)):
            connection.create_function(name, _by_column(level), ["VARCHAR", "VARCHAR"], "INTEGER", type="arrow")
        linker = _linker(connection, cases, register)
        linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=seed)
        for rule in (block_on("brand", "area"), block_on("trade", "area"), block_on("legal_rep"), block_on("phone")):
            _estimate(linker, rule)
        estimated = linker.misc.save_model_to_json()
    finally:
        connection.close()
    return tuple(_rows(estimated, register))


def _by_column(level: Callable[[str, str], int]) -> Callable[[Any, Any], Any]:
    def levels(ones: Any, others: Any) -> Any:
        pairs = zip(ones.to_pylist(), others.to_pylist(), strict=True)
        return pa.array([level(one or "", other or "") for one, other in pairs], pa.int32())

    return levels


def _linker(connection: Any, cases: pa.Table, register: pa.Table) -> Any:
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[_comparison(part) for part in LEVELS],
        blocking_rules_to_generate_predictions=[block_on("brand", "area")],
        probability_two_random_records_match=min(0.5, 1 / max(1, register.num_rows)),
        retain_intermediate_calculation_columns=False,
    )
    api = DuckDBAPI(connection=connection)
    given = [api.register(table.combine_chunks(), dataset_display_name=name) for table, name in
             ((cases, "cases"), (register, "register"))]  # fmt: skip
    return Linker(given, settings)


def _comparison(part: str) -> CustomComparison:
    """A comparison of Splink with the levels of the stage; what is absent on a side says nothing."""
    null = {
        "sql_condition": f'"{part}_l" IS NULL OR "{part}_r" IS NULL',
        "label_for_charts": "absent",
        "is_null_level": True,
    }
    if part in {"brand", "trade"}:
        found = [
            {"sql_condition": f'{part}_level("{part}_l", "{part}_r") = {level}', "label_for_charts": name}
            for level, name in reversed(list(enumerate(LEVELS[part])))
            if name not in {"absent", "other"}
        ]
    else:
        found = [{"sql_condition": f'"{part}_l" = "{part}_r"', "label_for_charts": "equal"}]
    other = {"sql_condition": "ELSE", "label_for_charts": "other"}
    return CustomComparison(comparison_levels=[null, *found, other], output_column_name=part)


def _estimate(linker: Any, rule: Any) -> None:
    """One session of expectation maximisation; a block without pairs teaches nothing."""
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, fix_u_probabilities=True, record_sample_proportion=1.0
        )
    except Exception as error:  # Splink raises its own and DuckDB's errors where a block is empty
        if "no records" not in str(error).lower() and "no pairs" not in str(error).lower():
            raise


def _rows(estimated: Mapping[str, Any], register: pa.Table) -> Iterable[Row]:
    """The model's rows; a level that was never seen keeps the built-in weight."""
    known = {(part, level): weight for part, level, term, weight in built_in() if term is None}
    brand_u = brand_m = None
    for comparison in estimated["comparisons"]:
        part = comparison["output_column_name"]
        for level in comparison["comparison_levels"]:
            m, u = level.get("m_probability"), level.get("u_probability")
            if not level.get("is_null_level") and m and u:
                known[part, LEVELS[part].index(level["label_for_charts"])] = _weight(m, u)
                if (part, level["label_for_charts"]) == ("brand", "equal"):
                    brand_m, brand_u = m, u
    subjects = math.log2(max(2, register.num_rows))
    known["link", 0] = round(100 * (subjects + math.log2(_LINK / (1 - _LINK))))
    known["review", 0] = round(100 * (subjects + math.log2(_REVIEW / (1 - _REVIEW))))
    for (part, number), weight in known.items():
        yield part, number, None, weight
    yield from ((part, level, term, weight) for part, level, term, weight in built_in() if term is not None)
    if brand_m and brand_u:
        yield from _frequent(register, brand_m, LEVELS["brand"].index("equal"))


def _weight(m: float, u: float) -> int:
    return max(-_MOST_WEIGHT, min(_MOST_WEIGHT, round(100 * math.log2(m / u))))


def _frequent(register: pa.Table, m: float, level: int) -> Iterable[Row]:
    """Weights of brands that many share: agreeing on one says less than on a rare one."""
    counted = (
        register.group_by("brand")
        .aggregate([([], "count_all")])
        .sort_by([("count_all", "descending"), ("brand", "ascending")])
    )
    for row in counted.slice(0, _MOST_TERMS).to_pylist():
        share = row["count_all"] / register.num_rows
        if row["brand"] and share >= _FREQUENT:
            yield "brand", level, row["brand"], _weight(m, share)
