"""What the peers' scripts share: the checks in Polars expressions and the figures they print. Runs in their Python."""

import json
import resource
import sys
import tempfile
import time

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
FORM = f"^[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}$"
DOC_NO = "^[A-Z]{2}[0-9]{4}-[0-9]{8}$"
CATEGORIES = [f"C{n:05}" for n in range(3_000)]
STATUSES = ["0", "1", "2", "3", "4"]
RECEIVED_ON = "2026-07-01"


def polars_table(path):
    """The delivered texts (empty as null) and the typed columns beside them."""
    import polars as pl

    texts = [pl.col(name).replace("", None) for name in pl.read_parquet_schema(path)]
    return (
        pl.read_parquet(path)
        .with_columns(texts)
        .with_columns(
            decided=pl.col("decided_on").str.to_date("%Y-%m-%d", strict=False),
            valid=pl.col("valid_to").str.to_date("%Y-%m-%d", strict=False),
            money=pl.col("amount").cast(pl.Decimal(18, 2), strict=False),
            people=pl.col("staff").cast(pl.Int64, strict=False),
        )
    )


def polars_check_digit():
    """True where the unified code has its form and its check digit; null where there is none."""
    import polars as pl

    code = pl.col("uscc")

    def value(place):
        letters = list(ALPHABET)
        return code.str.slice(place, 1).replace_strict(letters, list(range(31)), default=None, return_dtype=pl.Int32)

    total = sum((value(place) * weight for place, weight in enumerate(WEIGHTS)), pl.lit(0))
    return code.str.contains(FORM) & (((31 - total % 31) % 31) == value(17))


def keep_failing(table, found, out):
    """Write the failing rows of ``table`` as Parquet with their numbers and the list of their reasons.

    ``found``: a frame of ``row_no`` (from 1) and ``reason``. Returns how many rows fail.
    """
    import polars as pl

    texts = list(pl.read_parquet_schema(sys.argv[1]))
    reasons = found.group_by("row_no").agg(pl.col("reason").alias("reasons")).sort("row_no")
    rows = table.select(texts)[reasons["row_no"] - 1]
    reasons.hstack(rows).write_parquet(out)
    return reasons.height


def report(work, version, checks):
    """Run ``work(path, out)``, which writes the failing rows and returns their number, and print the figures."""
    path = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        started = time.perf_counter()
        failing = work(path, f"{folder}/failing.parquet")
        seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": usage.ru_maxrss // 1024,
        "failing": failing,
        "version": version,
        "checks": checks,
    }
    print(json.dumps(figures))
