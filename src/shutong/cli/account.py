"""``shutong account``: the people who sign in to a home."""

from __future__ import annotations

from typing import Annotated

import typer

from shutong.cli.outcome import HomeOption, JsonOption, in_home

app = typer.Typer(no_args_is_help=True, help="账号与角色。The people who sign in, and their roles.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="用户名 / user name")]


@app.command()
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option(metavar="ROLE", help="角色 / role; see `shutong account roles`")],
    department: Annotated[
        str, typer.Option(metavar="NAME", help="所属部门，部门角色必填 / department, for roles of departments")
    ] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """新建账号并授予一个角色，打印一次性密码。Make an account with one role and print its first password.

    The password is shown once and stored as a hash only. An account that exists gets the role in addition, and keeps
    its password. Both are written to the audit log. Exit code 2 for a role or department that does not exist.

    Example: `shutong account add zhang --role steward --department market-supervision --home /srv/shutong`
    """
    in_home(home, "account:add", name=name, role=role, department=department, json=json)


@app.command("reset")
def reset(name: NameArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """给账号换一个新密码并打印。Give an account a new password and print it.

    Example: `shutong account reset zhang --home /srv/shutong`
    """
    in_home(home, "account:reset", name=name, json=json)


@app.command("close")
def close(name: NameArgument, home: HomeOption = None) -> None:
    """停用账号；审计日志中的记录保留。End an account; what the audit log says of it stays.

    Example: `shutong account close zhang --home /srv/shutong`
    """
    in_home(home, "account:close", name=name)


@app.command("list")
def listed(home: HomeOption = None, json: JsonOption = False) -> None:
    """列出账号、角色和部门。List accounts with roles and departments.

    Example: `shutong account list --home /srv/shutong`
    """
    in_home(home, "account:listed", json=json)


@app.command()
def roles(home: HomeOption = None) -> None:
    """列出可授予的角色及其权限。List the roles that can be given and what each may do.

    Example: `shutong account roles --home /srv/shutong`
    """
    in_home(home, "account:roles")
