"""A tiny lake, written row by row, with everything the ready answers read: for tests that need no real run."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from shutong.collect.tables import BATCHES_SCHEMA
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.libraries.tables import VALUES
from shutong.rules.tables import OBSERVATIONS
from shutong.spec.catalog import FACTS_VIEW, Catalog
from shutong.spec.columns import library_view, stored_columns
from shutong.spec.loader import load_packs
from shutong.subjects.tables import IDENTIFIERS, LINKS, MENTIONS

DAY = dt.date(2026, 7, 14)
FIRST = dt.date(2026, 6, 15)
CITIZEN = "980101199003078754"
MOBILE = "19812345678"

PACK = {
    "pack.yml": """
pack: tiny
title: {zh: 小城, en: Tiny}
version: 1.0.0
departments:
  market: {title: {zh: 市场监管局, en: Market bureau}}
""",
    "resources/register.yml": """
resource: register
title: {zh: 登记, en: Register}
department: market
basis: 登记条例
delivery: changes
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: {zh: 名称, en: Name}, required: true}
  area: {element: area, title: 区划}
  status: {codes: enterprise-status, title: 状态}
  legal_rep: {element: person-name, title: 法定代表人, grade: 2, mask: surname}
  legal_rep_id: {element: citizen-id, title: 证件号, grade: 3, mask: hide, on_fault: flag}
about: {kind: organisation, registry: true, uscc: uscc, name: name, area: area}
open: {type: open}
""",
    "resources/penalty.yml": """
resource: penalty
title: {zh: 处罚, en: Penalties}
department: market
basis: 行政处罚法
delivery: changes
key: [doc_no]
items:
  doc_no: {element: text, title: 文号, required: true}
  uscc: {element: uscc, title: 代码}
  party_name: {element: org-name, title: 名称, required: true}
  facts: {element: text, title: 事实}
  decided_on: {element: date, title: 决定日期, required: true}
about: {kind: organisation, uscc: uscc, name: party_name}
fact: {kind: penalty, title: {zh: 行政处罚, en: Penalty}, on: decided_on, weight: negative, shows: [doc_no, facts]}
publicity: {rule: double-publicity, from: decided_on}
open: {type: open}
""",
    "resources/secret.yml": """
resource: secret
title: {zh: 内部, en: Internal}
department: market
basis: 内部
key: [doc_no]
items:
  doc_no: {element: text, title: 文号, required: true}
  uscc: {element: uscc, title: 代码}
  seen_on: {element: date, title: 日期, required: true}
about: {kind: organisation, uscc: uscc}
fact: {kind: secret, title: {zh: 内部事项, en: Internal}, on: seen_on, shows: [doc_no]}
open: {type: none}
""",
    "libraries/entity.yml": """
library: entity
title: {zh: 法人库, en: Entities}
kind: organisation
public: true
attributes:
  name: {title: {zh: 名称, en: Name}, element: org-name, from: [register.name]}
  status: {title: {zh: 状态, en: Status}, codes: enterprise-status, from: [register.status]}
  area: {title: {zh: 区划, en: Area}, element: area, from: [register.area]}
  legal_rep: {title: 法定代表人, element: person-name, grade: 2, mask: surname, from: [register.legal_rep]}
  legal_rep_id: {title: 证件号, element: citizen-id, grade: 3, mask: hide, from: [register.legal_rep_id]}
""",
    "lists/abnormal.yml": """
list: abnormal
title: {zh: 异常名录, en: Abnormal}
basis: 条例
entry: automatic
department: market
grounds:
  penalised:
    title: {zh: 受过处罚, en: Penalised}
    basis: 第一条
    sql: SELECT subject_id, min(decided_on) AS since, record_set(record_id) AS record_ids FROM penalty GROUP BY subject_id
""",
    "indicators/penalties.yml": """
indicator: penalties
title: {zh: 处罚数, en: Penalties}
sql: |
  SELECT first_of_month(decided_on) AS period, count(*) AS value, count(*) AS records,
         record_sample(record_id) AS record_ids
  FROM penalty GROUP BY first_of_month(decided_on)
