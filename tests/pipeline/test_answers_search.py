"""Search over a real answers file: what is found, in which order, and what is never repeated."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from shutong.pipeline.answers import names, search, slips, write
from shutong.pipeline.answers.store import AnswersMissing, AnswerStore

SUBJECTS = [
    ("o1", "云州市青禾食品有限公司", ["云州市老青禾食品厂"], "91980100MA0000001A", "980102"),
    ("o2", "云州市青禾食品有限公司南区分公司", [], "91980100MA0000002B", "980102"),
    ("o3", "云州（南湖）ＡＢ科技有限公司", [], "91980100MA0000003C", "980103"),
    ("o4", "大青禾农业合作社", [], "93980100MA0000004D", "980103"),
    ("o5", "云州市石泉建筑工程有限公司", [], "91980100MA0000005E", "980101"),
]


def build(folder: Path, subjects: list[tuple[str, str, list[str], str, str]], name: str = "answers-1.sqlite3") -> None:
    path = folder / name
    columns = list(zip(*subjects, strict=True))
    former = ["[" + ",".join(f'"{one}"' for one in names) + "]" for names in columns[2]]
    batch = pa.RecordBatch.from_pydict(
        {
            "subject_id": list(columns[0]),
            "kind": ["organisation"] * len(subjects),
            "name": list(columns[1]),
            "former_names": former,
            "uscc": list(columns[3]),
            "area": list(columns[4]),
        }
    )
    codes = pa.RecordBatch.from_pydict(
        {
            "subject_id": list(columns[0]),
            "kind": ["uscc"] * len(subjects),
            "value": list(columns[3]),
            "current": [1] * len(subjects),
        }
    )
    write.write_file(path, {"answer_subject": [batch], "answer_identifier": [codes]})
    write.swap_in(folder, path)


@pytest.fixture
def store(tmp_path: Path) -> AnswerStore:
    build(tmp_path, SUBJECTS)
    return AnswerStore(tmp_path)


def found(store: AnswerStore, text: str, **options: str) -> list[tuple[str, str]]:
    return [(hit.subject["subject_id"], hit.by) for hit in search.search(store, text, **options).hits]


def test_a_code_is_found_however_it_is_typed(store: AnswerStore) -> None:
    for text in (
        "91980100MA0000003C",
        " 91980100ma0000003c ",
        "９１９８０１００ＭＡ００００００３Ｃ",
        "91980100 MA00 0000 3C",
    ):
        assert found(store, text) == [("o3", "code")]


@pytest.mark.parametrize(
    "typed",
    ["9I980100MA0000003C", "91980100MA000000C3", "91980100MA0000003W", "91980100MA00000O3C", "1980100MA0000003C"],
)
def test_a_code_with_a_slip_leads_to_its_subject_and_says_so(store: AnswerStore, typed: str) -> None:
    answer = search.search(store, typed)
    assert "o3" in [hit.subject["subject_id"] for hit in answer.hits]
    assert answer.note == "slip"
    assert all(hit.matched != typed for hit in answer.hits)


def test_whole_name_comes_before_beginning_before_fragment(store: AnswerStore) -> None:
    assert found(store, "云州市青禾食品有限公司") == [("o1", "name"), ("o2", "prefix")]
    assert found(store, "青禾") == [("o1", "fragment"), ("o2", "fragment"), ("o4", "fragment")]
    assert found(store, "大青")[0] == ("o4", "prefix")


def test_brackets_width_case_and_spaces_do_not_matter(store: AnswerStore) -> None:
    for text in ("云州(南湖)ab科技", "云州南湖AB", "（南湖）", "ab科"):
        assert "o3" in [subject for subject, _ in found(store, text)], text


def test_two_characters_are_enough_and_one_is_not(store: AnswerStore) -> None:
    assert found(store, "石泉") == [("o5", "fragment")]
    assert search.search(store, "石").note == "short"
    assert search.search(store, "  ").hits == []


def test_a_former_name_finds_the_subject_and_no_phrase_crosses_two_names(store: AnswerStore) -> None:
    assert found(store, "老青禾食品厂") == [("o1", "fragment")]
    assert found(store, "公司云州市老") == []


def test_words_in_any_order(store: AnswerStore) -> None:
    assert found(store, "建筑 云州") == [("o5", "fragment")]


def test_a_wrong_character_finds_similar_names(store: AnswerStore) -> None:
    answer = search.search(store, "云州市石全建筑工程有限公司")
    assert answer.hits[0].subject["subject_id"] == "o5"
    assert (answer.hits[0].by, answer.note) == ("similar", "similar")


def test_filters_and_pages(store: AnswerStore) -> None:
    assert found(store, "青禾", area="980103") == [("o4", "fragment")]
    second = search.search(store, "青禾", limit=1, offset=1)
    assert [hit.subject["subject_id"] for hit in second.hits] == ["o2"]
    assert second.count == 3


@pytest.mark.parametrize("number", ["98010119900307875X", "19812345678"])
def test_a_personal_number_is_neither_searched_nor_repeated(store: AnswerStore, number: str) -> None:
    answer = search.search(store, number)
    assert (answer.text, answer.hits, answer.note) == ("", [], "personal")


@pytest.mark.parametrize("text", ['"', "' OR 1=1 --", "AND", "青禾*", "NEAR(青禾)", "a" * 500, "\x00青禾", "％＿"])
def test_no_text_breaks_the_search(store: AnswerStore, text: str) -> None:
    search.search(store, text)


def test_counting_stops_at_a_thousand(tmp_path: Path) -> None:
    build(tmp_path, [(f"o{i}", f"云州市第{i}号商店", [], f"91980100MA{i:08d}", "980101") for i in range(1200)])
    answer = search.search(AnswerStore(tmp_path), "云州市第")
    assert (answer.count, answer.capped, len(answer.hits)) == (1000, True, 20)


def test_fragments_agree_with_plain_containment(tmp_path: Path) -> None:
    chance = random.Random(5)
    letters = "云州青白石山泉科技有限公司商贸（）甲乙"
    subjects = [
        (f"o{i}", "".join(chance.choices(letters, k=chance.randint(4, 14))), [], f"91980100MA{i:08d}", "980101")
        for i in range(400)
    ]
    build(tmp_path, subjects)
    store = AnswerStore(tmp_path)
    for _ in range(300):
        name = chance.choice(subjects)[1]
        start = chance.randrange(0, len(name) - 2)
        text = name[start : start + chance.randint(2, 8)]
        key = names.search_key(text)
        if len(key) < 2:
            continue
        expected = {subject for subject, other, *_ in subjects if key in names.search_key(other)}
        answer = search.search(store, text, limit=500)
        assert {hit.subject["subject_id"] for hit in answer.hits} == expected, text


def test_every_single_slip_of_a_code_is_among_the_candidates() -> None:
    code = "91980100MA0000003C"
    for i in range(18):
        for wrong in "0A7":
            typed = code[:i] + wrong + code[i + 1 :]
            assert typed == code or code in slips.candidates(typed)
        assert code in slips.candidates(code[:i] + code[i + 1 :])
        assert code in slips.candidates(code[:i] + "Q" + code[i:])


def test_a_swap_is_noticed_and_old_files_go(tmp_path: Path) -> None:
    build(tmp_path, SUBJECTS)
    store = AnswerStore(tmp_path)
    assert found(store, "石泉")
    for number in range(2, 6):
        build(tmp_path, SUBJECTS[:1], f"answers-{number}.sqlite3")
    assert not found(store, "石泉")
    assert len(list(tmp_path.glob("answers-*.sqlite3"))) == 2


def test_without_answers_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AnswersMissing, match="shutong run"):
        AnswerStore(tmp_path).fetch("SELECT 1")
