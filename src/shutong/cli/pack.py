"""``shutong pack``: check, scaffold, document and install packs of declarations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shutong.cli.outcome import (
    FAILED,
    HomeOption,
    JsonOption,
    PreferOption,
    as_day,
    end,
    in_home,
    print_json,
    say,
    shipped_packs,
    work,
)
from shutong.spec.checks import load_checked, pack_check, pack_summary
from shutong.spec.problems import Problem, errors
from shutong.spec.reference import reference_page
from shutong.spec.scaffold import new_pack
from shutong.spec.schema import write_schemas

app = typer.Typer(no_args_is_help=True, help="专题包：声明、检查、安装。Packs of declarations: check, make, install.")

PathArgument = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help="专题包或其上级文件夹，缺省为随项目的 packs / a pack or a folder of packs"),
]


@app.command()
def check(
    path: PathArgument = None,
    json: Annotated[bool, typer.Option("--json", help="每个问题一行 JSON / a JSON line per problem")] = False,
) -> None:
    """检查专题包：指出文件、行号和应当怎么写。Say what is wrong, in which file and line, and what to write instead.

    Checks keys, names, expressions and SQL of every declaration, and the packs it requires. `--json` prints a line per
    problem: path, line, code, zh, en, hint. Exit code 0 when nothing but warnings was found, 1 otherwise.

    Example: `shutong pack check packs/credit`
    """
    folder = path or shipped_packs()
    problems = pack_check(folder)
    for problem in problems:
        _show(problem, json)
    if errors(problems):
        end(FAILED)
    if not json:
        for pack in pack_summary(load_checked(folder)):
            counts = ", ".join(f"{count} {kind}" for kind, count in pack.counts.items())
            say(f"✓ {pack.pack} {pack.version} {pack.title_zh}: {counts}")


def _show(problem: Problem, json: bool) -> None:
    if json:
        print_json(
            {"path": str(problem.path), **{k: getattr(problem, k) for k in ("line", "code", "zh", "en", "hint")}}
        )
    else:
        typer.echo(str(problem))


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="小写字母、数字和连字符 / lower-case letters, digits, hyphens")
    ],
    target: Annotated[Path, typer.Option(metavar="DIR", help="建在哪个文件夹下 / in which folder")] = Path("packs"),
) -> None:
    """新建一个可直接通过检查的专题包。Make a pack that passes its check and appears in the demo city, with a test.

    Change its files to what you need. Exit code 1 when the folder is there already or the name can't be used.

    Example: `shutong pack new heritage`
    """
    for file in new_pack(name, target):
        say(f"+ {file}")


@app.command()
def reference(
    target: Annotated[
        Path | None, typer.Option(metavar="FILE", help="写入的文件，缺省打印 / file to write; printed where missing")
    ] = None,
) -> None:
    """由模型生成的专题包参考。The pack reference page, generated from the models.

    Example: `shutong pack reference --target docs/pack-authors/reference.md`
    """
    page = reference_page()
    if target is None:
        typer.echo(page)
    else:
        target.write_text(page, encoding="utf-8")


@app.command()
def schema(target: Annotated[Path, typer.Argument(metavar="DIR", help="写入的文件夹 / folder to write to")]) -> None:
    """编辑器可用的 JSON Schema，每种声明一个。JSON Schemas for editors, one per kind of declaration.

    Example: `shutong pack schema .schemas`
    """
    for file in write_schemas(target):
        say(f"+ {file}")


@app.command()
def test(path: PathArgument = None, json: JsonOption = False) -> None:
    """运行专题包自带的测试数据。Run the test cases that packs bring as data.

    A case is a folder `tests/<case>` of a pack: what is delivered, and which rows must be accepted and rejected (see
    the pack reference). `--json` prints a line per case: pack, case, passed, and its differences. Exit code 1 when a
    row is missing or nobody expected it.

    Example: `shutong pack test packs/credit`
    """
    end(work("cases:run_cases")(path or shipped_packs(), json=json))


@app.command()
def install(path: PathArgument = None, home: HomeOption = None, prefer: PreferOption = None) -> None:
    """把专题包发布到数据之家，只发布有变化的声明。Publish packs into a home; only changed declarations get a version.

    The next `shutong run` computes what the changes touch. Exit code 3 when the packs have errors, or when the pack
    and this home both changed the same key of a declaration and `--prefer` does not say which counts; nothing is
    published then.

    Example: `shutong pack install packs/heritage --home /srv/shutong`
    """
    in_home(home, "home:install", path=path or shipped_packs(), prefer=prefer)


@app.command()
def collect(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="专题包的名称 / name of the pack")],
    source: Annotated[Path, typer.Option("--source", metavar="DIR", help="源文件夹 / folder with the files")],
    home: HomeOption = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="只交付此日起的文件 / only files from this day on")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="只交付到此日的文件 / only files up to this day")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="给程序用的 JSON / JSON for programs")] = False,
) -> None:
    """交付源文件夹中属于该专题包的全部文件，一次入库。Deliver the files of a folder that belong to a pack's resources.

    Which files are whose is declared (`files` of a resource); they are taken in by day, resource and name. Exit code
    0 when all are in (also when they were in before), 3 when one was refused; nothing comes in twice.

    Example: `shutong pack collect public-health --source /data/bulletins --home /srv/shutong`
    """
    end(
        in_home(
            home,
            "folder:collect_folder",
            pack=pack,
            source=source,
            since=as_day(since),
            until=as_day(until),
            json=json,
        )
    )
