"""Wrong use, help, standard streams and Ctrl-C: exit codes, a sentence in both languages, never a traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from shutong.cli.main import app
from shutong.cli.usage import is_usage_error, usage_text
from tests.cli.shell import Shell

ENTRY = [sys.executable, "-c", "from shutong.cli.entry import main; main()"]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], []),
        (["nonsense"], ["没有这个命令：nonsense", "No such command", "shutong --help"]),
        (["--nonsense"], ["没有这个选项：--nonsense"]),
        (["pack"], []),
        (["collect"], ["缺少参数 RESOURCE", "Missing argument", "shutong collect --help"]),
        (["collect", "penalty"], ["缺少参数 FILE"]),
        (["run", "--home"], ["选项 --home 后面缺少值"]),
        (["run"], ["--home", "SHUTONG_HOME"]),
        (["query", "甲", "乙", "丙"], ["多余的参数", "乙"]),
        (["run", "--home", "x", "--day", "2026-02-30"], ["不是日期：2026-02-30", "not a date"]),
        (["run", "--home", "x", "--day", "2026-W01-1"], ["不是日期"]),
        (["run", "--home", "x", "--day", "1999-12-31"], ["超出范围", "out of range"]),
        (["run", "--home", "x", "--day", "9999-12-31"], ["超出范围"]),
        (["collect", "a", "b", "--home", "x", "--received-on", "0001-01-01"], ["超出范围"]),
        (["query", "甲乙", "--home", "x", "--as-of", "yesterday"], ["不是日期：yesterday"]),
        (["query", "甲乙", "--home", "x", "--valid-on", ""], ["不是日期"]),
        (["demo", "--subjects", "10", "--home", "x"], ["--subjects 的值不对", "50"]),
        (["demo", "--subjects", "many", "--home", "x"], ["--subjects 的值不对"]),
        (["demo", "--seed", "-1", "--home", "x"], ["--seed 的值不对"]),
        (["demo", "--days", "0", "--home", "x"], ["--days 的值不对"]),
        (["serve", "--home", "x", "--port", "70000"], ["--port 的值不对"]),
        (["bench", "nonsense"], ["没有这个基准：nonsense", "codes"]),
        (["standards"], []),
        (["standards", "check", "nonsense"], ["没有这个种类：nonsense", "uscc"]),
        (["standards", "workday", "add", "2026-09-30", "x"], ["N 的值不对"]),
        (["standards", "workday", "add", "2026-09-30", "1000000"], ["超出日历", "2199-12-31"]),
        (["standards", "workday", "add", "2026-02-30", "1"], ["不存在的日期"]),
        (["standards", "workday", "is", "1800-01-01"], ["超出日历"]),
        (["account", "add", "li", "--home", "x"], ["缺少选项 --role"]),
    ],
)
def test_wrong_use_is_code_2_and_says_what_is_wrong(shutong: Shell, words: list[str], said: list[str]) -> None:
    done = shutong(*words, code=2)
    assert all(text in done.err for text in said), done.err
    if said:
        assert done.out == ""
        assert "--help" in done.err
    else:
        assert "Usage: shutong" in done.out


def test_a_sentence_of_the_parser_that_is_not_known_is_still_told() -> None:
    error = typer.BadParameter("something new")
    assert is_usage_error(error)
    assert usage_text(error) == "用法不对 / wrong usage: Invalid value: something new\n用法见 / see: shutong --help"
    assert not is_usage_error(ValueError("something else"))


def commands(command: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """Every command of the program, as its words."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield names
        return
    for name, one in inner.items():
        yield from commands(one, *names, name)


def test_every_command_has_a_help_that_is_worth_reading(shutong: Shell) -> None:
    found = list(commands(typer.main.get_command(app)))
    assert {names[0] for names in found} >= {
        "init", "collect", "run", "serve", "demo", "pack", "query", "doctor", "bench", "standards", "account", "backup",
        "restore", "upgrade", "audit",
    }  # fmt: skip
    for names in found:
        text = shutong(*names, "--help").out
        assert re.search(r"Examples?: .*shutong " + " ".join(names), " ".join(text.split())), names
        assert CHINESE.search(text) and len(text.split()) > 25, names
    whole = shutong("--help").out
    assert all(str(code) in whole for code in (0, 1, 2, 3, 130))
    assert re.fullmatch(r"shutong \d+\.\d+\.\d+\n", shutong("--version").out)


# --- standard streams ---------------------------------------------------------------------------------------------


def typed(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``line`` in sh, where ``$S`` is the command."""
    command = f"{sys.executable} -c 'from shutong.cli.entry import main; main()'"
    whole = {**os.environ, **environment}
    return subprocess.run(["sh", "-c", line.replace("$S", command)], capture_output=True, env=whole, timeout=60)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$S standards workday is 2026-10-01 >&-", 0),
        ("$S standards check uscc <&- >&-", 0),
        ("$S nonsense >&- 2>&-", 2),
        ("$S standards workday is 2026-10-01 >/dev/full", 1),
    ],
)
def test_closed_and_full_streams_end_quietly(line: str, code: int) -> None:
    done = typed(line)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr
    assert done.stderr == b"" or "磁盘已满".encode() in done.stderr


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    done = typed("yes 1 | $S standards check uscc | head -1; true")
    assert done.stdout.count(b"\n") == 1 and done.stderr == b""


def test_json_is_utf8_whatever_the_terminal_speaks() -> None:
    for encoding in ("gbk", "ascii"):
        done = typed("$S standards workday is 2026-10-01", PYTHONIOENCODING=encoding)
        assert "国庆节" in done.stdout.decode("utf-8"), encoding


# --- Ctrl-C -------------------------------------------------------------------------------------------------------


def interrupted(words: list[str], seconds: float) -> tuple[int, str]:
    # Where the tests run in the background Ctrl-C is ignored, and a process inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen([*ENTRY, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.stderr
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    text = process.stderr.read().decode()
    process.stderr.close()
    return process.wait(timeout=60), text


def test_ctrl_c_is_code_130_from_the_first_import_on(tmp_path: Path) -> None:
    for number, seconds in enumerate((0.25, 0.8, 2.5)):
        home = tmp_path / f"home-{number}"
        code, text = interrupted(["demo", "--home", str(home), "--subjects", "4000", "--no-serve"], seconds)
        assert code == 130, text
        assert "Traceback" not in text and "Exception ignored" not in text
    # What was begun is known as an unfinished demo home, and is never in the way.
    assert not (home / "demo.json").exists()
