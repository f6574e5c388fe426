"""What is wrong with an installation, line by line, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from shutong.catalog.actions import current_catalog
from shutong.engine.errors import EngineError
from shutong.engine.home import Home, lease_holder
from shutong.engine.lake import lake_of
from shutong.engine.settings import machine_memory
from shutong.jobs.work import failed_work
from shutong.pipeline.after import shown_run
from shutong.pipeline.models import Run
from shutong.pipeline.runs import answers_behind, lost_run

State = Literal["ok", "warn", "fail"]
_LEAST_FREE = 2_000_000_000


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, how it stands, and what to do when it is not well."""

    name: str
    state: State
    zh: str
    en: str


def examine(home: Home) -> list[Finding]:
    """Look at everything; a look that fails itself is a finding, never an exception."""
    findings: list[Finding] = []
    looks: list[Callable[[Home], Iterator[Finding]]] = [
        _machine,
        _folders,
        _keys,
        _database,
        _lake,
        _catalog,
        _runs,
        _answers,
        _work,
    ]
    for look in looks:
        try:
            findings += look(home)
        except Exception as error:
            findings.append(_failed(look.__name__.strip("_"), error))
    return findings


def _failed(name: str, error: Exception) -> Finding:
    """A look that could not be finished; an error of our own says what to do, those of the database do not."""
    if isinstance(error, EngineError):
        return Finding(name, "fail", error.zh, error.en)
    if isinstance(error, DatabaseError):
        text = " ".join(str(error).split())
        return Finding(
            name,
            "fail",
            f"数据库打不开或已损坏：{text}。请核对设置 database_url 和数据库服务，或从备份恢复",
            f"the database cannot be opened or is damaged: {text}. "
            "Check the setting database_url and its server, or restore a backup",
        )
    return Finding(
        name,
        "fail",
        f"检查时出错：{type(error).__name__}: {error}。请核对该文件夹的权限和磁盘，或从备份恢复",
        f"the look itself failed: {type(error).__name__}: {error}. Check the folder's rights and disk, or restore a backup",
    )


def _machine(home: Home) -> Iterator[Finding]:
    version = platform.python_version()
    state: State = "ok" if sys.version_info >= (3, 11) else "fail"
    yield Finding("python", state, f"Python {version}", f"Python {version}")
    free = shutil.disk_usage(home.path).free
    words = f"{free / 1e9:.1f} GB"
    if free < _LEAST_FREE:
        yield Finding("disk", "warn", f"磁盘只剩 {words}，请清理或扩容", f"only {words} left: free some space")
    else:
        yield Finding("disk", "ok", f"磁盘可用 {words}", f"{words} free")
    limit, has = home.settings.memory_limit, machine_memory()
    if home.settings.memory_bytes > has:
        yield Finding(
            "memory",
            "warn",
            f"内存上限 {limit} 大于本机的 {has / 1e9:.1f} GB，运行可能被系统终止。请调低设置 memory_limit",
            f"the limit {limit} is more than the machine's {has / 1e9:.1f} GB, so a run may be killed: lower memory_limit",
        )
    else:
        yield Finding("memory", "ok", f"计算内存上限 {limit}", f"computing may use {limit}")


def _folders(home: Home) -> Iterator[Finding]:
    closed = [str(path) for path in _written(home) if path.exists() and not os.access(path, os.W_OK)]
    if closed:
        yield Finding(
            "folders",
            "fail",
            f"不能写入：{'、'.join(closed)}。请核对所有者和权限，服务与命令应由同一用户运行",
            f"may not be written: {', '.join(closed)}. Check owner and rights; run the site and commands as one user",
        )
    else:
        yield Finding("folders", "ok", "数据之家可写", "the home can be written")


def _written(home: Home) -> Iterator[Path]:
    yield from (home.path, home.lake, home.lake / "manifest", home.files, home.answers, home.logs, home.tmp)
    yield from (home.state_database, *home.lake.glob("accepted"))


