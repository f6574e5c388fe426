"""Runs the cases that a pack brings as data: each is delivered to a home of its own and what came of it is compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from shutong.collect.tables import REJECTED, REJECTED_SCHEMA, accepted_table
from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.quality.delivery import Delivery, deliver_many
from shutong.spec.cases import STAGED, Case, compare
from shutong.spec.catalog import Catalog
from shutong.spec.columns import stored_columns


@dataclass(frozen=True)
class CaseResult:
    """How a case went; ``differences`` are (Chinese, English) and empty where everything came out as expected."""

    case: Case
    differences: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.differences


Staged = Callable[[Engine, Catalog, Case, str], pa.Table]
"""Gives the rows of one of the ``STAGED`` tables of a case, running the stages first where they did not run yet."""


def run_case(case: Case, catalog: Catalog, staged: Staged) -> CaseResult:
    """Deliver the inputs of a case, by the way that every delivery takes, and compare what came of them.

    Args:
        catalog: holds the resources of the inputs.
        staged: gives what stages make of the deliveries; they stand on floors above this one.
    """
    with tempfile.TemporaryDirectory(prefix="shutong-case-") as folder:
        home = Home.create(Path(folder) / "home")
        engine = engine_of(home)
        try:
            inputs = sorted(case.inputs, key=lambda one: one.received_on or case.received_on)
            files = [Delivery(one.resource, one.path, one.received_on or case.received_on) for one in inputs]
            receipts = deliver_many(home, engine, catalog, files)
            found = [
                (f"{receipt.file_name} 整批退回：{receipt.refusal['zh']}",
                 f"{receipt.file_name} was refused as a whole: {receipt.refusal['en']}")
                for receipt in receipts
                if receipt.refusal
            ]  # fmt: skip
            for expected in case.expects:
                if expected.table.startswith(STAGED):
                    actual = staged(engine, catalog, case, expected.table)
                else:
                    actual = _table(engine, expected.table, catalog)
                found += [(one.zh, one.en) for one in compare(expected, actual)]
        finally:
            engine.close()
    return CaseResult(case, tuple(found))


def _table(engine: Engine, name: str, catalog: Catalog) -> pa.Table:
    """A table of the lake, without rows where nothing was ever written to it."""
    if engine.lake.table(name).segments:
        return engine.query("SELECT * FROM t", {"t": name})
    if name == REJECTED:
        return REJECTED_SCHEMA.empty_table()
    return stored_columns(catalog.resources[name.removeprefix(accepted_table(""))]).empty_table()
