"""``shutong keys``: which keys a home has, and changing them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from shutong.cli.outcome import HomeOption, JsonOption, in_home

app = typer.Typer(
    no_args_is_help=True, help="密钥：清单、更换。The keys of a home: which there are, and changing them."
)


@app.command("list")
def listed(home: HomeOption = None, json: JsonOption = False) -> None:
    """列出密钥：用途、编号、启用时间、状态。List the keys with what each is for, since when, and whether it is in use.

    Never shows a key itself. `--json` prints a list: key (master, site, matching, data, signing), id, since (null where
    an earlier version made it without noting when), in_use, purpose_zh, purpose_en, and of a signing key `public`, the
    base64 of its public half, with which others verify receipts.

    Example: `shutong keys list --home /srv/shutong`
    """
    in_home(home, "keys:listed", json=json)


@app.command()
def rotate(
    key: Annotated[
        Literal["master", "data", "signing"],
        typer.Argument(metavar="master|data|signing", help="要更换的密钥 / the key to change", show_default=False),
    ],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """更换一种密钥；此前封存和签名的仍可打开和验证。Change a key; what was sealed or signed before still opens and verifies.

    `master` wraps all others anew, `data` seals what comes from now on, `signing` signs receipts from now on. Stop
    `shutong serve` first (exit code 3 while the home is served), and make a backup afterwards: an older one has the older
    keys only. The change is in the audit log. The matching key and the site's secret cannot be changed by a command.

    Example: `shutong keys rotate signing --home /srv/shutong`
    """
    in_home(home, "keys:rotate", key=key, json=json)
