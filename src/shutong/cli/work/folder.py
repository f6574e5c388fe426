"""``shutong pack collect``: the files of a source folder that belong to a pack's resources, delivered in their order."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shutong.accounts.actors import SYSTEM
from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import DONE, REFUSED, RefusedError, console, print_json
from shutong.collect.receipt import Receipt
from shutong.engine.engine import engine_of
from shutong.engine.home import Home
from shutong.quality.counter import take_in
from shutong.quality.delivery import Delivery
from shutong.spec.catalog import Catalog
from shutong.spec.models import Resource
from shutong.spec.problems import meant

_DAY = re.compile(r"(?<!\d)(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?!\d)")


def collect_folder(
    folder: Path, *, pack: str, source: Path, since: dt.date | None, until: dt.date | None, json: bool
) -> int:
    """Deliver what a source folder holds for a pack, in one commit; 3 when a file was refused.

    Raises:
        RefusedError: the pack names no files, or the folder holds none of them.
    """
    home = Home.open(folder)
    catalog = current_catalog()
    if not source.is_dir():
        raise typer.BadParameter(f"没有这个文件夹：{source} / no such folder", param_hint="--source")
    resources = resources_with_files(catalog, pack)
    found = deliveries(resources, source, home.today())
    chosen = [one for one in found if (since or one.received_on) <= one.received_on <= (until or one.received_on)]
    if not chosen:
        patterns = "、".join(one.files.pattern for one in resources if one.files)
        raise RefusedError(
            f"{source} 中没有要交付的文件（{patterns}）。请核对 --source 和日期\n"
            f"nothing to deliver is in {source} ({patterns}): look at --source and the days"
        )
    receipts = _deliver(home, catalog, chosen)
    summary = summarise(receipts)
    if json:
        print_json(summary)
    else:
        _show(summary)
    return REFUSED if summary["refused"] else DONE


def resources_with_files(catalog: Catalog, pack: str) -> list[Resource]:
    """The pack's resources that say which files of a source folder are theirs, by name.

    Raises:
        typer.BadParameter: no such pack is published in the home.
        RefusedError: none of its resources has ``files``.
    """
    if pack not in catalog.packs:
        hint = meant(pack, catalog.packs)
        raise typer.BadParameter(f"没有发布过这个专题包：{pack}。{hint} / no such pack", param_hint="PACK")
    own = [one for name, one in sorted(catalog.resources.items()) if catalog.pack_of.get(("resource", name)) == pack]
    found = [one for one in own if one.files]
    if not found:
        raise RefusedError(
            f"专题包 {pack} 的信息资源没有写 files，请用 shutong collect 逐个交付\n"
            f"no resource of the pack {pack} has the key files: deliver the files one by one by shutong collect"
        )
    return found


def deliveries(resources: Sequence[Resource], source: Path, today: dt.date) -> list[Delivery]:
    """The files of a folder as deliveries: by day, then in the order of the resources, then by name."""
    found = [
        (day_in_name(path.name) or today if one.files.day == "name" else today, number, path.name, path)
        for number, one in enumerate(resources)
        if one.files
        for path in source.glob(one.files.pattern)
        if path.is_file()
    ]
    return [Delivery(resources[number].resource, path, day) for day, number, _, path in sorted(found)]


def day_in_name(name: str) -> dt.date | None:
    """The first yyyy-mm-dd in a file's name; of yyyy-mm and yyyy the last day; None where there is none.

    >>> day_in_name("2020-02-04江苏省.csv"), day_in_name("2020-01湖北省.csv"), day_in_name("2019.csv")
    (datetime.date(2020, 2, 4), datetime.date(2020, 1, 31), datetime.date(2019, 12, 31))
    """
    for year, month, day in sorted(_DAY.findall(name), key=lambda parts: -sum(map(bool, parts))):
        number = int(month or 12)
        if 1 <= number <= 12 and int(year):
            last = calendar.monthrange(int(year), number)[1]
            if not day or 1 <= int(day) <= last:
                return dt.date(int(year), number, int(day or last))
    return None


def _deliver(home: Home, catalog: Catalog, chosen: Sequence[Delivery]) -> list[Receipt]:
    columns = TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    engine = engine_of(home)
    try:
        with Progress(*columns, console=console, transient=True) as bars:
            bar = bars.add_task("采集与检查 collect", total=len(chosen))

            def tell(done: int, total: int) -> None:
                bars.update(bar, completed=done, total=total)

            return take_in(home, engine, catalog, chosen, acting=SYSTEM, progress=tell)
    finally:
        engine.close()


def summarise(receipts: Sequence[Receipt]) -> dict[str, Any]:
    """What came of the files, by resource: files, rows, reasons; and each refused file with its reason."""
    by_resource: dict[str, dict[str, Any]] = {}
    refused = []
    for receipt in receipts:
        if receipt.refusal:
            refused.append({"resource": receipt.resource, "file": receipt.file_name, **receipt.refusal})
            continue
        own = by_resource.setdefault(
            receipt.resource,
            {"files": 0, "repeated": 0, "received": 0, "accepted": 0, "rejected": 0, "flagged": 0, "reasons": {}},
        )
        own["files"] += 1
        own["repeated"] += receipt.repeated
        for figure in ("received", "accepted", "rejected", "flagged"):
            own[figure] += getattr(receipt, figure)
        for reason in receipt.reasons:
            told = own["reasons"].setdefault(
                f"{reason['code']}:{reason['item'] or ''}",
                {"zh": reason["zh"], "en": reason["en"], "rejected": 0, "flagged": 0},
            )
            told["rejected"] += reason["rejected"]
            told["flagged"] += reason["flagged"]
    return {"resources": by_resource, "refused": refused}


def _show(summary: dict[str, Any]) -> None:
    for name, own in summary["resources"].items():
        again = f"，其中此前已收 / in before {own['repeated']}" if own["repeated"] else ""
        console.print(f"{name}: {own['files']} 个文件 / files{again}", markup=False, soft_wrap=True)
        console.print(
            f"  收到 received {own['received']:,}  接受 accepted {own['accepted']:,}  "
            f"退回 rejected {own['rejected']:,}  存疑 flagged {own['flagged']:,}",
            markup=False,
            soft_wrap=True,
        )
        for code, reason in sorted(own["reasons"].items(), key=lambda one: -one[1]["rejected"] - one[1]["flagged"]):
            count = reason["rejected"] or reason["flagged"]
            word = "退回 rejected" if reason["rejected"] else "存疑 flagged"
            console.print(f"  {word} {count:>6,}  {reason['zh']}  {code}", markup=False, soft_wrap=True)
    for one in summary["refused"]:
        console.print(f"整批退回 / refused: {one['file']}\n  {one['zh']}\n  {one['en']}", markup=False, soft_wrap=True)
    console.print("下一步 / next: shutong run", markup=False, soft_wrap=True)
