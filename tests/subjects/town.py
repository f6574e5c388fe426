"""A town small enough to read: two registers, facts about their subjects, a library and a list, and rows to fill them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from shutong.spec.catalog import Catalog, parse, stored_columns
from shutong.spec.models import Department, Indicator, Library, Resource, SubjectList, Verification
from shutong.subjects.tables import BATCHES

DAY = dt.date(2026, 6, 15)


def resource(**keys: Any) -> Resource:
    return parse("resource", {"title": "t", "department": "d", "basis": "b", **keys})  # type: ignore[return-value]


REGISTRATION = resource(
    resource="registration",
    delivery="changes",
    operation="op",
    key=["reg_key"],
    items={
        "reg_key": {"title": "键", "required": True},
        "op": {"title": "操作"},
        "uscc": {"element": "uscc", "title": "码"},
        "org": {"element": "org-code", "title": "机构代码"},
        "old_no": {"element": "registration-no", "title": "注册号"},
        "tax_no": {"element": "taxpayer-no", "title": "税号"},
        "name": {"element": "org-name", "title": "名称"},
        "former": {"element": "org-name", "title": "曾用名"},
        "area": {"element": "area", "title": "区划"},
        "status": {"title": "状态"},
        "capital": {"element": "money", "title": "注册资本"},
        "boss": {"element": "person-name", "title": "法定代表人", "grade": 2, "mask": "surname"},
        "boss_id": {"element": "citizen-id", "title": "证件号"},
        "tel": {"element": "mobile", "title": "电话"},
        "site": {"element": "address", "title": "住所"},
    },
    about=[
        {
            "kind": "organisation",
            "registry": True,
            "uscc": "uscc",
            "org_code": "org",
            "registration_no": "old_no",
            "taxpayer_no": "tax_no",
            "name": "name",
            "former_name": "former",
            "area": "area",
            "address": "site",
            "legal_rep": "boss",
            "phone": "tel",
        },
        {"kind": "person", "role": "boss", "citizen_id": "boss_id", "name": "boss"},
    ],
    open={"type": "open"},
)

PENALTY = resource(
    resource="penalty",
    key=["doc_no"],
    delivery="changes",
    operation="op",
    replaces="old_doc",
    items={
        "doc_no": {"title": "文号", "required": True},
        "op": {"title": "操作"},
        "old_doc": {"title": "原文号"},
        "party": {"element": "org-name", "title": "相对人"},
        "code": {"element": "uscc", "title": "码"},
        "old_no": {"element": "registration-no", "title": "注册号"},
        "tax_no": {"element": "taxpayer-no", "title": "税号"},
        "org": {"element": "org-code", "title": "机构代码"},
        "area": {"element": "area", "title": "区划"},
        "decided_on": {"element": "date", "title": "决定日期"},
        "fine": {"element": "money", "title": "罚款"},
        "officer": {"element": "person-name", "title": "经办人", "grade": 2, "mask": "surname"},
        "chief": {"element": "person-name", "title": "负责人", "grade": 2, "mask": "surname"},
        "tel": {"element": "mobile", "title": "电话"},
        "site": {"element": "address", "title": "地址"},
    },
    about={
        "kind": "organisation",
        "uscc": "code",
        "org_code": "org",
        "registration_no": "old_no",
        "taxpayer_no": "tax_no",
        "name": "party",
        "area": "area",
        "address": "site",
        "legal_rep": "chief",
        "phone": "tel",
    },
    fact={"kind": "penalty", "on": "decided_on", "weight": "negative", "shows": ["doc_no", "fine", "officer"]},
    publicity={"rule": "double-publicity"},
    open={"type": "open"},
)

REPORT = resource(
    resource="annual-report",
    key=["uscc", "year"],
    items={
        "uscc": {"element": "uscc", "title": "码", "required": True},
        "year": {"element": "integer", "title": "年度", "required": True},
        "employees": {"element": "integer", "title": "人数"},
        "phone_area": {"element": "area", "title": "区划"},
        "filed_on": {"element": "date", "title": "报送日"},
    },
    about={"kind": "organisation", "uscc": "uscc"},
    fact={"kind": "annual-report", "on": "filed_on", "shows": ["year", "employees"]},
)

ADDRESS = resource(
    resource="address",
    delivery="snapshot",
    key=["no"],
    items={
        "no": {"title": "号", "required": True},
        "address": {"element": "address", "title": "地址"},
        "area": {"element": "area", "title": "区划"},
    },
    about={"kind": "place", "registry": True, "address": "address", "area": "area"},
)

LEGAL_ENTITY = Library.model_validate(
    {
        "library": "legal-entity",
        "title": "法人库",
        "kind": "organisation",
        "attributes": {
            "uscc": {"title": "码", "element": "uscc", "from": ["registration.uscc"]},
            "name": {"title": "名称", "element": "org-name", "from": ["registration.name", "penalty.party"]},
            "capital": {"title": "资本", "element": "money", "from": ["registration.capital"]},
            "employees": {"title": "人数", "element": "integer", "from": ["annual-report.employees"]},
        },
    }
)

POPULATION = Library.model_validate(
    {
        "library": "population",
        "title": "人口库",
        "kind": "person",
        "attributes": {
            "name": {"title": "姓名", "element": "person-name", "from": ["registration.boss"], "grade": 2},
            "citizen_id": {"title": "证件号", "element": "citizen-id", "from": ["registration.boss_id"], "grade": 3},
        },
    }
)

PENALISED = Library.model_validate(
    {
        "library": "penalised",
        "title": "受罚主体",
        "kind": "organisation",
        "class": "theme",
        "only": "SELECT subject_id FROM penalty WHERE fine >= 100",
        "attributes": {"name": {"title": "名称", "from": ["registration.name"]}},
    }
)

NO_REPORT = SubjectList.model_validate(
    {
        "list": "abnormal",
        "title": "异常名录",
        "basis": "b",
        "entry": "automatic",
        "department": "d",
        "grounds": {
            "no-report": {
                "title": "未年报",
                "basis": "b",
                "sql": "SELECT r.subject_id, make_date(2026, 7, 1) AS since, record_set(r.record_id) AS record_ids,"
                " make_date(2026, 7, 1) AS next_change_on FROM registration AS r WHERE r.status = 'open'"
                " AND r.subject_id NOT IN (SELECT a.subject_id FROM annual_report AS a"
                " WHERE a.year = 2025 AND a.subject_id IS NOT NULL) GROUP BY r.subject_id",
            },
            "fined": {
                "title": "多次受罚",
                "basis": "b",
                "sql": "SELECT subject_id, max(on_date) AS since, record_set(record_id) AS record_ids FROM facts"
                " WHERE kind = 'penalty' GROUP BY subject_id HAVING count(*) >= 2",
            },
        },
    }
)

FINES = Indicator.model_validate(
    {
        "indicator": "fines",
        "title": "罚款",
        "sql": "SELECT decided_on AS period, area, sum(fine) AS value, record_sample(record_id) AS record_ids,"
        " count(*) AS records FROM penalty WHERE decided_on IS NOT NULL GROUP BY decided_on, area",
    }
)

NAMES_AGREE = Verification.model_validate(
    {
        "verification": "names",
        "title": "名称一致",
        "departments": ["d"],
        "sql": "SELECT r.reg_key AS key, 'name' AS item, r.name AS left_value, p.party AS right_value,"
        " record_set(p.record_id) AS record_ids FROM registration AS r JOIN penalty AS p"
        " ON p.subject_id = r.subject_id WHERE p.party <> r.name GROUP BY r.reg_key, r.name, p.party",
    }
)


def catalog(*resources: Resource) -> Catalog:
    """The town's declarations, or those of some resources only."""
    chosen = resources or (REGISTRATION, PENALTY, REPORT, ADDRESS)
    if resources:
        return Catalog(resources={r.resource: r for r in chosen})
    return Catalog(
        departments={"d": Department.model_validate({"title": "局"})},
        resources={r.resource: r for r in chosen},
        libraries={library.library: library for library in (LEGAL_ENTITY, POPULATION, PENALISED)},
        lists={NO_REPORT.list: NO_REPORT},
        indicators={FINES.indicator: FINES},
        verifications={NAMES_AGREE.verification: NAMES_AGREE},
    )


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def batch(
    of: Resource, seq: int, rows: Sequence[Mapping[str, Any]], received_on: dt.date | None = None, first_row: int = 1
) -> pa.Table:
    """Rows as the check stage accepts them: one delivery of a resource."""
    schema = stored_columns(of)
    made = []
    for number, row in enumerate(rows, start=first_row):
        key = "|".join(str(row.get(item)) for item in of.key)
        replaced = row.get(of.replaces) if of.replaces else None
        made.append(
            {
                "record_id": f"r{seq:03d}x{number:03d}",
                "key_id": "k" + short_hash(of.resource + key),
                "batch_id": f"b{seq:03d}",
                "seq": seq,
                "row_no": number,
                "received_on": received_on or DAY + dt.timedelta(days=seq),
                "operation": row.get("op") or "upsert",
                "flags": [],
                "replaced_key": replaced and "k" + short_hash(of.resource + replaced),
                **row,
            }
        )
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in made], schema=schema)


def delivery(of: Resource, seq: int, received_on: dt.date | None = None) -> pa.Table:
    """The row of ``batches`` for a delivery."""
    day = received_on or DAY + dt.timedelta(days=seq)
    row = {"batch_id": f"b{seq:03d}", "resource": of.resource, "seq": seq, "received_on": day, "state": "in"}
    return pa.Table.from_pylist([{**row, "corrects": None}], schema=BATCHES)
