"""The measurement itself: a platform without faults gets full marks, and each fault shows where it belongs."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shutong.democity.measure import measure, measure_pattern
from tests.democity.conftest import City

REASONS = pa.list_(pa.struct([("code", pa.string()), ("item", pa.string()), ("zh", pa.string()), ("en", pa.string())]))


class Platform:
    """Tables as a platform would leave them, built from the truth; tests then spoil them."""

    def __init__(self, city: City) -> None:
        self.city = city
        files = sorted({delivery.path for delivery in city.report.deliveries})
        self.batches = [
            {"batch_id": f"b{n}", "file_name": f"inbox/{file}", "state": "in"} for n, file in enumerate(files)
        ]
        batch_of = dict(zip(files, (batch["batch_id"] for batch in self.batches), strict=True))
        self.accepted: list[dict[str, Any]] = []
        self.rejected: list[dict[str, Any]] = []
        self.links: list[dict[str, Any]] = []
        self.unidentified: list[dict[str, Any]] = []
        self.truth_of: dict[str, dict[str, Any]] = {}
        for row in city.truth("records").to_pylist():
            place = {"batch_id": batch_of[row["file"]], "row_no": row["row_no"]}
            if row["bad_reason"]:
                reason = {"code": row["bad_reason"], "item": row["bad_item"], "zh": "", "en": ""}
                self.rejected.append(place | {"reasons": [reason, reason | {"code": "other"}]})
                continue
            record = f"r{place['batch_id']}-{row['row_no']}"
            self.truth_of[record] = row
            self.accepted.append(place | {"record_id": record})
            if row["evidence"] and row["identifiable"]:
                kind = next((kind for kind in ("subject", "person", "place") if row[kind] >= 0), None)
                if kind:
                    link = {"record_id": record, "subject_id": f"{kind[0]}{row[kind]}", "principal": True}
                    self.links.append(
                        link | {"method": "registry" if row["evidence"] == "register" else row["evidence"]}
                    )

    def tables(self) -> dict[str, pa.Table]:
        return {
            "batches": pa.Table.from_pylist(self.batches),
            "accepted": pa.Table.from_pylist(self.accepted),
            "rejected": pa.Table.from_pylist(
                self.rejected,
                schema=pa.schema([("batch_id", pa.string()), ("row_no", pa.int32()), ("reasons", REASONS)]),
            ),
            "links": pa.Table.from_pylist(self.links),
            "unidentified": pa.Table.from_pylist(
                self.unidentified,
                schema=pa.schema([(name, pa.string()) for name in ("record_id", "reason", "evidence")]),
            ),
        }

    def put_in_review(self, number: int, candidate: str | None) -> None:
        """Take a link away and let its row wait for a clerk."""
        link = self.links.pop(number)
        evidence = f'{{"name":"near","candidate":"{candidate}"}}' if candidate else '{"name":"near"}'
        self.unidentified.append({"record_id": link["record_id"], "reason": "review", "evidence": evidence})

    def fact(self, number: int) -> int:
        """Index of the n-th link that is no register's."""
        return [i for i, link in enumerate(self.links) if link["method"] not in {"registry"}][number]


def test_a_platform_without_faults_gets_full_marks(city: City) -> None:
    report = measure(city.folder / "truth", **Platform(city).tables())
    assert report.rows == city.report.records
    assert report.unread == 0
    assert (report.good_rejected, report.bad_missed) == (0, 0)
    assert (report.overall.precision, report.overall.recall) == (1.0, 1.0)
    assert report.codes.identifiable > 0.6 * report.overall.identifiable
    assert {line.label for line in report.by_evidence} >= {"uscc", "old-number", "name-area", "name-variant"}
    assert (report.branch_links, report.merged, report.overall.review) == (0, 0, 0)
    assert sum(line.rows for line in report.rejection) == report.rows
    planted = sum(line.rows for line in report.rejection if line.reason)
    assert planted == city.report.bad


def test_each_fault_shows_where_it_belongs(city: City) -> None:
    platform = Platform(city)
    plain = [n for n, row in enumerate(platform.accepted) if platform.truth_of[row["record_id"]]["evidence"] == "uscc"]
    good = platform.accepted.pop(plain[-1])
    platform.rejected.append(good | {"reasons": [{"code": "date.format", "item": "x", "zh": "", "en": ""}]})
    platform.links = [link for link in platform.links if link["record_id"] != good["record_id"]]
    platform.rejected[0]["reasons"] = [{"code": "something.else", "item": "x", "zh": "", "en": ""}]
    wrong, missing = platform.fact(0), platform.fact(1)
    platform.links[wrong]["subject_id"] = platform.links[platform.fact(-1)]["subject_id"]
    del platform.links[missing]
    report = measure(city.folder / "truth", **platform.tables())
    assert report.good_rejected == 1
    assert report.bad_missed == 1
    overall = report.overall
    assert overall.linked - overall.right == 1
    assert overall.identifiable - overall.found == 3
    assert overall.precision < 1
    assert overall.recall < 1
    text = report.markdown()
    assert "| all codes |" in text
    assert "| key.duplicate |" in text.replace("| duplicate | key.duplicate |", "| key.duplicate |")


