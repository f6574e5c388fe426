"""``shutong pack``: check, scaffold, document and install packs of declarations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shutong.cli.outcome import FAILED, console, end, in_home, print_json, shipped_packs, work
from shutong.spec.checks import load_checked, pack_check, pack_summary
from shutong.spec.problems import Problem, errors
from shutong.spec.reference import reference_page
from shutong.spec.scaffold import new_pack
from shutong.spec.schema import write_schemas

app = typer.Typer(no_args_is_help=True, help="专题包：声明、检查、安装。Packs of declarations: check, make, install.")

PathArgument = Annotated[
    Path | None, typer.Argument(help="专题包或其上级文件夹，缺省为随项目的 packs / a pack or a folder of packs")
]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="数据之家的文件夹 / folder of the home", show_default=False)
]


@app.command()
def check(
    path: PathArgument = None,
    json: Annotated[bool, typer.Option("--json", help="每个问题一行 JSON / a JSON line per problem")] = False,
) -> None:
    """检查专题包：指出文件、行号和应当怎么写。Say what is wrong, in which file and line, and what to write instead.

    Exit code 0 when nothing but warnings was found, 1 otherwise.
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
            console.print(f"✓ {pack.pack} {pack.version} {pack.title_zh}: {counts}", markup=False)


def _show(problem: Problem, json: bool) -> None:
    if json:
        print_json(
            {"path": str(problem.path), **{k: getattr(problem, k) for k in ("line", "code", "zh", "en", "hint")}}
        )
    else:
        typer.echo(str(problem))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="小写字母、数字和连字符 / lower-case letters, digits, hyphens")],
    target: Annotated[Path, typer.Option(help="建在哪个文件夹下 / in which folder")] = Path("packs"),
) -> None:
    """新建一个可直接通过检查的专题包。Make a pack that passes its check and appears in the demo city, with a test."""
    for file in new_pack(name, target):
        console.print(f"+ {file}", markup=False)


@app.command()
def reference(
    target: Annotated[
        Path | None, typer.Option(help="写入的文件，缺省打印 / file to write; printed where missing")
    ] = None,
) -> None:
    """由模型生成的专题包参考。The pack reference page, generated from the models."""
    page = reference_page()
    if target is None:
        typer.echo(page)
    else:
        target.write_text(page, encoding="utf-8")


@app.command()
def schema(target: Annotated[Path, typer.Argument(help="写入的文件夹 / folder to write to")]) -> None:
    """编辑器可用的 JSON Schema，每种声明一个。JSON Schemas for editors, one per kind of declaration."""
    for file in write_schemas(target):
        console.print(f"+ {file}", markup=False)


@app.command()
def test(path: PathArgument = None) -> None:
    """运行专题包自带的测试数据。Run the test cases that packs bring as data."""
    end(work("cases:run_cases")(path or shipped_packs()))


@app.command()
def install(path: PathArgument = None, home: HomeOption = None) -> None:
    """把专题包发布到数据之家，只发布有变化的声明。Publish packs into a home; only changed declarations get a version."""
    in_home(home, "home:install", path=path or shipped_packs())
