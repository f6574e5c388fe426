"""Log lines are JSON with ids and no values; anonymous views are counted."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from shutong.audit.counts import PageCounter
from shutong.audit.logs import JsonFormatter, current_context, log_context
from shutong.audit.models import PageCount


def line(**extra: object) -> dict[str, object]:
    record = logging.LogRecord("shutong.collect", logging.INFO, "x.py", 1, "batch %s in", ("b1",), None)
    record.__dict__.update(extra)
    found: dict[str, object] = json.loads(JsonFormatter().format(record))
    return found


def test_a_line_carries_the_run_and_batch_it_belongs_to() -> None:
    with log_context(run="r1"), log_context(batch="b1", name="王小明"):
        found = line(rows=3, phone="13912345678")
        assert current_context() == {"run": "r1", "batch": "b1"}
    assert (found["message"], found["run"], found["batch"], found["rows"]) == ("batch b1 in", "r1", "b1", 3)
    assert "13912345678" not in str(found)
    assert "王小明" not in str(found)
    assert "run" not in line()


def test_an_error_is_told_by_type_and_place_without_its_text() -> None:
    try:
        raise ValueError("13912345678")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())
    text = JsonFormatter().format(record)
    assert json.loads(text)["error"] == "ValueError"
    assert "test_logs.py" in text
    assert "13912345678" not in text


@pytest.mark.django_db
def test_views_are_added_up_per_page_and_day() -> None:
    first, second = PageCounter(), PageCounter()
    for _ in range(3):
        first.count("subject")
    second.count("subject")
    second.count("home")
    assert not PageCount.objects.exists()
    assert (first.flush(), second.flush(), second.flush()) == (3, 2, 0)
    assert dict(PageCount.objects.values_list("page", "count")) == {"subject": 4, "home": 1}
