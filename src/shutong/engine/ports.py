"""What computes stages, so that another machine (Spark) can take DuckDB's place. ``tests/engine/contract.py`` tests it.

The engine itself is one (``engine.Engine``): journals, commits, patches, scopes, reading. What differs is who carries
out the steps of a stage; that is ``Computing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from shutong.engine.sqltext import Parameter
from shutong.engine.stage import Stage
from shutong.engine.tablefiles import TableFiles

NewFile = Callable[[], Path]
"""Gives the path of a file that the journal knows of and that may now be written."""


@dataclass(frozen=True)
class Task:
    """One stage to carry out.

    Args:
        folder: for temporary files; it is there, and it goes with the run.
        tables: gives the files of a table as the run sees it.
        scope: the file of changed keys (one column ``key``), or None for a full run.
        keep: folder in which every step's rows are kept for looking at, or None.
        database: opens the run's own DuckDB, which a computing of another kind may leave alone.
    """

    stage: Stage
    folder: Path
    tables: Callable[[str], TableFiles]
    params: Mapping[str, Parameter]
    database: Callable[[], duckdb.DuckDBPyConnection]
    threads: int = 1
    scope: Path | None = None
    keep: Path | None = None


@dataclass(frozen=True)
class Result:
    """The rows of one write as Parquet files, each with its number of rows (never 0), and their columns."""

    schema: pa.Schema
    files: tuple[tuple[Path, int], ...]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(rows for _, rows in self.files)


class Execution(Protocol):
    """A stage being carried out: ``run`` once, then ``result`` for each write, then ``close``.

    ``rows_in``: rows of the input tables, before a scope narrows them.
    """

    rows_in: int

    def run(self) -> None:
        """Carry out every step. Raises StageError naming the stage and the step."""
        ...

    def result(self, step: str, schema: pa.Schema | None, new_file: NewFile) -> Result:
        """Store the rows of a step in new files, with the columns of ``schema`` where one is promised.

        Raises:
            StageError: the columns are not the promised ones, or a type cannot be stored.
        """
        ...

    def close(self) -> None:
        """Free what the execution holds."""
        ...


class Computing(Protocol):
    """Carries out stages.

    ``share_of_run``: the part of the memory limit that a run's own DuckDB may take beside it.
    """

    share_of_run: float

    def execution(self, task: Task) -> Execution:
        """An execution of a stage that has not begun."""
        ...

    def recover(self) -> None:
        """Remove what a killed process of this kind left."""
        ...

    def close(self) -> None:
        """Free what is held between runs."""
        ...
