"""A grant is used: rows leave as granted, are on the books with a signed receipt, and stop when they must."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shutong.accounts.actors import NotAllowedError
from shutong.audit.departures import departures_of, records_of
from shutong.audit.models import Departure, Entry
from shutong.catalog.published import current_catalog
from shutong.collect.intake import Delivery as Batch
from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.engine.keys import Keys
from shutong.exchange import reading
from shutong.exchange.actions import agree
from shutong.exchange.deliveries import Given, digest_of, take_answer, take_page, used_on, write_down
from shutong.exchange.grant_actions import suspend_grant, withdraw_grant
from shutong.exchange.models import Delivery, SharingGrant
from shutong.exchange.question import Condition, Question
from shutong.exchange.refusals import ExchangeError
from shutong.quality.delivery import deliver
from shutong.standards.codes import make_uscc
from tests.exchange.people import CIVIL, MARKET, MONDAY, TAX, asked, day, grant_from

pytestmark = pytest.mark.usefixtures("catalog")

FIRMS = [make_uscc(f"91980101MA{number:07}") for number in range(6)]
AMOUNTS = [50, 150, 250, 350, 450, 550]
PHONES = [f"1380000{number:04}" for number in range(6)]


@pytest.fixture
def home(tmp_path: Path, catalog: None) -> Home:
    made = Home.create(tmp_path / "home")
    lines = [
        f"{code},2026Q1,{amount},{phone},{amount * 9}"
        for code, amount, phone in zip(FIRMS, AMOUNTS, PHONES, strict=True)
    ]
    text = "\n".join(["统一社会信用代码,所属期,申报金额,办税人电话,重点税源测算", *lines, ""])
    path = tmp_path / "income.csv"
    path.write_text(text, encoding="utf-8")
    engine = engine_of(made)
    receipt = deliver(made, engine, current_catalog(), Batch("income", path, MONDAY))
    engine.close()
    assert receipt.accepted == len(FIRMS)
    return made


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    opened = engine_of(home)
    yield opened
    opened.close()


@pytest.fixture
def keys(home: Home) -> Keys:
    return Keys.open(home.keys_folder)


def grant(**keys: Any) -> SharingGrant:
    """Amounts above 100, with the telephone masked, agreed on working day 2."""
    usual: dict[str, Any] = {
        "items": ("code", "amount", "contact"),
        "rows": "amount > 100",
        "methods": frozenset({"api", "verify"}),
    }
    return grant_from(agree(asked(**(usual | keys)), day(2), acting=TAX))


def test_a_page_holds_what_was_granted_and_is_on_the_books(engine: Engine, keys: Keys) -> None:
    given = grant()
    page = take_page(given, Question(), day(3), engine=engine, keys=keys, acting=CIVIL)
    assert {row["code"]: row["amount"] for row in page.rows} == {
        code: f"{amount}.00" for code, amount in zip(FIRMS[1:], AMOUNTS[1:], strict=True)
    }
    assert {tuple(row) for row in page.rows} == {("record_id", "code", "amount", "contact")}
    assert {row["contact"] for row in page.rows} == {f"138****{number:04}" for number in range(1, 6)}
    assert not page.more
    receipt = keys.verify(page.receipt)
    assert (receipt["rows"], receipt["owner"], receipt["receiver"], receipt["version"]) == (
        5,
        "tax",
        "civil-affairs",
        1,
    )
    assert receipt["digest"] == digest_of(json.loads(json.dumps(page.rows))), "the receiver finds the same digest"
    [booked] = Delivery.objects.all()
    assert (booked.rows, booked.digest, booked.receipt) == (5, receipt["digest"], page.receipt)
    left = Departure.objects.get(departure=booked.departure)
    assert records_of(left) == sorted(row["record_id"] for row in page.rows)
    assert [one.departure for one in departures_of([page.rows[0]["record_id"]], "income")] == [booked.departure]
    assert Entry.objects.filter(action="exchange.write_down", outcome="done").count() == 1


def test_a_changed_receipt_is_found(engine: Engine, keys: Keys) -> None:
    receipt = take_page(grant(), Question(), day(3), engine=engine, keys=keys, acting=CIVIL).receipt
    with pytest.raises(Exception, match="signature"):
        keys.verify(receipt.replace('"rows":5', '"rows":4'))


def test_pages_follow_one_another_without_gap_or_repetition(engine: Engine, keys: Keys) -> None:
    given, seen, after = grant(), [], ""
    while True:
        page = take_page(given, Question(limit=2, after=after), day(3), engine=engine, keys=keys, acting=CIVIL)
        seen += [row["code"] for row in page.rows]
        if not page.more:
            break
        after = page.rows[-1]["record_id"]
    assert sorted(seen) == sorted(FIRMS[1:])
    assert used_on(given, day(3)) == 5


def test_a_quota_counts_rows_of_a_day(engine: Engine, keys: Keys) -> None:
    given = grant(quota=4)
    ask: dict[str, Any] = {"engine": engine, "keys": keys, "acting": CIVIL}
    with pytest.raises(ExchangeError, match="quota"):
        take_page(given, Question(), day(3), **ask)
    assert Delivery.objects.count() == 0, "nothing left, so nothing is on the books"
    assert take_page(given, Question(count=True), day(3), **ask).rows == [{"n": 5}]
    assert len(take_page(given, Question(limit=2), day(3), **ask).rows) == 2
    with pytest.raises(ExchangeError, match="quota"):
        take_page(given, Question(limit=2), day(3), **ask)
    assert len(take_page(given, Question(limit=1), day(3), **ask).rows) == 1
    with pytest.raises(ExchangeError, match="quota"):
        take_page(given, Question(limit=1), day(3), **ask)
    assert len(take_page(given, Question(limit=3), day(4), **ask).rows) == 3, "another day"


@pytest.mark.parametrize("acting", [TAX, MARKET])
def test_only_the_receiver_takes(engine: Engine, keys: Keys, acting: Any) -> None:
    given = grant()
    with pytest.raises(NotAllowedError):
        take_page(given, Question(), day(3), engine=engine, keys=keys, acting=acting)
    assert Delivery.objects.count() == 0


def test_suspended_withdrawn_and_past_grants_give_nothing(engine: Engine, keys: Keys) -> None:
    given = grant()
    ask: dict[str, Any] = {"engine": engine, "keys": keys, "acting": CIVIL}
    with pytest.raises(ExchangeError, match="counts from"):
        take_page(given, Question(), day(400), **ask)
    with pytest.raises(ExchangeError, match="not provided"):
        take_page(given, Question(), day(1), **ask)
    suspend_grant(given, "查到超范围使用", day(4), acting=TAX)
    with pytest.raises(ExchangeError, match="suspended"):
        take_page(given, Question(), day(4), **ask)
    withdraw_grant(given, "用途已完成", day(5), acting=TAX)
    with pytest.raises(ExchangeError, match="withdrawn"):
        take_answer(given, {"code": FIRMS[1], "period": "2026Q1"}, (Condition("amount", ">", "1"),), day(5), **ask)
    assert Delivery.objects.count() == 0


def test_what_changed_while_rows_were_read_hands_nothing_out(keys: Keys) -> None:
    given = grant(quota=3)
    version = given.latest
    what = Given("api", 2, "0" * 64, ())
    write_down(given, version, what, day(3), keys=keys, acting=CIVIL)
    with pytest.raises(ExchangeError, match="no room"):
        write_down(given, version, what, day(3), keys=keys, acting=CIVIL)
    suspend_grant(given, "查到超范围使用", day(3), acting=TAX)
    with pytest.raises(ExchangeError, match="changed while"):
        write_down(given, version, Given("api", 1, "0" * 64, ()), day(3), keys=keys, acting=CIVIL)
    assert used_on(given, day(3)) == 2


def test_a_verification_gives_yes_or_no_and_a_receipt(engine: Engine, keys: Keys) -> None:
    given = grant(quota=2)
    ask: dict[str, Any] = {"engine": engine, "keys": keys, "acting": CIVIL}
    key = {"code": FIRMS[1], "period": "2026Q1"}
    yes, receipt = take_answer(given, key, (Condition("amount", ">=", "150"),), day(3), **ask)
    assert yes and keys.verify(receipt)["digest"] == digest_of([{"yes": True}])
    assert not take_answer(given, {**key, "code": FIRMS[0]}, (Condition("amount", ">", "1"),), day(3), **ask)[0], (
        "a row outside the grant is no row"
    )
    with pytest.raises(ExchangeError, match="quota"):
        take_answer(given, key, (Condition("amount", ">", "1"),), day(3), **ask)


def test_methods_that_were_not_granted_are_refused(engine: Engine, keys: Keys) -> None:
    given = grant(methods=frozenset({"verify"}))
    with pytest.raises(ExchangeError, match="method"):
        take_page(given, Question(), day(3), engine=engine, keys=keys, acting=CIVIL)


def test_a_withdrawal_ends_a_stream_at_the_next_batch(
    engine: Engine, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = grant(methods=frozenset({"batch"}))
    monkeypatch.setattr(reading, "BATCH_ROWS", 2)
    seen = []

    def still_valid() -> None:
        if seen:
            raise ExchangeError("授权已撤销", "the grant is withdrawn")

    resource = current_catalog().resources["income"]
    rows = reading.read(
        engine, keys, given.latest.value, resource, Question(), day(3), method="batch", still_valid=still_valid
    )
    with pytest.raises(Exception, match="withdrawn"):
        while True:
            seen.append(rows.read_next_batch().num_rows)
    assert seen == [2]


def test_an_error_of_the_engine_tells_nothing_of_rows(
    engine: Engine, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "asked", lambda one, question: "SELECT CAST('秘密' AS INTEGER)")
    with pytest.raises(Exception) as failed:
        take_page(grant(), Question(), day(3), engine=engine, keys=keys, acting=CIVIL)
    assert "秘密" not in str(failed.value) and "bureau" in str(failed.value)
    assert Delivery.objects.count() == 0
