"""``shutong collect`` and ``shutong run``: a file comes in, and what came in goes through the stages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shutong.accounts.actors import SYSTEM
from shutong.audit.chain import Record
from shutong.audit.reads import note
from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import DONE, REFUSED, RefusedError, console, print_json, say
from shutong.collect.models import Batch
from shutong.collect.receipt import Receipt
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.pipeline.bounds import BoundsExceededError
from shutong.pipeline.runs import Progress as Tell
from shutong.pipeline.runs import run_way
from shutong.quality.counter import rejects_of_batch, take_in
from shutong.quality.delivery import Delivery
from shutong.quality.rejects import rejects_csv, rejects_workbook
from shutong.spec.problems import meant

_MOST_REASONS = 12


def collect(
    folder: Path, *, resource: str, file: Path, received_on: dt.date | None, corrects: str | None, json: bool
) -> int:
    """Deliver one file; print the receipt; 3 when the batch was refused."""
    home = Home.open(folder)
    catalog = current_catalog()
    if resource not in catalog.resources:
        hint = meant(resource, catalog.resources)
        raise typer.BadParameter(f"没有这项信息资源：{resource}。{hint} / no such resource", param_hint="RESOURCE")
    engine = engine_of(home)
    try:
        delivery = Delivery(resource, file, received_on or home.today(), corrects)
        receipt = take_in(home, engine, catalog, [delivery], acting=SYSTEM)[0]
    finally:
        engine.close()
    if json:
        print_json(receipt.as_dict())
    else:
        _show_receipt(receipt)
    return DONE if receipt.state == "in" else REFUSED


def _show_receipt(receipt: Receipt) -> None:
    if receipt.refusal:
        say(f"整批退回 / refused: {receipt.file_name}\n{receipt.refusal['zh']}\n{receipt.refusal['en']}")
        return
    again = "（此前已收，未重复 / was in before, nothing was added）" if receipt.repeated else ""
    say(f"批次 / batch {receipt.batch}{again}")
    say(
        f"收到 received {receipt.received}  接受 accepted {receipt.accepted}  "
        f"退回 rejected {receipt.rejected}  存疑 flagged {receipt.flagged}"
    )
    for warning in receipt.warnings:
        say(f"  注意 note  {warning['zh']}")
    for reason in receipt.reasons[:_MOST_REASONS]:
        rows = ", ".join(map(str, reason["rows"][:8])) + (" …" if len(reason["rows"]) > 8 else "")
        word, count = (
            ("退回 rejected", reason["rejected"]) if reason["rejected"] else ("存疑 flagged", reason["flagged"])
        )
        say(f"  {word} {count:,}  {reason['zh']}（行 / rows {rows}）")


_FORMS = {".xlsx": rejects_workbook, ".csv": rejects_csv}


def write_rejects(folder: Path, *, batch: str, target: Path) -> None:
    """Write the rejected rows of a batch that are still to be corrected; the audit log names who did.

    Raises:
        FileExistsError: the target is there already.
    """
    found = Batch.objects.filter(pk=batch).first()
    if found is None:
        raise typer.BadParameter(f"没有这个批次：{batch} / no such batch", param_hint="BATCH")
    if target.suffix not in _FORMS:
        raise typer.BadParameter(f"请写成 .xlsx 或 .csv：{target} / name it .xlsx or .csv", param_hint="TARGET")
    home = Home.open(folder)
    engine = engine_of(home)
    try:
        rows = rejects_of_batch(home, engine, found, acting=SYSTEM)
    finally:
        engine.close()
    if not rows.rows:
        say(f"批次 {batch} 没有待更正的行，未写文件 / no row is left to correct, nothing was written")
        return
    with target.open("xb") as file:
        note(Record(action="quality.rejects_download", outcome="read", actor=SYSTEM.values(), objects=(batch,)))
        file.write(_FORMS[target.suffix](rows))
    say(f"{target}: {len(rows.rows)} 行待更正 / rows to correct")
    say(f"改好后 / then: shutong collect {found.resource} {target} --corrects {batch}")


def run(folder: Path, *, full: bool, allow_changes: bool, day: dt.date | None, json: bool) -> None:
    """Run the way and say what each stage did.

    Raises:
        RefusedError: the run stopped at the bounds of the home.
    """
    home = Home.open(folder)
    try:
        with _bars() as tell:
            report = run_way(home, full=full, allow_changes=allow_changes, day=day, progress=tell, acting=SYSTEM)
    except BoundsExceededError as error:
        raise RefusedError(f"{error.zh}\n{error.en}") from error
    if json:
        print_json({**asdict(report), "stages": [asdict(stage) for stage in report.stages]})
        return
    if report.kind == "nothing":
        say(f"没有新内容，业务日 / nothing new, business day {report.business_day}")
        return
    say(f"{report.run_id}: {report.kind}, 业务日 / business day {report.business_day}")
    for stage in report.stages:
        rows = ", ".join(f"{table} {count:,}" for table, count in stage.rows_out.items())
        say(f"  {stage.name:<20} {stage.seconds:>7.2f} s  {stage.peak_bytes / 1e6:>6.0f} MB  {rows}")


@contextmanager
def _bars() -> Iterator[Tell]:
    """A progress bar over the stages of a run, named after the one that runs."""
    columns = TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("", total=None)
        yield lambda name, number, count: bars.update(bar, description=name, completed=number - 1, total=count)
