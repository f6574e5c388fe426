"""How a command ends: exit codes, printing for people and for programs, and no traceback."""

from __future__ import annotations

import datetime as dt
import errno
import importlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console

import shutong
from shutong.cli.usage import is_usage_error, usage_text

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
REFUSED: Final = 3
INTERRUPTED: Final = 130

FIRST_RUN_DAY: Final = dt.date(2000, 1, 1)
LAST_RUN_DAY: Final = dt.date(2187, 12, 31)
"""Days that a delivery or a run may bear: a run's working-day calendar begins then and reaches twelve years ahead."""

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", metavar="DIR", help="数据之家的文件夹；缺省取 SHUTONG_HOME / folder of the home", show_default=False
    ),
]
PreferOption = Annotated[
    Literal["file", "here"] | None,
    typer.Option(
        metavar="file|here",
        help="文件与本机都改了同一处时以谁为准 / which counts where the pack's file and this home changed the same key",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="给程序用的 JSON / JSON for programs")]

console = Console(stderr=True, highlight=False)
"""For people: progress and messages go to standard error, results to standard output."""

output = Console(highlight=False)
"""Results for people, on standard output."""


class RefusedError(Exception):
    """What was asked for was refused for a reason that the answer names: exit code 3."""


def say(text: str) -> None:
    """A message for people, on standard error, in lines as they are."""
    console.print(text, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON value on standard output, in UTF-8 whatever the terminal's encoding, dates as ISO text.

    What cannot be said in UTF-8 (a lone surrogate of a file name or an argument) becomes a question mark.
    """
    text = json.dumps(value, ensure_ascii=False, default=str) + "\n"
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None or sys.stdout.encoding.lower() == "utf-8":
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        stream.write(text.encode("utf-8", errors="replace"))


def as_day(text: str | None) -> dt.date | None:
    """The day that an option names, or None where it is not given.

    Raises:
        typer.BadParameter: it is no date written as 2026-07-01.
    """
    if text is None:
        return None
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a legal day has no zone
    except ValueError:
        raise typer.BadParameter(f"不是日期：{text}（写作 2026-07-01）/ not a date: write 2026-07-01") from None


def as_run_day(text: str | None) -> dt.date | None:
    """The day of a delivery or a run that an option names; the working-day calendar must reach it and years beyond.

    Raises:
        typer.BadParameter: it is no date, or out of reach.
    """
    day = as_day(text)
    if day is not None and not FIRST_RUN_DAY <= day <= LAST_RUN_DAY:
        raise typer.BadParameter(
            f"日期超出范围：{text}（{FIRST_RUN_DAY} 至 {LAST_RUN_DAY}）/ out of range: {FIRST_RUN_DAY} to {LAST_RUN_DAY}"
        )
    return day


def home_folder(home: Path | None) -> Path:
    """The home a command works on: the option, or ``SHUTONG_HOME``.

    Raises:
        typer.BadParameter: neither is given.
    """
    found = home or (Path(os.environ["SHUTONG_HOME"]) if os.environ.get("SHUTONG_HOME") else None)
    if found is None:
        raise typer.BadParameter(
            "请用 --home 指明数据之家，或设置 SHUTONG_HOME / name the home by --home or SHUTONG_HOME"
        )
    return found


def shipped_packs() -> Path:
    """The packs that come with the project's source.

    Raises:
        typer.BadParameter: this installation has none.
    """
    folder = Path(shutong.__file__).resolve().parents[2] / "packs"
    if not folder.is_dir():
        raise typer.BadParameter("请指明专题包的文件夹 / name the folder of the packs")
    return folder


def in_home(home: Path | None, verb: str, **arguments: Any) -> Any:
    """Set Django up on a home and call ``module:function`` of ``cli.work`` with the home's folder first.

    The module is imported only now, because models can't be imported before Django knows its settings.
    """
    folder = home_folder(home).expanduser().absolute()
    importlib.import_module("shutong.portal.django").setup(folder)
    return work(verb)(folder, **arguments)


def work(verb: str) -> Callable[..., Any]:
    """The function behind ``module:function`` in ``cli.work``."""
    module, function = verb.split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(f"shutong.cli.work.{module}"), function)
    return found


def tell_closed_home(error: Exception, as_json: bool) -> int:
    """What ``doctor`` says of a home that cannot even be opened, in the form of its findings."""
    zh, _, en = explanation(error).partition("\n")
    if as_json:
        print_json({"name": "home", "state": "fail", "zh": zh, "en": en or zh})
    else:
        say(f"✗ home  {zh}\n{en}".rstrip())
    return FAILED


def end(code: int) -> None:
    """End a command with an exit code."""
    raise typer.Exit(code)


def run_app(app: typer.Typer) -> int:
    """Run the command line and turn however it ended into an exit code and a sentence."""
    open_missing_streams()
    return ended(lambda: app(standalone_mode=False))


def ended(work: Callable[[], Any]) -> int:
    """Do something and turn however it ended into an exit code and a sentence."""
    try:
        code = work()
        sys.stdout.flush()
        return _interrupted() if code == INTERRUPTED else int(code or DONE)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else DONE
    except RefusedError as error:
        say(str(error))
        return REFUSED
    except BrokenPipeError:
        # Whoever read our output has gone.
        return FAILED
    except KeyboardInterrupt:
        return _interrupted()
    except Exception as error:
        return _explain(error)
    finally:
        _let_go_of_output()


def open_missing_streams() -> None:
    """Stand in for standard streams that the caller closed, and let no character stop a message.

    Otherwise the first file that is opened gets the number of the stream, and what is printed goes into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _let_go_of_output() -> None:
    """Write out what is left; where that fails, Python must not complain about it again when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1 if stream is sys.stdout else 2)


def _interrupted() -> int:
    say("已中断；已完成的批次和运行不受影响，可再次运行同一命令\ninterrupted: what was committed stays, run it again")
    return INTERRUPTED


def _explain(error: Exception) -> int:
    """Say what went wrong; a traceback is shown only to who asked for it by the log level debug."""
    if _was_interrupted(error):
        return _interrupted()
    if is_usage_error(error):
        text = usage_text(error)
        if text:
            say(text)
        return WRONG_USAGE
    say(explanation(error))
    if os.environ.get("SHUTONG_LOG_LEVEL", "").lower() == "debug":
        console.print_exception()
    elif not _is_known(error):
        say("设置 SHUTONG_LOG_LEVEL=debug 再运行可看到细节 / run again with SHUTONG_LOG_LEVEL=debug for details")
    return FAILED


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: DuckDB turns it into errors of its own."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or str(error).lower().startswith(
            ("query interrupted", "interrupt error")
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_known(error: Exception) -> bool:
    return isinstance(error, OSError) or type(error).__module__.startswith("shutong.")


def explanation(error: Exception) -> str:
    """What an error says to a person: what was wrong, where, what to do; in Chinese and English."""
    zh, en = getattr(error, "zh", None), getattr(error, "en", None)
    if zh and en:
        return f"{zh}\n{en}"
    if type(error).__module__.startswith("shutong."):
        return str(error)
    if isinstance(error, OSError):
        return _of_system(error)
    if type(error).__module__.startswith(("django.db", "sqlite3", "psycopg")):
        if "no such column" in str(error) or "no such table" in str(error) or "does not exist" in str(error):
            return (
                f"数据库的表比程序旧：{error}。请运行 shutong upgrade，并核对设置 database_url\n"
                f"the database's tables are older than the program: {error}. Run shutong upgrade, and check database_url"
            )
        return (
            f"数据库出错：{error}。请检查数据库地址、磁盘空间和权限，或运行 shutong doctor\n"
            f"the database failed: {error}. Check its address, the disk and the rights, or run shutong doctor"
        )
    return f"出错了 / failed: {type(error).__name__}: {error}"


_OF_SYSTEM: Final = {
    errno.ENOENT: ("找不到", "is not there", "请核对路径", "check the path"),
    errno.EACCES: ("没有权限", "may not be opened", "请核对文件的权限和所有者", "check its rights and owner"),
    errno.EPERM: ("没有权限", "may not be changed", "请核对文件的权限和所有者", "check its rights and owner"),
    errno.EROFS: ("只读", "is read-only", "请换一个可写的位置", "choose a place that can be written"),
    errno.ENOTDIR: ("不是文件夹", "is no folder", "请核对路径", "check the path"),
    errno.EISDIR: ("是文件夹，不是文件", "is a folder, not a file", "请核对路径", "check the path"),
    errno.EEXIST: ("已存在", "exists already", "请换一个名称", "choose another name"),
    errno.ENOSPC: ("磁盘已满", "the disk is full", "请腾出空间后重试", "free some space and try again"),
    errno.EDQUOT: ("磁盘配额已满", "the quota is full", "请腾出空间后重试", "free some space and try again"),
    errno.EFBIG: ("超过允许的文件大小", "may not grow any more", "请放宽限制后重试", "raise the limit and try again"),
    errno.EMFILE: ("打开的文件过多", "too many open files", "请提高 ulimit -n", "raise ulimit -n"),
}


def _of_system(error: OSError) -> str:
    name = f"{error.filename} " if error.filename else ""
    zh, en, do_zh, do_en = _OF_SYSTEM.get(error.errno or 0, (error.strerror, error.strerror, "请检查", "look at it"))
    return f"{name}{zh}。{do_zh}\n{name}{en}: {do_en}"
