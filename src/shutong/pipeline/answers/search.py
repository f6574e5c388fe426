"""One search box: codes first, then names, then what the reader may have meant.

Order of the answers: exact code; a code one typing slip away; the whole name; names that begin with the text; names
that contain it; and, only when nothing else was found, names that are similar. Within each, by the static rank of the
build. Counting stops at 1,000 because nobody reads on and everybody waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

from rapidfuzz import fuzz

from . import names, slips
from .store import AnswerStore, Row

COUNT_LIMIT = 1000
_FUZZY_SCORE = 72
_FUZZY_CANDIDATES = 400
_SHORT = 3
_RARE = 4000
_CHUNK = 400


@dataclass(frozen=True)
class Hit:
    """One subject found, and why it was found.

    ``by`` is ``code``, ``code-slip``, ``name``, ``prefix``, ``fragment`` or ``similar``; ``matched`` is the code or the
    former name that led to it where that is not what the line shows anyway.
    """

    subject: Row
    by: str
    matched: str | None = None


@dataclass(frozen=True)
class Found:
    """The answer of a search.

    Args:
        text: what was asked, trimmed; empty where it was a personal number, which is never repeated.
        hits: the page of subjects asked for.
        count: how many there are, at most 1,000.
        capped: whether there are more than 1,000.
        note: ``short`` (one character), ``personal`` (an identity or telephone number), ``bad-check-digit``,
            ``slip`` (answers are for a similar code), ``similar`` (answers are for similar names) or empty.
    """

    text: str
    hits: list[Hit] = field(default_factory=list)
    count: int = 0
    capped: bool = False
    note: str = ""


def search(
    store: AnswerStore, text: str, kind: str | None = None, category: str | None = None, area: str | None = None,
    limit: int = 20, offset: int = 0,
) -> Found:  # fmt: skip
    """Find organisations by any code or by two or more characters of a name.

    Args:
        store: the ready answers.
        text: what was typed, at most 100 characters are read.
        kind, category, area: keep only subjects of this kind, category (``enterprise``, …) or area (six digits).
        limit, offset: the page of hits; ``count`` is independent of it.
    """
    text = " ".join(text[:100].split())
    code = slips.code_key(text)
    if slips.looks_like_code(code):
        matches = _by_code(store, code)
        if matches is None and slips.is_personal_number(code):
            return Found("", note="personal")
        matches = matches or _by_similar_code(store, code)
        if matches is not None:
            ids, by, note = matches
            return _page(store, text, [(i, by, m) for i, m in ids], note, (kind, category, area), limit, offset)
    words = [key for key in map(names.search_key, text.split()) if key]
    if not words:
        return Found(text)
    if max(map(len, words)) < 2:
        return Found(text, note="short")
    matched = _by_name(store, words)
    note = ""
    if not matched:
        matched, note = _similar(store, "".join(words)), "similar"
    return _page(store, text, matched, note if matched else "", (kind, category, area), limit, offset)


Coded = tuple[list[tuple[int, str | None]], str, str]


def _by_code(store: AnswerStore, code: str) -> Coded | None:
    """Subject documents that carry the code; None where there is none."""
    exact = _documents_of(store, [code])
    if not exact:
        return None
    return [(doc, None if kind == "uscc" else value) for doc, kind, value in exact], "code", ""


def _by_similar_code(store: AnswerStore, code: str) -> Coded | None:
    """Subject documents that carry a code one slip away, the likeliest first; None where there is none."""
    guesses = slips.candidates(code)
    order = {guess: number for number, guess in enumerate(guesses)}
    near = sorted(_documents_of(store, guesses), key=lambda row: (order[row[2]], row[0]))
    return ([(doc, value) for doc, _, value in near[:20]], "code-slip", "slip") if near else None


def _documents_of(store: AnswerStore, codes: list[str]) -> list[tuple[int, str, str]]:
    found: dict[int, tuple[int, str, str]] = {}
    for start in range(0, len(codes), _CHUNK):
        part = codes[start : start + _CHUNK]
        rows = store.fetch(
            "SELECT s.doc, i.kind, i.value FROM answer_identifier i JOIN answer_subject s USING (subject_id) "
            f"WHERE i.kind <> 'name' AND i.value IN ({', '.join('?' * len(part))})",
            part,
        )
        for row in rows:
            found.setdefault(row["doc"], (row["doc"], row["kind"], row["value"]))
    return list(found.values())


def _by_name(store: AnswerStore, words: list[str]) -> list[tuple[int, str, str | None]]:
    """Documents by whole name, beginning and fragment, in that order, each once, at most a thousand and one."""
    whole = "".join(words)
    ordered: dict[int, str] = {}
    for row in store.fetch(
        "SELECT s.doc FROM answer_identifier i JOIN answer_subject s USING (subject_id) "
        "WHERE i.value = ? AND i.kind = 'name' ORDER BY s.doc LIMIT 1001",
        [whole],
    ):
        ordered[row["doc"]] = "name"
    if len(whole) >= 2:
        for doc in _containing(store, whole, start=True):
            ordered.setdefault(doc, "prefix")
        if len(ordered) <= COUNT_LIMIT:
            for doc in _containing(store, whole, start=False):
                ordered.setdefault(doc, "fragment")
    phrases = [names.phrase(word) for word in words if len(word) >= 2]
    if len(words) > 1 and phrases and len(ordered) <= COUNT_LIMIT:
        for doc in _documents(store, " AND ".join(phrases)):
            ordered.setdefault(doc, "fragment")
    return [(doc, by, None) for doc, by in ordered.items()]


def _documents(store: AnswerStore, match: str, limit: int = COUNT_LIMIT + 1) -> list[int]:
    cursor = store.connection().cursor()
    cursor.row_factory = None  # plain tuples: a thousand dictionaries would cost more than the search
    cursor.execute("SELECT rowid FROM answer_name WHERE answer_name MATCH ? ORDER BY rowid LIMIT ?", (match, limit))
    return [row[0] for row in cursor]


def _containing(store: AnswerStore, key: str, *, start: bool) -> list[int]:
    """Documents with a name that contains the key, or begins with it.

    A long phrase walks the lists of many common pairs. So where a long key has a rare pair, only its rarest pairs are
    looked up and the few names found are compared as text; where all are common, the phrase fills its limit early.
    """
    pairs = names.bigrams(key)
    if len(pairs) > _SHORT:
        docs = _frequencies(store, pairs)
        if len(docs) < len(set(pairs)):
            return []
        rare = sorted(docs, key=lambda pair: docs[pair])[:4]
        if docs[rare[0]] <= _RARE:
            found = _documents(store, " AND ".join(f'"{pair}"' for pair in rare), _RARE)
            fits = str.startswith if start else str.__contains__
            return [doc for doc, keys in _name_keys(store, found).items() if any(fits(one, key) for one in keys)]
    return _documents(store, names.phrase(key, start=start))


def _frequencies(store: AnswerStore, pairs: list[str]) -> dict[str, int]:
    unique = list(dict.fromkeys(pairs))
    marks = ", ".join("?" * len(unique))
    rows = store.fetch(f"SELECT bigram, docs FROM answer_bigram WHERE bigram IN ({marks})", unique)
    return {row["bigram"]: row["docs"] for row in rows}


def _name_keys(store: AnswerStore, documents: list[int]) -> dict[int, list[str]]:
    """Name keys (current and former) of documents, in the order of the documents."""
    found: dict[int, list[str]] = {doc: [] for doc in documents}
    cursor = store.connection().cursor()
    cursor.row_factory = None
    for start in range(0, len(documents), _CHUNK):
        part = documents[start : start + _CHUNK]
        cursor.execute(
            "SELECT s.doc, i.value FROM answer_subject s JOIN answer_identifier i USING (subject_id) "
            f"WHERE i.kind = 'name' AND s.doc IN ({', '.join('?' * len(part))})",
            part,
        )
        for doc, value in cursor:
            found[doc].append(value)
    return found


def _similar(store: AnswerStore, key: str) -> list[tuple[int, str, str | None]]:
    """Names that differ from the text by a slip: candidates share its rare bigrams, rapidfuzz over characters decides.

    One wrong character breaks two bigrams, so names that share two of the five rarest come first; where there are
    none, names that share one.
    """
    if len(key) < 3:
        return []
    docs = _frequencies(store, names.bigrams(key))
    rare = sorted(docs, key=lambda pair: docs[pair])[:5]
    if not rare:
        return []
    both = " OR ".join(f'("{a}" AND "{b}")' for a, b in combinations(rare, 2))
    documents = _documents(store, both, _FUZZY_CANDIDATES) if both else []
    single = [pair for pair in rare if docs[pair] <= _FUZZY_CANDIDATES]
    if single:
        documents += _documents(store, " OR ".join(f'"{pair}"' for pair in single), _FUZZY_CANDIDATES)
    scored = []
    for doc, keys in _name_keys(store, list(dict.fromkeys(documents))).items():
        ratio = max(
            (fuzz.ratio if len(key) * 3 >= len(one) * 2 else fuzz.partial_ratio)(key, one, score_cutoff=_FUZZY_SCORE)
            for one in keys
        )
        if ratio >= _FUZZY_SCORE:
            scored.append((-ratio, doc))
    return [(doc, "similar", None) for _, doc in sorted(scored)[:20]]


def _subjects(store: AnswerStore, documents: list[int], columns: str = "*") -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(documents), _CHUNK):
        part = documents[start : start + _CHUNK]
        marks = ", ".join("?" * len(part))
        rows += store.fetch(f"SELECT {columns} FROM answer_subject WHERE doc IN ({marks})", part)
    return rows


def _page(
    store: AnswerStore, text: str, matched: list[tuple[int, str, str | None]], note: str,
    keep: tuple[str | None, str | None, str | None], limit: int, offset: int,
) -> Found:  # fmt: skip
    """Cut the page out of the ordered matches and read its subjects; filters are applied to the matches first."""
    if any(keep):
        wanted = {
            row["doc"]
            for row in _subjects(store, [doc for doc, _, _ in matched], "doc, kind, category, area")
            if all(
                value is None or row[column] == value
                for column, value in zip(("kind", "category", "area"), keep, strict=True)
            )
        }
        matched = [match for match in matched if match[0] in wanted]
    page = matched[offset : offset + limit]
    subjects = {row["doc"]: row for row in _subjects(store, [doc for doc, _, _ in page])}
    hits = [Hit(subjects[doc], by, value) for doc, by, value in page if doc in subjects]
    return Found(text, hits, min(len(matched), COUNT_LIMIT), len(matched) > COUNT_LIMIT, note)
