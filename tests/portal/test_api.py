"""The JSON interface: what it answers, its errors as problem details, and that it keeps to its own document."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shutong.portal.wsgi import application

Rows = dict[str, list[dict[str, Any]]]


def get(client: Client, address: str, status: int = 200, **query: Any) -> Any:
    answer = client.get(f"/api/v1{address}", query)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_search_by_fragment_and_by_code_with_a_slip(site: Client, rows: Rows) -> None:
    subject = rows["answer_subject"][0]
    found = get(site, "/search", q=subject["name"])
    assert found["items"][0]["subject_id"] == subject["subject_id"]
    assert found["items"][0]["found_by"] == "name"
    typed = subject["uscc"][:17] + ("X" if subject["uscc"][17] != "X" else "Y")
    found = get(site, "/search", q=typed)
    assert (found["note"], found["items"][0]["matched"]) == ("slip", subject["uscc"])


def test_a_subject_with_provenance_facts_and_listings(site: Client, rows: Rows) -> None:
    listing = rows["answer_listing"][0]
    subject = get(site, f"/subjects/{listing['subject_id']}")
    assert subject["business_day"] == "2026-07-14"
    value = next(one for one in subject["attributes"] if one["name"] == "capital")["values"][0]
    assert value["value"] == "2000000" and value["record_id"] and value["department"]
    assert [one["list"] for one in subject["listings"]] == ["abnormal-operation"]
    facts = get(site, f"/subjects/{listing['subject_id']}/facts", limit=100)
    assert facts["count"] == sum(subject["fact_counts"].values()) == len(facts["items"])
    days = [one["on_date"] for one in facts["items"]]
    assert days == sorted(days, reverse=True)


def test_the_chain_of_a_fact_holds_every_link(site: Client, rows: Rows) -> None:
    fact = next(row for row in rows["answer_fact"] if row["kind"] == "penalty")
    chain = get(site, f"/facts/{fact['fact_id']}/chain")
    assert chain["record_id"] == fact["record_id"] and chain["batch"]["batch_id"] == fact["batch_id"]
    assert chain["link_method"] and chain["link_evidence"] and chain["basis"]
    assert chain["facts"][0]["publicity"]["state"] in {"done", "late"}
    registered = get(site, f"/records/{rows['answer_source'][0]['record_id']}/chain")
    assert registered["hidden_items"] == ["legal_rep_id"]


def test_lists_and_listings_are_paged(site: Client, rows: Rows) -> None:
    members = {row["subject_id"] for row in rows["answer_listing"]}
    lists = {one["name"]: one for one in get(site, "/lists")}
    assert lists["abnormal-operation"]["members"] == len(members)
    found: list[str] = []
    for offset in range(0, len(members), 5):
        page = get(site, "/lists/abnormal-operation/listings", limit=5, offset=offset)
        found += [one["subject_id"] for one in page["items"]]
    assert len(found) == page["count"] == len(rows["answer_listing"])


def test_statistics_indicators_resources_departments(site: Client) -> None:
    assert {one["dimension"] for one in get(site, "/statistics/total")["figures"]} >= {"subjects", "facts"}
    assert get(site, "/indicators/new-registrations/observations")[0]["record_ids"]
    penalty = get(site, "/resources/penalty")
    published = {item["name"]: item["published"] for item in penalty["items"]}
    assert published["legal_rep"] == "masked" and published["doc_no"] == "open"
    assert len(get(site, "/departments")) == 4
    assert get(site, "/publicity")[0]["due"] > 0
    assert get(site, "/health")["ready"] is True


@pytest.mark.parametrize(
    ("address", "status", "kind"),
    [
        ("/subjects/o-nobody", 404, "not-found"),
        ("/search?limit=1000", 422, "invalid-parameters"),
        ("/batches", 401, "sign-in"),
        ("/statistics/none", 404, "not-found"),
    ],
)
def test_errors_are_problem_details(site: Client, address: str, status: int, kind: str) -> None:
    answer = site.get(f"/api/v1{address}")
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["type"]) == (status, status, f"/api#{kind}")
    assert problem["detail"] and problem["title"]


def test_a_personal_number_is_not_repeated(site: Client) -> None:
    answer = site.get("/api/v1/search", {"q": "19812345678"})
    assert answer.json()["note"] == "personal" and b"19812345678" not in answer.content
    wrong = site.get("/api/v1/search", {"q": "19812345678" * 20})
    assert wrong.status_code == 422 and b"19812345678" not in wrong.content


def test_before_the_first_run_the_interface_says_so(site: Client, settings: Any, tmp_path: Any) -> None:
    settings.SHUTONG_HOME = tmp_path
    answer = site.get("/api/v1/search", {"q": "青禾"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/api#answers-missing")
    assert site.get("/api/v1/health").json()["ready"] is False


def test_the_document_is_openapi_31_and_needs_no_other_site(site: Client) -> None:
    document = site.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"] and operation["description"]
    page = site.get("/api/v1/docs").content.decode()
    assert "https://" not in page and "/static/ninja/" in page


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@schema.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_keep_to_the_document(case: Any, site: Client, rows: Rows) -> None:
    if "subject_id" in (case.path_parameters or {}):
        case.path_parameters["subject_id"] = rows["answer_subject"][0]["subject_id"]
    case.call_and_validate(
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    )


def test_an_unknown_address_is_a_problem_and_statistics_are_listed(site: Client) -> None:
    missing = site.get("/api/v1/no-such-thing")
    assert missing.status_code == 404 and missing["Content-Type"] == "application/problem+json"
    refused = site.post("/api/v1/search")
    assert refused.status_code == 405 and refused["Content-Type"] == "application/problem+json"
    assert refused["Allow"] == "GET"
    names = [one["name"] for one in site.get("/api/v1/statistics").json()]
    assert "total" in names and site.get(f"/api/v1/statistics/{names[0]}").status_code == 200
