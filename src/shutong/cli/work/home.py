"""Looking after a home: prepare, install packs, doctor, upgrade, backup, verify the log."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from django.core.management import call_command
from rich.table import Table
from rich.text import Text

from shutong.accounts.actors import SYSTEM
from shutong.audit.sealing import seal
from shutong.audit.verification import verify
from shutong.catalog.actions import install_packs
from shutong.catalog.difference import Prefer
from shutong.catalog.plan import InstallConflictError
from shutong.cli.outcome import DONE, FAILED, RefusedError, output, print_json, say, shipped_packs
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.pipeline.operations.backup import backup as write_backup
from shutong.pipeline.operations.doctor import examine
from shutong.spec.problems import PackError

_MARKS = {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "fail": "[red]✗[/red]"}


def prepare(folder: Path, *, packs: list[Path] | None = None) -> None:
    """Make the databases of a new home and publish its first packs."""
    migrate()
    install(folder, path=packs or [shipped_packs()])
    say("下一步 / next: shutong account add, shutong collect RESOURCE FILE, shutong run, shutong serve")


def migrate() -> None:
    """Bring the state database to this version's tables."""
    call_command("migrate", interactive=False, verbosity=0)


def install(_folder: Path, *, path: Path | list[Path], prefer: Prefer | None = None) -> None:
    """Publish packs; say what changed.

    Raises:
        RefusedError: the packs are wrong (every problem with file and line), or both the pack and this home changed the
            same keys and ``prefer`` does not say which counts. Nothing is published then.
    """
    try:
        installed = install_packs(path if isinstance(path, list) else [path], prefer=prefer, acting=SYSTEM)
    except PackError as error:
        raise RefusedError("\n".join(str(problem) for problem in error.problems)) from error
    except InstallConflictError as error:
        raise RefusedError(f"{error}\n加 --prefer file 以文件为准，--prefer here 以本机为准 / add --prefer") from error
    if installed.publication is None:
        say("没有变化 / nothing changed")
    else:
        count = len(installed.changes)
        number = installed.publication
        say(f"已发布第 {number} 次，{count} 项声明 / publication {number}: {count} declarations")


def doctor(folder: Path, *, json: bool) -> int:
    """Print what was looked at; 1 when something failed."""
    findings = examine(Home.open(folder))
    for finding in findings:
        if json:
            print_json(asdict(finding))
    if not json:
        table = Table(box=None, show_header=False)
        for finding in findings:
            words = Text.assemble(finding.zh, "\n", (finding.en, "dim"))
            table.add_row(_MARKS[finding.state], finding.name, words)
        output.print(table)
    return FAILED if any(finding.state == "fail" for finding in findings) else DONE


def upgrade(folder: Path, *, prefer: Prefer | None = None) -> None:
    """Database to this version's tables, lake in order, shipped packs published where they changed.

    Raises:
        RefusedError: a pack and this home changed the same keys; database and lake are upgraded then, packs are not.
    """
    migrate()
    home = Home.open(folder)
    engine = engine_of(home)
    try:
        engine.recover()
    finally:
        engine.close()
    install(folder, path=shipped_packs(), prefer=prefer)
    say("已升级；下次 shutong run 会重算有变化的部分 / upgraded; the next shutong run computes what changed")


def backup(folder: Path, *, target: Path) -> None:
    """Write a backup and say what it holds."""
    report = write_backup(Home.open(folder), target)
    say(f"{target}: {report.files} 个文件 / files, {report.bytes / 1e6:.1f} MB, 提交 / commit {report.last_run}")


def verify_audit(folder: Path, *, json: bool) -> int:
    """Verify the whole log and, when it is whole, seal what is new; 1 when it is not as it was written."""
    home = Home.open(folder)
    report = verify(home)
    if report.ok:
        seal(home)
    if json:
        print_json({"ok": report.ok, **asdict(report)})
    else:
        for fault in report.faults:
            say(f"✗ {fault.where}:{fault.position} {fault.code} {fault.zh} / {fault.en}")
        verdict = "完好 / whole" if report.ok else "被改动 / tampered with"
        say(f"{verdict}: {report.entries} entries, {report.segments} segments, {report.checkpoints} checkpoints")
    return DONE if report.ok else FAILED
