"""Who checks the rows of deliveries: a database for the declared checks, and threads on which chunks are checked."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa

from shutong.collect.judging import JudgeFor
from shutong.engine.connection import Resources, connect, open_cursor
from shutong.engine.home import Home
from shutong.quality.compute import Sql
from shutong.quality.judge import RowJudge
from shutong.quality.plan import CheckPlan, check_plan
from shutong.spec.catalog import Catalog
from shutong.spec.models import Resource

_MEMORY_SHARE = 0.1


@contextlib.contextmanager
def judging(home: Home, catalog: Catalog, *, threads: int, share: float = 1.0) -> Iterator[JudgeFor]:
    """Makes the judges of deliveries as the catalog declares, on so many threads.

    Args:
        share: of the memory that checking may take; less where several processes check.
    """
    plans: dict[str, CheckPlan] = {}
    resources = Resources(int(home.settings.memory_bytes * _MEMORY_SHARE * share), threads, home.tmp / "spill")
    database = connect(resources)
    pool = ThreadPoolExecutor(threads, "check")
    sql = row_sql(database)

    def judge_for(resource: Resource, received_on: dt.date, salt: int) -> RowJudge:
        if resource.resource not in plans:
            plans[resource.resource] = check_plan(resource, catalog)
        return RowJudge(plans[resource.resource], received_on, sql, pool, threads, salt)

    try:
        yield judge_for
    finally:
        pool.shutdown(cancel_futures=True)
        database.close()


def row_sql(database: duckdb.DuckDBPyConnection) -> Sql:
    """Asks ``database`` about one batch of rows, from any thread; the order of the rows is kept."""
    # the checks' answers are put beside the rows by their place
    database.execute("SET preserve_insertion_order = true")
    own = threading.local()

    def sql(query: str, rows: pa.RecordBatch) -> pa.Table:
        cursor = getattr(own, "cursor", None)
        if cursor is None:
            cursor = own.cursor = open_cursor(database)
        cursor.register("rows", pa.Table.from_batches([rows]))
        answer: pa.Table = cursor.execute(query).to_arrow_table()
        cursor.unregister("rows")
        return answer

    return sql
