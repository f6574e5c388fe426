"""The sides of the benchmark ``identify``: ``python -m bench.identify_sides ours|splink|recordlinkage HOME``."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import logging
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from bench.peers import peer_python
from bench.sides import ROOT, THREADS, Figures, side
from shutong.democity.measure import measure
from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.rules.plan import full_run

pc: Any = pyarrow.compute

MEMORY = "4GB"


def _given(name: str = "name_key", parts: str = "parts") -> str:
    """SELECT list over mentions: what a matcher is given of a record or of a register row."""
    brand, trade = (f"nullif(split_part({parts}, '|', {place}), '')" for place in (1, 2))
    org_code = "coalesce(substring(uscc, 9, 9), org_code, CASE WHEN length(taxpayer_no) = 15 THEN substring(taxpayer_no, 7, 9) END)"
    return (
        f"uscc, {org_code} AS org_code, registration_no, taxpayer_no, certificate_no, {name} AS name_key, {brand} AS brand,"
        f" {trade} AS trade, CASE WHEN area NOT LIKE '%00' THEN area END AS area, legal_rep, phone_key AS phone,"
        " address_key AS address"
    )


RECORDS = (
    f"SELECT record_id AS unique_id, {_given()} FROM mentions"
    " WHERE kind = 'organisation' AND NOT registry AND current AND principal"
)
_OWN = (
    "mentions m JOIN (SELECT record_id, role, subject_id FROM links WHERE method = 'registry') l"
    " ON l.record_id = m.record_id AND l.role = m.role WHERE m.registry AND m.kind = 'organisation'"
)
REGISTER = (
    f"SELECT concat(l.subject_id, '/', m.record_id) AS unique_id, {_given()} FROM {_OWN}",
    f"SELECT concat(l.subject_id, '/former/', m.record_id) AS unique_id, {_given('former_name_key', 'former_parts')}"
    f" FROM {_OWN} AND former_name_key IS NOT NULL",
)
"""Register rows under their present and their former names: asked one after the other, since as a UNION ALL of the two
DuckDB 1.5.5 never began to stream them where there were 1.4 million."""


def ours(home: Home, engine: Engine, catalog: Any) -> Figures:
    """Identifiers and links from the mentions of the last run; nothing is committed."""
    stages = [one.stage for one in full_run(catalog) if one.stage.name in {"identifiers", "identify"}]
    with engine.run("bench", "bench", home.today()) as run:
        started = time.perf_counter()
        for stage in stages:
            run.execute(stage, {"as_of": home.today()})
        seconds = time.perf_counter() - started
        peak = max(report.peak_bytes for report in run.reports)
        query = "SELECT record_id, subject_id, method, principal FROM t WHERE principal"
        links = run.peek(query, {"t": "links"})
    return {"seconds": round(seconds, 1), "peak_mb": peak >> 20, "version": "", **Judge(home, engine, catalog)(links)}


def splink(home: Home, engine: Engine, catalog: Any) -> Figures:
    """Splink alone: estimated on these records, then every record's best register row."""
    splink_library = importlib.import_module("splink")
    for name in ("splink", "splink.internals"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        given = _export(engine, Path(folder))
        started = time.perf_counter()
        pairs = _predict(splink_library, given, Path(folder))
        best = _best(pairs, Path(folder))
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    version = importlib.metadata.version("splink")
    return {
        "seconds": round(seconds, 1),
        "peak_mb": peak,
        "version": version,
        **_at_best(Judge(home, engine, catalog), best),
    }


def recordlinkage(home: Home, engine: Engine, catalog: Any) -> Figures:
    """recordlinkage in an environment of its own: exact and Jaro-Winkler comparisons, expectation maximisation."""
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        _export(engine, Path(folder))
        script = str(ROOT / "bench" / "peers" / "recordlinkage" / "identify.py")
        figures = side([str(peer_python("recordlinkage")), script, folder])
        best = pq.read_table(Path(folder) / "best.parquet")
    return {**figures, **_at_best(Judge(home, engine, catalog), best)}


def _export(engine: Engine, folder: Path) -> dict[str, str]:
    """Records and register rows as Parquet; the register's ids begin with the subject's."""
    paths = {}
    for name, queries in (("records", (RECORDS,)), ("register", REGISTER)):
        paths[name] = str(folder / f"{name}.parquet")
        parts = [engine.stream(query, {"mentions": "mentions", "links": "links"}) for query in queries]
        with pq.ParquetWriter(paths[name], parts[0].schema) as writer:
            for rows in parts:
                with rows:
                    for batch in rows:
                        writer.write_batch(batch)
    return paths


def _predict(library: Any, given: dict[str, str], folder: Path) -> Any:
    compare, block = importlib.import_module("splink.comparison_library"), library.block_on
    connection = duckdb.connect(
        config={"memory_limit": MEMORY, "threads": THREADS, "temp_directory": str(folder / "spill")}
    )
    for name, path in given.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{path}'")
    rules = [block("uscc"), block("org_code"), block("registration_no"), block("name_key"), block("brand", "area")]
    rules += [block("brand", "trade"), block("legal_rep", "area"), block("phone"), block("address")]
    exact = [compare.ExactMatch(column) for column in ("uscc", "org_code", "registration_no", "area", "legal_rep",
                                                       "phone", "address", "trade")]  # fmt: skip
    names = [
        compare.JaroWinklerAtThresholds("name_key", [0.95, 0.88]).configure(term_frequency_adjustments=True),
        compare.LevenshteinAtThresholds("brand", [1]).configure(term_frequency_adjustments=True),
    ]
    settings = library.SettingsCreator(
        link_type="link_only",
        comparisons=[*exact, *names],
        blocking_rules_to_generate_predictions=rules,
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    api = library.DuckDBAPI(connection=connection)
    tables = [api.register(name, dataset_display_name=name) for name in ("records", "register")]
    linker = library.Linker(tables, settings)
    linker.training.estimate_probability_two_random_records_match([block("uscc"), block("name_key")], recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=7)
    for rule in (block("name_key"), block("org_code"), block("legal_rep", "area")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule, fix_u_probabilities=True)
    found = linker.inference.predict(threshold_match_probability=0.01)
    return connection, found.physical_name


def _best(pairs: Any, folder: Path) -> pa.Table:
    """Each record's register row with the largest weight."""
    connection, name = pairs
    path = folder / "best.parquet"
    connection.execute(
        f"""COPY (WITH each AS (SELECT CASE WHEN source_dataset_l = 'records' THEN unique_id_l ELSE unique_id_r END AS record_id,
        CASE WHEN source_dataset_l = 'records' THEN unique_id_r ELSE unique_id_l END AS row, match_weight FROM {name})
        SELECT record_id, split_part(arg_max(row, match_weight), '/', 1) AS subject_id, max(match_weight) AS weight
        FROM each GROUP BY record_id) TO '{path}' (FORMAT parquet)"""
    )
    connection.close()
    return pq.read_table(path)


def _at_best(judge: Judge, best: pa.Table) -> Figures:
    """The figures at the threshold, of six over the weights, that gives the best F1."""
    weights = np.asarray(best["weight"])
    found: list[Figures] = []
    for threshold in np.unique(np.quantile(weights, [0, 0.02, 0.05, 0.1, 0.2, 0.4])):
        links = best.filter(pa.array(weights >= threshold)).select(["record_id", "subject_id"])
        links = links.append_column("method", pa.repeat(pa.scalar("splink"), links.num_rows))
        links = links.append_column("principal", pa.repeat(pa.scalar(True), links.num_rows))
        found.append({**judge(links), "threshold": round(float(threshold), 2)})
    return max(found, key=lambda one: one["f1"])


class Judge:
    """Precision, recall and F1 over the good records about organisations outside registers.

    The registers' own links are ours on both sides: they say which subject id is which of the truth.
    """

    def __init__(self, home: Home, engine: Engine, catalog: Any) -> None:
        self._truth = home.path / "city" / "truth"
        query = "SELECT record_id, subject_id, method, principal FROM t WHERE method = 'registry'"
        self._own = engine.query(query, {"t": "links"})
        self._unidentified = engine.query(
            "SELECT record_id, reason, evidence FROM t WHERE FALSE", {"t": "unidentified"}
        )
        self._batches = engine.query("SELECT batch_id, file_name, state FROM t", {"t": "batches"})
        self._rejected = engine.query("SELECT batch_id, row_no, reasons FROM t", {"t": "rejected"})
        present = engine.lake.tables()
        names = [f"accepted/{name}" for name in sorted(catalog.resources) if f"accepted/{name}" in present]
        query = "SELECT record_id, batch_id, row_no FROM t"
        self._accepted = pa.concat_tables([engine.query(query, {"t": name}) for name in names])

    def __call__(self, links: pa.Table) -> Figures:
        """The figures of links: ``record_id``, ``subject_id``, ``method``, ``principal``."""
        own = self._own
        outside = links.filter(pc.invert(pc.is_in(links["record_id"], own["record_id"])))
        links = pa.concat_tables([own, outside.select(own.column_names).cast(own.schema)])
        tables = (self._batches, self._accepted, self._rejected, links, self._unidentified)
        report = measure(self._truth, *tables)
        kinds = [one for one in report.by_evidence if one.label not in {"citizen-id", "person-name"}]
        precision = sum(one.right for one in kinds) / max(1, sum(one.linked for one in kinds))
        recall = sum(one.found for one in kinds) / max(1, sum(one.identifiable for one in kinds))
        lines = {one.label: {"precision": round(one.precision, 4), "recall": round(one.recall, 4)} for one in kinds}
        return {
            "records": sum(one.rows for one in kinds),
            "register": own.num_rows,
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "f1": round(2 * precision * recall / max(1e-9, precision + recall), 4),
            "by_evidence": lines,
        }


SIDES: dict[str, Callable[[Home, Engine, Any], Figures]] = {
    "ours": ours,
    "splink": splink,
    "recordlinkage": recordlinkage,
}


def main(name: str, folder: Path) -> None:
    """Run one side and print its figures."""
    importlib.import_module("shutong.portal.django").setup(folder)
    catalog = importlib.import_module("shutong.catalog.actions").current_catalog()
    home = Home.open(folder)
    engine = engine_of(home)
    try:
        print(json.dumps(SIDES[name](home, engine, catalog)))
    finally:
        engine.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
