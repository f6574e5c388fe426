"""The clerk's loop: rejects open a ticket, come down as a spreadsheet, go up corrected, and close it row by row."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db import connection

from shutong.accounts.actors import SYSTEM, Actor, NotAllowedError
from shutong.audit.models import Entry
from shutong.collect.models import Batch
from shutong.collect.receipt import Receipt
from shutong.quality import actions
from shutong.quality.actions import TicketError, give_up_rows, open_disagreement_ticket
from shutong.quality.counter import reconcile, rejects_of_batch, take_in
from shutong.quality.delivery import Delivery
from shutong.quality.models import Ticket, TicketRow
from shutong.quality.rejects import escape_formula, rejects_csv, rejects_workbook
from tests.collect.home import DAY, Town
from tests.collect.samples import HEADER

pytestmark = pytest.mark.django_db

MIXED = HEADER + "云帆商贸有限公司,一号,1\n,二号,2\n海纳餐饮店,三号,abc\n海纳餐饮店,一号,3\n=1+1公司,五号,-x\n"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def take(town: Town, data: bytes | str, acting: Actor, name: str = "a.csv", corrects: str | None = None) -> Receipt:
    delivery = Delivery("penalty", town.file(data, name), DAY, corrects)
    return take_in(town.home, town.engine, town.catalog, [delivery], acting=acting)[0]


def corrected(book: bytes, changes: dict[int, dict[int, str]], drop: tuple[int, ...] = ()) -> bytes:
    """The workbook after the clerk's work: cells by (row, column) changed, rows dropped."""
    opened = openpyxl.load_workbook(io.BytesIO(book))
    sheet = opened.active
    assert sheet is not None
    for row, cells in changes.items():
        for column, text in cells.items():
            sheet.cell(row, column, text)
    for row in sorted(drop, reverse=True):
        sheet.delete_rows(row)
    file = io.BytesIO()
    opened.save(file)
    return file.getvalue()


def test_the_whole_loop(town: Town, steward: Actor) -> None:
    receipt = take(town, MIXED, steward)
    ticket = Ticket.objects.get()
    assert (ticket.department, ticket.rows, ticket.open_rows, ticket.state) == ("market-supervision", 4, 4, "open")
    batch = Batch.objects.get()
    assert (batch.batch_id, batch.accepted, batch.rejected, batch.seq) == (receipt.batch, 1, 4, 1)

    rejects = rejects_of_batch(town.home, town.engine, batch, acting=steward)
    book = rejects_workbook(rejects)
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    assert sheet is not None
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[1] == ["回执行号", "退回原因", *HEADER.strip().split(",")]
    assert rows[2][0] == f"{receipt.batch[:13]}-2" and "必填" in str(rows[2][1])
    assert rows[5][2] == "=1+1公司" and sheet.cell(6, 3).data_type == "s"

    # two rows are corrected, one is still wrong, one is left out
    sent = corrected(book, {3: {3: "云帆餐饮店"}, 4: {5: "0.5"}, 5: {4: "四号"}}, drop=(5,))
    second = take(town, sent, steward, "corrected.xlsx", receipt.batch)
    assert (second.received, second.accepted, second.rejected) == (3, 2, 1)
    assert sorted(second.corrected) == [f"{receipt.batch[:13]}-2", f"{receipt.batch[:13]}-3"]
    ticket.refresh_from_db()
    assert (ticket.open_rows, ticket.state) == (2, "open")
    assert Ticket.objects.count() == 1

    left = rejects_of_batch(town.home, town.engine, batch, acting=steward)
    assert [row for row, _, _ in left.rows] == [f"{receipt.batch[:13]}-4", f"{receipt.batch[:13]}-5"]
    text = rejects_csv(left).decode("utf-8-sig").replace("一号,3", "六号,3").replace("'-x", "8")
    assert "'=1+1公司" in text
    third = take(town, text, steward, "corrected.csv", receipt.batch)
    assert third.rejected == 0
    ticket.refresh_from_db()
    assert (ticket.open_rows, ticket.state, ticket.closed_on) == (0, "closed", DAY)
    assert rejects_of_batch(town.home, town.engine, batch, acting=steward).rows == ()
    assert {row["party_name"] for row in town.accepted} >= {"云帆餐饮店", "=1+1公司"}
    assert {line.settled_by for line in ticket.lines.all()} == {second.batch, third.batch}


def test_rows_given_up_close_a_ticket_with_a_reason(town: Town, steward: Actor) -> None:
    receipt = take(town, MIXED, steward)
    ticket = Ticket.objects.get()
    rows = list(ticket.lines.values_list("row_id", flat=True))
    with pytest.raises(TicketError, match="原因"):
        give_up_rows(ticket, rows, " ", DAY, acting=steward)
    with pytest.raises(TicketError, match="没有待处理的行"):
        give_up_rows(ticket, ["no-such-row"], "重复报送", DAY, acting=steward)
    give_up_rows(ticket, rows[:1], "原件遗失", DAY, acting=steward)
    left = rejects_of_batch(town.home, town.engine, Batch.objects.get(), acting=steward)
    assert len(left.rows) == 3
    assert give_up_rows(ticket, None, "重复报送", DAY, acting=steward).state == "closed"
    with pytest.raises(TicketError, match="已办结"):
        give_up_rows(ticket, None, "重复报送", DAY, acting=steward)
    assert receipt.batch == ticket.subject


