"""A small, realistic answers file for looking at pages and testing them: about fifty organisations of no real city."""

from __future__ import annotations

import datetime as dt
import json
import random
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa

from shutong.pipeline.answers import schema, write

DAY = dt.date(2026, 7, 14)
GONE = "o000000009003"
"""A subject that had a page and has none now."""

AREAS = {"980101": "镜湖区", "980102": "青禾区", "980103": "石泉县", "980104": "南桥区"}
CATEGORIES = {
    "enterprise": "企业",
    "individual": "个体工商户",
    "cooperative": "农民专业合作社",
    "institution": "事业单位",
}

Row = dict[str, Any]


CONTENTS: dict[str, dict[str, Row]] = json.loads(Path(__file__).with_name("contents.json").read_text(encoding="utf-8"))
"""Public metadata of six resources, a library, two lists and two indicators."""


def batch(rows: list[Row], table: schema.Table) -> pa.RecordBatch:
    names = [name for name in table.names if any(name in row for row in rows)]
    types = {"TEXT": pa.string(), "INTEGER": pa.int64(), "REAL": pa.float64()}
    kinds = dict(table.columns)
    return pa.RecordBatch.from_arrays(
        [pa.array([row.get(name) for row in rows], types[kinds[name]]) for name in names], names=names
    )


def hidden_number(number: int) -> str:
    """A number by which a subject is found, and which its library hides."""
    return f"9899{number:011d}"


