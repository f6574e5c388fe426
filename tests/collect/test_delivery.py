"""From a file to a batch with a receipt: what is in, what is not, and that nothing is ever half in."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shutong.collect.delivery import sealed_file
from shutong.collect.ids import batch_id, key_id, record_id
from shutong.collect.intake import SEALED_ROW, seal_context
from shutong.collect.receipt import Receipt
from shutong.collect.sealed_copy import CONTEXT
from shutong.engine.home import Home
from shutong.quality.delivery import Delivery, deliver
from shutong.spec.models import Resource
from tests.collect.home import DAY, Town
from tests.collect.samples import HEADER, PENALTY, workbook

GOOD = HEADER + "澜川市云帆商贸有限公司,一号,1\n澜川市海纳餐饮店,二号,2.5万元\n"
MIXED = HEADER + "澜川市云帆商贸有限公司,一号,1\n,二号,2\n澜川市海纳餐饮店,三号,abc\n澜川市海纳餐饮店,一号,3\n"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_a_delivery_becomes_a_batch_with_a_signed_receipt(town: Town) -> None:
    receipt = town.deliver(GOOD.encode("gb18030"))
    assert (receipt.state, receipt.received, receipt.accepted, receipt.rejected) == ("in", 2, 2, 0)
    said = town.home.keys.verify(receipt.text)
    assert said["batch"] == receipt.batch == batch_id("penalty", receipt.sha256)
    assert said["encoding"] == "gb18030"
    first, second = town.accepted
    assert first["record_id"] == record_id(receipt.batch, 1)
    assert first["key_id"] == key_id("penalty", ["一号"])
    assert (first["fine"], second["fine"]) == (Decimal("10000.00"), Decimal("25000.00"))
    assert first["operation"] == "upsert" and first["received_on"] == DAY and first["flags"] == []
    assert [batch["seq"] for batch in town.batches] == [1]


def test_the_delivered_file_is_kept_sealed(town: Town) -> None:
    receipt = town.deliver(GOOD)
    path = sealed_file(town.home, receipt.batch)
    assert "云帆".encode() not in path.read_bytes()
    plain = io.BytesIO()
    with path.open("rb") as sealed:
        town.home.keys.unseal_stream(sealed, plain, CONTEXT)
    assert plain.getvalue() == GOOD.encode()
    assert not list(town.home.files.glob("incoming-*"))


def test_rejected_rows_keep_every_reason_and_their_cells_sealed(town: Town) -> None:
    receipt = town.deliver(MIXED)
    assert (receipt.received, receipt.accepted, receipt.rejected) == (4, 1, 3)
    reasons = {(reason["code"], reason["item"]): reason["rows"] for reason in receipt.reasons}
    assert reasons == {
        ("item.required", "party_name"): [2],
        ("money.format", "fine"): [3],
        ("key.duplicate", "doc_no"): [4],
    }
    row = town.rejected[1]
    assert row["row_id"] == f"{receipt.batch[:13]}-3"
    assert row["reasons"][0]["zh"].startswith("“罚款金额（万元）”")
    cells = town.home.keys.unseal(SEALED_ROW, pa.array([row["sealed_row"]]))[0].as_py()
    assert json.loads(cells) == {"行政相对人名称": "澜川市海纳餐饮店", "决定书文号": "三号", "罚款金额（万元）": "abc"}


def test_the_same_file_twice_is_recognised(town: Town) -> None:
    first = town.deliver(GOOD)
    again = town.deliver(GOOD, "copy.csv")
    assert again.repeated and again.batch == first.batch and again.text == first.text
    assert len(town.accepted) == 2 and len(town.batches) == 1
    twice = town.deliver_many([town.file(GOOD, "a.csv"), town.file(MIXED, "b.csv"), town.file(MIXED, "c.csv")])
    assert [receipt.repeated for receipt in twice] == [True, False, True]
    assert len(town.batches) == 2


def test_a_snapshot_that_comes_again_after_another_is_a_new_delivery(tmp_path: Path) -> None:
    """Law 6: each snapshot is the whole, so the same file says something new once another whole stood in between."""
    whole = PENALTY.model_copy(update={"delivery": "snapshot"})
    town = Town(tmp_path, whole)
    one, two = HEADER + "甲公司,1,1\n", HEADER + "甲公司,1,1\n乙公司,2,1\n"

    def take(text: str, day: int) -> Receipt:
        path = town.file(text, f"{day}.csv")
        return deliver(town.home, town.engine, town.catalog, Delivery("penalty", path, dt.date(2026, 7, day)))

    first, second, third = take(one, 1), take(two, 2), take(one, 3)
    assert [receipt.repeated for receipt in (first, second, third)] == [False] * 3
    assert len({first.batch, second.batch, third.batch}) == 3
    assert [row["batch_id"] for row in town.batches] == [first.batch, second.batch, third.batch]
    ids = [row["record_id"] for row in town.accepted]
    assert len(ids) == len(set(ids)) == 4
    # The same days again, as a rerun delivers them, change nothing.
    again = [take(one, 1), take(two, 2), take(one, 3)]
    assert all(receipt.repeated for receipt in again)
    assert again[2].batch == third.batch
    assert len(town.batches) == 3


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file.empty"),
        (b"%PDF-1.4", "file.kind"),
        (b"a,b\n1,2\n", "header.unknown"),
        ("决定书文号,罚款\n1,2\n".encode(), "header.missing"),
        (HEADER.encode() + b'a,"b,1\n' + b"c,d,2\n" * 1_500_000, "file.quotes"),
    ],
)
def test_a_refused_file_leaves_what_is_in_untouched(town: Town, data: bytes, code: str) -> None:
    town.deliver(GOOD)
    before = town.accepted
    receipt = town.deliver(data, "bad.csv")
    assert receipt.state == "refused" and receipt.refusal is not None and receipt.refusal["code"] == code
    assert (receipt.received, receipt.accepted, receipt.rejected) == (0, 0, 0)
    assert town.accepted == before and town.rejected == []
    assert [batch["state"] for batch in town.batches] == ["in", "refused"]
    assert town.deliver(data, "bad.csv").repeated
    assert len(town.batches) == 2
    assert town.deliver(GOOD.replace("一号", "九号")).state == "in"


def test_more_rows_than_the_setting_allows_are_refused(tmp_path: Path) -> None:
    Town(tmp_path)
    (tmp_path / "home" / "home.toml").write_text("[limits]\nmax_rows = 3\n")
    town = Town(tmp_path)
    most = HEADER + "".join(f"甲公司,{n},1\n" for n in range(3))
    assert town.deliver(most).accepted == 3
    receipt = town.deliver(most + "甲公司,9,1\n")
    assert receipt.refusal is not None and receipt.refusal["code"] == "file.too-many-rows"
    assert "3" in receipt.refusal["zh"] and len(town.accepted) == 3


def test_a_missing_file_is_refused_without_a_batch(town: Town) -> None:
    receipt = town.deliver_many([town.root / "nowhere.csv"])[0]
    assert receipt.refusal is not None and receipt.refusal["code"] == "file.missing"
    assert town.batches == []


def test_a_file_that_was_refused_may_come_in_later(town: Town) -> None:
    first = town.deliver(GOOD, corrects="b000")
    assert first.refusal is not None and first.refusal["code"] == "corrects.unknown"
    assert town.deliver(GOOD, corrects="b001").repeated
    assert town.deliver(GOOD).state == "in"
    assert town.deliver(GOOD, corrects="b002").repeated
    assert [(batch["batch_id"], batch["state"]) for batch in town.batches] == [
        (first.batch, "refused"),
        (first.batch, "in"),
    ]


def test_too_few_rows_refuse_the_batch_and_low_fill_warns(tmp_path: Path) -> None:
    declared = Town(tmp_path).catalog.resources["penalty"].model_dump(by_alias=True)
    declared["expects"] = {"rows": {"min": 2, "max": 3}, "fill": {"fine": 0.9}}
    town = Town(tmp_path, Resource.model_validate(declared))
    few = town.deliver(HEADER + "甲公司,1,1\n")
    assert few.refusal is not None and few.refusal["code"] == "rows.too-few"
    assert town.accepted == []
    many = town.deliver(HEADER + "".join(f"甲公司,{n},\n" for n in range(4)))
    assert {warning["code"] for warning in many.warnings} == {"rows.too-many", "item.fill"}
    assert many.accepted == 4


def test_an_empty_table_is_in_with_a_warning(town: Town) -> None:
    for data, name in (
        (HEADER.encode(), "a.csv"),
        (b"[]", "a.json"),
        (workbook([HEADER.strip().split(",")]), "a.xlsx"),
    ):
        receipt = town.deliver(data, name)
        assert (receipt.state, receipt.received) == ("in", 0)
        assert [warning["code"] for warning in receipt.warnings] == ["rows.none"]


PERSON = Resource.model_validate(
    {
        "resource": "resident",
        "title": "常住人口",
        "department": "public-security",
        "basis": "户口登记条例",
        "key": ["citizen_id"],
        "items": {
            "citizen_id": {"element": "citizen-id", "title": "公民身份号码", "required": True},
            "name": {"element": "person-name", "title": "姓名"},
            "mobile": {"element": "mobile", "title": "手机号"},
        },
    }
)


def test_personal_items_reach_the_lake_sealed_only(tmp_path: Path) -> None:
    town = Town(tmp_path, PERSON)
    text = "公民身份号码,姓名,手机号\n11010519491231002X,张三,13800138000\n11010519491231002x,李四,13800138001\n"
    receipt = town.deliver(text)
    assert (receipt.accepted, receipt.rejected) == (1, 1)
    row = town.rows("accepted/resident")[0]
    keys = town.home.keys
    assert row["citizen_id__key"] == keys.match_one("11010519491231002X")
    assert "citizen_id" not in row and "mobile" not in row
    assert row["key_id"] == key_id("resident", [keys.match_one("11010519491231002X")])
    opened = keys.unseal(seal_context("resident", "mobile"), pa.array([row["mobile__sealed"]]))
    assert opened[0].as_py() == b"13800138000"
    for path in town.home.lake.rglob("*"):
        if path.is_file():
            assert b"13800138000" not in path.read_bytes() and b"11010519491231002X" not in path.read_bytes()


# --- two at once, kills, a full disk ------------------------------------------------------------------------------


def test_two_deliveries_at_once_do_not_mix(town: Town) -> None:
    texts = [HEADER + "".join(f"公司{k}店,{k}-{n},1\n" for n in range(1_000)) for k in range(4)]
    files = [town.file(text, f"{k}.csv") for k, text in enumerate(texts)]
    failures: list[BaseException] = []

    def deliver(path: Path) -> None:
        try:
            Town(town.root).deliver_many([path])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=deliver, args=[path]) for path in [*files, files[0]]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(batch["seq"] for batch in town.batches) == [1, 2, 3, 4]
    by_batch: dict[str, set[str]] = {}
    for row in town.accepted:
        by_batch.setdefault(row["batch_id"], set()).add(row["party_name"])
    assert len(town.accepted) == 4_000 and all(len(names) == 1 for names in by_batch.values())


CHILD = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {repo!r})
from tests.collect.home import Town
limit = {limit}
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
town = Town(Path({root!r}))
print("ready", flush=True)
town.deliver_many([Path(name) for name in {files!r}])
print("done", flush=True)
"""


