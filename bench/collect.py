"""Collecting a GB18030 CSV into a checked, receipted batch, against decoding it and DuckDB's own CSV to Parquet.

Ours reads, hashes, keeps a sealed copy, parses, checks (10 declared checks, the code's check digit and the key's
uniqueness among them), seals, writes accepted and rejected rows, signs the receipt and commits. The peer decodes the
file to UTF-8 in the same blocks and copies it to Parquet, all columns as text. Both use all cores of the machine.
"""

from __future__ import annotations

import codecs
import datetime as dt
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv

from bench import check_data
from bench.sides import Row, fastest, row
from shutong.collect.intake import Delivery
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.quality.delivery import deliver
from shutong.spec.catalog import Catalog
from shutong.spec.models import Resource

GOAL = 3.0
BLOCK = 1 << 22
BLOCK_ROWS = 100_000

RESOURCE = Resource.model_validate(
    {
        "resource": "permit-collect",
        "title": "行政许可（性能测试）",
        "department": "bench",
        "basis": "bench",
        "key": ["doc_no"],
        "items": {
            "uscc": {"element": "uscc", "title": "统一社会信用代码", "on_fault": "reject"},
            "party_name": {"element": "org-name", "title": "行政相对人名称", "required": True},
            "doc_no": {"title": "许可文号", "required": True},
            "category": {"codes": "bench-category", "title": "许可类别"},
            "content": {"title": "许可内容"},
            "decided_on": {"element": "date", "title": "许可决定日期", "required": True},
            "valid_to": {"element": "date", "title": "有效期止"},
            "authority": {"element": "org-name", "title": "许可机关"},
            "amount": {"element": "money", "title": "金额", "min": 0},
            "staff": {"element": "integer", "title": "人数"},
            "address": {"element": "address", "title": "地址"},
            "remark": {"title": "备注"},
        },
        "checks": [{"name": "decided-before-received", "expr": "decided_on <= received_on"}],
    }
)
CATALOG = Catalog(resources={"permit-collect": RESOURCE}, codes=check_data.CATALOG.codes)


def run(full: bool = False, size: int | None = None) -> list[Row]:
    """Both sides in turn, twice; ``ours`` and ``peer`` are seconds.

    Args:
        full: three rounds; the goal is set for 1,000,000 rows, which both sizes have.
        size: another number of rows.
    """
    rows = size or 1_000_000
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as folder:
        path = Path(folder) / "delivery.csv"
        write(path, rows)
        commands = {name: [sys.executable, "-m", "bench.collect", name, str(path)] for name in SIDES}
        sides = fastest(commands, 3 if full else 2)
        size = path.stat().st_size
    ours, peer = sides["ours"], sides["peer"]
    return [
        row(
            "collect",
            "the same decoding and DuckDB CSV to Parquet",
            GOAL,
            ours=ours["seconds"],
            peer=peer["seconds"],
            met=ours["seconds"] / peer["seconds"] <= GOAL,
            rows=rows,
            bytes=size,
            unit="s",
            rejected=ours["rejected"],
            peak_mb=[ours["peak_mb"], peer["peak_mb"]],
        )
    ]


def write(path: Path, rows: int) -> None:
    """The delivery: a header of titles and ``rows`` rows, about 1 % of them bad."""
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as file:
        file.write((",".join(item.title.zh for item in RESOURCE.items.values()) + "\n").encode("gb18030"))
        for number, start in enumerate(range(0, rows, BLOCK_ROWS)):
            block = _block(number, min(BLOCK_ROWS, rows - start), rows)
            text = pa.BufferOutputStream()
            pa.csv.write_csv(block, text, options)
            file.write(text.getvalue().to_pybytes().decode().encode("gb18030"))


def _block(number: int, rows: int, total: int) -> pa.RecordBatch:
    random = np.random.default_rng([11, number])
    base = check_data.block(number, rows, total)
    serial = pa.array(np.arange(rows) + number * BLOCK_ROWS).cast(pa.string())
    one = random.integers(0, 3, rows)
    contents = pa.array(["食品经营（热食类食品制售）", "危险化学品经营许可", "建筑业企业资质证书延续"])
    authorities = pa.array(["澜川市市场监督管理局", "澜川市应急管理局", "澜川市住房和城乡建设局"])
    streets = pa.array(["云安省澜川市云岭区海棠路", "云安省澜川市东湖区嘉禾街", "云安省澜川市高新区星河大道"])
    columns = {
        "uscc": base.column("uscc"),
        "party_name": base.column("name"),
        "doc_no": pa.compute.binary_join_element_wise("澜市监许〔2026〕", serial, "号", ""),
        "category": base.column("category"),
        "content": contents.take(pa.array(one)),
        "decided_on": base.column("decided_on"),
        "valid_to": base.column("valid_to"),
        "authority": authorities.take(pa.array(one)),
        "amount": base.column("amount"),
        "staff": base.column("staff"),
        "address": pa.compute.binary_join_element_wise(streets.take(pa.array(one)), serial, "号", ""),
        "remark": pa.array([""] * rows),
    }
    return pa.RecordBatch.from_pydict(columns)


def collect_ours(path: Path, folder: Path) -> int:
    """Deliver into a new home; returns the rejected rows."""
    home = Home.create(folder / "home")
    started = time.perf_counter()
    receipt = deliver(home, engine_of(home), CATALOG, Delivery("permit-collect", path, dt.date(2026, 7, 1)))
    _figures(started, receipt.rejected)
    return receipt.rejected


def collect_peer(path: Path, folder: Path) -> int:
    """Decode to a UTF-8 file in blocks, then DuckDB copies it to Parquet."""
    started = time.perf_counter()
    plain = folder / "plain.csv"
    decoder = codecs.getincrementaldecoder("gb18030")()
    with path.open("rb", buffering=0) as source, plain.open("wb") as target:
        while block := source.read(BLOCK):
            target.write(decoder.decode(block).encode())
        target.write(decoder.decode(b"", True).encode())
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{plain}', header = true, all_varchar = true)) TO '{folder / 'out.parquet'}' "
            "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )
    _figures(started, 0)
    return 0


def _figures(started: float, rejected: int) -> None:
    seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = round(usage.ru_utime + usage.ru_stime, 2)
    figures = {"seconds": round(seconds, 2), "cpu_seconds": cpu, "peak_mb": usage.ru_maxrss // 1024}
    print(json.dumps({**figures, "rejected": rejected}))


SIDES: dict[str, Callable[[Path, Path], int]] = {"ours": collect_ours, "peer": collect_peer}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="shutong-bench-") as made:
        SIDES[sys.argv[1]](Path(sys.argv[2]), Path(made))