class City:
    """Rows of every answer table, made subject by subject."""

    def __init__(self, seed: int = 7) -> None:
        self.chance = random.Random(seed)
        self.rows: dict[str, list[Row]] = {table.name: [] for table in schema.TABLES}
        self.number = 0

    def add(self, table: schema.Table, **row: Any) -> None:
        self.rows[table.name].append(
            {key: json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
             for key, value in row.items()}
        )  # fmt: skip

    def next_id(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number:012d}"

    def record(self, subject: str, resource: str, received: dt.date, items: Row, method: str, evidence: Row) -> Row:
        record_id = self.next_id("r")
        batch_id = f"b{zlib.crc32(f'{resource}{received}'.encode()):024d}"
        self.add(
            schema.RECORD, record_id=record_id, subject_id=subject, role="subject", resource=resource, batch_id=batch_id,
            row_no=self.chance.randint(1, 900), received_on=str(received), items=items, flags=[], method=method, current=1,
            score=1000 if method != "name_area" else 960, evidence=evidence,
        )  # fmt: skip
        return {"record_id": record_id, "batch_id": batch_id, "received_on": str(received)}

    def value(self, **row: Any) -> None:
        said = [row[name] for name in schema.SAID]
        where = {name: row[name] for name in schema.SOURCE.names if name in row}
        self.add(schema.SOURCE, said=[said], **where)

    def fact(self, subject: str, resource: str, on: dt.date, shows: Row, name: str, code: str, lag: int = 5) -> None:
        declared = CONTENTS["resource"][resource]
        received = min(on + dt.timedelta(days=lag), DAY)
        by_name = self.chance.random() < 0.2
        evidence = {"name": name, "area": "980102"} if by_name else {"uscc": code}
        items = {
            "party_name": name,
            "party_code": None if by_name else code,
            **shows,
            "decided_on": str(on),
            "legal_rep": "李**",
        }
        items = {key: value for key, value in items.items() if key in declared["items"]}
        where = self.record(subject, resource, received, items, "name_area" if by_name else "uscc", evidence)
        due = on + dt.timedelta(days=9) if declared["publicity"] else None
        self.add(
            schema.FACT, fact_id=f"{where['record_id']}-subject", subject_id=subject, kind=declared["fact"]["kind"],
            resource=resource, on_date=str(on), until_date=None, weight=declared["fact"]["weight"], shows=shows,
            publicity_due=str(due) if due else None, publicity_rule="double-publicity" if due else None,
            published_on=str(received) if due else None, flags=[], **where,
        )  # fmt: skip

    def subject(self, number: int) -> None:
        chance = self.chance
        subject = f"o{number:012d}"
        area = chance.choice(list(AREAS))
        category = chance.choices(list(CATEGORIES), (7, 3, 1, 1))[0]
        brand = "".join(chance.choices("青禾石泉镜湖南桥云澜和润嘉盛启明瑞丰宏达", k=2))
        trade = chance.choice(["食品", "建筑工程", "信息技术", "环保科技", "商贸", "餐饮管理", "物流", "生物医药"])
        form = {
            "enterprise": "有限公司",
            "individual": "经营部",
            "cooperative": "专业合作社",
            "institution": "服务中心",
        }[category]
        name = f"澜川市{brand}{trade}{form}"
        code = f"91{area}MA{number:07d}{'ABCDEFGH'[number % 8]}"
        established = dt.date(2005, 1, 1) + dt.timedelta(days=chance.randint(0, 7500))
        status = "cancelled" if chance.random() < 0.08 else "active"
        former = [f"澜川市{brand}{trade}厂"] if chance.random() < 0.15 else []
        where = self.record(
            subject, "registration", dt.date(2026, 6, 15), {
                "name": name, "party_code": code, "capital": str(chance.choice([500000, 2000000, 30000000])),
                "established_on": str(established), "address": f"澜川市{AREAS[area]}和平路{chance.randint(1, 300)}号", "legal_rep": "王**",
            }, "registry", {"uscc": code},
        )  # fmt: skip
        for position, (attribute, value) in enumerate({
            "name": name, "status": status, "capital": "2000000", "established_on": str(established),
            "address": f"澜川市{AREAS[area]}和平路{chance.randint(1, 300)}号", "legal_rep": "王**",
        }.items()):  # fmt: skip
            self.value(
                subject_id=subject, library="legal-entity", attribute=attribute, value=value, rank=0, chosen=1,
                valid_from=str(established), valid_to=None, resource="registration", masked=int(attribute == "legal_rep"), **where,
            )  # fmt: skip
            if attribute == "address" and position and chance.random() < 0.5:
                self.value(
                    subject_id=subject, library="legal-entity", attribute=attribute, value="澜川市旧城路8号", rank=1,
                    chosen=0, valid_from=str(established), valid_to="2024-01-01", resource="permit", masked=0, **where,
                )  # fmt: skip
        before = len(self.rows["answer_fact"])
        self.facts_of(subject, name, code)
        facts = self.rows["answer_fact"][before:]
        self.add(
            schema.SUBJECT, subject_id=subject, kind="organisation", name=name, former_names=former, uscc=code,
            status=status,
            codes={
                "uscc": [code], "registration_no": [f"{area}0{number:08d}"], "taxpayer_no": [hidden_number(number)]
            }, area=area, category=category,
            industry="F", established_on=str(established), facts=len(facts),
            positive=sum(fact["weight"] == "positive" for fact in facts),
            negative=sum(fact["weight"] == "negative" for fact in facts),
            listings=sum(row["subject_id"] == subject for row in self.rows["answer_listing"]),
        )  # fmt: skip
        self.add(schema.IDENTIFIER, subject_id=subject, kind="taxpayer_no", value=hidden_number(number), current=1)
        self.add(schema.IDENTIFIER, subject_id=subject, kind="uscc", value=code, current=1)
        self.add(schema.IDENTIFIER, subject_id=subject, kind="registration_no", value=f"{area}0{number:08d}", current=1)

    def facts_of(self, subject: str, name: str, code: str) -> None:
        chance = self.chance
        for year in range(2022, 2026):
            if chance.random() < 0.8:
                self.fact(
                    subject,
                    "annual-report",
                    dt.date(year + 1, 5, chance.randint(1, 28)),
                    {"year": str(year)},
                    name,
                    code,
                )
        for _number in range(chance.choice([0, 1, 2, 3])):
            on = DAY - dt.timedelta(days=chance.randint(1, 900))
            shows = {
                "content": chance.choice(["食品经营许可", "排污许可", "建筑施工许可"]),
                "doc_no": f"许字〔{on.year}〕{chance.randint(1, 999)}号",
            }
            self.fact(subject, "permit", on, shows, name, code, chance.choice([2, 5, 15]))
        for _number in range(chance.choice([0, 0, 1, 2])):
            on = DAY - dt.timedelta(days=chance.randint(1, 700))
            shows = {
                "doc_no": f"市监处罚〔{on.year}〕{chance.randint(1, 999)}号",
                "category": chance.choice(["1", "3", "7"]),
                "fine": str(chance.randint(1, 900) * 1000),
            }
            self.fact(subject, "penalty", on, shows, name, code, chance.choice([1, 4, 20]))
        if chance.random() < 0.2:
            self.fact(subject, "tax-credit", dt.date(2026, 4, 20), {"year": "2025"}, name, code)
        if chance.random() < 0.25:
            self.add(
                schema.LISTING, listing_id=self.next_id("c"), subject_id=subject, list="abnormal-operation",
                ground=chance.choice(["no-annual-report", "unreachable"]), since="2026-07-01", found_on="2026-07-02",
                entered_on="2026-07-02", state="listed", enter_due_on="2026-07-15", release_due_on=None, record_ids=[],
                entry_reason="依法自动列入", rule_version="1",
            )  # fmt: skip

    def finish(self) -> dict[str, list[Row]]:
        for row in list(self.rows["answer_record"]):
            if not any(one["batch_id"] == row["batch_id"] for one in self.rows["answer_batch"]):
                self.add(
                    schema.BATCH, batch_id=row["batch_id"], resource=row["resource"], seq=len(self.rows["answer_batch"]) + 1,
                    received_on=row["received_on"], received_at=f"{row['received_on']}T01:00:00+00:00", sha256="3f" * 32, bytes=81920,
                    declaration="1a" * 32, state="in", rows=900, accepted=890, rejected=10, flagged=4, corrects=None,
                )  # fmt: skip
        for number, redirect in ((9001, None), (9002, "o000000000001")):
            self.add(
                schema.SUBJECT, subject_id=f"o{number:012d}", kind="organisation", name=f"澜川市只知其名{number}商行",
                former_names=[], uscc=None, codes={}, redirect_to=redirect,
                category=None, area=None, status=None, facts=0, positive=0, negative=0, listings=0,
            )  # fmt: skip
        second = next(one for one in self.rows["answer_record"] if one["subject_id"] == "o000000000002")
        for position, event, one, other, record in (
            (1, "merged", "o000000009002", "o000000000001", None),
            (2, "vanished", GONE, None, second["record_id"]),
        ):
            self.add(
                schema.EVENT, position=position, event=event, subject_id=one, other_id=other, on_day="2026-07-10",
                record_id=record, cause="row",
            )  # fmt: skip
        facts, subjects = self.rows["answer_fact"], self.rows["answer_subject"]
        flags = json.dumps(["uscc.check-digit:party_code", "check:decided-before-received:decided_on"])
        for row in (
            facts[0],
            next(one for one in self.rows["answer_record"] if one["record_id"] == facts[0]["record_id"]),
        ):
            row["flags"] = flags
        totals = {
            "subjects": len(subjects), "facts": len(facts), "records": len(self.rows["answer_record"]),
            "departments": len(CONTENTS["department"]), "resources": len(CONTENTS["resource"]),
            "listings": len(self.rows["answer_listing"]),
        }  # fmt: skip
        for position, (name, value) in enumerate(totals.items()):
            self.add(schema.STAT, stat="total", dimension=name, value=float(value), position=position)
        self.count("subjects_by_category", [row["category"] for row in subjects if row["category"]])
        self.count("subjects_by_area", [row["area"] for row in subjects if row["area"]])
        self.count("records_by_resource", [row["resource"] for row in self.rows["answer_record"]])
        self.count(
            "facts_by_month", [(row["on_date"][:7], row["kind"]) for row in facts if row["on_date"] >= "2025-07"]
        )
        for department, (due, late, days) in {"market-supervision": (62, 9, 6.2), "environment": (80, 3, 2.0)}.items():
            for series, value in {"due": due, "late": late, "late_days": days}.items():
                self.add(
                    schema.STAT, stat="publicity", dimension=department, series=series, value=float(value), position=0
                )
        for month in range(1, 13):
            for indicator in CONTENTS["indicator"]:
                self.add(
                    schema.OBSERVATION, indicator=indicator, area=None, series=None, period=f"2025-{month:02d}-01",
                    value=float(self.chance.randint(5, 40)), record_ids=[facts[month]["record_id"]], records=12, rule_version="1",
                )  # fmt: skip
        for name, value in {
            "business_day": str(DAY),
            "built_at": f"{DAY}T22:10:00+00:00",
            "run_id": "run-fixture",
        }.items():
            self.add(schema.META, name=name, value=value)
        return self.rows

    def count(self, stat: str, values: list[Any]) -> None:
        for value in sorted(set(values)):
            dimension, series = value if isinstance(value, tuple) else (value, None)
            self.add(
                schema.STAT, stat=stat, dimension=dimension, series=series, value=float(values.count(value)), position=0
            )


def fill(folder: Path, subjects: int = 50, name: str = "answers-fixture.sqlite3") -> dict[str, list[Row]]:
    """Build the answers folder; returns the rows for tests to pick from."""
    folder.mkdir(parents=True, exist_ok=True)
    city = City()
    for number in range(1, subjects + 1):
        city.subject(number)
    rows = city.finish()
    tables = {table.name: [batch(rows[table.name], table)] for table in schema.TABLES if rows[table.name]}
    tables["answer_catalog"] = [write.catalog_batch(CONTENTS)]
    write.write_file(folder / name, tables)
    write.swap_in(folder, folder / name)
    return rows