def _keys(home: Home) -> Iterator[Finding]:
    loose = [p.name for p in home.keys_folder.iterdir() if stat.S_IMODE(p.stat().st_mode) & 0o077]
    if loose:
        zh = f"密钥文件他人可读：{', '.join(loose)}。请运行 chmod 600"
        yield Finding("keys", "fail", zh, f"others can read the key files {', '.join(loose)}: chmod 600 them")
        return
    count = len(home.keys.public_keys)
    yield Finding("keys", "ok", f"密钥可用，签名公钥 {count} 把", f"keys open, {count} public signing key(s)")


def _database(_home: Home) -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    newer = sorted(
        "/".join(one) for one in set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)
    )
    if newer:
        yield Finding(
            "database",
            "fail",
            f"数据库由更新的版本升级过（{newer[0]}），请安装新版本，或从备份恢复",
            f"a newer version has changed the database ({newer[0]}): install that version, or restore a backup",
        )
    elif missing:
        zh, en = (
            f"数据库缺 {len(missing)} 项迁移，请运行 shutong upgrade",
            f"{len(missing)} migrations missing: run shutong upgrade",
        )
        yield Finding("database", "fail", zh, en)
    else:
        yield Finding(
            "database", "ok", f"数据库 {connection.vendor} 正常", f"database {connection.vendor} is up to date"
        )


def _lake(home: Home) -> Iterator[Finding]:
    lake = lake_of(home)
    gone = [address for name in lake.tables() for address in lake.table(name).missing()]
    if gone:
        zh, en = (
            f"湖中缺 {len(gone)} 个文件，请从备份恢复：{gone[0]}",
            f"{len(gone)} files are gone: restore. First: {gone[0]}",
        )
        yield Finding("lake", "fail", zh, en)
        return
    lost = lost_run(lake)
    if lost:
        yield Finding("lake", "fail", lost.zh, lost.en)
    else:
        count, runs = len(lake.tables()), lake.last
        yield Finding("lake", "ok", f"湖中 {count} 张表，{runs} 次提交", f"{count} tables, {runs} commits")


def _catalog(_home: Home) -> Iterator[Finding]:
    count = len(current_catalog().resources)
    if count:
        yield Finding("catalog", "ok", f"已发布 {count} 项信息资源", f"{count} resources are published")
    else:
        yield Finding(
            "catalog",
            "warn",
            "没有已发布的信息资源，请运行 shutong pack install",
            "no resource is published: shutong pack install",
        )


def _runs(home: Home) -> Iterator[Finding]:
    holder = lease_holder(home)
    if holder:
        zh, en = f"正在运行：进程 {holder.pid}，{holder.purpose}", f"running: process {holder.pid}, {holder.purpose}"
        yield Finding("lease", "ok", zh, en)
    last = Run.objects.first()
    if last is None:
        yield Finding("runs", "warn", "还没有运行过，请运行 shutong run", "nothing has run yet: shutong run")
    elif last.state in (Run.State.FAILED, Run.State.KILLED) or (last.state == Run.State.RUNNING and not holder):
        zh = f"上次运行 {last.run_id} 未完成：{last.error or '被中断'}。请再次运行 shutong run"
        yield Finding("runs", "fail", zh, f"the last run {last.run_id} did not finish: run shutong run again")
    else:
        yield Finding("runs", "ok", f"上次运行 {last.run_id}，业务日 {last.business_day}", f"last run {last.run_id}")


def _answers(home: Home) -> Iterator[Finding]:
    if shown_run(home) is None:
        zh, en = (
            "没有现成答案，请运行 shutong run 或 shutong serve",
            "no ready answers: run shutong run or shutong serve",
        )
        yield Finding("answers", "warn", zh, en)
    elif answers_behind(home):
        zh = "现成答案落后于湖，请运行 shutong run 或 shutong serve"
        yield Finding("answers", "warn", zh, "the ready answers are behind the lake: run shutong run or shutong serve")
    else:
        yield Finding("answers", "ok", "现成答案与湖一致", "the ready answers show the last run")


def _work(_home: Home) -> Iterator[Finding]:
    failed = failed_work()
    if failed:
        zh = f"{failed} 项后台任务失败，请在运行页面查看并重试"
        yield Finding("work", "warn", zh, f"{failed} pieces of background work failed: see the operations page")
    else:
        yield Finding("work", "ok", "后台任务没有失败", "no background work failed")
