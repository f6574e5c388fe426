"""Training: what agrees more weighs more, frequent brands weigh less, and too little teaches nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from shutong.subjects.model import LEVELS, complete
from shutong.subjects.train import COLUMNS, TooFewCasesError, train

TRADES = ["网络科技", "餐饮管理", "商贸", "建筑工程", "物流运输", "食品"]


def town(firms: int, cases: int, seed: int = 3) -> tuple[pa.Table, pa.Table]:
    """A register, and cases of it: a third with a wrong character, some without trade, some with an old representative."""
    chance = random.Random(seed)
    brands = [
        "万达",
        *("".join(chr(0x4E00 + chance.randrange(3000)) for _ in range(chance.choice([2, 3]))) for _ in range(firms)),
    ]
    register = [
        {
            "unique_id": f"s{n}",
            "brand": "万达" if n % 20 == 0 else brands[n],
            "trade": chance.choice(TRADES),
            "area": f"98010{chance.randrange(8)}",
            "legal_rep": f"人{chance.randrange(firms // 2)}",
            "phone": f"t{n}",
            "address": f"路{n // 2}",
        }
        for n in range(firms)
    ]
    rows = []
    for n in range(cases):
        row = {**chance.choice(register), "unique_id": f"c{n}"}
        if n % 3 == 0:
            row["brand"] = row["brand"][:-1] + chr(0x4E00 + chance.randrange(3000))
        if n % 5 == 0:
            row["trade"] = None
        if n % 7 == 0:
            row["legal_rep"] = f"人{chance.randrange(firms)}"
        row["phone"] = row["phone"] if n % 2 else None
        row["address"] = row["address"] if n % 4 else None
        rows.append(row)
    schema = pa.schema([(name, pa.string()) for name in ("unique_id", *COLUMNS)])
    return pa.Table.from_pylist(rows, schema), pa.Table.from_pylist(register, schema)


def test_a_trained_model_is_complete_and_in_order(tmp_path: Path) -> None:
    cases, register = town(1500, 900)
    rows = train(cases, register, tmp_path, 512 << 20)
    assert complete(rows)
    weight = {(part, level): value for part, level, term, value in rows if term is None}
    for part, levels in LEVELS.items():
        assert weight[part, len(levels) - 1] > 0 > weight[part, 0], part
    assert weight["brand", LEVELS["brand"].index("near-short")] < weight["brand", LEVELS["brand"].index("equal")]
    assert weight["link", 0] > weight["review", 0]
    terms = {term: value for part, _level, term, value in rows if part == "brand" and term}
    assert terms["万达"] < weight["brand", LEVELS["brand"].index("equal")], "a brand that many share says less"


def test_the_same_input_gives_the_same_model(tmp_path: Path) -> None:
    cases, register = town(600, 300)
    assert train(cases, register, tmp_path, 512 << 20) == train(cases, register, tmp_path, 512 << 20)


def test_too_few_cases_are_refused(tmp_path: Path) -> None:
    cases, register = town(300, 50)
    with pytest.raises(TooFewCasesError, match="only 50 cases"):
        train(cases, register, tmp_path, 512 << 20)
