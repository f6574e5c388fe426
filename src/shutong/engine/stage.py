"""What a stage is: a value that names its inputs, its steps and its outputs, and holds no connection.

A stage is built by an area's ``compute.py`` from declarations and is run only by the engine, so the same
stage gives the same tables on every engine, twice in a row, and after a kill (laws 1 and 9 of the way).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

WriteMode = Literal["append", "replace"]


@dataclass(frozen=True)
class Read:
    """One input table of a stage.

    Args:
        table: name of the lake table, for instance ``accepted/penalty``.
        view: the name under which the steps' SQL sees it, for instance ``accepted_penalty``.
        scope: the column by which an incremental run narrows this input to the changed keys; None reads it whole.
        schema: the columns the steps may rely on. A table that does not exist yet is read as empty with this
            schema, and a column added since is read as NULL from older files.
    """

    table: str
    view: str
    schema: pa.Schema
    scope: str | None = None


@dataclass(frozen=True)
class SqlStep:
    """A named SELECT over the stage's inputs and earlier steps, in the portable SQL of the platform.

    ``materialise`` asks the engine to store the step's rows because more than one later step reads them.
    """

    name: str
    query: str
    materialise: bool = False


@dataclass(frozen=True)
class ArrowStep:
    """A function over Arrow record batches, streamed; for what SQL cannot say well (check digits, Chinese distance).

    Args:
        source: name of an input view or an earlier step whose rows are streamed through ``function``.
        function: pure; takes a record batch and returns a record batch of ``schema``. Order of batches is not promised.
        version: raised by hand when the function's result changes (it is part of the stage's identity).
    """

    name: str
    source: str
    function: Callable[[pa.RecordBatch], pa.RecordBatch] = field(compare=False)
    schema: pa.Schema
    version: int = 1


Step = SqlStep | ArrowStep


@dataclass(frozen=True)
class Write:
    """One output table: the rows of ``step`` go to ``table``.

    Args:
        mode: ``append`` adds the rows for good. ``replace`` makes them the whole table; in a run with a scope they
            replace only the rows whose ``key`` is in the scope (the engine stores a patch, readers see one table).
        key: the column of the patch; required for ``replace`` tables that take part in incremental runs.
        schema: the columns the table promises, in order; the step's columns are checked against it and cast. None
            takes the step's columns as they are.
    """

    table: str
    step: str
    mode: WriteMode = "replace"
    key: str | None = None
    schema: pa.Schema | None = None


@dataclass(frozen=True)
class Stage:
    """A pure computation: declared inputs, ordered steps, declared outputs.

    ``version`` is the code's version, ``declarations`` the canonical hash of the declarations it was built from;
    both make its ``identity``, and a change of identity recomputes what reads it.
    """

    name: str
    reads: tuple[Read, ...]
    steps: tuple[Step, ...]
    writes: tuple[Write, ...]
    version: int = 1
    declarations: str = ""

    @property
    def identity(self) -> str:
        """Canonical hash of name, code version and declarations (20 hex digits)."""
        versions = {step.name: step.version for step in self.steps if isinstance(step, ArrowStep)}
        text = json.dumps([self.name, self.version, self.declarations, versions], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:20]