""",
}


def catalog_of(folder: Path) -> Catalog:
    """The tiny pack, read from files."""
    for name, text in PACK.items():
        path = folder / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip(), encoding="utf-8")
    return load_packs([folder / "tiny"])


class Lake:
    """A home whose lake is written as the stages would leave it. Subjects are numbers."""

    def __init__(self, folder: Path) -> None:
        self.home = Home.create(folder / "home")
        self.catalog = catalog_of(folder)
        self.engine = engine_of(self.home)
        self.names: dict[int, list[str]] = {}
        self.penalties: dict[int, list[tuple[int, str]]] = {}
        self.redirects: dict[int, int] = {}
        self.runs = 0

    def code(self, number: int) -> str:
        return f"91980101MA{number:07d}X"

    def subject(self, number: int) -> str:
        return f"o{number:012d}"

    def write(self, changed: list[int] | None = None) -> None:
        """Commit the present state as one run; ``changed`` are the subjects of an increment."""
        self.runs += 1
        tables = self._tables()
        with self.engine.run(f"run-{self.runs}", "way", DAY) as run:
            for name, (schema, rows) in tables.items():
                run.stage_table(name, pa.Table.from_pylist(rows, schema=schema), "replace")
            if changed is not None:
                scope = pa.table({"subject_id": pa.array([self.subject(one) for one in changed], pa.string())})
                run.stage_table("scope/subjects", scope, "replace")
            run.commit()

    def _tables(self) -> dict[str, tuple[pa.Schema, list[dict[str, Any]]]]:
        catalog = self.catalog
        register, penalty, secret = (catalog.resources[name] for name in ("register", "penalty", "secret"))
        batch = {"batch_id": "b1", "received_on": FIRST}
        rows: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in ("identifiers", "links", "mentions", "values", "facts", "accepted/register",
                         "accepted/penalty", "accepted/secret", "library/entity", "observations")
        }  # fmt: skip
        for number, names in self.names.items():
            subject, record = self.subject(number), f"rg{number}"
            common = {"subject_id": subject, "record_id": record}
            for kind, value in (("uscc", self.code(number)), ("name", names[0]), ("area", "980101")):
                rows["identifiers"].append(
                    {**common, "kind": kind, "value": value, "current": True, "registered": True}
                )
            link = {
                "role": "subject",
                "entry": 0,
                "principal": True,
                "current": True,
                "kind": "organisation",
                "score": 1000,
            }
            evidence = json.dumps({"uscc": self.code(number)})
            rows["links"].append({**common, **link, "resource": "register", "method": "registry", "evidence": evidence})
            rows["mentions"].append({"record_id": record, "role": "subject", "name": names[0], "seq": 1})
            row = {
                "record_id": record, "key_id": f"k{number}", "seq": 1, "row_no": number, "operation": "upsert", "flags": [],
                "uscc": self.code(number), "name": names[0], "area": "980101", "status": "1", "legal_rep": "王小明",
                "legal_rep_id__key": "hmac", "legal_rep_id__sealed": b"sealed", **batch,
            }  # fmt: skip
            rows["accepted/register"].append(row)
            rows["library/entity"].append(
                {
                    "subject_id": subject,
                    "name": names[0],
                    "status": "1",
                    "area": "980101",
                    "legal_rep": "王小明",
                    "legal_rep_id__key": "hmac",
                }
            )
            value = {**common, **batch, "library": "entity", "resource": "register", "rank": 0, "grade": "1"}
            for attribute, text in (("name", names[0]), ("status", "1"), ("legal_rep", "王小明")):
                rows["values"].append(
                    {**value, "attribute": attribute, "value": text, "chosen": True, "valid_from": FIRST}
                )
            rows["values"].append(
                {**value, "attribute": "legal_rep_id", "value": "hmac", "chosen": True, "sealed": b"x"}
            )
            for former in names[1:]:
                rows["values"].append(
                    {
                        **value,
                        "attribute": "name",
                        "value": former,
                        "chosen": False,
                        "valid_from": FIRST,
                        "valid_to": DAY,
                    }
                )
            for index, (doc, facts) in enumerate(self.penalties.get(number, [])):
                self._penalty(rows, number, f"rp{number}x{index}", doc, facts, link)
            self._secret(rows, number, link)
        for old, survivor in self.redirects.items():
            rows["identifiers"].append(
                {
                    "subject_id": self.subject(survivor),
                    "kind": "redirected",
                    "value": self.subject(old),
                    "current": True,
                }
            )
        decided = sum(map(len, self.penalties.values()))
        rows["observations"].append(
            {
                "indicator": "penalties",
                "period": dt.date(2026, 7, 1),
                "value": float(decided),
                "record_ids": ["r1"],
                "records": decided,
            }
        )
        batches = [{"resource": name, "seq": seq, "received_at": dt.datetime(2026, 6, 15, tzinfo=dt.UTC), "file_name": "f.csv",
                    "sha256": "ab", "bytes": 10, "state": "in", "rows": 9, "accepted": 8, "rejected": 1, "flagged": 0,
                    "received_on": FIRST, "batch_id": f"b{seq}"} for seq, name in enumerate(("register", "penalty"), start=1)]  # fmt: skip
        schemas = {
            "identifiers": IDENTIFIERS, "links": LINKS, "mentions": MENTIONS, "values": VALUES, "facts": FACTS_VIEW,
            "accepted/register": stored_columns(register), "accepted/penalty": stored_columns(penalty),
            "accepted/secret": stored_columns(secret), "library/entity": library_view(catalog.libraries["entity"]),
            "observations": OBSERVATIONS,
        }  # fmt: skip
        return {**{name: (schemas[name], found) for name, found in rows.items()}, "batches": (BATCHES_SCHEMA, batches)}

    def _penalty(
        self,
        rows: dict[str, list[dict[str, Any]]],
        number: int,
        record: str,
        doc: int,
        facts: str,
        link: dict[str, Any],
    ) -> None:
        on = DAY - dt.timedelta(days=doc)
        common = {"subject_id": self.subject(number), "record_id": record}
        batch = {"batch_id": "b2", "received_on": max(on, FIRST)}
        rows["links"].append({**common, **link, "resource": "penalty", "method": "uscc", "evidence": "{}"})
        rows["accepted/penalty"].append(
            {"record_id": record, "key_id": f"kp{number}x{doc}", "seq": 2, "row_no": doc, "operation": "upsert", "flags": [],
             "doc_no": f"罚{doc}", "uscc": self.code(number), "party_name": "某", "facts": facts, "decided_on": on, **batch}
        )  # fmt: skip
        rows["facts"].append(
            {**common, **batch, "fact_id": f"{record}:subject", "kind": "penalty", "resource": "penalty", "on_date": on,
             "weight": "negative", "public": True, "shows": json.dumps({"doc_no": f"罚{doc}", "facts": facts}, ensure_ascii=False),
             "publicity_due": on + dt.timedelta(days=9), "publicity_rule": "double-publicity", "flags": []}
        )  # fmt: skip

    def _secret(self, rows: dict[str, list[dict[str, Any]]], number: int, link: dict[str, Any]) -> None:
        record = f"rs{number}"
        common = {"subject_id": self.subject(number), "record_id": record}
        rows["links"].append({**common, **link, "resource": "secret", "method": "uscc", "evidence": "{}"})
        rows["accepted/secret"].append(
            {"record_id": record, "key_id": record, "batch_id": "b3", "seq": 3, "row_no": 1, "received_on": FIRST,
             "operation": "upsert", "flags": [], "doc_no": "机密", "uscc": self.code(number), "seen_on": FIRST}
        )  # fmt: skip
        rows["facts"].append(
            {**common, "fact_id": f"{record}:subject", "kind": "secret", "resource": "secret", "on_date": FIRST, "public": False,
             "weight": "neutral", "shows": '{"doc_no":"机密"}', "flags": [], "batch_id": "b3", "received_on": FIRST}
        )  # fmt: skip
