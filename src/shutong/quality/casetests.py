"""Runs the cases that a pack brings as data: each is delivered to a home of its own and what came of it is compared."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from shutong.collect.tables import REJECTED, REJECTED_SCHEMA, accepted_table
from shutong.engine.duck import DuckEngine
from shutong.engine.home import Home
from shutong.quality.delivery import Delivery, deliver_many
from shutong.spec.cases import Case, compare
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


def run_case(case: Case, catalog: Catalog) -> CaseResult:
    """Deliver the inputs of a case, by the way that every delivery takes, and compare what is accepted and rejected.

    Args:
        catalog: holds the resources of the inputs.
    """
    with tempfile.TemporaryDirectory(prefix="shutong-case-") as folder:
        home = Home.create(Path(folder) / "home")
        engine = DuckEngine.of_home(home)
        try:
            files = [Delivery(one.resource, one.path, case.received_on) for one in case.inputs]
            receipts = deliver_many(home, engine, catalog, files)
            found = [
                (f"{receipt.file_name} 整批退回：{receipt.refusal['zh']}",
                 f"{receipt.file_name} was refused as a whole: {receipt.refusal['en']}")
                for receipt in receipts
                if receipt.refusal
            ]  # fmt: skip
            for expected in case.expects:
                actual = _table(engine, expected.table, catalog)
                found += [(one.zh, one.en) for one in compare(expected, actual)]
        finally:
            engine.close()
    return CaseResult(case, tuple(found))


def _table(engine: DuckEngine, name: str, catalog: Catalog) -> pa.Table:
    """A table of the lake, without rows where nothing was ever written to it."""
    if engine.lake.table(name).segments:
        return engine.query("SELECT * FROM t", {"t": name})
    if name == REJECTED:
        return REJECTED_SCHEMA.empty_table()
    return stored_columns(catalog.resources[name.removeprefix(accepted_table(""))]).empty_table()
