"""The public pages: what a citizen finds, and what each value says about where it comes from."""

from __future__ import annotations

import json
import re
from typing import Any

from django.test import Client

Rows = dict[str, list[dict[str, Any]]]


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def test_home_shows_figures_and_recent_publicity(site: Client, rows: Rows) -> None:
    page = text_of(site.get("/"))
    assert f"<strong>{len(rows['answer_subject'])}</strong>" in page
    assert "最近公示" in page and "/facts/" in page


def test_search_finds_by_fragment_and_code_and_keeps_the_text(site: Client, rows: Rows) -> None:
    subject = rows["answer_subject"][0]
    for text in (subject["name"][3:7], subject["uscc"], subject["uscc"].lower()):
        page = text_of(site.get("/search", {"q": text}))
        assert f"/subjects/{subject['subject_id']}" in page
        assert f'value="{text}"' in page


def test_search_for_htmx_answers_with_the_results_only(site: Client, rows: Rows) -> None:
    page = text_of(site.get("/search", {"q": rows["answer_subject"][0]["name"]}, headers={"hx-request": "true"}))
    assert "<html" not in page and "/subjects/" in page


def test_search_says_what_to_do_when_nothing_is_found_or_too_little_is_typed(site: Client) -> None:
    assert "没有找到" in text_of(site.get("/search", {"q": "完全不存在甲乙丙"}))
    assert "至少输入两个字" in text_of(site.get("/search", {"q": "甲"}))
    assert "开始查询" in text_of(site.get("/search"))


def test_a_personal_number_is_not_repeated_on_the_page(site: Client) -> None:
    page = text_of(site.get("/search", {"q": "19812345678"}))
    assert "19812345678" not in page and "不提供按个人号码的查询" in page


def test_subject_page_has_identity_codes_listings_and_provenance(site: Client, rows: Rows) -> None:
    listing = rows["answer_listing"][0]
    subject = next(row for row in rows["answer_subject"] if row["subject_id"] == listing["subject_id"])
    page = text_of(site.get(f"/subjects/{subject['subject_id']}"))
    assert subject["name"] in page and subject["uscc"] in page
    assert "经营异常名录" in page and "没有固定期限" in page and "内移出" in page
    assert "市市场监督管理局" in page and "接收" in page
    assert "王**" in page and "已脱敏" in page


def test_an_earlier_day_hides_what_came_later(site: Client, rows: Rows) -> None:
    fact = max(rows["answer_fact"], key=lambda row: row["received_on"])
    address = f"/subjects/{fact['subject_id']}"
    assert fact["fact_id"] in text_of(site.get(address))
    page = text_of(site.get(address, {"as_of": "2020-01-01"}))
    assert fact["fact_id"] not in page and "不是当前状况" in page
    text_of(site.get(address, {"as_of": "nonsense"}))


def test_kind_filter_and_unknown_subject(site: Client, rows: Rows) -> None:
    fact = rows["answer_fact"][0]
    page = text_of(site.get(f"/subjects/{fact['subject_id']}", {"kind": "no-such-kind"}))
    assert fact["fact_id"] not in page
    assert site.get("/subjects/p000000000001").status_code == 404


def test_every_fact_opens_to_its_whole_chain(site: Client, rows: Rows) -> None:
    for fact in [row for row in rows["answer_fact"] if row["kind"] == "penalty"][:3]:
        page = text_of(site.get(f"/facts/{fact['fact_id']}"))
        for part in ("记录", "批次与来源", "检查结果", "认定为这一主体的理由", "规则与期限"):
            assert f"<h2>{part}</h2>" in page
        assert fact["batch_id"] in page and fact["record_id"] in page
        assert "7 个工作日" in page


def test_a_value_leads_to_its_record(site: Client, rows: Rows) -> None:
    value = rows["answer_source"][0]
    page = text_of(site.get(f"/subjects/{value['subject_id']}"))
    found = re.findall(r"/records/(\w+)", page)
    assert value["record_id"] in found
    assert "法定代表人证件号" in text_of(site.get(f"/records/{value['record_id']}"))


def test_no_inline_script_and_only_our_own_sources(site: Client, rows: Rows) -> None:
    for address in ("/", "/search?q=食品", f"/subjects/{rows['answer_subject'][0]['subject_id']}"):
        response = site.get(address)
        page = text_of(response)
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*(?:src=|application/json))", page)
        assert not re.search(r'\son\w+="', page) and " style=" not in page
        assert not re.search(r'(?:src|href)="https?://', page)


def test_a_hidden_number_leads_to_its_subject_and_is_not_shown(site: Client, rows: Rows) -> None:
    subject = rows["answer_subject"][0]
    number = json.loads(subject["codes"])["taxpayer_no"][0]
    slip = number[:6] + str((int(number[6]) + 1) % 10) + number[7:]
    for asked in (number, slip):
        page = text_of(site.get("/search", {"q": asked}))
        assert f"/subjects/{subject['subject_id']}" in page
        assert asked == number or number not in page
        answer = site.get("/api/v1/search", {"q": asked}).json()["items"][0]
        assert answer["subject_id"] == subject["subject_id"] and answer["matched"] is None
    assert number not in text_of(site.get(f"/subjects/{subject['subject_id']}"))
    assert "taxpayer_no" not in site.get(f"/api/v1/subjects/{subject['subject_id']}").json()["codes"]


def test_what_was_due_before_the_platform_began_has_no_clock(site: Client, rows: Rows) -> None:
    began = {row["resource"]: row["received_on"] for row in reversed(rows["answer_batch"])}
    for row in rows["answer_batch"]:
        began[row["resource"]] = min(began[row["resource"]], row["received_on"])
    clocked = [row for row in rows["answer_fact"] if row["publicity_due"]]
    old = next((row for row in clocked if row["publicity_due"] < began[row["resource"]]), None)
    new = next(row for row in clocked if row["publicity_due"] >= began[row["resource"]])
    assert "公示期限在平台开始接收" not in text_of(site.get(f"/facts/{new['fact_id']}"))
    if old is not None:
        page = text_of(site.get(f"/facts/{old['fact_id']}"))
        assert "公示期限在平台开始接收" in page and "个工作日公示" not in page


def test_flags_and_checks_are_told_in_words(site: Client, rows: Rows) -> None:
    fact = next(row for row in rows["answer_fact"] if row["flags"] not in (None, "[]"))
    page = text_of(site.get(f"/facts/{fact['fact_id']}"))
    assert "统一社会信用代码校验位不符" in page and "uscc.check-digit" not in page
    resource = text_of(site.get("/catalog/penalty"))
    assert "决定日期不得晚于接收日期" in resource and "received_on" not in resource


def test_a_figure_of_an_indicator_leads_to_its_records(site: Client, rows: Rows) -> None:
    seen = rows["answer_observation"][0]
    page = text_of(site.get(f"/statistics/{seen['indicator']}"))
    assert f"?period={seen['period']}&amp;series=#records" in page
    page = text_of(site.get(f"/statistics/{seen['indicator']}", {"period": seen["period"], "series": ""}))
    assert f"/records/{json.loads(seen['record_ids'])[0]}" in page


def test_browsers_find_the_mark_of_the_site_beside_json(site: Client) -> None:
    answer = site.get("/favicon.ico")
    assert answer.status_code == 301 and answer["Location"].endswith("portal/mark.svg")
