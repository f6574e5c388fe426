"""The checks of the benchmark in pointblank on Polars; failing rows from its extracts."""

import sys
from pathlib import Path

import pointblank as pb
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import CATEGORIES, DOC_NO, RECEIVED_ON, STATUSES, keep_failing, polars_check_digit, polars_table, report


def check(path, out):
    """Validate, and keep the rows of all extracts."""
    table = polars_table(path)
    day = pl.lit(RECEIVED_ON).str.to_date()
    steps = (
        pb.Validate(data=table)
        .col_vals_not_null(columns=["uscc", "name", "doc_no", "category", "decided_on"])
        .col_vals_expr(expr=polars_check_digit().fill_null(True))
        .col_vals_expr(expr=(pl.col("name").str.len_chars() <= 60).fill_null(True))
        .col_vals_regex(columns="doc_no", pattern=DOC_NO, na_pass=True)
        .rows_distinct(columns_subset=["doc_no"])
        .col_vals_expr(expr=pl.col("category").is_in(CATEGORIES).fill_null(True))
        .col_vals_expr(expr=pl.col("status").is_in(STATUSES).fill_null(True))
        .col_vals_expr(expr=pl.col("decided_on").is_null() | pl.col("decided").is_not_null())
        .col_vals_expr(expr=pl.col("valid_to").is_null() | pl.col("valid").is_not_null())
        .col_vals_expr(expr=pl.col("amount").is_null() | pl.col("money").is_not_null())
        .col_vals_between(columns="money", left=0, right=1_000_000_000, na_pass=True)
        .col_vals_expr(expr=pl.col("staff").is_null() | pl.col("people").is_not_null())
        .col_vals_between(columns="people", left=0, right=1_000_000, na_pass=True)
        .col_vals_expr(expr=(pl.col("decided") <= day).fill_null(True))
        .col_vals_expr(expr=(pl.col("valid") >= pl.col("decided")).fill_null(True))
        .col_vals_expr(expr=((pl.col("status") != "4") | (pl.col("money") < 500_000)).fill_null(True))
        .interrogate(get_first_n=None, sample_frac=1.0, extract_limit=table.height)
    )
    found = [
        rows.select(row_no=pl.col("_row_num_").cast(pl.Int64), reason=pl.lit(f"step {step}"))
        for step, rows in steps.get_data_extracts().items()
        if rows is not None and rows.height
    ]
    return keep_failing(table, pl.concat(found), out) if found else 0


report(check, pb.__version__, 20)