def child(town: Town, files: list[Path], limit: int = 0) -> subprocess.Popen[str]:
    repo = str(Path(__file__).parents[2])
    code = CHILD.format(repo=repo, root=str(town.root), files=[str(path) for path in files], limit=limit)
    environment = {**os.environ, "PYTHONPATH": repo}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def many_rows(name: str, rows: int) -> str:
    return HEADER + "".join(f"{name}商贸有限公司,{name}-{n},{n % 7}\n" if n % 50 else f",{n},x\n" for n in range(rows))


def state(town: Town) -> tuple[list[Any], list[Any], list[Any]]:
    return (
        [{**row, "receipt": None, "received_at": None} for row in town.batches],
        town.accepted,
        [row | {"sealed_row": None} for row in town.rejected],
    )


def test_a_kill_at_any_moment_leaves_all_or_nothing(tmp_path: Path) -> None:
    tries = 6 if os.environ.get("SHUTONG_TEST_DEPTH") == "deep" else 3
    (tmp_path / "whole").mkdir()
    undisturbed = Town(tmp_path / "whole")
    texts = [many_rows("云帆", 5_000), many_rows("海纳", 4_000)]
    undisturbed.deliver_many([undisturbed.file(text, f"{k}.csv") for k, text in enumerate(texts)])
    expected = state(undisturbed)
    for number in range(tries):
        root = tmp_path / str(number)
        root.mkdir()
        town = Town(root)
        files = [town.file(text, f"{k}.csv") for k, text in enumerate(texts)]
        process = child(town, files)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(0.02 + 0.12 * number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = state(Town(root))
        assert found in (([], [], []), expected)
        Town(root).deliver_many(files)
        assert state(Town(root)) == expected
        assert not list(Home.open(root / "home").files.glob("incoming-*"))


def test_a_full_disk_leaves_nothing_half_visible(town: Town) -> None:
    town.deliver(GOOD)
    before = state(town)
    rows = "".join(f"{os.urandom(12).hex()}商贸有限公司,{os.urandom(20).hex()},1\n" for _ in range(12_000))
    path = town.file(HEADER + rows, "large.csv")
    process = child(town, [path], limit=300_000)
    out, error = process.communicate(timeout=60)
    assert "done" not in out and process.returncode != 0, error
    assert state(Town(town.root)) == before
    assert Town(town.root).deliver_many([path])[0].accepted == 12_000


def test_the_day_of_receipt_is_an_input(town: Town) -> None:
    moment = dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC)
    path = town.file(GOOD)
    receipt = deliver(town.home, town.engine, town.catalog, Delivery("penalty", path, DAY), moment)
    assert receipt.as_dict()["received_at"] == "2026-07-01T09:00:00+00:00"
    assert town.batches[0]["received_at"] == moment
