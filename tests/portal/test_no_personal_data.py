"""No planted identity or mobile number is on any public page or in any public answer: every one of them is read.

A small demo city goes through the whole way first; then the crawler follows every link of the site from the home page and
asks every public operation of the JSON interface, for every subject.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urldefrag

import pyarrow.parquet as pq
import pytest
from django.test import Client

from shutong.pipeline.answers.store import AnswerStore

SUBJECTS = 400 if os.environ.get("SHUTONG_TEST_DEPTH") == "deep" else 50
NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:\d{17}[\dXx]|1\d{10})(?![0-9A-Za-z])")
SHAPE = re.compile(
    r"(?<![0-9A-Za-z])\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
)
LINK = re.compile(r'(?:href|hx-get|action)="(/[^"]*)"')
NOT_FOLLOWED = re.compile(r"^/(static|i18n|sign-|departments|operations|audit|batches|tickets|style)")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished demo home, made by the command that a newcomer uses."""
    home = tmp_path_factory.mktemp("demo") / "home"
    words = ["demo", "--home", str(home), "--subjects", str(SUBJECTS), "--seed", "5", "--no-serve"]
    command = [sys.executable, "-c", "from shutong.cli.main import main; main()", *words]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SHUTONG_HOME", "DJANGO_"))}
    made = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-2000:]
    return home


@pytest.fixture
def planted(city: Path) -> set[str]:
    """Every identity and mobile number that the city's files hold."""
    return {value.upper() for value in pq.read_table(city / "city/truth/planted_personal.parquet")["value"].to_pylist()}


def crawl(client: Client, start: str = "/") -> Iterator[tuple[str, str]]:
    """Every page that links lead to, with its text."""
    seen, waiting = {start}, deque([start])
    while waiting:
        address = waiting.popleft()
        answer = client.get(address)
        assert answer.status_code in {200, 301, 302}, (address, answer.status_code)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        text = content.decode("utf-8", "replace")
        yield address, text
        if "text/html" not in answer.get("Content-Type", ""):
            continue
        for found in LINK.findall(text):
            target = urldefrag(found.replace("&amp;", "&"))[0]
            if target not in seen and not NOT_FOLLOWED.match(target) and not target.startswith("/assets"):
                seen.add(target)
                waiting.append(target)


def operations(store: AnswerStore) -> Iterator[str]:
    """Every public operation of the JSON interface with every argument that the answers know."""
    yield from ("/lists", "/indicators", "/resources", "/departments", "/publicity", "/health", "/openapi.json")
    for row in store.fetch("SELECT subject_id, name, uscc FROM answer_subject WHERE redirect_to IS NULL"):
        key = row["subject_id"]
        yield from (f"/subjects/{key}", f"/subjects/{key}/facts?limit=100", f"/subjects/{key}/listings")
        yield f"/search?q={quote(row['name'])}"
    for row in store.fetch("SELECT fact_id FROM answer_fact"):
        yield f"/facts/{row['fact_id']}"
        yield f"/facts/{row['fact_id']}/chain"
    for row in store.fetch("SELECT record_id FROM answer_record"):
        yield f"/records/{row['record_id']}/chain"
    for row in store.fetch("SELECT DISTINCT stat FROM answer_stat"):
        yield f"/statistics/{row['stat']}"
    for row in store.fetch("SELECT kind, name FROM answer_catalog WHERE kind IN ('list', 'indicator', 'resource')"):
        tail = {
            "list": "/lists/{}/listings?limit=100",
            "indicator": "/indicators/{}/observations",
            "resource": "/resources/{}",
        }
        yield tail[row["kind"]].format(row["name"])


def personal(text: str, planted: set[str]) -> set[str]:
    """Planted numbers in a text, and anything that has the shape of an identity number."""
    found = {number for number in map(str.upper, NUMBER.findall(text)) if number in planted}
    return found | set(SHAPE.findall(text))


@pytest.mark.django_db
def test_no_public_page_or_answer_shows_a_personal_number(city: Path, planted: set[str], settings: Any) -> None:
    settings.SHUTONG_HOME = city
    client = Client()
    assert planted, "the city planted nothing"
    store = AnswerStore(city / "answers")
    pages, answers = 0, 0
    for address, text in crawl(client):
        assert not personal(text, planted), address
        pages += 1
    for operation in operations(store):
        answer = client.get(f"/api/v1{operation}")
        assert answer.status_code == 200, operation
        assert not personal(answer.content.decode(), planted), operation
        answers += 1
    subjects = store.scalar("SELECT count(*) FROM answer_subject WHERE redirect_to IS NULL")
    facts = store.scalar("SELECT count(*) FROM answer_fact")
    assert pages > 30 and answers > subjects + facts


@pytest.mark.django_db
def test_asking_for_a_planted_number_finds_and_repeats_nothing(city: Path, planted: set[str], settings: Any) -> None:
    settings.SHUTONG_HOME = city
    client = Client()
    for number in sorted(planted)[:: max(1, len(planted) // 50)]:
        for address in ("/search", "/api/v1/search", "/lists/abnormal-operation", "/catalog"):
            answer = client.get(address, {"q": number})
            text = answer.content.decode()
            assert answer.status_code == 200
            assert number not in text.upper(), (address, number)


def features(client: Client) -> Iterator[tuple[str, str]]:
    """Every page of every collection of the OGC interface, and every single feature."""
    for collection in client.get("/ogc/collections").json()["collections"]:
        address = f"/ogc/collections/{collection['id']}/items?limit=1000"
        while address:
            answer = client.get(address)
            yield address, answer.content.decode()
            page = json.loads(answer.content)
            for one in page["features"]:
                single = f"/ogc/collections/{collection['id']}/items/{one['id']}"
                yield single, client.get(single).content.decode()
            following = (link["href"] for link in page["links"] if link["rel"] == "next")
            address = next(following, "").replace("http://testserver", "")


@pytest.mark.django_db
def test_no_feature_shows_a_person_or_where_one_lives(city: Path, planted: set[str], settings: Any) -> None:
    settings.SHUTONG_HOME = city
    homes: set[str] = set()
    for path in (city / "city/deliveries").rglob("resident-*.csv"):
        rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        homes |= {row["户籍地址"] for row in rows if row["户籍地址"].endswith("室")}
    assert len(homes) >= SUBJECTS // 2
    placed = 0
    for address, text in features(Client()):
        assert not personal(text, planted), address
        assert not {home for home in homes if f'"{home}"' in text}, address
        assert '"uscc":"92' not in text, "an individual business stands where its owner may live"
        placed += text.count('"Point"')
    assert placed > SUBJECTS


def test_the_crawler_would_notice() -> None:
    assert personal("电话 19812345678。", {"19812345678"})
    assert personal("<td>98010119900307875X</td>", set())
    assert not personal("91980101MA0000003C 2026-07-14", {"19812345678"})
