"""``shutong bench``: ratios to peers, both sides measured in one run. The benchmarks stand in the project's ``bench/``."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from shutong.cli.outcome import FAILED, console, end, print_json, shipped_packs

NAMES = ("check", "codes", "collect", "build", "query", "identify", "increment")


def bench(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help=f"基准 / one of {', '.join(NAMES)}; all where it is missing")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="目标规模 / the sizes of the goals")] = False,
    size: Annotated[
        int | None, typer.Option(min=100, help="另定规模 / rows, records or subjects instead; with NAME")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="每项一行 JSON / a JSON line per benchmark")] = False,
) -> None:
    """与同类工具比较，双方在同一次运行中测量。Compare with peers, both sides in one run.

    Each line: name, ours, peer, peer_name, ratio, goal, met, sizes. The default sizes finish in about five minutes.
    Exit code 1 when a benchmark could not be run; a goal that is not met is reported, not an error.

    Example: `shutong bench codes --json`
    """
    if size is not None and name is None:
        raise typer.BadParameter("--size 须与 NAME 同用 / --size belongs to one benchmark: give its NAME")
    if name is not None and name not in NAMES:
        raise typer.BadParameter(f"没有这个基准：{name} / one of {', '.join(NAMES)}")
    root = shipped_packs().parent
    if not (root / "bench" / "codes.py").exists():
        console.print(
            "基准测试随源码提供，请在源码目录中运行 / the benchmarks come with the source tree: run them there"
        )
        end(FAILED)
    sys.path.insert(0, str(root))
    rows: list[dict[str, Any]] = []
    for one in [name] if name else NAMES:
        console.print(f"[dim]{one} …[/dim]")
        for row in importlib.import_module(f"bench.{one}").run(full=full, size=size):
            rows.append(row)
            if json:
                print_json(row)
    if not json:
        console.print(_table(rows))


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("name", "ours", "peer", "peer name", "ratio", "goal", "met", "sizes")
    for row in rows:
        cells = [row.get(key) for key in ("name", "ours", "peer", "peer_name", "ratio", "goal", "met", "sizes")]
        table.add_row(*("" if cell is None else str(cell) for cell in cells))
    return table
