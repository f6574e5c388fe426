"""``shutong standards``: check values against the standards, ask the working-day calendar. Needs no home."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, BinaryIO, Final

import typer

from shutong.cli.outcome import print_json
from shutong.standards import kinds

app = typer.Typer(no_args_is_help=True, help="标准：代码、日期、名称与工作日。Codes, dates, names and working days.")
workday = typer.Typer(no_args_is_help=True, help="工作日历（中国大陆）。The working-day calendar of mainland China.")
app.add_typer(workday, name="workday")

_BLOCK: Final = 1 << 16


@app.command()
def check(kind: Annotated[str, typer.Argument(metavar="KIND", help=f"种类 / one of {', '.join(kinds.KINDS)}")]) -> None:
    """逐行读入标准输入，每行给出一个 JSON 结论。Read values from standard input, one a line; print a JSON line for each.

    Fields: kind, value, valid, reason, canonical, message (zh, en); parts for codes, names and addresses. Values are
    UTF-8; an empty line and a line that is no UTF-8 get an answer too, each as soon as its line has come. Exit code 0
    also when values are wrong, 2 for an unknown kind.

    Example: `echo 91350100M000100Y43 | shutong standards check uscc`
    """
    if kind not in kinds.KINDS:
        raise typer.BadParameter(f"没有这个种类：{kind} / no such kind; one of {', '.join(kinds.KINDS)}")
    for line in _lines(sys.stdin.buffer):
        print_json(kinds.check_bytes(kind, line))


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines without their ends, as they come; answers are sent before more is waited for, so that one can ask by turns."""
    rest, number = b"", 0
    while block := stream.read1(_BLOCK):  # type: ignore[attr-defined]
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield _bare(line, number)
            number += 1
        sys.stdout.flush()
    if rest:
        yield _bare(rest, number)


def _bare(line: bytes, number: int) -> bytes:
    line = line.removesuffix(b"\r")
    return line.removeprefix(codecs.BOM_UTF8) if number == 0 else line


@workday.command(context_settings={"ignore_unknown_options": True})
def add(
    start: Annotated[str, typer.Argument(metavar="DATE", help="起始日 2026-07-01 / first day")],
    n: Annotated[int, typer.Argument(metavar="N", help="工作日数 / number of working days")],
) -> None:
    """起始日之后第 N 个工作日。The Nth working day after DATE; the day after DATE can be the first.

    Example: `shutong standards workday add 2026-09-30 7`
    """
    _answer(lambda: kinds.workday_add(start, n))


@workday.command("is")
def is_workday(day: Annotated[str, typer.Argument(metavar="DATE", help="某日 / a day")]) -> None:
    """某日是否工作日。Whether DATE is a working day, and why not.

    Example: `shutong standards workday is 2026-10-01`
    """
    _answer(lambda: kinds.workday_is(day))


def _answer(ask: Callable[[], kinds.Answer]) -> None:
    """Print an answer; a date that can't be read is wrong usage."""
    try:
        print_json(ask())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
