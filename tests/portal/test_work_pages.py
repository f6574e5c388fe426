"""The signed-in part: a clerk's loop from a delivery with rejects to a closed ticket, the operator's and auditor's pages."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shutong.accounts.actions import create_account, give_role
from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import install_packs
from shutong.collect.models import Batch
from shutong.engine.home import Home
from shutong.pipeline.models import Run, StageRun
from shutong.quality.actions import open_disagreement_ticket
from shutong.quality.models import Ticket
from shutong.standards.codes import make_uscc

PACK = {
    "pack.yml": """
pack: tiny
title: {zh: 小城, en: Tiny}
version: 1.0.0
departments:
  market: {title: {zh: 市场监管局, en: Market bureau}}
  tax: {title: {zh: 税务局, en: Tax bureau}}
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
  name: {element: org-name, title: 名称, required: true}
  established_on: {element: date, title: 成立日期, required: true}
about: {kind: organisation, registry: true, uscc: uscc, name: name}
open: {type: open}
""",
    "resources/arrears.yml": """
resource: arrears
title: {zh: 欠税, en: Arrears}
department: tax
basis: 税收征管法
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
about: {kind: organisation, uscc: uscc}
""",
}
PASSWORD = "not-a-real-password"
GOOD = make_uscc("91980101MA0000001")
OTHER = make_uscc("91980101MA0000002")


@pytest.fixture
def home(tmp_path: Path, settings: Any, db: None) -> Home:
    """A served home with a pack of two departments."""
    pack = tmp_path / "packs" / "tiny"
    for name, text in PACK.items():
        path = pack / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip(), encoding="utf-8")
    made = Home.create(tmp_path / "home")
    settings.SHUTONG_HOME = made.path
    install_packs([pack], acting=SYSTEM)
    return made


@pytest.fixture
def sign_in(home: Home) -> Callable[..., Client]:
    """Makes an account with a role and returns its browser."""

    def signed(role: str, department: str = "") -> Client:
        user = create_account(f"{role}-{department}", PASSWORD, acting=SYSTEM)
        give_role(user, role, department, acting=SYSTEM)
        client = Client()
        answer = client.post("/sign-in", {"username": user.username, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return signed


def upload(client: Client, name: str, content: bytes, department: str = "market", **more: str) -> str:
    """Deliver a file through the form; returns the page that follows."""
    data = {"resource": "register", "file": SimpleUploadedFile(name, content), **more}
    answer = client.post(f"/departments/{department}/deliver", data, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def csv_of(*rows: str) -> bytes:
    return "\n".join(["代码,名称,成立日期", *rows, ""]).encode("gb18030")


def test_signing_in_leads_to_ones_own_department_and_wrong_passwords_say_nothing(
    sign_in: Callable[..., Client],
) -> None:
    client = sign_in("steward", "market")
    answer = client.get("/sign-in")
    assert answer.status_code == 200
    page = client.get("/departments/market")
    assert page.status_code == 200 and "市场监管局" in page.content.decode()
    wrong = Client().post("/sign-in", {"username": "steward-market", "password": "wrong"})
    unknown = Client().post("/sign-in", {"username": "nobody-at-all", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 403
    texts = [re.sub(r"value=\"[^\"]*\"", "", one.content.decode()) for one in (wrong, unknown)]
    assert texts[0] == texts[1] and "用户名或密码不正确" in texts[0]


@pytest.mark.parametrize(
    "address", ["/departments/market", "/operations", "/figures", "/audit", "/batches/b1", "/tickets/1"]
)
def test_the_public_is_asked_to_sign_in(home: Home, address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 302 and answer["Location"].startswith("/sign-in?next=")


def test_pages_of_others_are_refused(sign_in: Callable[..., Client]) -> None:
    steward = sign_in("steward", "market")
    assert steward.get("/departments/tax").status_code == 403
    assert steward.get("/operations").status_code == 403
    assert steward.get("/figures").status_code == 403
    assert steward.get("/audit").status_code == 403
    auditor = sign_in("auditor")
    assert auditor.get("/departments/market").status_code == 403
    assert upload_status(sign_in("steward", "tax"), "market") == 403


def upload_status(client: Client, department: str) -> int:
    data = {"resource": "register", "file": SimpleUploadedFile("a.csv", b"x")}
    return client.post(f"/departments/{department}/deliver", data).status_code


def test_the_clerks_loop_closes(sign_in: Callable[..., Client], home: Home) -> None:
    client = sign_in("steward", "market")
    page = upload(
        client, "登记.csv", csv_of(f"{GOOD},青禾食品有限公司,2020-01-02", f"{OTHER[:-1]}*,石泉商店,2020-13-45")
    )
    assert "接受 1 行，退回 1 行" in page and "石泉商店" in page
    batch = Batch.objects.get()
    ticket = Ticket.objects.get()
    assert (batch.accepted, batch.rejected, ticket.open_rows) == (1, 1, 1)
    sheet = client.get(f"/batches/{batch.batch_id}/rejected.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(sheet.content))
    rows = list(book.active.values)
    header = 1  # below the note that says how to correct
    place = {title: column for column, title in enumerate(rows[header])}
    active = book.active
    active.cell(header + 2, place["代码"] + 1, OTHER)
    active.cell(header + 2, place["成立日期"] + 1, "2020-12-24")
    corrected = io.BytesIO()
    book.save(corrected)
    asked = client.get(f"/tickets/{ticket.pk}").content.decode()
    assert "待处理 1 行" in asked and "“成立日期”：" in asked and "date." not in asked
    assert f"/tickets/{ticket.pk}" in client.get("/departments/market/tickets").content.decode()
    page = upload(client, "登记-改正.xlsx", corrected.getvalue(), corrects=batch.batch_id)
    assert "接受 1 行，退回 0 行" in page
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.CLOSED
    assert "已办结" in client.get(f"/tickets/{ticket.pk}").content.decode()
    assert not list(home.tmp.glob("upload-*"))


def test_rows_are_given_up_only_with_a_reason(sign_in: Callable[..., Client]) -> None:
    client = sign_in("steward", "market")
    upload(client, "登记.csv", csv_of(f"{GOOD},青禾食品有限公司,2020-01-02", ",石泉商店,2020-12-01"))
    ticket = Ticket.objects.get()
    page = client.post(f"/tickets/{ticket.pk}/give-up", {"reason": " "}, follow=True).content.decode()
    assert "请填写放弃更正的原因" in page
    client.post(f"/tickets/{ticket.pk}/give-up", {"reason": "企业已迁出"})
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.CLOSED


def test_a_file_that_is_not_what_it_says_is_refused_in_words(sign_in: Callable[..., Client]) -> None:
    client = sign_in("steward", "market")
    for name, content in (("a.csv", b""), ("b.xlsx", b"%PDF-1.7 nonsense"), ("c.csv", "名称\n某\n".encode())):
        page = upload(client, name, content)
        assert "整批退回" in page and "Traceback" not in page


def test_another_departments_resource_cannot_be_delivered(sign_in: Callable[..., Client]) -> None:
    page = upload(sign_in("steward", "market"), "a.csv", b"x", resource="arrears")
    assert "请选择本部门的信息资源" in page
    assert not Batch.objects.exists()


def test_the_figures_of_departments_against_the_targets(sign_in: Callable[..., Client]) -> None:
    client = sign_in("operator")
    page = client.get("/figures").content.decode()
    assert "0 / 1" in page and "没有发现重复采集" in page and "80%" in page and "2020-12-31" in page
    upload(sign_in("steward", "market"), "登记.csv", csv_of(f"{GOOD},青禾食品有限公司,2020-01-02"))
    page = client.get("/figures").content.decode()
    market, tax = (page.partition(f'href="/departments/{name}"')[2].partition("</tr>")[0] for name in ("market", "tax"))
    assert "100%" in market and "1 / 1" in market
    assert "0%" in tax and "0 / 1" in tax
    assert page.index("/departments/tax") < page.index("/departments/market"), "who lacks most comes first"
    assert "需求满足率" not in page, "requests are no matter of the operator's"
    bureau = sign_in("data-officer").get("/figures").content.decode()
    assert "需求满足率" in bureau and "答复天数" in bureau


def test_the_operator_sees_runs_and_starts_one(sign_in: Callable[..., Client]) -> None:
    run = Run.objects.create(run_id="way-1", kind="full", business_day="2026-07-14", state="failed", error="磁盘已满",
                             started_at="2026-07-14T01:00:00Z", ended_at="2026-07-14T01:00:09Z")  # fmt: skip
    StageRun.objects.create(run=run, position=1, stage="identify", seconds=1.5, peak_bytes=5_000_000, rows={"links": 7})
    client = sign_in("operator")
    page = client.get("/operations").content.decode()
    assert "way-1" in page and "磁盘已满" in page and "税务局" in page and "尚未" not in page.split("系统检查")[0][:200]
    report = client.get("/operations/runs/way-1").content.decode()
    assert "认定主体" in report and "怎么办" in report
    listed = client.get("/api/v1/runs").json()
    assert [one["state"] for one in listed["items"]] == ["failed"] and listed["count"] == 1
    assert client.get("/api/v1/runs/way-1").json()["stages"][0]["rows"] == {"links": 7}
    refused = sign_in("steward", "market").get("/api/v1/runs")
    assert refused.status_code == 403 and refused["Content-Type"] == "application/problem+json"
    answer = client.post("/operations/run", {"full": "1"}, follow=True).content.decode()
    assert "已排入后台队列" in answer


def test_the_auditor_reads_and_verifies_the_log(sign_in: Callable[..., Client]) -> None:
    upload(sign_in("steward", "market"), "a.csv", csv_of(f"{GOOD},青禾食品有限公司,2020-01-02"))
    client = sign_in("auditor")
    page = client.get("/audit").content.decode()
    assert "collect" in page
    report = client.post("/audit/verify").content.decode()
    assert "没有发现改动" in report


def test_both_departments_see_both_values_with_their_records(sign_in: Callable[..., Client]) -> None:
    row = {
        "key": "o1", "item": "register/arrears", "left_value": "青禾食品有限公司", "right_value": "青和食品有限公司",
        "record_ids": ["rleft", "rright"], "subject_id": "o1", "departments": ["market", "tax"],
    }  # fmt: skip
    tickets = open_disagreement_ticket("entity.name", "法人库：名称", [row], dt.date(2026, 7, 1), acting=SYSTEM)
    assert [one.department for one in tickets] == ["market", "tax"]
    for one in tickets:
        client = sign_in("steward", one.department)
        page = client.get(f"/tickets/{one.pk}").content.decode()
        for text in (row["left_value"], row["right_value"], "登记 rleft", "欠税 rright"):
            assert str(text) in page
        (line,) = client.get(f"/api/v1/tickets/{one.pk}").json()["lines"]
        assert (line["left"], line["right"], line["records"]) == (
            row["left_value"], row["right_value"], ["rleft", "rright"],
        )  # fmt: skip


def test_signing_out_ends_the_session(sign_in: Callable[..., Client]) -> None:
    client = sign_in("steward", "market")
    client.post("/sign-out")
    assert client.get("/departments/market").status_code == 302
    assert get_user_model().objects.filter(username="steward-market").exists()


def test_a_foreign_address_is_no_way_back_after_signing_in(sign_in: Callable[..., Client]) -> None:
    sign_in("steward", "market")
    answer = Client().post(
        "/sign-in", {"username": "steward-market", "password": PASSWORD, "next": "https://elsewhere.example/"}
    )
    assert answer["Location"] == "/departments/market"


def test_somebody_of_two_departments_acts_for_one_and_then_the_other(sign_in: Callable[..., Client]) -> None:
    client = sign_in("steward", "market")
    user = get_user_model().objects.get(username="steward-market")
    assert "换部门" not in client.get("/departments/market").content.decode()
    give_role(user, "steward", "tax", acting=SYSTEM)
    page = client.get("/departments/market").content.decode()
    assert 'name="department" value="tax">税务局' in page
    assert client.get("/departments/tax").status_code == 403
    answer = client.post("/act-for", {"department": "tax"})
    assert answer["Location"] == "/departments/tax"
    assert client.get("/departments/tax").status_code == 200
