"""Unified codes with one slip: repaired only where one registered code fits and the name or the area agrees."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from shutong.engine.stage import ArrowStep, SqlStep, Step
from shutong.standards.code_slips import meant_columns
from shutong.subjects.tables import columns

MEANT = columns(record_id=pa.string(), role=pa.string(), code=pa.string())


def repair_steps() -> Iterator[Step]:
    """The steps to ``meant`` (record_id, role, code: what may be meant) and ``repaired`` (record_id, role, subject).

    Subjects are numbers of ``numbered``.
    """
    yield SqlStep(
        "faulty_codes", "SELECT record_id, role, faulty FROM mentions WHERE faulty IS NOT NULL AND uscc IS NULL"
    )
    yield ArrowStep("meant", "faulty_codes", meant, MEANT)
    yield SqlStep("repaired", _REPAIRED, materialise=True)


_REPAIRED = """WITH fitting AS (SELECT t.record_id, t.role, min(i.number) AS subject FROM meant t
 JOIN numbered i ON i.kind = 'uscc' AND i.value = t.code WHERE i.registered AND i.current
 GROUP BY t.record_id, t.role HAVING count(DISTINCT i.number) = 1)
SELECT DISTINCT f.record_id, f.role, f.subject FROM fitting f
 JOIN mentions m ON m.record_id = f.record_id AND m.role = f.role
 JOIN numbered i ON i.number = f.subject
WHERE i.kind IN ('name', 'variant', 'area')
 AND i.value = CASE i.kind WHEN 'name' THEN m.name_key WHEN 'variant' THEN m.variant_key ELSE m.area END"""


def meant(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Every valid code that one slip turns into the faulty one, a row each."""
    parents, codes = meant_columns(batch.column("faulty"))
    told = [batch.column(name).take(pa.array(parents)) for name in ("record_id", "role")]
    return pa.RecordBatch.from_arrays([*told, codes], schema=MEANT)
