"""The table of the check benchmark: text columns as delivered, 20 declared checks, about 3 % of the rows bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench.codes import make_codes
from shutong.spec.catalog import Catalog
from shutong.spec.models import CodeTable, Resource

CODES = 3_000
RECEIVED_ON = "2026-07-01"
GROUP_ROWS = 250_000

RESOURCE = Resource.model_validate(
    {
        "resource": "permit-check",
        "title": "行政许可（性能测试）",
        "department": "bench",
        "basis": "bench",
        "key": ["doc_no"],
        "items": {
            "uscc": {"element": "uscc", "title": "统一社会信用代码", "required": True, "on_fault": "reject"},
            "name": {"element": "text", "title": "名称", "required": True, "max": 60},
            "doc_no": {"title": "文号", "required": True, "pattern": "[A-Z]{2}[0-9]{4}-[0-9]{8}"},
            "category": {"codes": "bench-category", "title": "类别", "required": True},
            "status": {"codes": "bench-status", "title": "状态"},
            "decided_on": {"element": "date", "title": "决定日期", "required": True},
            "valid_to": {"element": "date", "title": "有效期止"},
            "amount": {"element": "money", "title": "金额", "min": 0, "max": 1000000000},
            "staff": {"element": "integer", "title": "人数", "min": 0, "max": 1000000},
        },
        "checks": [
            {"name": "decided-before-received", "expr": "decided_on <= received_on"},
            {"name": "valid-after-decided", "expr": "valid_to >= decided_on"},
            {"name": "closed-has-no-amount", "expr": "status <> '4' OR amount < 500000"},
        ],
    }
)
"""20 checks: 5 required, 1 check digit, 2 code sets, 2 dates, 1 money, 1 whole number, 4 bounds (min and max of two), 1
length, 1 pattern, 1 uniqueness, 3 expressions; less the pattern's own emptiness (an empty one is required)."""

CATALOG = Catalog(
    resources={"permit-check": RESOURCE},
    codes={
        "bench-category": CodeTable.model_validate(
            {
                "codes": "bench-category",
                "title": "类别",
                "source": "bench",
                "values": {f"C{n:05}": f"类别{n}" for n in range(CODES)},
            }
        ),
        "bench-status": CodeTable.model_validate(
            {
                "codes": "bench-status",
                "title": "状态",
                "source": "bench",
                "values": {str(n): f"状态{n}" for n in range(5)},
            }
        ),
    },
)


def _digits(values: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.uint8]:
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (values[:, None] // powers % 10 + 48).astype(np.uint8)


def _texts(matrix: npt.NDArray[np.uint8]) -> pa.Array:
    rows, width = matrix.shape
    offsets = np.arange(0, width * (rows + 1), width, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(np.ascontiguousarray(matrix).tobytes())]
    return pa.Array.from_buffers(pa.string(), rows, buffers)


def _dates(days: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(days.astype("datetime64[D]")).cast(pa.string())


def _spoiled(column: pa.Array, random: np.random.Generator, share: float, text: str) -> pa.Array:
    wrong = pa.array(random.random(len(column)) < share)
    return pa.compute.if_else(wrong, text, column)


def block(number: int, rows: int, total: int) -> pa.RecordBatch:
    """``rows`` rows from row ``number * GROUP_ROWS`` on."""
    random = np.random.default_rng([7, number])
    serial = np.arange(rows, dtype=np.int64) + number * GROUP_ROWS
    repeat = random.random(rows) < 0.001
    serial = np.where(repeat, random.integers(0, total, rows), serial)
    doc_no = np.hstack([np.tile(np.frombuffer(b"YX2026-", np.uint8), (rows, 1)), _digits(serial, 8)])
    decided = random.integers(18_000, 20_620, rows)
    words = pa.array([f"{place}{brand}{trade}有限公司" for place in "澜川云安" for brand in ("云帆", "海纳", "嘉禾")
                      for trade in ("商贸", "餐饮管理", "建筑工程", "信息科技")])  # fmt: skip
    names = pa.compute.binary_join_element_wise(
        words.take(pa.array(random.integers(0, len(words), rows))), pa.array(serial % 100_000).cast(pa.string()), ""
    )
    categories = pa.array([f"C{n:05}" for n in range(CODES)])
    amount = random.integers(0, 40_000_000, rows)
    cents = pa.array(amount // 100).cast(pa.string())
    amounts = pa.compute.binary_join_element_wise(cents, _texts(_digits(amount % 100, 2)), ".")
    columns = {
        "uscc": make_codes(rows, 1_000 + number),
        "name": _spoiled(names, random, 0.0005, ""),
        "doc_no": _spoiled(_texts(doc_no), random, 0.0005, "无文号2026"),
        "category": _spoiled(categories.take(pa.array(random.integers(0, CODES, rows))), random, 0.001, "X99999"),
        "status": pa.array(["0", "1", "2", "3", "4"]).take(pa.array(random.integers(0, 5, rows))),
        "decided_on": _spoiled(_dates(decided), random, 0.001, "2026-02-30"),
        "valid_to": _spoiled(_dates(decided + random.integers(-5, 3_650, rows)), random, 0.3, ""),
        "amount": _spoiled(amounts, random, 0.001, "壹万零"),
        "staff": _spoiled(pa.array(random.integers(1, 5_000, rows)).cast(pa.string()), random, 0.001, "-3"),
    }
    return pa.RecordBatch.from_pydict(columns)


def write(path: Path, rows: int) -> None:
    """Write the table of ``rows`` rows as Parquet, unless it is there."""
    if path.exists():
        return
    draft = path.with_suffix(".part")
    first = block(0, 10, rows)
    with pq.ParquetWriter(draft, first.schema, compression="zstd", compression_level=1) as writer:
        for number, start in enumerate(range(0, rows, GROUP_ROWS)):
            writer.write_batch(block(number, min(GROUP_ROWS, rows - start), rows))
    draft.replace(path)
