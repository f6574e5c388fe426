"""Many files are read by several processes: what comes of them is what one process makes of them."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from shutong.engine.errors import StageError
from shutong.quality import elsewhere
from tests.collect.home import Town
from tests.collect.samples import HEADER

FILES = 7


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "WORTH_FILES", 2)


def files(town: Town) -> list[Path]:
    """Good rows, rejected rows, a file that is no table, one that is missing, and one that is there twice."""
    texts = [
        HEADER
        + "".join(f"澜川市{n}号商店,文{n}-{row},{row}\n" for row in range(200))
        + f",无名-{n},1\n澜川市{n}号商店,文{n}-0,2\n"
        for n in range(FILES)
    ]
    paths = [town.file(text, f"f{n}.csv") for n, text in enumerate(texts)]
    return [
        *paths,
        town.file(b"\x00\x01\x02" * 500, "binary.csv"),
        town.root / "missing.csv",
        town.file(texts[0], "again.csv"),
    ]


def seen(town: Town, folder: Path) -> dict[str, Any]:
    receipts = town.deliver_many(files(town))
    moment = re.compile(r'"(received_at|signature|key_id|file_name)": ?"[^"]*"')
    sealed = ("sealed_row", "receipt", "received_at")
    return {
        "receipts": [
            (r.state, r.received, r.rejected, r.sha256, r.repeated, r.reasons, moment.sub("", str(r.refusal)))
            for r in receipts
        ],
        "accepted": town.accepted,
        "rejected": [{k: v for k, v in row.items() if k not in sealed} for row in town.rejected],
        "batches": [{k: v for k, v in row.items() if k not in sealed} for row in town.batches],
        "left": list(folder.glob("incoming-*")),
    }


def test_several_processes_make_of_files_what_one_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    here = Town(tmp_path / "one")
    alone = seen(here, here.home.files)
    monkeypatch.setattr(elsewhere, "WORTH_FILES", 2)
    started: list[int] = []
    begin = elsewhere.read_elsewhere
    monkeypatch.setattr("shutong.quality.delivery.read_elsewhere", lambda *given: (started.append(1), begin(*given))[1])
    there = Town(tmp_path / "many")
    together = seen(there, there.home.files)
    assert started, "the files were read here"
    assert len(alone["accepted"]) == FILES * 200 and len(alone["rejected"]) == FILES * 2
    assert [one[0] for one in alone["receipts"]] == ["in"] * FILES + ["refused", "refused", "in"]
    assert together == alone


def test_a_reading_process_that_is_killed_leaves_nothing_behind(tmp_path: Path, many: None) -> None:
    town = Town(tmp_path)
    paths = [
        town.file(HEADER + "".join(f"澜川市{n}号商店,文{n}-{r},{r}\n" for r in range(40_000)), f"f{n}.csv")
        for n in range(6)
    ]
    me = os.getpid()

    def kill_a_child() -> None:
        for _ in range(600):
            for status in Path("/proc").glob("[0-9]*/stat"):
                try:
                    parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
                    words = (status.parent / "cmdline").read_bytes()
                except (OSError, IndexError):
                    continue
                if parent == me and b"spawn_main" in words and any(town.home.files.glob("incoming-*/*")):
                    os.kill(int(status.parent.name), signal.SIGKILL)
                    return
            time.sleep(0.02)

    killer = threading.Thread(target=kill_a_child)
    killer.start()
    with pytest.raises(StageError, match="process that reads files"):
        town.deliver_many(paths)
    killer.join()
    assert town.accepted == [] and town.batches == [] and not list(town.home.files.glob("incoming-*"))
    receipts = town.deliver_many(paths)
    assert [one.accepted for one in receipts] == [40_000] * 6
