"""Linking rows of tables by a declared configuration: which columns are compared how, and in which blocks.

For data that no register holds: persons or firms in a file, before it becomes a resource, or duplicates within one
file. The configuration is a YAML file; Splink (Fellegi and Sunter, with expectation maximisation) does the rest, so the
same file serves any table. What a run links every day does not pass here; see ``similar``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import splink.comparison_library as library
from pydantic import BaseModel, ConfigDict, Field, model_validator
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from shutong.subjects.tables import columns


class Compared(BaseModel):
    """How a column is compared: exactly, or by a distance with thresholds from the closest on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    how: Literal["exact", "levenshtein", "jaro-winkler"] = "exact"
    at: tuple[float, ...] = ()
    frequent: bool = False
    """Agreeing on a frequent value says less than on a rare one."""

    @model_validator(mode="after")
    def _thresholds(self) -> Compared:
        if (self.how == "exact") == bool(self.at):
            raise ValueError("exact 没有 at，其他方式要有 / exact takes no at, the others need it")
        return self


class Linkage(BaseModel):
    """A declared configuration of linking.

    ``blocks``: lists of columns; only rows that agree on all columns of one of the lists are compared. ``first``: in
    these columns only so many characters must agree in a block. ``swapped``: two columns that people exchange now and
    then (given name and surname), compared both ways.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unique: str = "unique_id"
    compare: dict[str, Compared]
    blocks: tuple[tuple[str, ...], ...] = Field(min_length=1)
    first: dict[str, int] = {}
    swapped: tuple[str, str] | None = None
    link: float = Field(0.9, ge=0, le=1)
    """Probability from which on two rows are the same."""

    @model_validator(mode="after")
    def _known(self) -> Linkage:
        unknown = {name for block in self.blocks for name in block} - set(self.compare)
        unknown |= {*self.first, *(self.swapped or ())} - set(self.compare)
        if unknown:
            raise ValueError(
                f"compare 中没有：{'、'.join(sorted(unknown))} / not in compare: {', '.join(sorted(unknown))}"
            )
        return self


LINKED = columns(left_id=pa.string(), right_id=pa.string(), probability=pa.float64())


def link(tables: Sequence[pa.Table], wanted: Linkage, temp: Path, memory: int, threads: int, seed: int = 7) -> pa.Table:
    """Pairs of rows that are the same: within one table, or between two.

    Args:
        tables: one or two; each has the columns of ``wanted``, all text, NULL or empty where nothing is known.
        wanted: the configuration.
        temp: folder to spill to. memory: bytes that DuckDB may use. threads: of DuckDB.

    Returns:
        ``LINKED``: the unique values of both rows and how probable it is, at least ``wanted.link``; of two tables each
        row at most once, with its best partner.

    Raises:
        KeyError: a table lacks a column.
    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection: Any = duckdb.connect(
        config={"memory_limit": f"{memory >> 20}MB", "temp_directory": str(temp), "threads": threads}
    )
    try:
        linker = _linker(connection, [_prepared(table, wanted) for table in tables], wanted)
        _estimate(linker, wanted, seed)
        found = linker.inference.predict(threshold_match_probability=wanted.link)
        pairs = connection.execute(_PAIRS.format(name=found.physical_name)).to_arrow_table()
    finally:
        connection.close()
    return _best(pairs) if len(tables) == 2 else pairs.cast(LINKED)


_PAIRS = """SELECT CAST(unique_id_l AS VARCHAR) AS left_id, CAST(unique_id_r AS VARCHAR) AS right_id,
 match_probability AS probability FROM {name} ORDER BY probability DESC, left_id, right_id"""


def _best(pairs: pa.Table) -> pa.Table:
    """Each row of either table with its most probable partner only."""
    seen: tuple[set[Any], set[Any]] = (set(), set())
    kept = []
    for number, (left, right) in enumerate(
        zip(pairs["left_id"].to_pylist(), pairs["right_id"].to_pylist(), strict=True)
    ):
        if left not in seen[0] and right not in seen[1]:
            seen[0].add(left)
            seen[1].add(right)
            kept.append(number)
    return pairs.take(kept).cast(LINKED)


def _prepared(table: pa.Table, wanted: Linkage) -> pa.Table:
    """The columns of the configuration as text, empty as NULL, with the beginnings that blocks ask for."""
    missing = sorted({wanted.unique, *wanted.compare} - set(table.column_names))
    if missing:
        raise KeyError("、".join(missing))
    sql = [f'CAST("{wanted.unique}" AS VARCHAR) AS unique_id']
    for name in wanted.compare:
        text = f"nullif(trim(CAST(\"{name}\" AS VARCHAR)), '')"
        sql.append(f'{text} AS "{name}"')
        if name in wanted.first:
            sql.append(f'substring({text}, 1, {wanted.first[name]}) AS "{name}__first"')
    with duckdb.connect() as connection:
        connection.register("given", table)
        prepared: pa.Table = connection.execute(f"SELECT {', '.join(sql)} FROM given").to_arrow_table()
    return prepared


def _linker(connection: Any, tables: Sequence[pa.Table], wanted: Linkage) -> Any:
    settings = SettingsCreator(
        link_type="dedupe_only" if len(tables) == 1 else "link_only",
        comparisons=list(_comparisons(wanted)),
        blocking_rules_to_generate_predictions=_rules(wanted),
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    api = DuckDBAPI(connection=connection)
    names = ("one_side", "other_side")
    given = [api.register(table, dataset_display_name=name) for table, name in zip(tables, names, strict=False)]
    return Linker(given if len(given) > 1 else given[0], settings)


def _comparisons(wanted: Linkage) -> Any:
    if wanted.swapped:
        yield library.ForenameSurnameComparison(*wanted.swapped, jaro_winkler_thresholds=[0.92, 0.88])
    for name, compared in wanted.compare.items():
        if name not in (wanted.swapped or ()):
            comparison = _comparison(name, compared)
            yield comparison.configure(term_frequency_adjustments=True) if compared.frequent else comparison


def _comparison(name: str, compared: Compared) -> Any:
    if compared.how == "levenshtein":
        return library.LevenshteinAtThresholds(name, [int(threshold) for threshold in compared.at])
    if compared.how == "jaro-winkler":
        return library.JaroWinklerAtThresholds(name, list(compared.at))
    return library.ExactMatch(name)


def _rules(wanted: Linkage) -> list[Any]:
    return [
        block_on(*(f"{name}__first" if name in wanted.first else name for name in block)) for block in wanted.blocks
    ]


def _estimate(linker: Any, wanted: Linkage, seed: int) -> None:
    rules = _rules(wanted)
    linker.training.estimate_probability_two_random_records_match(rules, recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=seed)
    for rule in rules:
        linker.training.estimate_parameters_using_expectation_maximisation(rule, fix_u_probabilities=True)
