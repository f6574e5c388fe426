"""Linking rows by a declared configuration: duplicates of one table, the same persons in two, and what is refused."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from shutong.cli.outcome import RefusedError
from shutong.cli.work.match import match
from shutong.subjects.linkage import Linkage, link

CONFIG: dict[str, Any] = {
    "compare": {
        "name": {"how": "jaro-winkler", "at": [0.92, 0.8]},
        "born": {"how": "levenshtein", "at": [1]},
        "town": {},
        "phone": {"how": "levenshtein", "at": [1, 2]},
    },
    "blocks": [["phone"], ["name", "town"], ["born"]],
    "first": {"name": 3},
    "link": 0.9,
}
MEMORY = 1 << 29


def persons(count: int, seed: int) -> list[dict[str, str]]:
    chance = random.Random(seed)
    letters = "abcdefghijklmnoprstuvwz"
    return [
        {
            "unique_id": f"p{number}",
            "name": "".join(chance.choices(letters, k=chance.randint(6, 11))),
            "born": f"19{chance.randint(40, 99)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}",
            "town": chance.choice(["east", "west", "north", "south"]),
            "phone": "".join(chance.choices("0123456789", k=9)),
        }
        for number in range(count)
    ]


def slipped(person: dict[str, str], chance: random.Random) -> dict[str, str]:
    """The same person as another clerk would write it: one column mistyped, another now and then left out."""
    column = chance.choice(["name", "born", "phone"])
    text = person[column]
    place = chance.randrange(len(text) - 1)
    wrong = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return {**person, column: wrong, "unique_id": person["unique_id"] + "b"} | (
        {"town": ""} if chance.random() < 0.2 else {}
    )


def scores(found: pa.Table, true: set[frozenset[str]]) -> tuple[float, float]:
    got = {frozenset((row["left_id"], row["right_id"])) for row in found.to_pylist()}
    return len(got & true) / max(1, len(got)), len(got & true) / len(true)


def test_duplicates_of_one_table_and_the_same_rows_of_two(tmp_path: Path) -> None:
    chance = random.Random(3)
    first = persons(800, seed=1)
    second = [slipped(one, chance) for one in first[:300]]
    true = {frozenset((one["unique_id"], one["unique_id"] + "b")) for one in first[:300]}
    wanted = Linkage.model_validate(CONFIG)

    precision, recall = scores(link([pa.Table.from_pylist(first + second)], wanted, tmp_path, MEMORY, 2), true)
    assert precision >= 0.99 and recall >= 0.97

    strangers = [{**one, "unique_id": f"s{number}"} for number, one in enumerate(persons(200, seed=9))]
    pairs = link([pa.Table.from_pylist(first), pa.Table.from_pylist(second + strangers)], wanted, tmp_path, MEMORY, 2)
    precision, recall = scores(pairs, true)
    assert precision >= 0.99 and recall >= 0.97
    assert len(set(pairs["right_id"].to_pylist())) == pairs.num_rows


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"blocks": [["postcode"]]}, "postcode"),
        ({"compare": {**CONFIG["compare"], "town": {"how": "exact", "at": [1]}}}, "exact"),
        ({"compare": {**CONFIG["compare"], "town": {"how": "soundex"}}}, "soundex"),
        ({"blocks": []}, "blocks"),
    ],
)
def test_a_wrong_configuration_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Linkage.model_validate({**CONFIG, **change})


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    config, rows = tmp_path / "config.yaml", tmp_path / "rows.csv"
    config.write_text("compare: {name: {}}\nblocks: [[name]]\n", encoding="utf-8")
    rows.write_text("unique_id,title\n1,x\n", encoding="utf-8")
    with pytest.raises(RefusedError, match="name"):
        match(config, [rows], json=False)
    with pytest.raises(RefusedError, match=r"missing\.csv"):
        match(config, [tmp_path / "missing.csv"], json=False)
    config.write_text("compare: [", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"config\.yaml"):
        match(config, [rows], json=False)


def test_the_command_prints_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = persons(400, seed=5)
    chance = random.Random(1)
    # As departments deliver: another encoding, and a column that nobody asked for.
    second = [{**slipped(one, chance), "备注": "无"} for one in first[:150]]
    for name, people, encoding in (("left", first, "utf-8"), ("right", second, "gb18030")):
        lines = [",".join(people[0]), *(",".join(one.values()) for one in people)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding=encoding)
    config = tmp_path / "config.yaml"
    config.write_text(
        "compare:\n  name: {how: jaro-winkler, at: [0.92, 0.8]}\n  born: {how: levenshtein, at: [1]}\n"
        "  phone: {how: levenshtein, at: [1, 2]}\nblocks: [[phone], [born]]\n",
        encoding="utf-8",
    )
    match(config, [tmp_path / "left.csv", tmp_path / "right.csv"], json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "left_id,right_id,probability"
    assert len(lines) > 140
