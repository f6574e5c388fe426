"""The commands of ``shutong`` and their words. Each hands over to ``cli.work``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from shutong import __version__
from shutong.cli import account, bench, keys, library, pack, standards
from shutong.cli.outcome import (
    HomeOption,
    JsonOption,
    PreferOption,
    as_day,
    as_run_day,
    end,
    home_folder,
    in_home,
    run_app,
    shipped_packs,
    tell_closed_home,
    work,
)

app = typer.Typer(
    name="shutong",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="数通：城市公共数据平台。The public data platform of a city.\n\n"
    "Begin with `shutong demo`, or with `shutong init --home DIR`. Commands work on the home that `--home` or the "
    "variable `SHUTONG_HOME` names. Results go to standard output, messages to standard error.\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused for a stated reason, 130 interrupted.",
)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="版本号 / the version")] = False) -> None:
    """数通：城市公共数据平台。The public data platform of a city."""
    if show:
        typer.echo(f"shutong {__version__}")
        raise typer.Exit


@app.command()
def init(
    home: HomeOption = None,
    packs: Annotated[
        list[Path] | None,
        typer.Option("--pack", metavar="DIR", help="要安装的专题包，可多次 / pack to install, repeatable"),
    ] = None,
) -> None:
    """新建一个数据之家：密钥、设置、数据库、湖。Make a home: keys, settings, databases, lake.

    The folder must be new or empty. Without `--pack` the packs that come with the project are installed. Keep the
    folder `keys` safe: without it nothing that was sealed can be opened again. Where the data are to be (database_url,
    lake_location, the address and key id of its bucket) is taken from the variables and kept in `home.toml`.

    Example: `shutong init --home /srv/shutong`
    """
    folder = home_folder(home)
    work("create:create_home")(folder, packs or [shipped_packs()])
    in_home(folder, "home:prepare", packs=packs)


@app.command()
def collect(
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="信息资源的名称 / name of the resource")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="要交付的文件 / file to deliver")],
    home: HomeOption = None,
    received_on: Annotated[
        str | None, typer.Option(metavar="DATE", help="收到日期，缺省为业务日 / day of receipt, else the business day")
    ] = None,
    corrects: Annotated[
        str | None, typer.Option(metavar="BATCH", help="本文件更正哪个批次的退回行 / batch whose rejects it corrects")
    ] = None,
    json: JsonOption = False,
) -> None:
    """交付一个文件，得到签名回执。Deliver one file and print its signed receipt.

    The file (CSV in any usual encoding, XLSX, JSON) is decoded, checked row by row against the resource's declaration,
    and taken in as one batch: accepted rows, and rejected rows with every reason. `--json` prints the receipt: batch,
    sha256, received, accepted, rejected, flagged, reasons with row numbers and items, warnings, refusal, signature.
    The same file twice is recognised and adds nothing (`repeated` is true).

    Exit code 0 when the batch is in, 3 when it was refused as a whole: then nothing of it is in, `refusal` says why.

    Example: `shutong collect --home /srv/shutong penalty cf-2026-07.csv --json`
    """
    end(
        in_home(
            home,
            "way:collect",
            resource=resource,
            file=file,
            received_on=as_run_day(received_on),
            corrects=corrects,
            json=json,
        )
    )


@app.command()
def rejects(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="批次号 / id of the batch")],
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="要写的文件 .xlsx 或 .csv / file to write, .xlsx or .csv")
    ],
    home: HomeOption = None,
) -> None:
    """把批次中待更正的退回行写成表格。Write the rejected rows of a batch as a spreadsheet to correct and deliver again.

    The sheet has a row id, the reasons and the cells as they were delivered. Correct the cells, leave the first column
    as it is, and deliver it by `shutong collect --corrects BATCH`: that settles the rows in the batch's ticket. Rows
    that are settled already are left out. The file holds what the department delivered, personal data too; that it was
    written is in the audit log. An existing file is not overwritten (exit code 1).

    Example: `shutong rejects b37fd23574edab043a7902ecf rejected.xlsx --home /srv/shutong`
    """
    in_home(home, "way:write_rejects", batch=batch, target=target)


@app.command()
def run(
    home: HomeOption = None,
    full: Annotated[bool, typer.Option("--full", help="全部重算 / compute everything again")] = False,
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="变动超过界限也生效 / commit also beyond the bounds")
    ] = False,
    day: Annotated[
        str | None, typer.Option(metavar="DATE", help="业务日，缺省为今天 / business day, else today's")
    ] = None,
    json: JsonOption = False,
) -> None:
    """把收到的批次走完各环节。Take what was collected through every stage, then renew the ready answers.

    Only what changed since the last run is computed again, with the subjects whose terms end by this day; a changed
    declaration or `--full` recomputes everything. Both give the same tables. A run that was killed is made good by the
    next one; a run without changes still renews ready answers that are missing. `--json` prints run_id, kind (full,
    increment, nothing), business_day, upto_seq, subjects, and per stage name, seconds, peak_bytes, rows_in, rows_out.

    Exit code 1 when a stage failed or another run holds the home, 3 when the run would merge or lose more subjects than
    the bounds of the home allow (`--allow-changes` once the sources were looked at); nothing of it is visible then.

    Example: `shutong run --home /srv/shutong`
    """
    in_home(home, "way:run", full=full, allow_changes=allow_changes, day=as_run_day(day), json=json)


@app.command()
def query(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="名称片段或任一代码 / part of a name, or any code")],
    home: HomeOption = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="当时已知的答案 / what was known at the end of that day")
    ] = None,
    valid_on: Annotated[
        str | None, typer.Option(metavar="DATE", help="当日为真的取值 / what was true on that day")
    ] = None,
    of_library: Annotated[
        str | None,
        typer.Option("--library", metavar="NAME", help="在一个公开的库中查找 / search a public library instead"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """查找主体及其事项、名单和来源。Find subjects with their facts, listings and provenance.

    Shows what the public may see, masked as declared. `--as-of` computes the answer from what had been delivered by
    the end of that day; `--valid-on` keeps what held on that day; both may be combined. `--json` prints query, total,
    note, as_of, valid_on, business_day and `subjects` (at most 10), each with its identity, attributes, facts,
    listings and links; every value names its record, resource and batch. Nothing found is exit code 0 and total 0.

    `--library` finds subjects of any public library (areas, addresses, figures of the economy, licences) by a text in
    their values and prints library, query, total and `subjects`, each with its instances and their attributes, every
    source's value with its valid time, record and batch. Exit code 3 when the library is not public.

    Examples: `shutong query --home DIR 91350100M000100Y43`, `shutong query --home DIR --json 云海 --as-of 2026-06-30`,
    `shutong query --home DIR --library region 临浦区`
    """
    days = {"as_of": as_day(as_of), "valid_on": as_day(valid_on)}
    if of_library:
        in_home(home, "library:query", library=of_library, text=text, **days, json=json)
    else:
        in_home(home, "query:query", text=text, **days, json=json)


@app.command()
def serve(
    home: HomeOption = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="端口；被占用时另取一个并告知 / another one is taken when it is in use"),
    ] = None,
    host: Annotated[str | None, typer.Option(help="监听地址，缺省 127.0.0.1 / address to listen on")] = None,
) -> None:
    """启动网站、后台任务和定时运行。Start the site, the worker and the scheduler.

    Runs until interrupted (Ctrl-C or SIGTERM). Before it starts, an unfinished commit is completed and ready answers
    that are missing or behind the lake are made again. `--port 0` takes any free port. For other machines than this
    one, put a web server with TLS before it and set `public_url`.

    Example: `shutong serve --home /srv/shutong --port 8000`
    """
    in_home(home, "serve:serve", port=port, host=host)


@app.command()
def demo(
    home: Annotated[Path, typer.Option(metavar="DIR", help="演示之家的文件夹 / folder of the demo home")] = Path(
        "demo-home"
    ),
    subjects: Annotated[int, typer.Option(min=50, help="主体数 / number of subjects")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="随机种子 / seed")] = 7,
    days: Annotated[int, typer.Option(min=1, max=366, help="每日批次的天数 / days of daily batches")] = 30,
    dirt: Annotated[
        float,
        typer.Option(min=0, max=3, help="脏数据倍数：0 干净，1 通常，2 加倍 / dirt: 0 clean, 1 usual, 2 twice as much"),
    ] = 1.0,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="端口 / port")] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="做完即止，不启动网站 / stop when it is built")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="删除已有的演示之家重做 / build it again")] = False,
) -> None:
    """造一座演示城市，走完全部环节并打开网站。Make a demo city, run it through every stage, serve it.

    Writes `summary.json` in the home: `{total, resources, stages}`. A finished demo home is served at once; one that
    was interrupted is built again. A folder that is no demo home is never touched (exit code 3). All people and firms
    are invented; the business day is the city's last day and stands still. `shutong measure` says how well it was read.

    Examples: `shutong demo`, `shutong demo --home /tmp/city --subjects 2000 --seed 3 --dirt 2 --no-serve`
    """
    ready: bool = work("create:demo_home")(home, subjects=subjects, seed=seed, days=days, dirt=dirt, fresh=fresh)
    if ready:
        if no_serve:
            in_home(home, "demo:show_finished")
        else:
            in_home(home, "serve:serve", port=port, host=None)
        return
    in_home(home, "demo:build", subjects=subjects, seed=seed, days=days, dirt=dirt)
    if not no_serve:
        in_home(home, "serve:serve_afresh", port=port)


@app.command()
def train(home: HomeOption = None, json: JsonOption = False) -> None:
    """训练匹配模型的新版本。Train a new version of the model that judges similar names.

    Learns from the records that exact codes and names left over in the last run (at least 200 different ones; fewer end
    with exit code 3 and change nothing). Versions are kept; the next `shutong run` computes everything by the new one, and a
    daily run never trains.

    Example: `shutong train --home /srv/shutong`
    """
    in_home(home, "train:train", json=json)


@app.command()
def match(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="比对设置（YAML）/ what is compared how")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV、XLSX 或 JSON / the rows")],
    other: Annotated[
        Path | None, typer.Argument(metavar="[OTHER]", help="另一文件；没有则查重 / a second file; else duplicates")
    ] = None,
    json: JsonOption = False,
) -> None:
    """按声明的设置找出相同的行：一个文件内查重，或两个文件间比对。Find the rows that are the same, by a declared configuration.

    For data that is no resource yet. The configuration says which columns are compared how and which rows are compared at
    all; the weights are estimated from the rows themselves. Prints left_id, right_id and probability. Needs no home.

    Example: `shutong match persons.yaml left.csv right.csv > pairs.csv`
    """
    work("match:match")(config, [file, other] if other else [file], json=json)


@app.command()
def measure(home: HomeOption = None, json: JsonOption = False) -> None:
    """以真值衡量演示之家的准确程度。How well a demo home read its city, against the truth beside it.

    Prints, as Markdown: per kind of planted dirt how many rows were rejected for the planted reason, and how many good
    rows were; precision and recall of identification per kind of evidence and per method; the planted patterns. `--json`
    prints the same figures. Exit code 3 when the home has no city.

    Example: `shutong measure --home /srv/shutong-demo`
    """
    in_home(home, "measure:against_truth", json=json)


@app.command()
def doctor(home: HomeOption = None, json: JsonOption = False) -> None:
    """检查安装是否正常，逐项说明怎么处理。Check an installation and say, line by line, what to do.

    Looks at Python, disk, rights, keys, database, lake, declarations, runs, ready answers, waiting work. `--json` prints
    a line per finding: name, state (ok, warn, fail), zh, en; a home that cannot be opened is one finding, `home`.
    Changes nothing. Exit code 1 when something failed.

    Example: `shutong doctor --home /srv/shutong`
    """
    folder = home_folder(home)
    try:
        code = in_home(folder, "home:doctor", json=json)
    except Exception as error:
        code = tell_closed_home(error, json)
    end(code)


@app.command()
def upgrade(home: HomeOption = None, prefer: PreferOption = None) -> None:
    """把数据之家升级到本版本。Bring a home's database, lake and packs to this version.

    Stop `shutong serve` first and make a backup. May be repeated. The next `shutong run` computes what changed. Exit
    code 3 when a declaration was changed both here and in its pack and `--prefer` does not say which counts; database
    and lake are upgraded then, the packs are as they were.

    Example: `shutong upgrade --home /srv/shutong`
    """
    in_home(home, "home:upgrade", prefer=prefer)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="备份文件 .tar / the backup file")],
    home: HomeOption = None,
) -> None:
    """备份：先数据库，后湖中的文件，逐个记录哈希。Back a home up: database first, then the files of the manifest.

    May run while the home is served and while a run is going on. The file holds the home's keys: keep it as safe as
    the home. It appears under its name only when it is complete; an existing file is not overwritten (exit code 1).

    Example: `shutong backup --home /srv/shutong /backup/shutong-2026-07-14.tar`
    """
    in_home(home, "home:backup", target=target)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="备份文件 .tar / the backup file")],
    home: HomeOption = None,
) -> None:
    """从备份恢复到一个新文件夹，并核对每个哈希。Restore a backup into a new folder and verify every hash.

    The folder must be new or empty. A damaged backup is refused (exit code 1) and leaves nothing behind. The ready
    answers are not in a backup: the next `shutong run` or `shutong serve` makes them again.

    Example: `shutong restore /backup/shutong-2026-07-14.tar --home /srv/shutong-2`
    """
    work("create:restore_home")(source, home_folder(home))


@app.command()
def audit(home: HomeOption = None, json: JsonOption = False) -> None:
    """核对审计日志的链条与封签。Verify the chain and the seals of the audit log.

    Exit code 0 when every entry is as it was written (what is new is sealed then), 1 when the log was tampered with.
    `--json` prints ok, entries, segments, checkpoints and faults.

    Example: `shutong audit --home /srv/shutong --json`
    """
    end(in_home(home, "home:verify_audit", json=json))


app.add_typer(pack.app, name="pack")
app.add_typer(library.app, name="library")
app.add_typer(account.app, name="account")
app.add_typer(keys.app, name="keys")
app.add_typer(standards.app, name="standards")
app.command("bench")(bench.bench)


def execute() -> int:
    """Run the command line; returns the exit code."""
    return run_app(app)


def main() -> None:
    """Run the command line and exit."""
    sys.exit(execute())


if __name__ == "__main__":
    main()
