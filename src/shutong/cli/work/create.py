"""Making a home's folder, before Django is set up on it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from shutong import __version__
from shutong.cli.outcome import RefusedError, say
from shutong.engine.errors import HomeError
from shutong.engine.home import MARK_FILE, SETTINGS_FILE, Home, lease_holder
from shutong.engine.settings import load_settings, variable_of
from shutong.engine.storage import BucketStorage, storage_of
from shutong.pipeline.operations.restore import restore
from shutong.spec.checks import check_catalog
from shutong.spec.loader import load_packs
from shutong.spec.problems import PackError, errors

FINISHED = "demo.json"
"""Written last when a demo city is complete: its parameters and the version that made it."""
Made = dict[str, int | float | str]

_KEPT: Final = ("database_url", "lake_location", "s3.endpoint", "s3.region", "s3.access_key_id")
"""Settings that say where a home's data are: given as variables to ``init``, they are written into its settings file."""


def create_home(folder: Path, packs: Sequence[Path]) -> Path:
    """Make ``folder`` a home and say so; before that the packs it is to begin with are checked.

    Raises:
        RefusedError: a pack has errors, or the bucket for the lake cannot be had; nothing is made.
        HomeError: it is a home already, or holds other files.
    """
    try:
        wrong = errors(check_catalog(load_packs(packs)))
    except PackError as error:
        wrong = error.problems
    if wrong:
        raise RefusedError("\n".join(str(problem) for problem in wrong))
    _check_bucket(folder)
    home = Home.create(folder)
    _keep_places(home)
    say(f"已建立 / made: {home.path}")
    return home.path


def _check_bucket(folder: Path) -> None:
    """See that the bucket of the lake, where one is named, can be read, and that no other home has its lake there."""
    settings = load_settings(folder / SETTINGS_FILE)
    storage = storage_of(settings, folder)
    if not isinstance(storage, BucketStorage):
        return
    where = settings.lake_location
    try:
        with duckdb.connect() as connection:
            storage.prepare(connection)
        taken = storage.holds_lake()
    except (OSError, duckdb.Error) as error:
        raise RefusedError(
            f"存储桶 {where} 读不了：{error}。请核对桶名、s3.endpoint 和密钥\n"
            f"the bucket {where} cannot be read: {error}. Check its name, s3.endpoint and the keys"
        ) from error
    if taken:
        raise RefusedError(
            f"{where} 中已有另一个数据之家的湖，请换一个桶或路径\n"
            f"{where} holds the lake of another home already: name another bucket or path"
        )


def _keep_places(home: Home) -> None:
    """Write where the data are into the settings file: a later command without the variable would look elsewhere."""
    given = [key for key in _KEPT if variable_of(key) in os.environ]
    for key in given:
        section, _, name = key.rpartition(".")
        home.change_setting(key, getattr(getattr(home.settings, section) if section else home.settings, name))
    if given:
        home.settings_file.chmod(0o600)


def demo_home(folder: Path, *, subjects: int, seed: int, days: int, dirt: float, fresh: bool) -> bool:
    """Make the folder of a demo home, or find the finished one. True when it is finished and can be served.

    A demo home that was never finished is removed and made again.

    Raises:
        RefusedError: the folder holds a finished city with other parameters, is being built by another process, or is
            no demo home; it is left as it is.
    """
    folder = folder.expanduser().absolute()
    wanted = _made_with(subjects, seed, days, dirt)
    if _holds_something(folder):
        _refuse_what_is_no_demo(folder)
        made = _finished(folder)
        if made == wanted and not fresh:
            return True
        if made and not fresh:
            raise RefusedError(
                f"{folder} 已有一座演示城市（{_words(made)}）。加 --fresh 重做，或用 --home 另选文件夹。\n"
                f"It holds a demo city made with {_words(made)}. Add --fresh to build it again, or name another --home."
            )
        if made is None:
            say(f"{folder}: 上次没有做完，重新开始 / was not finished the last time, beginning again")
        _remove_demo(folder)
    Home.create(folder, demo=True)
    return False


def _holds_something(folder: Path) -> bool:
    return folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))


def _refuse_what_is_no_demo(folder: Path) -> None:
    """Only a folder whose settings say that it is a demo may be removed."""
    settings_file = folder / SETTINGS_FILE
    if not folder.is_dir() or not settings_file.is_file():
        raise RefusedError(
            f"{folder} 不是空文件夹，也不是演示之家，不会改动它 / is neither empty nor a demo home: name another folder"
        )
    # SHUTONG_DEMO in the environment says nothing about this folder.
    if not load_settings(settings_file, {}).demo:
        raise RefusedError(
            f"{folder} 不是演示之家，不会改动它 / is not a demo home and is left alone: name another folder"
        )
    holder = _builder(folder)
    if holder:
        raise RefusedError(f"{folder} 正由另一个进程建造或运行（{holder}）/ another process is at work in it: {holder}")


def _builder(folder: Path) -> str | None:
    """The process that holds the lease of the home, where one does."""
    try:
        holder = lease_holder(Home.open(folder))
    except HomeError:
        return None
    return f"pid {holder.pid}, {holder.purpose}" if holder else None


def _remove_demo(folder: Path) -> None:
    """Remove a demo home; what says that it is one goes last, so that a kill leaves a folder that is known as one."""
    last = (folder / MARK_FILE, folder / SETTINGS_FILE)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path not in last:
            path.unlink()
    for path in last:
        path.unlink(missing_ok=True)


def finish_demo(folder: Path, *, subjects: int, seed: int, days: int, dirt: float) -> None:
    """Mark a demo home as complete."""
    made = _made_with(subjects, seed, days, dirt)
    (folder / FINISHED).write_text(json.dumps(made) + "\n", encoding="utf-8")


def _made_with(subjects: int, seed: int, days: int, dirt: float) -> Made:
    return {"subjects": subjects, "seed": seed, "days": days, "dirt": dirt, "version": __version__}


def _finished(folder: Path) -> Made | None:
    try:
        made: Made = json.loads((folder / FINISHED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return made


def _words(made: Made) -> str:
    return ", ".join(f"{key} {value}" for key, value in made.items())


def restore_home(source: Path, folder: Path) -> None:
    """Restore a backup into a new folder and say what came back."""
    report = restore(source, folder)
    say(f"{folder}: {report.files} 个文件核对无误 / files verified, 提交 / commit {report.last_run}")
    say("下次 shutong run 或 shutong serve 会重建现成答案 / the next run or serve makes the ready answers again")
