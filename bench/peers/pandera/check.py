"""The checks of the benchmark in pandera on Polars, all errors collected."""

import sys
from pathlib import Path

import pandera
import pandera.polars as pa
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import CATEGORIES, DOC_NO, RECEIVED_ON, STATUSES, keep_failing, polars_check_digit, polars_table, report


def fits(expression, name):
    """A check that may look at other columns of the row; null passes."""
    return pa.Check(lambda data: data.lazyframe.select(expression.fill_null(True)), name=name)


def read(text, typed):
    """A filled text must have a typed value."""
    return fits(pl.col(text).is_null() | pl.col(typed).is_not_null(), f"{text} is no {typed}")


def check(path, out):
    """Validate, and keep the rows of the failure cases. Checks stand at columns, where failure cases are smallest."""
    table = polars_table(path)
    day = pl.lit(RECEIVED_ON).str.to_date()
    optional = {"nullable": True}
    schema = pa.DataFrameSchema(
        {
            "uscc": pa.Column(pl.String, fits(polars_check_digit(), "check digit")),
            "name": pa.Column(pl.String, pa.Check.str_length(max_value=60)),
            "doc_no": pa.Column(pl.String, pa.Check.str_matches(DOC_NO), unique=True),
            "category": pa.Column(pl.String, pa.Check.isin(CATEGORIES)),
            "status": pa.Column(
                pl.String,
                [
                    pa.Check.isin(STATUSES),
                    fits((pl.col("status") != "4") | (pl.col("money") < 500_000), "closed has no amount"),
                ],
                **optional,
            ),
            "decided_on": pa.Column(pl.String, read("decided_on", "decided")),
            "decided": pa.Column(pl.Date, fits(pl.col("decided") <= day, "decided before received"), **optional),
            "valid_to": pa.Column(pl.String, read("valid_to", "valid"), **optional),
            "valid": pa.Column(pl.Date, fits(pl.col("valid") >= pl.col("decided"), "valid after decided"), **optional),
            "amount": pa.Column(pl.String, read("amount", "money"), **optional),
            "money": pa.Column(pl.Decimal(18, 2), pa.Check.in_range(0, 1_000_000_000), **optional),
            "staff": pa.Column(pl.String, read("staff", "people"), **optional),
            "people": pa.Column(pl.Int64, pa.Check.in_range(0, 1_000_000), **optional),
        }
    )
    try:
        schema.validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return 0
    found = cases.select(
        row_no=pl.col("index").cast(pl.Int64) + 1, reason=pl.concat_str("column", "check", separator=": ")
    )
    return keep_failing(table, found, out)


report(check, pandera.__version__, 20)
