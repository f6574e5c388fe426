"""The pages of sharing: a department asks on the resource's page, the owner answers item by item, the bureau reviews."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shutong.accounts.actions import create_account, give_role
from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import install_packs
from shutong.engine.home import Home
from shutong.exchange.grants import grants_in_force
from shutong.exchange.models import ShareRequest
from shutong.portal.pages import sharing_forms

PACK = Path(__file__).resolve().parents[1] / "exchange" / "packs" / "sharing"
PASSWORD = "not-a-real-password"
BASIS = "税收征收管理法第八条"


@pytest.fixture
def home(tmp_path: Path, settings: Any, db: None) -> Home:
    made = Home.create(tmp_path / "home")
    settings.SHUTONG_HOME = made.path
    install_packs([PACK], acting=SYSTEM)
    return made


@pytest.fixture
def sign_in(home: Home) -> Callable[..., Client]:
    """Makes an account with a role and returns its browser."""

    def signed(role: str, department: str = "") -> Client:
        user = create_account(f"{role}-{department}", PASSWORD, acting=SYSTEM)
        give_role(user, role, department, acting=SYSTEM)
        client = Client()
        assert client.post("/sign-in", {"username": user.username, "password": PASSWORD}).status_code == 302
        return client

    return signed


@pytest.fixture
def today(home: Home) -> dt.date:
    return home.today()


def text_of(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def form(today: dt.date, **keys: Any) -> dict[str, Any]:
    return {
        "purpose": "核对低保家庭收入", "basis": "社会救助暂行办法第五十八条",
        "item-code": "none", "item-amount": "none", "item-estimate": "hide",
        "methods": "api", "frequency": "monthly", "starts_on": str(today), "ends_on": str(today + dt.timedelta(days=90)),
        "rows": "amount > 0", "quota": "",
    } | keys  # fmt: skip


def asked(client: Client, today: dt.date, **keys: Any) -> ShareRequest:
    answer = client.post("/sharing/ask/income", form(today, **keys))
    assert answer.status_code == 302, answer.content.decode()
    return ShareRequest.objects.order_by("-pk")[0]


def sent(client: Client, request: ShareRequest, verb: str, **data: str) -> str:
    answer = client.post(f"/sharing/requests/{request.pk}/{verb}", data, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_request_goes_over_three_desks(sign_in: Callable[..., Client], today: dt.date) -> None:
    civil, tax, officer = sign_in("steward", "civil-affairs"), sign_in("steward", "tax"), sign_in("data-officer")
    assert "重点税源测算" in text_of(civil, "/sharing/ask/income")
    request = asked(civil, today)
    address = f"/sharing/requests/{request.pk}"
    assert "待提供部门答复" in text_of(civil, address)
    assert "没有申请" in text_of(civil, "/sharing"), "it waits for the other side"
    assert "核对低保家庭收入" in text_of(civil, "/sharing?state=open")
    assert address in text_of(tax, "/sharing")
    page = text_of(tax, address)
    for label in ("同意共享", "不予共享", "一次性告知补正", "申请延期答复"):
        assert f"<h2>{label}</h2>" in page
    assert "法律依据" in sent(tax, request, "refuse", basis="不行")
    page = sent(tax, request, "agree", **{"item-amount": "left-out", "without": BASIS, "rows": "period >= '2026'"})
    assert "待数据局复核" in page and BASIS in page
    assert "<h2>同意共享</h2>" not in page
    page = sent(officer, request, "confirm", **{"item-amount": "none", "item-estimate": "hide"})
    assert "已同意，待提供数据" in page
    page = sent(tax, request, "confirm-ready")
    assert "数据已就绪" in page
    grant = grants_in_force("civil-affairs", today)[0]
    assert grant.masks == {"code": "none", "estimate": "hide"}
    assert grant.rows == "(amount > 0) AND (period >= '2026')"
    page = text_of(officer, "/sharing?state=all")
    assert "各部门共享情况" in page and "100%" in page


def test_a_grant_is_suspended_resumed_renewed_and_given_up_on_its_page(
    sign_in: Callable[..., Client], today: dt.date
) -> None:
    civil, tax = sign_in("steward", "civil-affairs"), sign_in("steward", "tax")
    request = asked(civil, today, **{"item-estimate": ""})
    assert "没有授权" in sent(tax, request, "suspend", reason="查到超范围使用")
    page = sent(tax, request, "agree", quota="50")
    assert "各次决定" in page and "grant/" in page and "有效" in page
    assert "已暂停" in sent(tax, request, "suspend", reason="查到超范围使用")
    assert not grants_in_force("civil-affairs", today)
    sent(tax, request, "resume", reason="已整改")
    assert [one.quota for one in grants_in_force("civil-affairs", today)] == [50]
    assert "截止日期" in sent(civil, request, "renew", basis="社会救助暂行办法第五十八条", ends_on="")
    sent(civil, request, "renew", basis="社会救助暂行办法第五十八条", ends_on=str(today + dt.timedelta(days=365)))
    assert ShareRequest.objects.exclude(renews=None).get().outcome == ""
    page = sent(civil, request, "give-up", reason="不再需要")
    assert "已撤销" in page and "放弃授权" not in page.split("<h2>")[-1]
    assert not grants_in_force("civil-affairs", today)


def test_disputes_and_extensions_are_the_bureaus(sign_in: Callable[..., Client], today: dt.date) -> None:
    civil, tax, officer = sign_in("steward", "civil-affairs"), sign_in("steward", "tax"), sign_in("data-officer")
    request = asked(civil, today, **{"item-amount": "", "item-estimate": ""})
    sent(tax, request, "ask-material", reason="请附经办处室说明")
    assert "<h2>补正材料</h2>" in text_of(civil, f"/sharing/requests/{request.pk}")
    sent(civil, request, "give-material", reason="已附")
    sent(tax, request, "ask-extension", reason="历史数据须先清理")
    assert "不同意延期" in text_of(officer, f"/sharing/requests/{request.pk}")
    sent(officer, request, "keep-term", reason="数据已在平台")
    page = sent(tax, request, "refuse", basis=BASIS)
    assert "一次性告知补正</h2>" not in page
    sent(civil, request, "dispute", reason="办法第五十八条允许核对")
    assert "维持" in text_of(officer, f"/sharing/requests/{request.pk}")
    page = sent(officer, request, "overturn", basis="社会救助暂行办法第五十八条")
    assert "改为共享，待提供数据" in page
    assert grants_in_force("civil-affairs", today)


def test_what_is_wrong_is_said_and_what_was_typed_stays(sign_in: Callable[..., Client], today: dt.date) -> None:
    civil = sign_in("steward", "civil-affairs")
    for keys, said in (
        ({"purpose": ""}, "写明用途"),
        ({"item-code": "", "item-amount": "", "item-estimate": ""}, "至少要有一个信息项"),
        ({"item-code": "stars"}, "没有这种脱敏方式"),
        ({"methods": "stream"}, "共享方式 stream 不可用"),
        ({"starts_on": "", "ends_on": ""}, "请填写开始日期"),
        ({"ends_on": "soon"}, "不是日期"),
        ({"quota": "many"}, "不是整数"),
        ({"rows": "nothing"}, "没有列"),
    ):
        answer = civil.post("/sharing/ask/income", form(today, **keys))
        page = answer.content.decode()
        assert answer.status_code == 422 and said in page
        assert "社会救助暂行办法第五十八条" in page
    english = civil.post("/sharing/ask/income", form(today, purpose=""), headers={"accept-language": "en"})
    assert "say the purpose in words" in english.content.decode()
    assert civil.get("/sharing/ask/nothing").status_code == 404
    assert civil.get("/sharing/requests/99").status_code == 404


def test_the_way_to_ask_stands_on_the_page_of_anothers_resource(
    sign_in: Callable[..., Client], home: Home, answers_home: Any, tmp_path: Path
) -> None:
    shutil.copytree(answers_home[0] / "answers", home.answers, dirs_exist_ok=True)
    folder = tmp_path / "packs" / "court"
    (folder / "resources").mkdir(parents=True)
    (folder / "pack.yml").write_text(
        "pack: court\ntitle: 法院\nversion: 1.0.0\ndepartments:\n  court: {title: {zh: 法院, en: Court}}\n", "utf-8"
    )
    (folder / "resources" / "court-default.yml").write_text(
        "resource: court-default\ntitle: 失信被执行人\ndepartment: court\nbasis: 民事诉讼法\nkey: [number]\n"
        "items:\n  number: {element: text, title: 案号, required: true}\n",
        "utf-8",
    )
    install_packs([folder], acting=SYSTEM)
    way = "/sharing/ask/court-default"
    assert way in text_of(sign_in("steward", "civil-affairs"), "/catalog/court-default")
    for client in (sign_in("steward", "court"), sign_in("auditor"), Client()):
        assert way not in text_of(client, "/catalog/court-default")


def test_others_do_not_get_in(sign_in: Callable[..., Client], today: dt.date) -> None:
    request = asked(sign_in("steward", "civil-affairs"), today)
    market, auditor = sign_in("steward", "market-supervision"), sign_in("auditor")
    address = f"/sharing/requests/{request.pk}"
    for client in (market, auditor):
        assert client.get(address).status_code == 403
        assert client.post(f"{address}/agree").status_code == 403
    assert auditor.get("/sharing").status_code == 403
    assert "没有申请" in text_of(market, "/sharing?state=all")
    assert Client().get("/sharing")["Location"].startswith("/sign-in")
    tax = sign_in("steward", "tax")
    assert "没有这种办理方式" in sent(tax, request, "nothing")
    assert "没有这种脱敏方式" in sent(tax, request, "agree", **{"item-code": "stars"})


def test_the_pages_are_said_in_english(sign_in: Callable[..., Client], today: dt.date) -> None:
    civil, tax = sign_in("steward", "civil-affairs"), sign_in("steward", "tax")
    request = asked(civil, today)
    english = {"accept-language": "en"}
    page = text_of(tax, f"/sharing/requests/{request.pk}", **english)
    for text in ("Waits for the owner", "Tax returns", "Civil affairs", "Legal basis", "Missing material told once"):
        assert text in page
    assert "Sharing by department" in text_of(tax, "/sharing", **english)
    assert "Send the request" in text_of(civil, "/sharing/ask/income", **english)


def test_every_form_stands_for_a_step_of_a_declared_procedure(sign_in: Callable[..., Client]) -> None:
    steps = {verb.step for verb in sharing_forms._VERBS.values()}
    assert steps == {
        "", "suspend", "resume", "withdraw", "change",
        "approve", "refuse", "ask-material", "give-material", "ask-extension", "extend", "keep-term", "confirm",
        "reject", "confirm-ready", "cancel", "uphold", "overturn",
    }  # fmt: skip
