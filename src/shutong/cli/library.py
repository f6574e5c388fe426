"""``shutong library``: the base and theme libraries of a home, and public ones as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shutong.cli.outcome import HomeOption, JsonOption, as_day, in_home

app = typer.Typer(
    no_args_is_help=True, help="基础库和主题库：清单、导出。Base and theme libraries: what there is, exports."
)


@app.command(name="list")
def list_libraries(home: HomeOption = None, json: JsonOption = False) -> None:
    """列出各库、行数和位置。List the libraries with their rows, whether they are public, and whether they are placed.

    `--json` prints a line per library: library, title, class, kind, public, placed, rows, attributes with their sources
    in order of authority.

    Example: `shutong library list --home /srv/shutong`
    """
    in_home(home, "library:list_libraries", json=json)


@app.command()
def export(
    library: Annotated[str, typer.Argument(metavar="LIBRARY", help="库的名称 / name of the library")],
    target: Annotated[Path, typer.Argument(metavar="FILE", help="写入的文件 .parquet / file to write")],
    home: HomeOption = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="当日已知的内容 / what was known at the end of that day")
    ] = None,
    json: JsonOption = False,
) -> None:
    """把公开的、有空间位置的库导出为 GeoParquet。Write a public library that is placed in space as GeoParquet.

    Public attributes only, masked as declared; a point where one is known, else a null geometry. That it left is
    written down in the audit log. A file of the name is replaced once the new one is complete. `--as-of` computes the
    library from what had been delivered by the end of that day. `--json` prints library, file, rows, points, sha256.

    Exit code 3 when the library is not public or not placed.

    Example: `shutong library export place addresses.parquet --home /srv/shutong`
    """
    in_home(home, "library:export", library=library, target=target.absolute(), as_of=as_day(as_of), json=json)
