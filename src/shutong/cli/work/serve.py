"""Serving a home: the site under gunicorn, and one process for background work and the daily schedule beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.db import connections
from gunicorn.app.base import BaseApplication
from rich.table import Table

from shutong.accounts.actors import SYSTEM
from shutong.accounts.demo import create_demo_accounts
from shutong.accounts.permissions import ROLES
from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import output, say
from shutong.cli.work.ports import free_port
from shutong.engine.duck import DuckEngine
from shutong.engine.home import Home
from shutong.pipeline.runs import answers_behind, renew_answers
from shutong.portal.wsgi import application


class Site(BaseApplication):  # type: ignore[misc]
    """The site under gunicorn: two processes of four threads, no control socket, no access log."""

    def __init__(self, address: str, processes: int) -> None:
        self.given = {
            "bind": address,
            "workers": processes,
            "worker_class": "gthread",
            "threads": 4,
            "preload_app": False,
            "control_socket_disable": True,
            "loglevel": "warning",
            "timeout": 120,
            "max_requests": 20_000,
            "max_requests_jitter": 2_000,
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        for key, value in self.given.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        """The application that answers."""
        return application


def serve(folder: Path, *, port: int | None, host: str | None) -> None:
    """Serve until interrupted. A port that is in use is replaced by the next free one, and told."""
    home = Home.open(folder)
    address = host or home.settings.host
    wanted = home.settings.port if port is None else port
    free = free_port(address, wanted)
    if wanted and free != wanted:
        say(f"端口 {wanted} 已被占用，改用 {free} / port {wanted} is in use, taking {free}")
    make_ready(home)
    if home.settings.demo:
        show_sign_ins(home)
    say(f"\n  http://{address}:{free}/  （Ctrl-C 停止 / stops）\n")
    background = subprocess.Popen(
        [sys.executable, "-m", "shutong.cli.work.background"], env={**os.environ, "SHUTONG_HOME": str(folder)}
    )
    # A connection must not be shared with the processes that gunicorn forks.
    connections.close_all()
    try:
        Site(f"{address}:{free}", processes=2).run()
    finally:
        background.terminate()


def make_ready(home: Home) -> None:
    """Complete what a kill left unfinished, and make ready answers that are missing or behind the lake."""
    engine = DuckEngine.of_home(home)
    try:
        engine.recover()
    finally:
        engine.close()
    if answers_behind(home):
        say("现成答案缺失或落后，正在重建 / the ready answers are missing or behind, making them again")
        renew_answers(home, acting=SYSTEM)


def show_sign_ins(home: Home) -> None:
    """Print one sign-in per role; they are made new each time and work in a demo home only."""
    departments = sorted({resource.department for resource in current_catalog().resources.values()})
    accounts = create_demo_accounts(home, departments)
    table = Table(
        "角色 / role", "用户名 / user", "密码 / password", title="演示账号 / demo sign-ins", title_justify="left"
    )
    shown: set[str] = set()
    for name, password, role in accounts:
        if role not in shown:
            table.add_row(f"{ROLES[role].title_zh} / {ROLES[role].title_en}", name, password)
            shown.add(role)
    output.print(table)
