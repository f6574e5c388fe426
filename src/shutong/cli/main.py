"""The commands of ``shutong`` and their words. Each hands over to ``cli.work``."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from shutong import __version__
from shutong.cli import bench, pack, standards
from shutong.cli.outcome import end, home_folder, in_home, run_app, work

app = typer.Typer(
    name="shutong",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="数通：城市公共数据平台。The public data platform of a city.\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused for a stated reason.",
)
app.add_typer(pack.app, name="pack")
app.add_typer(standards.app, name="standards")
app.command("bench")(bench.bench)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="数据之家的文件夹；缺省取 SHUTONG_HOME / folder of the home", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="给程序用的 JSON / JSON for programs")]


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"不是日期：{text}（写作 2026-07-01）/ not a date: write 2026-07-01") from None


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
        list[Path] | None, typer.Option("--pack", help="要安装的专题包，可多次 / pack to install, repeatable")
    ] = None,
) -> None:
    """新建一个数据之家：密钥、设置、数据库、湖。Make a home: keys, settings, databases, lake.

    Without `--pack` the packs that come with the project are installed, where they are found.
    """
    folder = home_folder(home)
    work("create:create_home")(folder)
    in_home(folder, "home:prepare", packs=packs)


@app.command()
def collect(
    resource: Annotated[str, typer.Argument(help="信息资源的名称 / name of the resource")],
    file: Annotated[Path, typer.Argument(help="要交付的文件 / file to deliver")],
    home: HomeOption = None,
    received_on: Annotated[str | None, typer.Option(help="收到日期，缺省为业务日 / day of receipt")] = None,
    corrects: Annotated[
        str | None, typer.Option(help="本文件更正哪个批次的拒收行 / batch whose rejects it corrects")
    ] = None,
    json: JsonOption = False,
) -> None:
    """交付一个文件，得到签名回执。Deliver one file and print its signed receipt.

    Exit code 0 when the batch is in (also when it was in before), 3 when it was refused; the receipt says why.
    """
    end(
        in_home(
            home,
            "way:collect",
            resource=resource,
            file=file,
            received_on=_day(received_on),
            corrects=corrects,
            json=json,
        )
    )


@app.command()
def run(
    home: HomeOption = None,
    full: Annotated[bool, typer.Option("--full", help="全部重算 / compute everything again")] = False,
    day: Annotated[str | None, typer.Option(help="业务日，缺省为今天 / business day")] = None,
    json: JsonOption = False,
) -> None:
    """把收到的批次走完各环节。Take what was collected through every stage, then renew the ready answers.

    Only what changed is computed again; a changed declaration or `--full` recomputes everything.
    """
    in_home(home, "way:run", full=full, day=_day(day), json=json)


@app.command()
def query(
    text: Annotated[str, typer.Argument(help="名称片段或任一代码 / part of a name, or any code")],
    home: HomeOption = None,
    as_of: Annotated[str | None, typer.Option(help="当时已知的答案 / what was known at the end of that day")] = None,
    valid_on: Annotated[str | None, typer.Option(help="当日为真的取值 / what was true on that day")] = None,
    json: JsonOption = False,
) -> None:
    """查找主体及其事项、名单和来源。Find subjects with their facts, listings and provenance."""
    in_home(home, "query:query", text=text, as_of=_day(as_of), valid_on=_day(valid_on), json=json)


@app.command()
def serve(
    home: HomeOption = None,
    port: Annotated[
        int | None, typer.Option(help="端口；被占用时另取一个并告知 / another one is taken and told when it is in use")
    ] = None,
    host: Annotated[str | None, typer.Option(help="监听地址，缺省 127.0.0.1 / address to listen on")] = None,
) -> None:
    """启动网站、后台任务和定时运行。Start the site, the worker and the scheduler."""
    in_home(home, "serve:serve", port=port, host=host)


@app.command()
def demo(
    home: Annotated[Path, typer.Option(help="演示之家的文件夹 / folder of the demo home")] = Path("demo-home"),
    subjects: Annotated[int, typer.Option(min=50, help="主体数 / number of subjects")] = 20_000,
    seed: Annotated[int, typer.Option(help="随机种子 / seed")] = 7,
    days: Annotated[int, typer.Option(min=1, max=366, help="每日批次的天数 / days of daily batches")] = 30,
    port: Annotated[int | None, typer.Option(help="端口 / port")] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="做完即止，不启动网站 / stop when it is built")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="删除已有的演示之家重做 / build it again")] = False,
) -> None:
    """造一座演示城市，走完全部环节并打开网站。Make a demo city, run it through every stage, serve it.

    Writes `summary.json` in the home: `{total, resources, stages}`. A finished demo home is served at once.
    """
    ready: bool = work("create:demo_home")(home, subjects=subjects, seed=seed, days=days, fresh=fresh)
    if not ready:
        in_home(home, "demo:build", subjects=subjects, seed=seed, days=days)
    if not no_serve:
        in_home(home, "serve:serve", port=port, host=None)


@app.command()
def doctor(home: HomeOption = None, json: JsonOption = False) -> None:
    """检查安装是否正常，逐项说明怎么处理。Check an installation and say, line by line, what to do."""
    end(in_home(home, "home:doctor", json=json))


@app.command()
def upgrade(home: HomeOption = None) -> None:
    """把数据之家升级到本版本。Bring a home's database, lake and packs to this version."""
    in_home(home, "home:upgrade")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="备份文件 .tar / the backup file")],
    home: HomeOption = None,
) -> None:
    """备份：先数据库，后湖中的文件，逐个记录哈希。Back a home up: database first, then the files of the manifest."""
    in_home(home, "home:backup", target=target)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="备份文件 .tar / the backup file")],
    home: HomeOption = None,
) -> None:
    """从备份恢复到一个新文件夹，并核对每个哈希。Restore a backup into a new folder and verify every hash."""
    work("create:restore_home")(source, home_folder(home))


@app.command()
def audit(home: HomeOption = None, json: JsonOption = False) -> None:
    """核对审计日志的链条与封签。Verify the chain and the seals of the audit log; exit code 1 when it was tampered with."""
    end(in_home(home, "home:verify_audit", json=json))


def main() -> None:
    """Entry point of the command."""
    sys.exit(run_app(app))


if __name__ == "__main__":
    main()
