"""What a careful clerk can name from a row: the steps of the look-up, against readings by hand and by brute force."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from shutong.democity.book import Book, held_hash, keys_of
from shutong.democity.hashes import hash_texts, shorten
from shutong.democity.identity import Question, singled_out
from shutong.democity.names import PIECES, Names
from shutong.democity.text import stream
from shutong.democity.variants import Said
from tests.democity.conftest import City


def names_of(said: Sequence[Said]) -> Names:
    return Names(*(pa.array([getattr(one, piece) for one in said], pa.string()) for piece in PIECES))


def firm(body: str, form: str = "有限公司", head: str = "澜川市", branch: str = "") -> Said:
    return Said(head, body[:2], "", body[2:], form, branch)


REGISTERED = (
    (firm("安达科技"), "980101", "王一", "15400000001"),
    (firm("安达商贸"), "980101", "王一", "15400000002"),
    (firm("安达科技", branch="澜东分公司"), "980101", "李二", "15400000003"),
    (firm("鼎盛运输", "有限责任公司"), "980102", "赵三", "15400000009"),
    (firm("鼎盛运输", "有限公司"), "980102", "钱四", "15400000009"),
    (firm("鼎胜物流"), "980102", "孙五", "15400000005"),
    (firm("鼎圣物流"), "980102", "周六", "15400000006"),
    (firm("福来小吃店", ""), "980103", "吴七", "15400000007"),
    (firm("福来小吃店", ""), "980103", "郑八", "15400000008"),
)


def book_of(rows: Sequence[tuple[Said, str, str, str]]) -> Book:
    number = np.arange(len(rows), dtype=np.int64)
    keys = keys_of(names_of([name for name, *_ in rows]))
    held = [held_hash(None, number, keys.whole)]
    for place, kind in enumerate(("area", "legal_rep", "phone"), 1):
        held.append(held_hash(kind, number, hash_texts(pa.array([row[place] for row in rows], pa.string()))))  # type: ignore[misc]
    return Book(number, keys, np.sort(np.concatenate(held)))


def asks(
    book: Book, number: int, said: Said, area: str | None, rep: str | None = None, phone: str | None = None
) -> bool:
    """Whether the clerk names the subject ``number`` from a row that says this."""
    values = {}
    for kind, text in (("area", area), ("legal_rep", rep), ("phone", phone)):
        values[kind] = hash_texts(pa.array([text], pa.string())), np.array([text is not None])
    keys = keys_of(names_of([said]))
    question = Question(np.array([number]), keys, np.array([said.short]), np.array([area is None]), values)
    return bool(singled_out(question, book)[0])


@pytest.fixture(scope="module")
def book() -> Book:
    return book_of(REGISTERED)


@pytest.mark.parametrize(
    ("number", "said", "area", "found"),
    [
        (0, firm("安达科技"), "980101", True),
        (0, firm("安达科技"), "980102", False),
        (0, firm("安达科技"), None, True),
        (0, firm("安达科技", head=""), "980101", True),
        (0, firm("安达科技", "有限责任公司", head=""), "980101", True),
        (2, firm("安达科技", head="", branch="澜东分公司"), "980101", True),
        (2, firm("安达科技"), "980101", False),
        (0, firm("安达科枝"), "980101", True),
        (0, firm("安达科枝", branch="澜东分公司"), "980101", False),
        (2, firm("安达科枝", branch="澜东分公司"), "980101", True),
        (0, firm("安达科"), "980101", True),
        (0, firm("安达达科技"), "980101", True),
        (0, firm("安大科枝"), "980101", False),
        (3, firm("鼎盛运输", "有限责任公司", head=""), "980102", True),
        (4, firm("鼎盛运输", "有限责任公司", head=""), "980102", False),
        (3, firm("鼎盛运输", "公司", head=""), "980102", False),
        (5, firm("鼎胜物流"), "980102", True),
        (5, firm("鼎升物流"), "980102", False),
        (0, Said("", "安达", "", "科技", "", "", short=True), "980101", True),
        (0, Said("", "安达", "", "", "公司", "", short=True), "980101", False),
        (5, Said("", "鼎胜", "", "", "公司", "", short=True), "980102", True),
        (7, firm("福来小吃店", ""), "980103", False),
    ],
)  # fmt: skip
def test_names_lead_to_one_subject_or_to_none(book: Book, number: int, said: Said, area: str, *, found: bool) -> None:
    assert asks(book, number, said, area) is found


@pytest.mark.parametrize(
    ("number", "said", "area", "rep", "phone", "found"),
    [
        (7, firm("福来小吃店", ""), "980103", "吴七", None, True),
        (8, firm("福来小吃店", ""), "980103", "吴七", None, False),
        (5, firm("鼎升物流"), "980102", None, "15400000005", True),
        (3, firm("鼎盛运输", "公司", head=""), "980102", None, "15400000009", False),
        (3, firm("鼎盛运输", "公司", head=""), "980102", "赵三", "15400000009", True),
        (0, Said("", "安达", "", "", "公司", "", short=True), "980101", "王一", None, False),
        (0, Said("", "安达", "", "", "公司", "", short=True), "980101", "王一", "15400000001", True),
    ],
)
def test_contacts_decide_between_several(
    book: Book, number: int, said: Said, area: str, rep: str | None, phone: str | None, *, found: bool
) -> None:
    assert asks(book, number, said, area, rep, phone) is found


def distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def test_near_names_are_those_within_one_edit() -> None:
    random = stream(5, "near")
    words = ["".join(random.choice(list("安达科技商"), random.integers(2, 6))) for _ in range(400)]
    registered, asked = words[:300], words[300:]
    book = book_of([(Said("", word, "", "", "", ""), "980101", "", "") for word in registered])
    row, number = book.near(keys_of(names_of([Said("", word, "", "", "", "") for word in asked])))
    found = set(zip(row.tolist(), number.tolist(), strict=True))
    expected = {
        (i, j) for i, word in enumerate(asked) for j, other in enumerate(registered) if distance(word, other) <= 1
    }
    assert found == expected
    assert len(expected) > 100


def test_hashes_differ_and_shortened_texts_meet() -> None:
    words = pa.array(["安达科技", "安达技", "技科达安", "", None, "安"], pa.string())
    hashes = hash_texts(words)
    assert len(set(hashes.tolist())) == 5
    short = shorten(words)
    taken = {
        (int(row), int(place)): int(value) for row, place, value in zip(short.row, short.place, short.hash, strict=True)
    }
    assert taken[0, 2] == taken[1, -1] == int(hashes[1])
    assert taken[5, 0] == int(hashes[3])


def test_identifiable_rows_of_the_city(city: City) -> None:
    """Bad rows name nobody; rows by code name everybody registered; a bad code beside its own area or name is enough."""
    subjects = {row["subject"]: row for row in city.truth("subjects").to_pylist()}
    counted: dict[str, list[bool]] = {}
    for row in city.truth("records").to_pylist():
        if row["bad_reason"]:
            assert not row["identifiable"]
        elif row["subject"] >= 0 and row["evidence"] not in (None, "register"):
            registered = subjects[row["subject"]]["registered"]
            if not registered:
                assert not row["identifiable"]
            elif row["evidence"] in {"uscc", "old-number"}:
                assert row["identifiable"]
            elif registered:
                counted.setdefault(row["evidence"], []).append(row["identifiable"])
    assert np.mean(counted["bad-code"]) > 0.98
    assert 0.98 < np.mean(counted["name-area"]) < 1
    assert 0.95 < np.mean(counted["name-variant"]) < 1
