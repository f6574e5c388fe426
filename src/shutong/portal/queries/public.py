"""Questions of the public pages that are not about one subject: home, lists, statistics, publicity, the data catalog."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import orjson

from shutong.pipeline.answers import names
from shutong.pipeline.answers.store import AnswerStore, Row

from ..metadata import localised, metadata
from .subjects import FACT_COLUMNS, fact_views, listings_of
from .views import FactView, ListingView

PAGE = 20


@dataclass(frozen=True)
class Total:
    """One live figure of the home page."""

    name: str
    value: int


@dataclass(frozen=True)
class ListSummary:
    """A list with the number of subjects on it."""

    name: str
    title: str
    basis: str
    weight: str
    department: str
    members: int


@dataclass(frozen=True)
class ResourceView:
    """A resource of the data catalog, with what has come in."""

    name: str
    title: str
    department: str
    department_name: str
    cycle: str
    share: str
    open: str
    records: int
    latest: str | None
    content: Any


@dataclass(frozen=True)
class Lateness:
    """Publicity of one department: decisions with a legal term, in time and late, within the answers."""

    department: str
    title: str
    due: int
    late: int
    late_days: float

    @property
    def share_in_time(self) -> float:
        """Share published in time, 0..100."""
        return 100.0 * (self.due - self.late) / self.due if self.due else 100.0


def totals(answers: AnswerStore) -> list[Total]:
    """The figures of the home page: subjects, facts, records, resources, departments, listings."""
    found = statistic(answers, "total")
    return [Total(str(row["dimension"]), int(row["value"])) for row in found]


def statistic(answers: AnswerStore, name: str) -> list[Row]:
    """Rows of one pre-computed statistic in stored order: dimension, series, value."""
    return answers.fetch(
        "SELECT dimension, series, value FROM answer_stat WHERE stat = ? ORDER BY position, dimension, series", [name]
    )


def statistics(answers: AnswerStore) -> list[Row]:
    """Names of the pre-computed statistics, and how many figures each has."""
    return answers.fetch("SELECT stat AS name, count(*) AS figures FROM answer_stat GROUP BY stat ORDER BY stat")


def recent_facts(answers: AnswerStore, kinds: tuple[str, ...] = (), limit: int = 8) -> list[FactView]:
    """The facts received last that have a publicity term (or are of the given kinds), newest first."""
    columns = ", ".join(f"f.{name.strip()}" for name in FACT_COLUMNS.split(","))
    if kinds:
        condition = f"f.kind IN ({', '.join('?' * len(kinds))})"
    else:
        condition = "f.publicity_due IS NOT NULL"
    rows = answers.fetch(
        f"SELECT {columns}, s.name AS subject_name FROM answer_fact f JOIN answer_subject s USING (subject_id) "
        f"WHERE {condition} ORDER BY f.received_on DESC, f.on_date DESC, f.fact_id LIMIT ?",
        [*kinds, limit],
    )
    return fact_views(answers, rows)


def lists(answers: AnswerStore) -> list[ListSummary]:
    """Every public list with its basis and the number of subjects on it."""
    known = metadata(answers)
    members = {
        row["list"]: row["n"]
        for row in answers.fetch(
            "SELECT list, count(DISTINCT subject_id) AS n FROM answer_listing WHERE state = 'listed' GROUP BY list"
        )
    }
    return [
        ListSummary(
            name, known.title("list", name), content["basis"], content["weight"],
            known.title("department", content["department"]), members.get(name, 0),
        )
        for name, content in known.of_kind("list").items()
    ]  # fmt: skip


def members(
    answers: AnswerStore, name: str, *, text: str = "", ground: str = "", limit: int = PAGE, offset: int = 0
) -> tuple[list[ListingView], int]:
    """Listings of one list, newest first, and how many there are.

    Args:
        text: a name fragment or the beginning of a code.
        ground: only listings on this ground.
    """
    where, parameters = "l.list = ? AND l.state = 'listed'", [name]
    if ground:
        where, parameters = f"{where} AND l.ground = ?", [*parameters, ground]
    key = names.search_key(text)
    if key:
        where += " AND (instr(s.name_key, ?) > 0 OR instr(lower(s.uscc), ?) = 1)"
        parameters += [key, key]
    count = answers.scalar(
        f"SELECT count(*) FROM answer_listing l JOIN answer_subject s USING (subject_id) WHERE {where}", parameters
    )
    return listings_of(answers, where, parameters, limit=limit, offset=offset), int(count or 0)


def ground_counts(answers: AnswerStore, name: str) -> dict[str, int]:
    """How many listings of a list stand on each of its grounds."""
    rows = answers.fetch(
        "SELECT ground, count(*) AS n FROM answer_listing WHERE list = ? AND state = 'listed' GROUP BY ground", [name]
    )
    return {row["ground"]: int(row["n"]) for row in rows}


def lateness(answers: AnswerStore) -> list[Lateness]:
    """How timely each department publishes what the law gives a term for; the latest first."""
    known = metadata(answers)
    figures: dict[str, dict[str, float]] = defaultdict(dict)
    for row in statistic(answers, "publicity"):
        figures[row["dimension"]][row["series"]] = row["value"]
    found = [
        Lateness(
            department,
            known.title("department", department),
            int(values.get("due", 0)),
            int(values.get("late", 0)),
            values.get("late_days", 0.0),
        )
        for department, values in figures.items()
    ]
    return sorted(found, key=lambda one: (one.share_in_time, one.title))


def resources(answers: AnswerStore, *, department: str = "", text: str = "") -> list[ResourceView]:
    """The data catalog: resources with their conditions and what has come in."""
    known = metadata(answers)
    records = {row["dimension"]: int(row["value"]) for row in statistic(answers, "records_by_resource")}
    latest = {
        row["resource"]: row["latest"]
        for row in answers.fetch("SELECT resource, max(received_on) AS latest FROM answer_batch GROUP BY resource")
    }
    found = [
        ResourceView(
            name=name,
            title=known.title("resource", name),
            department=known.department_title(name),
            department_name=content["department"],
            cycle=content["cycle"],
            share=content["share"]["type"],
            open=content["open"]["type"],
            records=records.get(name, 0),
            latest=latest.get(name),
            content=content,
        )
        for name, content in known.of_kind("resource").items()
    ]
    wanted = text.strip().lower()
    return [
        one
        for one in found
        if (not department or one.department_name == department)
        and (not wanted or wanted in f"{one.name} {one.title} {_item_titles(one)}".lower())
    ]


def _item_titles(resource: ResourceView) -> str:
    return " ".join(localised(item.get("title")) for item in resource.content["items"].values())


def indicators(answers: AnswerStore) -> list[tuple[str, str, Any]]:
    """Public indicators: name, title, content."""
    known = metadata(answers)
    return [(name, known.title("indicator", name), content) for name, content in known.of_kind("indicator").items()]


def observations(answers: AnswerStore, indicator: str, limit: int = 2000) -> list[Row]:
    """Observations of an indicator, by period, with the records each comes from."""
    rows = answers.fetch(
        "SELECT area, series, period, value, record_ids, records, rule_version FROM answer_observation "
        "WHERE indicator = ? ORDER BY period, area, series LIMIT ?",
        [indicator, limit],
    )
    return [{**row, "record_ids": orjson.loads(row["record_ids"] or "[]")} for row in rows]


def latest_series(answers: AnswerStore, indicator: str) -> tuple[str, list[tuple[str, float]]]:
    """What stands for an indicator at a glance: period and value, summed over areas, oldest first.

    Where it has series (which may measure different things), the one that is largest at last, with its name.
    """
    rows = answers.fetch(
        "SELECT coalesce(series, '') AS series, period, sum(value) AS value FROM answer_observation "
        "WHERE indicator = ? GROUP BY 1, 2 ORDER BY 2, 1",
        [indicator],
    )
    if not rows:
        return "", []
    last = max((row for row in rows if row["period"] == rows[-1]["period"]), key=lambda row: float(row["value"]))
    chosen = [(row["period"], float(row["value"])) for row in rows if row["series"] == last["series"]]
    return str(last["series"]), chosen


def subjects_named(answers: AnswerStore, subject_ids: list[str]) -> list[Row]:
    """Id, name and unified code of those of the subjects that are public."""
    wanted = subject_ids[:200]
    if not wanted:
        return []
    marks = ", ".join("?" * len(wanted))
    return answers.fetch(f"SELECT subject_id, name, uscc FROM answer_subject WHERE subject_id IN ({marks})", wanted)


def records(answers: AnswerStore, record_ids: list[str]) -> list[Row]:
    """Those of the records that are public, with the subject each is about."""
    wanted = record_ids[:100]
    if not wanted:
        return []
    marks = ", ".join("?" * len(wanted))
    return answers.fetch(
        "SELECT r.record_id, r.resource, r.received_on, s.subject_id, s.name AS subject_name FROM answer_record r "
        f"JOIN answer_subject s USING (subject_id) WHERE r.record_id IN ({marks}) ORDER BY r.received_on DESC, s.name",
        wanted,
    )


def answers_age(answers: AnswerStore, now: dt.datetime) -> float | None:
    """Seconds since the answers were built; None where it is not known."""
    built = answers.derived("meta", AnswerStore.meta).get("built_at")
    return (now - dt.datetime.fromisoformat(built)).total_seconds() if built else None
