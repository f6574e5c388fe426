"""Serving a home: the site, and one process for background work and the daily schedule beside it."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from django.db import connections
from rich.table import Table

from shutong.accounts.actors import SYSTEM
from shutong.accounts.demo import create_demo_accounts
from shutong.accounts.permissions import ROLES
from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import INTERRUPTED, ended, output, say
from shutong.cli.work.ports import free_port, site_address
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.engine.processes import end_with
from shutong.pipeline.runs import answers_behind, renew_answers
from shutong.portal.counting import VARIABLE, begin_counting
from shutong.quality.models import Ticket


def serve(folder: Path, *, port: int | None, host: str | None) -> None:
    """Serve until interrupted; does not return. A port that is in use is replaced by the next free one, and told."""
    home = Home.open(folder)
    listen_on = host or home.settings.host
    wanted = home.settings.port if port is None else port
    free = free_port(listen_on, wanted)
    address = site_address(listen_on, free)
    if wanted and free != wanted:
        say(
            f"端口 {wanted} 不能用（已被占用或无权限），改用 {free} / port {wanted} is in use or not allowed, taking {free}"
        )
    child = _in_a_fork(home)
    try:
        os.environ[VARIABLE] = str(begin_counting(home.path))
        site = importlib.import_module("shutong.cli.work.site")
    except BaseException:
        os.kill(child, signal.SIGINT)
        _exit_code(child)
        raise
    failed = _exit_code(child)
    if failed:
        raise SystemExit(failed)
    say(f"\n  http://{address}/  （Ctrl-C 停止 / stops）\n")
    subprocess.Popen(
        [sys.executable, "-m", "shutong.cli.work.background"],
        env={name: value for name, value in os.environ.items() if name != VARIABLE},
    )
    sys.stdout.flush()
    site.Site(address, processes=2).run()


def serve_afresh(folder: Path, *, port: int | None) -> None:
    """As ``serve``, by a new program under the same process id: what this one has started to read the lake does not
    survive the forks of a site."""
    connections.close_all()
    sys.stdout.flush()
    words = ["serve", "--home", str(folder), *(["--port", str(port)] if port is not None else [])]
    os.execv(sys.executable, [sys.executable, "-m", "shutong.cli.main", *words])  # noqa: S606


def _in_a_fork(home: Home) -> int:
    """Make the home ready and print its sign-ins in a process that ends with it, while this one loads the site.

    Returns the process's id. Reading the lake starts threads, which a site that forks must not have.
    """
    connections.close_all()
    sys.stdout.flush()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        code = INTERRUPTED
        try:
            end_with(parent)
            code = ended(lambda: _show_ready(home))
        finally:
            # Without Python's own end: DuckDB would wait for threads that its module began and that no fork has.
            os._exit(code)
    return child


def _show_ready(home: Home) -> None:
    make_ready(home)
    if home.settings.demo:
        show_sign_ins(home)


def _exit_code(child: int) -> int:
    """Wait for a fork of this process; its exit code. It has said itself what went wrong."""
    while True:
        try:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except KeyboardInterrupt:
            os.kill(child, signal.SIGINT)
        else:
            if code < 0:
                say(f"准备被系统终止（信号 {-code}）/ making ready was ended by the system (signal {-code})")
            return code if code >= 0 else 128 - code


def make_ready(home: Home) -> None:
    """Complete what a kill left unfinished, and make ready answers that are missing or behind the lake."""
    engine = engine_of(home)
    try:
        engine.recover()
    finally:
        engine.close()
    if answers_behind(home):
        say("现成答案缺失或落后，正在重建 / the ready answers are missing or behind, making them again")
        renew_answers(home, acting=SYSTEM)


def show_sign_ins(home: Home) -> None:
    """Print one sign-in per role; they are made new each time and work in a demo home only."""
    # One steward is shown: making a password for each department would keep the reader waiting for seconds.
    accounts = create_demo_accounts(home, _busiest_first()[:1])
    table = Table(title="演示账号 / demo sign-ins", title_justify="left")
    # A name or a password that is cut off with an ellipsis signs nobody in: the role gives way instead.
    table.add_column("角色 / role", overflow="fold")
    table.add_column("用户名 / user", no_wrap=True)
    table.add_column("密码 / password", no_wrap=True)
    shown: set[str] = set()
    for name, password, role in accounts:
        if role not in shown:
            table.add_row(f"{ROLES[role].title_zh} / {ROLES[role].title_en}", name, password)
            shown.add(role)
    output.print(table)


def _busiest_first() -> list[str]:
    """Departments that provide data; the steward who is shown gets the one with most to correct."""
    tickets = Counter(Ticket.objects.filter(state=Ticket.State.OPEN).values_list("department", flat=True))
    departments = {resource.department for resource in current_catalog().resources.values()}
    return sorted(departments, key=lambda one: (-tickets[one], one))
