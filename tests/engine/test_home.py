"""A home is made, opened, refused when it is none, and held by one run."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from shutong.engine.engine import engine_of
from shutong.engine.errors import HomeError, KeysError, LeaseError
from shutong.engine.home import Home, lease, lease_holder


def test_a_home_is_made_and_opened(tmp_path: Path) -> None:
    made = Home.create(tmp_path / "家" / "home", demo=True)
    home = Home.open(made.path)
    assert home.settings.demo
    assert home.keys.key_id == made.keys.key_id
    assert home.database_url == f"sqlite:///{home.path}/state.sqlite3"
    assert home.tmp == home.path / "tmp"
    for path in (home.path, home.keys_folder, *home.keys_folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    home.change_setting("business_day", dt.date(2026, 2, 3))
    assert home.today() == dt.date(2026, 2, 3)
    assert Home.open(home.path).today() == dt.date(2026, 2, 3)


def test_what_is_no_home_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="shutong init"):
        Home.open(tmp_path / "nowhere")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("x")
    with pytest.raises(HomeError, match="not an empty folder"):
        Home.create(tmp_path / "used")
    home = Home.create(tmp_path / "home")
    with pytest.raises(HomeError, match="already"):
        Home.create(home.path)
    mark = home.path / "home.json"
    for text, words in (
        ('{"format": 99}', "install a newer version"),
        ('{"format": 0}', "shutong upgrade"),
        ("{", "damaged"),
        ("[]", "damaged"),
    ):
        mark.write_text(text)
        with pytest.raises(HomeError, match=words):
            Home.open(home.path)


@pytest.mark.parametrize("name", ["数据 之家", "a#b?c", 'it\'s; a "home"'])
def test_a_home_may_lie_under_any_name(tmp_path: Path, name: str) -> None:
    home = Home.create(tmp_path / name)
    engine = engine_of(home)
    with engine.run("r-1") as run:
        run.stage_table("penalty", pa.table({"record_id": ["r1"]}))
        run.commit()
    engine.close()
    moved = home.path.rename(tmp_path / f"{name} 2")
    again = engine_of(Home.open(moved))
    assert again.query("SELECT * FROM p", {"p": "penalty"}).to_pylist() == [{"record_id": "r1"}]
    again.close()


@pytest.mark.parametrize("name", ["a%20b", "a\nb", "\udcff"])
def test_a_path_that_tables_cannot_bear_is_refused(tmp_path: Path, name: str) -> None:
    for make in (Home.create, Home.open):
        with pytest.raises(HomeError, match="Choose another place") as caught:
            make(tmp_path / name)
        assert str(caught.value).encode()


def test_a_creation_that_was_cut_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutong.engine.home.Keys.create", fail)
    with pytest.raises(OSError, match="No space"):
        Home.create(tmp_path / "home")
    with pytest.raises(HomeError):
        Home.open(tmp_path / "home")


def test_keys_that_others_can_read_are_refused(home: Home) -> None:
    (home.keys_folder / "keyring.json").chmod(0o644)
    with pytest.raises(KeysError, match="chmod 600"):
        _ = Home.open(home.path).keys


def test_one_run_holds_the_home(home: Home) -> None:
    assert lease_holder(home) is None
    with lease(home, purpose="daily"):
        holder = lease_holder(home)
        assert holder is not None
        assert (holder.pid, holder.purpose) == (os.getpid(), "daily")
        with pytest.raises(LeaseError, match=f"process {os.getpid()} \\(daily") as caught, lease(home):
            pass
        assert caught.value.transient
        assert caught.value.values["pid"] == os.getpid()
        with pytest.raises(LeaseError), lease(home, wait=0.1):
            pass
    assert lease_holder(home) is None
    with lease(home):
        pass


_HOLD = """
import sys, time
from shutong.engine.home import Home, lease
with lease(Home.open(sys.argv[1]), purpose="held"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_holder_frees_the_home(home: Home) -> None:
    child = subprocess.Popen([sys.executable, "-c", _HOLD, str(home.path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(LeaseError, match=str(child.pid)), lease(home):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with lease(home, wait=2):
        assert json.loads(home.lease_file.read_text())["pid"] == os.getpid()
