"""Delivering: collect's transaction with this area's checks. What commands, screens and the pipeline call."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa

from shutong.collect.delivery import Intake, Progress
from shutong.collect.intake import Delivery
from shutong.collect.receipt import Receipt
from shutong.engine.connection import Resources, connect, open_cursor
from shutong.engine.engine import Engine
from shutong.engine.home import Home
from shutong.quality.compute import Sql
from shutong.quality.judge import RowJudge
from shutong.quality.plan import CheckPlan, check_plan
from shutong.spec.catalog import Catalog
from shutong.spec.models import Resource

__all__ = ["Delivery", "Receipt", "deliver", "deliver_many", "open_intake"]

_MEMORY_SHARE = 0.1


@contextlib.contextmanager
def open_intake(home: Home, engine: Engine, catalog: Catalog) -> Iterator[Intake]:
    """An intake that checks rows as the catalog declares, on as many threads as the home has.

    It may take any number of deliveries while it is open.
    """
    settings = home.settings
    plans: dict[str, CheckPlan] = {}
    resources = Resources(int(settings.memory_bytes * _MEMORY_SHARE), settings.threads, home.tmp / "spill")
    database = connect(resources)
    pool = ThreadPoolExecutor(settings.threads, "check")

    sql = row_sql(database)

    def judge_for(resource: Resource, received_on: dt.date, salt: int) -> RowJudge:
        if resource.resource not in plans:
            plans[resource.resource] = check_plan(resource, catalog)
        return RowJudge(plans[resource.resource], received_on, sql, pool, settings.threads, salt)

    try:
        yield Intake(home, engine, catalog, judge_for)
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


def deliver(
    home: Home,
    engine: Engine,
    catalog: Catalog,
    delivery: Delivery,
    received_at: dt.datetime | None = None,
) -> Receipt:
    """Take one file into the home; see ``collect.delivery.Intake.deliver_many``."""
    return deliver_many(home, engine, catalog, [delivery], received_at)[0]


def deliver_many(
    home: Home,
    engine: Engine,
    catalog: Catalog,
    deliveries: Sequence[Delivery],
    received_at: dt.datetime | None = None,
    progress: Progress | None = None,
) -> list[Receipt]:
    """Take files into the home, in their order, in one commit; see ``collect.delivery.Intake.deliver_many``."""
    with open_intake(home, engine, catalog) as intake:
        return intake.deliver_many(deliveries, received_at, progress)
