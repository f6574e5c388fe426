"""The checks of the benchmark in pandera on Polars, all errors collected."""

import sys
from pathlib import Path

import pandera
import pandera.polars as pa
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import CATEGORIES, DOC_NO, RECEIVED_ON, STATUSES, polars_check_digit, polars_table, report


def rows(expression):
    """A check of whole rows."""
    return pa.Check(lambda data: data.lazyframe.select(expression.fill_null(True)))


def parsed(text, typed):
    """A filled text must have a typed value."""
    return rows(pl.col(text).is_null() | pl.col(typed).is_not_null())


def check(path):
    """Validate and count the rows of the failure cases."""
    table = polars_table(path)
    day = pl.lit(RECEIVED_ON).str.to_date()
    optional = {"nullable": True}
    schema = pa.DataFrameSchema(
        {
            "uscc": pa.Column(pl.String, rows(polars_check_digit())),
            "name": pa.Column(pl.String, pa.Check.str_length(max_value=60)),
            "doc_no": pa.Column(pl.String, pa.Check.str_matches(DOC_NO), unique=True),
            "category": pa.Column(pl.String, pa.Check.isin(CATEGORIES)),
            "status": pa.Column(pl.String, pa.Check.isin(STATUSES), **optional),
            "decided_on": pa.Column(pl.String),
            "valid_to": pa.Column(pl.String, **optional),
            "money": pa.Column(pl.Decimal(18, 2), pa.Check.in_range(0, 1_000_000_000), **optional),
            "people": pa.Column(pl.Int64, pa.Check.in_range(0, 1_000_000), **optional),
        },
        checks=[
            parsed("decided_on", "decided"),
            parsed("valid_to", "valid"),
            parsed("amount", "money"),
            parsed("staff", "people"),
            rows(pl.col("decided") <= day),
            rows(pl.col("valid") >= pl.col("decided")),
            rows((pl.col("status") != "4") | (pl.col("money") < 500_000)),
        ],
    )
    try:
        schema.validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return errors.failure_cases.select(pl.col("index").drop_nulls().n_unique()).item()
    return 0


report(check, pandera.__version__, 20)