def test_another_department_may_neither_deliver_nor_see(town: Town, steward: Actor) -> None:
    stranger = Actor(id="u-2", name="外人", department="taxation", roles=frozenset({"steward"}))
    with pytest.raises(NotAllowedError):
        take(town, MIXED, stranger)
    assert town.batches == [] and Batch.objects.count() == 0
    take(town, MIXED, steward)
    with pytest.raises(NotAllowedError):
        rejects_of_batch(town.home, town.engine, Batch.objects.get(), acting=stranger)
    with pytest.raises(NotAllowedError):
        give_up_rows(Ticket.objects.get(), None, "x", DAY, acting=stranger)


def test_reconcile_makes_good_what_a_kill_left(town: Town, steward: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = town.deliver(MIXED)
    fixed = HEADER.replace("行政", "回执行号,行政", 1) + f"{receipt.batch[:13]}-2,云帆餐饮店,二号,1\n"
    town.deliver(fixed, "fixed.csv", corrects=receipt.batch)
    assert Batch.objects.count() == 0
    with monkeypatch.context() as patched:
        # The mirror is written with the tickets or not at all, so that nothing later takes it for complete.
        patched.setattr("shutong.quality.counter.note_correction", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reconcile(town.engine, town.catalog)
    assert (Batch.objects.count(), Ticket.objects.count(), Entry.objects.count()) == (0, 0, 0)
    assert len(reconcile(town.engine, town.catalog)) == 2
    assert reconcile(town.engine, town.catalog) == []
    ticket = Ticket.objects.get()
    assert (ticket.rows, ticket.open_rows) == (4, 3)


def test_a_batch_with_too_many_rejects_is_settled_as_a_whole(
    town: Town, steward: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (actions, "shutong.quality.counter"):
        monkeypatch.setattr(*((module, "MOST_ROWS", 2) if module is actions else (f"{module}.MOST_ROWS", 2)))
    receipt = take(town, MIXED, steward)
    ticket = Ticket.objects.get()
    assert ticket.whole and ticket.lines.count() == 0 and ticket.open_rows == 4
    take(town, HEADER + "云帆餐饮店,二号,1\n", steward, "whole.csv", receipt.batch)
    ticket.refresh_from_db()
    assert ticket.state == "closed"


def test_a_correction_of_an_unknown_batch_is_refused(town: Town, steward: Actor) -> None:
    receipt = take(town, MIXED, steward, corrects="b" + "0" * 24)
    assert receipt.refusal is not None and receipt.refusal["code"] == "corrects.unknown"
    assert town.accepted == []


def disagreement(key: str, left: str | None, right: str, *departments: str) -> dict[str, Any]:
    return {
        "key": key, "item": "confirmed", "left_value": left, "right_value": right, "subject_id": None,
        "record_ids": [f"r-{key}"], "departments": list(departments),
    }  # fmt: skip


def test_disagreements_open_resolve_and_reopen(operator: Actor) -> None:
    rows = [
        disagreement("420000|2020-02-01", "10", "12", "health", "cdc"),
        disagreement("420000|2020-02-02", None, "3", "health", "cdc"),
    ]

    def tickets_on(day: int, found: list[dict[str, Any]]) -> list[Ticket]:
        day_of_run = DAY + dt.timedelta(day)
        return open_disagreement_ticket("cases", "病例数一致性", found, day_of_run, acting=operator)

    tickets = tickets_on(0, rows)
    assert [(ticket.department, ticket.open_rows) for ticket in tickets] == [("health", 2), ("cdc", 2)]
    assert [ticket.pk for ticket in tickets_on(0, rows)] == [ticket.pk for ticket in tickets]
    assert [ticket.open_rows for ticket in tickets_on(1, rows[:1])] == [1, 1]
    assert TicketRow.objects.filter(state="resolved").count() == 2
    assert [ticket.state for ticket in tickets_on(2, [])] == ["closed", "closed"]
    assert [(ticket.state, ticket.open_rows) for ticket in tickets_on(3, rows[1:])] == [("open", 1), ("open", 1)]
    assert TicketRow.objects.filter(row_id__startswith="420000|2020-02-02").first().records == ["r-420000|2020-02-02"]


def test_each_department_gets_the_disagreements_that_it_is_a_side_of(operator: Actor) -> None:
    rows = [disagreement("a", "1", "2", "health", "cdc"), disagreement("b", "1", "3", "health", "taxation")]
    opened = open_disagreement_ticket("cases", "病例数一致性", rows, DAY, acting=operator)
    assert {ticket.department: ticket.open_rows for ticket in opened} == {"health": 2, "cdc": 1, "taxation": 1}
    later = open_disagreement_ticket("cases", "病例数一致性", rows[1:], DAY + dt.timedelta(1), acting=operator)
    assert {ticket.department: ticket.state for ticket in later} == {
        "health": "open", "cdc": "closed", "taxation": "open",
    }  # fmt: skip
    assert Ticket.objects.count() == 3


def test_the_log_holds_ids_and_no_values(town: Town, steward: Actor) -> None:
    take(town, MIXED, steward)
    entries = " ".join(json.dumps(row, default=str) for row in Entry.objects.values())
    assert "collect.mirror_batches" in entries and "quality.open_reject_ticket" in entries
    assert "云帆" not in entries and "海纳" not in entries
    assert connection.vendor in {"sqlite", "postgresql"}


def test_formulas_are_escaped_in_csv_only() -> None:
    assert [escape_formula(text) for text in ("=1", "+1", "-1", "@x", "\tx", "1-1")] == [
        "'=1",
        "'+1",
        "'-1",
        "'@x",
        "'\tx",
        "1-1",
    ]
    assert SYSTEM.may("collect.deliver", "x")