def test_files_that_were_never_read_are_counted(city: City) -> None:
    platform = Platform(city)
    lost = platform.batches.pop()["batch_id"]
    platform.accepted = [row for row in platform.accepted if row["batch_id"] != lost]
    report = measure(city.folder / "truth", **platform.tables())
    assert report.unread > 0


def test_a_merge_of_two_subjects_is_a_fault_of_precision(city: City) -> None:
    """When two registered subjects became one, the links of one of the two are wrong."""
    platform = Platform(city)
    linked = [link["subject_id"] for link in platform.links if link["method"] == "uscc"]
    first, second = linked[0], next(name for name in linked if name != linked[0])
    for link in platform.links:
        if link["subject_id"] == second:
            link["subject_id"] = first
    report = measure(city.folder / "truth", **platform.tables())
    assert 0 < report.overall.linked - report.overall.right < 200


def test_rows_in_review_are_counted_apart(city: City) -> None:
    platform = Platform(city)
    before = measure(city.folder / "truth", **platform.tables()).overall
    first = platform.fact(0)
    subject = platform.links[first]["subject_id"]
    other = next(link["subject_id"] for link in platform.links if link["subject_id"] not in (subject, "p0"))
    platform.put_in_review(first, subject)
    platform.put_in_review(platform.fact(0), other)
    platform.put_in_review(platform.fact(0), None)
    platform.unidentified.append({"record_id": "none", "reason": "no-match", "evidence": "{}"})
    overall = measure(city.folder / "truth", **platform.tables()).overall
    assert (overall.review, overall.linked) == (3, before.linked - 3)
    assert 1 <= overall.review_right <= 2


def test_a_branch_under_its_head_office_is_counted(city: City) -> None:
    head = {row["subject"]: row["head"] for row in city.truth("subjects").to_pylist()}
    platform = Platform(city)
    numbers = {
        link["subject_id"]: int(link["subject_id"][1:]) for link in platform.links if link["subject_id"][0] == "s"
    }
    moved = 0
    for link in platform.links:
        parent = head.get(numbers.get(link["subject_id"], -1), -1)
        if parent >= 0 and link["method"] == "uscc":
            link["subject_id"], moved = f"s{parent}", moved + 1
    report = measure(city.folder / "truth", **platform.tables())
    assert moved > 10
    assert report.branch_links == moved
    assert report.merged == 0
    line = next(line for line in report.by_variant if line.label == "no-prefix")
    assert (line.precision, line.recall) == (1.0, 1.0)


def test_two_registered_subjects_in_one_are_counted(city: City) -> None:
    platform = Platform(city)
    registered = [link for link in platform.links if link["method"] == "registry" and link["subject_id"][0] == "s"]
    first, second = registered[0]["subject_id"], registered[5]["subject_id"]
    assert first != second
    for link in registered:
        if link["subject_id"] == second:
            link["subject_id"] = first
    assert 1 <= measure(city.folder / "truth", **platform.tables()).merged <= 4


def test_every_way_and_likeness_has_its_line(city: City) -> None:
    report = measure(city.folder / "truth", **Platform(city).tables())
    assert {"mistyped", "abbreviation", "traditional", "code-swapped", "city-area"} <= {
        line.label for line in report.by_variant
    }
    assert {"late", "check-digit", "clean"} <= {line.label for line in report.by_dirt}
    assert {"twin", "branch", "head office", "group", "nothing"} <= {line.label for line in report.by_likeness}
    assert sum(line.rows for line in report.by_dirt) == report.overall.rows
    assert "In review: 0 rows" in report.markdown()


def test_patterns_against_candidates(city: City) -> None:
    platform = Platform(city)
    tables = platform.tables()
    del tables["rejected"], tables["unidentified"]
    patterns = city.truth("patterns")
    numbers = patterns.filter(pc.equal(patterns["pattern"], "no-annual-report"))["subject"].to_pylist()
    candidates = pa.table({"subject_id": [f"s{number}" for number in numbers] + ["s0"]})
    line = measure_pattern(city.folder / "truth", "no-annual-report", candidates, **tables)
    assert line.planted > 0
    assert (line.hits, line.missed) == (line.planted, 0)
    assert line.unexpected == (0 if 0 in numbers else 1)
