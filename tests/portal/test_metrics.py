"""Figures for an operator: how old the last run is and how it ended, what waits, and what the law wants decided."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shutong.collect.models import Batch
from shutong.engine.home import Home
from shutong.pipeline.models import Run
from shutong.quality.models import Ticket
from shutong.rules.models import Listing

TODAY = dt.date(2026, 7, 14)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Home:
    made = Home.create(tmp_path / "home", demo=True)
    made.change_setting("business_day", TODAY)
    settings.SHUTONG_HOME = made.path
    return made


def figures() -> dict[str, float]:
    text = Client().get("/metrics").content.decode()
    return {name: float(value) for name, value in re.findall(r"^(shutong_\S+) (\S+)$", text, re.M)}


def run(number: int, state: Run.State, upto: int, hours: float) -> None:
    ended = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    Run.objects.create(
        run_id=f"way-{number}",
        kind="full",
        business_day=TODAY,
        state=state,
        upto_seq=upto,
        started_at=ended,
        ended_at=ended,
    )


def batch(seq: int, state: Batch.State = Batch.State.IN, day: dt.date = TODAY) -> None:
    Batch.objects.create(
        batch_id=f"b{seq}", resource="register", department="market", seq=seq, received_on=day,
        received_at=dt.datetime.now(dt.UTC), file_name="x.csv", sha256="0", bytes=1, state=state, rows=1, accepted=1,
        rejected=0, flagged=0, receipt="",
    )  # fmt: skip


def listing(number: int, state: Listing.State, **days: dt.date) -> None:
    Listing.objects.create(
        candidate_id=str(number), list="abnormal", ground="x", subject_id=f"s{number}", since=TODAY, found_on=TODAY,
        rule_version="1", state=state, **days,
    )  # fmt: skip


def test_before_the_first_run_everything_waits() -> None:
    batch(1)
    found = figures()
    assert found["shutong_batches_waiting"] == 1 and found["shutong_state_reachable"] == 1
    assert {value for name, value in found.items() if name.startswith("shutong_run_last_state")} == {0}
    assert not any(name.startswith("shutong_run_last_done") for name in found)


def test_the_last_run_and_what_came_after_it() -> None:
    run(1, Run.State.DONE, 2, 30)
    run(2, Run.State.FAILED, 0, 1)
    for seq in (1, 2, 3, 4):
        batch(seq)
    batch(5, Batch.State.REFUSED)
    batch(6, day=TODAY + dt.timedelta(days=1))
    found = figures()
    assert found["shutong_batches_waiting"] == 2
    assert found["shutong_run_last_done_age_seconds"] == pytest.approx(30 * 3600, abs=60)
    states = {name: value for name, value in found.items() if name.startswith("shutong_run_last_state")}
    assert states.pop('shutong_run_last_state{state="failed"}') == 1
    assert len(states) == len(Run.State) - 1 and not any(states.values())


def test_what_the_law_wants_decided() -> None:
    day = dt.timedelta(days=1)
    listing(1, Listing.State.PROPOSED, enter_due_on=TODAY - day)
    listing(2, Listing.State.PROPOSED, enter_due_on=TODAY)
    listing(3, Listing.State.PROPOSED, enter_due_on=TODAY + day)
    listing(4, Listing.State.PROPOSED)
    listing(5, Listing.State.DECLINED, enter_due_on=TODAY - day)
    listing(6, Listing.State.LISTED, enter_due_on=TODAY - day, release_due_on=TODAY)
    listing(7, Listing.State.LISTED, release_due_on=TODAY + day)
    listing(8, Listing.State.RELEASED, release_due_on=TODAY - day)
    Ticket.objects.create(
        kind="rejects", department="market", resource="register", opened_on=TODAY, rows=1, open_rows=1
    )
    found = figures()
    assert found['shutong_listings_due{decision="enter"}'] == 2
    assert found['shutong_listings_due{decision="release"}'] == 1
    assert found["shutong_listings_proposed"] == 4
    assert found["shutong_tickets_open"] == 1


def test_the_operations_page_names_figures_that_exist() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "operators" / "operations.md").read_text(encoding="utf-8")
    run(1, Run.State.DONE, 0, 1)
    batch(1)
    Client().get("/about")
    told = {
        name.split("{")[0].removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in figures()
    }
    named = set(re.findall(r"`(shutong_\w+)", page)) - {"shutong_answers_age_seconds"}
    assert named and named <= told, named - told
