"""``shutong keys``: telling of the keys of a home without showing them, and changing one as the platform."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from shutong.accounts.actors import SYSTEM
from shutong.cli.outcome import RefusedError, output, print_json, say
from shutong.engine.home import Home
from shutong.engine.keys import KeyInfo, Kind
from shutong.pipeline.actions import ServedError, rotate_key

_PURPOSES: Final[dict[Kind, tuple[str, str]]] = {
    "master": ("包裹其余密钥", "wraps all the others"),
    "site": ("网站会话和表单", "sessions and forms of the site"),
    "matching": ("人员匹配键，终身不变", "matching keys of persons; stays for life"),
    "data": ("封存数据和文件", "seals data and files"),
    "signing": ("签署回执和审计检查点", "signs receipts and audit checkpoints"),
}

_FORMER: Final[dict[Kind, str]] = {"data": "只开旧件 / opens what is old", "signing": "只验旧件 / verifies what is old"}


def listed(folder: Path, *, json: bool) -> None:
    """List the keys."""
    found = Home.open(folder).keys.listed()
    if json:
        print_json([_row(one) for one in found])
        return
    table = Table("密钥 / key", "编号 / id", "启用 / since", "状态 / state", "用途 / purpose", box=None)
    for one in found:
        table.add_row(
            one.kind,
            one.id or "—",
            f"{one.made_at:%Y-%m-%d}" if one.made_at else "未记录 / not noted",
            "在用 / in use" if one.in_use else _FORMER[one.kind],
            "\n".join(_PURPOSES[one.kind]),
        )
    output.print(table)


def rotate(folder: Path, *, key: Kind, json: bool) -> None:
    """Change a key and tell the id of the new one.

    Raises:
        RefusedError: the home is being served.
    """
    try:
        new = rotate_key(Home.open(folder), key, acting=SYSTEM)
    except ServedError as error:
        raise RefusedError(f"{error.zh}\n{error.en}") from error
    if json:
        print_json(_row(new))
    else:
        say(f"已更换 / changed: {key} {new.id}\n请重新备份 / make a backup: shutong backup")


def _row(one: KeyInfo) -> dict[str, Any]:
    zh, en = _PURPOSES[one.kind]
    public = {"public": base64.b64encode(one.public).decode()} if one.public else {}
    since = one.made_at.isoformat() if one.made_at else None
    return {
        "key": one.kind,
        "id": one.id,
        "since": since,
        "in_use": one.in_use,
        "purpose_zh": zh,
        "purpose_en": en,
    } | public
