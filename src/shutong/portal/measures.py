"""Figures for Prometheus: requests of all processes of the site, and what the state database and the answers say when asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from django.db import DatabaseError
from django.db.models import Count, Sum
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from shutong.collect.models import Batch
from shutong.jobs.worker import waiting_work
from shutong.pipeline.answers.store import AnswersMissing
from shutong.pipeline.jobs import the_home
from shutong.pipeline.models import Run
from shutong.quality.models import Ticket
from shutong.rules.models import Listing

from .answers import store
from .counting import counting_folder, counts_stand_still
from .queries.public import answers_age

REGISTRY = CollectorRegistry(auto_describe=False)
"""Ours alone: the library's default collectors read /proc at every scrape and tell nothing of the platform."""

REQUESTS = Counter("shutong_requests", "Requests answered", ["page", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "shutong_request_seconds", "Seconds to answer a request", ["page"], registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)  # fmt: skip


class _State:
    """Reads the state database when it is scraped; several processes tell the same."""

    def collect(self) -> Iterator[Metric]:
        """The figures of one scrape; those of a database that cannot be reached are left out."""
        try:
            yield from _runs()
            yield from _batches()
            yield GaugeMetricFamily("shutong_tickets_open", "Open tickets", Ticket.objects.filter(state="open").count())
            yield from _listings()
            yield GaugeMetricFamily("shutong_jobs_waiting", "Queued work that could start now", waiting_work())
        except DatabaseError:
            yield GaugeMetricFamily("shutong_state_reachable", "Whether the state database answers", 0)
        else:
            yield GaugeMetricFamily("shutong_state_reachable", "Whether the state database answers", 1)
        yield from _answers()


def _runs() -> Iterator[Metric]:
    counts = CounterMetricFamily("shutong_runs", "Runs by how they ended", labels=["state"])
    for row in Run.objects.values("state").annotate(n=Count("pk")).order_by():
        counts.add_metric([row["state"]], row["n"])
    yield counts
    last = Run.objects.first()
    states = GaugeMetricFamily(
        "shutong_run_last_state", "1 at the state of the last run, 0 at others", labels=["state"]
    )
    for state in Run.State:
        states.add_metric([state.value], int(last is not None and last.state == state))
    yield states
    done = Run.objects.filter(state=Run.State.DONE).first()
    if done is not None and done.ended_at is not None:
        age = (dt.datetime.now(dt.UTC) - done.ended_at).total_seconds()
        yield GaugeMetricFamily("shutong_run_last_done_age_seconds", "Seconds since the last run was done", age)
        yield GaugeMetricFamily(
            "shutong_run_last_done_timestamp_seconds", "When the last run was done", done.ended_at.timestamp()
        )
    waiting = Batch.objects.filter(
        state=Batch.State.IN, seq__gt=done.upto_seq if done else 0, received_on__lte=_today()
    )
    yield GaugeMetricFamily("shutong_batches_waiting", "Batches that no run has taken in yet", waiting.count())


def _listings() -> Iterator[Metric]:
    """Decisions about listings whose legal term ends today or has ended, and candidates nobody has decided about."""
    today = _today()
    due = GaugeMetricFamily(
        "shutong_listings_due", "Decisions whose legal term ends today or has ended", labels=["decision"]
    )
    proposed = Listing.objects.filter(state=Listing.State.PROPOSED)
    due.add_metric(["enter"], proposed.filter(enter_due_on__lte=today).count())
    due.add_metric(["release"], Listing.objects.filter(state=Listing.State.LISTED, release_due_on__lte=today).count())
    yield due
    yield GaugeMetricFamily("shutong_listings_proposed", "Candidates to be decided about", proposed.count())


def _today() -> dt.date:
    return the_home().today()


def _batches() -> Iterator[Metric]:
    batches = CounterMetricFamily("shutong_batches", "Batches by resource and state", labels=["resource", "state"])
    accepted = CounterMetricFamily("shutong_rows_accepted", "Accepted rows", labels=["resource"])
    rejected = CounterMetricFamily("shutong_rows_rejected", "Rejected rows", labels=["resource"])
    rows = (
        Batch.objects.values("resource", "state")
        .annotate(n=Count("pk"), a=Sum("accepted"), r=Sum("rejected"))
        .order_by()
    )
    for row in rows:
        batches.add_metric([row["resource"], row["state"]], row["n"])
        if row["state"] == Batch.State.IN:
            accepted.add_metric([row["resource"]], row["a"] or 0)
            rejected.add_metric([row["resource"]], row["r"] or 0)
    yield from (batches, accepted, rejected)


def _answers() -> Iterator[Metric]:
    try:
        age = answers_age(store(), dt.datetime.now(dt.UTC))
    except AnswersMissing:
        age = None
    if age is not None:
        yield GaugeMetricFamily("shutong_answers_age_seconds", "Seconds since the ready answers were built", age)


STATE: Final = _State()
REGISTRY.register(STATE)


def exposition() -> tuple[bytes, str]:
    """All figures as text, and its content type; the requests are those of all processes."""
    folder = counting_folder()
    if folder is None:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    together = CollectorRegistry(auto_describe=False)
    MultiProcessCollector(together, str(folder))  # type: ignore[no-untyped-call]
    together.register(STATE)
    with counts_stand_still(folder):
        return generate_latest(together), CONTENT_TYPE_LATEST
