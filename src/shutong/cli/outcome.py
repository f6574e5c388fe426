"""How a command ends: exit codes, printing for people and for programs, and no traceback."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

import shutong

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
REFUSED: Final = 3

console = Console(stderr=True, highlight=False)
"""For people: progress and messages go to standard error, results to standard output."""


class RefusedError(Exception):
    """What was asked for was refused for a reason that the answer names: exit code 3."""


def print_json(value: Any) -> None:
    """One JSON value on standard output, Chinese unescaped, dates as ISO text."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


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


def end(code: int) -> None:
    """End a command with an exit code."""
    raise typer.Exit(code)


def run_app(app: typer.Typer) -> int:
    """Run the command line and turn however it ended into an exit code and a sentence."""
    try:
        app()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else DONE
    except RefusedError as error:
        console.print(str(error), markup=False)
        return REFUSED
    except BrokenPipeError:
        return FAILED
    except Exception as error:
        return _explain(error)
    return DONE


def _explain(error: Exception) -> int:
    """Say what went wrong; a traceback is shown only to who asked for it by the log level debug."""
    zh, en = getattr(error, "zh", None), getattr(error, "en", None)
    if zh and en:
        console.print(f"{zh}\n{en}", markup=False)
        return FAILED
    console.print(f"出错了：{type(error).__name__}: {error}", markup=False)
    if os.environ.get("SHUTONG_LOG_LEVEL", "").lower() == "debug":
        console.print_exception()
    else:
        console.print(
            "设置 SHUTONG_LOG_LEVEL=debug 再运行可看到细节 / run again with SHUTONG_LOG_LEVEL=debug for details"
        )
    return FAILED
