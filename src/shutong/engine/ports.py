"""What an engine offers, so that another one (Spark) can take DuckDB's place. ``tests/engine/contract.py`` tests it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from shutong.engine.duckrun import Rows, StageReport
from shutong.engine.lake import Lake
from shutong.engine.manifest import Mode
from shutong.engine.sqltext import Parameter
from shutong.engine.stage import Stage
from shutong.engine.tablefiles import TableFiles


class RunHandle(Protocol):
    """A run in progress; see ``DuckRun`` for what each verb promises."""

    run_id: str
    read_seq: int
    reports: list[StageReport]

    def table(self, name: str) -> TableFiles: ...

    def execute(
        self,
        stage: Stage,
        params: Mapping[str, Parameter] | None = None,
        scope: pa.Table | Path | str | None = None,
        scope_key: str | None = None,
    ) -> dict[str, int]: ...

    def stage_table(
        self,
        table: str,
        rows: Rows,
        mode: Mode = "append",
        key: str | None = None,
        keys: pa.Table | None = None,
        stage: str = "",
    ) -> int: ...

    def peek(
        self, sql: str, views: Mapping[str, str] | None = None, params: Mapping[str, Parameter] | None = None
    ) -> pa.Table: ...

    def commit(self) -> int: ...


class Engine(Protocol):
    """An engine over one lake; see ``DuckEngine``."""

    lake: Lake

    def run(
        self, run_id: str, kind: str = "run", business_day: dt.date | None = None
    ) -> AbstractContextManager[RunHandle]: ...

    def query(
        self,
        sql: str,
        views: Mapping[str, str] | None = None,
        params: Mapping[str, Parameter] | None = None,
        at: int | None = None,
    ) -> pa.Table: ...

    def stream(
        self,
        sql: str,
        views: Mapping[str, str] | None = None,
        params: Mapping[str, Parameter] | None = None,
        at: int | None = None,
        batch_rows: int = 65_536,
    ) -> pa.RecordBatchReader: ...

    def recover(self) -> list[str]: ...

    def compact(self, table: str, run_id: str = "fold") -> int | None: ...

    def close(self) -> None: ...
