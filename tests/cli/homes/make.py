"""Makes the small home of this release that later releases are upgraded from: ``python -m tests.cli.homes.make``.

It is made once, when a release is made, and never again: it must be the home that people have.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from pathlib import Path

from shutong import __version__
from tests.cli.shell import Shell

HERE = Path(__file__).resolve().parent
RESOURCE = """resource: register
title: {zh: 登记, en: Register}
department: market
basis: 登记条例
key: [uscc]
items:
  uscc: {element: uscc, title: 代码, required: true}
  name: {element: org-name, title: 名称, required: true}
  founded: {element: date, title: 成立日期, required: true}
about: {kind: organisation, registry: true, uscc: uscc, name: name}
fact: {kind: registration, on: founded, shows: [name]}
open: {type: open}
"""
ROWS = (
    "代码,名称,成立日期\n91350100M000100Y43,青禾食品有限公司,2020-03-02\n91350100M000100Y43,重复有限公司,2020-03-02\n"
)


def make(target: Path) -> None:
    """Init, one delivery with a rejected row, a run, an account; then its backup, packed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "small" / "resources").mkdir(parents=True)
        pack = "pack: small\ntitle: 小城\nversion: 1.0.0\ndepartments:\n  market: {title: {zh: 市场监管局, en: Market bureau}}\n"
        (folder / "small" / "pack.yml").write_text(pack, encoding="utf-8")
        (folder / "small" / "resources" / "register.yml").write_text(RESOURCE, encoding="utf-8")
        (folder / "rows.csv").write_text(ROWS, encoding="utf-8")
        shell = Shell(folder / "home")
        shell("init", "--pack", folder / "small")
        shell("collect", "register", folder / "rows.csv", "--received-on", "2026-07-01")
        shell("run", "--day", "2026-07-02")
        shell("account", "add", "zhang", "--role", "auditor")
        shell("backup", folder / "home.tar")
        shell.close()
        with (folder / "home.tar").open("rb") as plain, gzip.GzipFile(target, "wb", mtime=0) as packed:
            shutil.copyfileobj(plain, packed)


if __name__ == "__main__":
    make(HERE / f"home-{__version__}.tar.gz")
