"""What a grant gives, by the interface: to its receiver, as granted, with a receipt; to nobody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shutong.accounts.actions import create_account, give_role
from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import install_packs
from shutong.catalog.published import current_catalog
from shutong.collect.intake import Delivery as Batch
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.engine.keys import Keys
from shutong.exchange.actions import agree, ask_for_data
from shutong.exchange.deliveries import digest_of
from shutong.exchange.grant_actions import withdraw_grant
from shutong.exchange.models import SharingGrant
from shutong.quality.delivery import deliver
from shutong.standards.codes import make_uscc
from tests.exchange.people import CIVIL, PACK, TAX, wanted

PASSWORD = "not-a-real-password"
FIRMS = [make_uscc(f"91980101MA{number:07}") for number in range(4)]


@pytest.fixture
def home(tmp_path: Path, settings: Any, db: None) -> Home:
    made = Home.create(tmp_path / "home")
    settings.SHUTONG_HOME = made.path
    install_packs([PACK], acting=SYSTEM)
    path = tmp_path / "income.csv"
    lines = [f"{code},2026Q1,{number * 100},1380000000{number},9" for number, code in enumerate(FIRMS)]
    path.write_text(
        "统一社会信用代码,所属期,申报金额,办税人电话,重点税源测算\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    engine = engine_of(made)
    deliver(made, engine, current_catalog(), Batch("income", path, made.today()))
    engine.close()
    return made


@pytest.fixture
def sign_in(home: Home) -> Callable[[str], Client]:
    """The browser of a steward; it sends the site's token, as the site's own pages do."""

    def signed(department: str) -> Client:
        user = create_account(f"steward-{department}", PASSWORD, acting=SYSTEM)
        give_role(user, "steward", department, acting=SYSTEM)
        client = Client(enforce_csrf_checks=True)
        client.get("/sign-in")
        token = client.cookies["csrftoken"].value
        said = {"username": user.username, "password": PASSWORD, "csrfmiddlewaretoken": token}
        assert client.post("/sign-in", said).status_code == 302
        return client

    return signed


@pytest.fixture
def grant(home: Home) -> int:
    """Amounts above 100 for the civil affairs bureau, from today on."""
    today = home.today()
    asked = ask_for_data(
        "civil-affairs",
        wanted(
            items=("code", "amount"), rows="amount > 100", methods=frozenset({"api", "verify"}),
            starts_on=today, ends_on=today + dt.timedelta(days=90),
        ),
        today,
        acting=CIVIL,
    )  # fmt: skip
    return int(agree(asked, today, acting=TAX).versions.get().grant.pk)


def post(client: Client, address: str, body: dict[str, Any]) -> Any:
    token = client.cookies["csrftoken"].value
    return client.post(address, body, content_type="application/json", headers={"X-CSRFToken": token})


def test_the_receiver_takes_what_was_granted(sign_in: Callable[[str], Client], grant: int, home: Home) -> None:
    client = sign_in("civil-affairs")
    [listed] = client.get("/api/v1/grants").json()
    assert (listed["id"], listed["items"], listed["rows"]) == (grant, ["code", "amount"], "amount > 100")
    answer = post(client, f"/api/v1/grants/{grant}/rows", {})
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert {row["code"]: row["amount"] for row in found["rows"]} == {FIRMS[2]: "200.00", FIRMS[3]: "300.00"}
    receipt = Keys.open(home.keys_folder).verify(found["receipt"])
    assert receipt["digest"] == digest_of(found["rows"]) and receipt["rows"] == 2
    where = [{"item": "amount", "operator": ">", "value": "200"}]
    assert post(client, f"/api/v1/grants/{grant}/rows", {"where": where, "count": True}).json()["rows"] == [{"n": 1}]
    key = {"code": FIRMS[3], "period": "2026Q1"}
    assert post(client, f"/api/v1/grants/{grant}/verify", {"key": key, "where": where}).json()["yes"] is True


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"items": ["contact"]}, 409, "not within the grant"),
        ({"items": ["no_such_item"]}, 409, "not within the grant"),
        ({"where": [{"item": "amount", "operator": ">", "value": "many"}]}, 409, "no number"),
        ({"where": [{"item": "amount", "operator": "LIKE", "value": "1"}]}, 422, "where"),
        ({"columns": ["code"]}, 422, "columns"),
        ({"limit": 0}, 422, "limit"),
    ],
)
def test_what_is_refused_says_why(
    sign_in: Callable[[str], Client], grant: int, body: dict[str, Any], status: int, text: str
) -> None:
    answer = post(sign_in("civil-affairs"), f"/api/v1/grants/{grant}/rows", body)
    assert answer.status_code == status and text in answer.content.decode()
    assert answer["Content-Type"] == "application/problem+json"


def test_others_get_nothing(sign_in: Callable[[str], Client], grant: int) -> None:
    address = f"/api/v1/grants/{grant}/rows"
    assert Client().post(address, {}, content_type="application/json").status_code == 401
    stranger = sign_in("market-supervision")
    assert post(stranger, address, {}).status_code == 404
    assert post(stranger, "/api/v1/grants/999/rows", {}).status_code == 404
    assert stranger.get("/api/v1/grants").json() == []
    owner = sign_in("tax")
    assert post(owner, address, {}).status_code == 403, "who gives does not take"
    receiver = sign_in("civil-affairs")
    assert receiver.post(address, {}, content_type="application/json").status_code == 403, "another site's page"


def test_a_withdrawal_counts_at_once(sign_in: Callable[[str], Client], grant: int, home: Home) -> None:
    client = sign_in("civil-affairs")
    withdraw_grant(SharingGrant.objects.get(pk=grant), "用途已完成", home.today(), acting=TAX)
    assert client.get("/api/v1/grants").json() == []
    answer = post(client, f"/api/v1/grants/{grant}/rows", {})
    assert answer.status_code == 409 and "withdrawn" in answer.content.decode()
