"""A home as it is served: pages that read the lake are answered by processes that gunicorn forked."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shutong.cli.work.ports import free_port

SETTINGS = "demo = true\nbusiness_day = 2026-07-14\n"
ROW = "91350100M000100Y43,青禾食品有限公司"
PACK = {
    "pack.yml": "pack: tiny\ntitle: 小城\nversion: 1.0.0\ndepartments:\n  market: {title: {zh: 市场监管局, en: Market bureau}}\n",
    "resources/register.yml": """resource: register
title: {zh: 登记, en: Register}
department: market
basis: 登记条例
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: 名称, required: true}
about: {kind: organisation, registry: true, uscc: uscc, name: name}
""",
}


def shutong(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "shutong.cli.main", *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of a demo home with one batch that has a rejected row, and the file with what it printed."""
    folder = tmp_path_factory.mktemp("served")
    home, pack, said = folder / "home", folder / "tiny", folder / "said"
    for name, text in PACK.items():
        (pack / name).parent.mkdir(parents=True, exist_ok=True)
        (pack / name).write_text(text, encoding="utf-8")
    shutong("init", "--home", str(home), "--pack", str(pack))
    (home / "home.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "register.csv").write_text(f"代码,名称\n{ROW}\n,无代码\n", encoding="utf-8")
    shutong("collect", "--home", str(home), "register", str(folder / "register.csv"))
    shutong("run", "--home", str(home))
    port = free_port("127.0.0.1", 8839)
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "shutong.cli.main", "serve", "--home", str(home), "--port", str(port)],
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}/readyz", process)
            yield f"http://127.0.0.1:{port}", said
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait(address: str, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, "the site ended"
        try:
            urllib.request.urlopen(address, timeout=5)  # noqa: S310
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
        else:
            return
    raise AssertionError("the site did not become ready")


def test_a_printed_sign_in_opens_a_batch_read_from_the_lake(served: tuple[str, Path]) -> None:
    address, said = served
    found = re.search(r"│\s*(steward-\S+)\s*│\s*(\S+)\s*│", said.read_text())
    assert found, said.read_text()
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    browser.open(f"{address}/sign-in", timeout=30)
    token = next(one.value for one in cookies if one.name == "csrftoken")
    form = {"username": found[1], "password": found[2], "csrfmiddlewaretoken": token}
    own = browser.open(f"{address}/sign-in", urllib.parse.urlencode(form).encode(), timeout=30)
    batch = re.search(r"/batches/\w+", own.read().decode())
    assert batch
    for _time in range(4):
        answer = browser.open(f"{address}{batch[0]}", timeout=30)
        assert "无代码" in answer.read().decode()


def _counted(address: str) -> tuple[float, float]:
    """Requests of one page that the figures tell of: by the counter, and by the histogram."""
    text = urllib.request.urlopen(f"{address}/metrics", timeout=30).read().decode()  # noqa: S310
    counted = re.search(r'^shutong_requests_total\{page="about",status="200"\} (\S+)$', text, re.M)
    timed = re.search(r'^shutong_request_seconds_count\{page="about"\} (\S+)$', text, re.M)
    return float(counted[1]) if counted else 0, float(timed[1]) if timed else 0


def test_whichever_process_is_asked_the_figures_are_those_of_the_site(served: tuple[str, Path]) -> None:
    address, said = served
    folder = said.parent / "home" / "tmp" / "metrics"

    def processes() -> set[str]:
        return {path.stem.split("_")[1] for path in folder.glob("histogram_*.db")} - {"ended"}

    asked = 0
    # Each request is a new connection, which the next free process takes: until both have answered.
    for asked in range(1, 400):
        urllib.request.urlopen(f"{address}/about", timeout=30).read()  # noqa: S310
        if asked >= 10 and len(processes()) > 1:
            break
    assert len(processes()) > 1
    assert [_counted(address) for _time in range(8)] == [(asked, asked)] * 8
    # A process that ends is replaced, and what it counted stays.
    gone = max(processes())
    os.kill(int(gone), signal.SIGTERM)
    deadline = time.monotonic() + 30
    while gone in processes() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert gone not in processes() and (folder / "histogram_ended.db").exists()
    assert [_counted(address) for _time in range(8)] == [(asked, asked)] * 8
