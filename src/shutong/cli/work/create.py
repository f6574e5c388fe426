"""Making a home's folder, before Django is set up on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from shutong import __version__
from shutong.cli.outcome import RefusedError, console
from shutong.engine.errors import HomeError
from shutong.engine.home import Home
from shutong.pipeline.operations.backup import restore

FINISHED = "demo.json"
"""Written last when a demo city is complete: its parameters and the version that made it."""


def create_home(folder: Path) -> Path:
    """Make ``folder`` a home and say so.

    Raises:
        HomeError: it is one already, or holds other files.
    """
    home = Home.create(folder)
    console.print(f"已建立 / made: {home.path}", markup=False)
    return home.path


def demo_home(folder: Path, *, subjects: int, seed: int, days: int, fresh: bool) -> bool:
    """Make the folder of a demo home, or find the finished one. True when it is finished and can be served.

    Raises:
        RefusedError: the folder holds a finished city with other parameters, or a home that is no demo home.
    """
    folder = folder.expanduser().absolute()
    wanted = {"subjects": subjects, "seed": seed, "days": days, "version": __version__}
    if _is_home(folder):
        if not Home.open(folder).settings.demo:
            raise RefusedError(
                f"{folder} 不是演示之家，不会改动它 / is not a demo home and is left alone: name another folder"
            )
        made = _finished(folder)
        if made == wanted and not fresh:
            return True
        if made and not fresh:
            raise RefusedError(
                f"{folder} 已有一座演示城市（{_words(made)}）。加 --fresh 重做，或用 --home 另选文件夹。\n"
                f"It holds a demo city made with {_words(made)}. Add --fresh to build it again, or name another --home."
            )
        shutil.rmtree(folder)
    Home.create(folder, demo=True)
    return False


def finish_demo(folder: Path, *, subjects: int, seed: int, days: int) -> None:
    """Mark a demo home as complete."""
    made = {"subjects": subjects, "seed": seed, "days": days, "version": __version__}
    (folder / FINISHED).write_text(json.dumps(made) + "\n", encoding="utf-8")


def _is_home(folder: Path) -> bool:
    if not folder.exists() or not any(folder.iterdir()):
        return False
    try:
        Home.open(folder)
    except HomeError as error:
        raise RefusedError(
            f"{folder} 不是空文件夹，也不是演示之家，不会改动它 / is neither empty nor a demo home: name another folder"
        ) from error
    return True


def _finished(folder: Path) -> dict[str, int | str] | None:
    try:
        made: dict[str, int | str] = json.loads((folder / FINISHED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return made


def _words(made: dict[str, int | str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in made.items())


def restore_home(source: Path, folder: Path) -> None:
    """Restore a backup into a new folder and say what came back."""
    report = restore(source, folder)
    console.print(
        f"{folder}: {report.files} 个文件核对无误 / files verified, 提交 / commit {report.last_run}", markup=False
    )
    console.print("现有答案由下次 shutong run 重建 / the next shutong run makes the ready answers again")
