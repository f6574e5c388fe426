"""recordlinkage over records and register rows: blocks, comparisons, expectation maximisation; best register row each."""

import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd
import recordlinkage

EXACT = ("uscc", "org_code", "registration_no", "area", "legal_rep", "phone", "address", "trade")
BLOCKS = (
    ["uscc"], ["org_code"], ["registration_no"], ["name_key"], ["brand", "area"], ["brand", "trade"], ["legal_rep", "area"],
    ["phone"], ["address"],
)  # fmt: skip


def main(folder):
    records, register = (
        pd.read_parquet(folder / f"{name}.parquet").set_index("unique_id") for name in ("records", "register")
    )
    started = time.perf_counter()
    indexer = recordlinkage.Index()
    for block in BLOCKS:
        indexer.block(block)
    pairs = indexer.index(records, register)
    compare = recordlinkage.Compare()
    for column in EXACT:
        compare.exact(column, column, label=column)
    compare.string("name_key", "name_key", method="jarowinkler", threshold=0.92, label="name_key")
    compare.string("brand", "brand", method="levenshtein", threshold=0.6, label="brand")
    features = compare.compute(pairs, records, register)
    model = recordlinkage.ECMClassifier()
    model.fit(features)
    weight = model.prob(features)
    found = pd.DataFrame({"weight": weight}).reset_index()
    found.columns = ["record_id", "row", "weight"]
    best = found.sort_values("weight").groupby("record_id").tail(1)
    best = best.assign(subject_id=best["row"].str.split("/").str[0])
    seconds = time.perf_counter() - started
    best[["record_id", "subject_id", "weight"]].to_parquet(folder / "best.parquet", index=False)
    figures = {
        "seconds": round(seconds, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "version": recordlinkage.__version__,
        "pairs": len(pairs),
    }
    print(json.dumps(figures))


main(Path(sys.argv[1]))
