"""The checks of the benchmark in Great Expectations on pandas; it has no check digit, which NumPy adds beforehand."""

import os
import sys
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import great_expectations.expectations as gxe
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import ALPHABET, CATEGORIES, DOC_NO, FORM, RECEIVED_ON, STATUSES, WEIGHTS, report


def digit_fits(codes):
    """Whether each code of 18 characters has its check digit."""
    value = np.zeros(256, np.int64)
    value[[ord(letter) for letter in ALPHABET]] = range(31)
    matrix = value[np.frombuffer("".join(codes).encode(), np.uint8).reshape(-1, 18)]
    return (31 - matrix[:, :17] @ np.array(WEIGHTS) % 31) % 31 == matrix[:, 17]


def table_of(path):
    """Texts with empty as missing, typed columns and flags beside them."""
    table = pd.read_parquet(path).replace({"": None})
    formed = table["uscc"].str.fullmatch(FORM.strip("^$"), na=False)
    table["digit"] = True
    table.loc[formed, "digit"] = digit_fits(table.loc[formed, "uscc"])
    for text, typed, parse in (
        ("decided_on", "decided", lambda column: pd.to_datetime(column, format="%Y-%m-%d", errors="coerce")),
        ("valid_to", "valid", lambda column: pd.to_datetime(column, format="%Y-%m-%d", errors="coerce")),
        ("amount", "money", lambda column: pd.to_numeric(column, errors="coerce")),
        ("staff", "people", lambda column: pd.to_numeric(column, errors="coerce")),
    ):
        table[typed] = parse(table[text])
        table[f"{typed}_read"] = table[text].isna() | table[typed].notna()
    table["closed_fits"] = (table["status"] != "4") | (table["money"] < 500_000) | table["money"].isna()
    return table


TEXTS = ["uscc", "name", "doc_no", "category", "status", "decided_on", "valid_to", "amount", "staff"]
EXPECTATIONS = [
    *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in ("uscc", "name", "doc_no", "category", "decided_on")),
    gxe.ExpectColumnValuesToMatchRegex(column="uscc", regex=FORM),
    gxe.ExpectColumnValuesToBeInSet(column="digit", value_set=[True]),
    gxe.ExpectColumnValueLengthsToBeBetween(column="name", max_value=60),
    gxe.ExpectColumnValuesToMatchRegex(column="doc_no", regex=DOC_NO),
    gxe.ExpectColumnValuesToBeUnique(column="doc_no"),
    gxe.ExpectColumnValuesToBeInSet(column="category", value_set=CATEGORIES),
    gxe.ExpectColumnValuesToBeInSet(column="status", value_set=STATUSES),
    *(
        gxe.ExpectColumnValuesToBeInSet(column=f"{typed}_read", value_set=[True])
        for typed in ("decided", "valid", "money", "people")
    ),
    gxe.ExpectColumnValuesToBeBetween(column="money", min_value=0, max_value=1_000_000_000),
    gxe.ExpectColumnValuesToBeBetween(column="people", min_value=0, max_value=1_000_000),
    gxe.ExpectColumnValuesToBeBetween(column="decided", max_value=pd.Timestamp(RECEIVED_ON)),
    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="valid", column_B="decided", or_equal=True, ignore_row_if="either_value_is_missing"
    ),
    gxe.ExpectColumnValuesToBeInSet(column="closed_fits", value_set=[True]),
]


def check(path, out):
    """Validate, and keep the rows of the unexpected values with the expectations they fail."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    table = table_of(path)
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
    suite = gx.ExpectationSuite(name="checks", expectations=EXPECTATIONS)
    reasons = {}
    for result in batch.validate(suite, result_format="COMPLETE").results:
        asked = result.expectation_config
        told = f"{asked.type}: {asked.kwargs.get('column') or asked.kwargs.get('column_A')}"
        for place in result.result.get("unexpected_index_list") or []:
            reasons.setdefault(place, []).append(told)
    places = sorted(reasons)
    failing = table.iloc[places].assign(row_no=[place + 1 for place in places], reasons=[reasons[p] for p in places])
    failing[["row_no", "reasons", *TEXTS]].to_parquet(out)
    return len(places)


report(check, gx.__version__, len(EXPECTATIONS))
