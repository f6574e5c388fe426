"""``shutong account``: making accounts on the machine itself, as the platform."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import typer
from django.db import transaction
from rich.table import Table

from shutong.accounts.actions import create_account, deactivate_account, give_role, reset_password
from shutong.accounts.actors import SYSTEM
from shutong.accounts.models import Membership, User
from shutong.accounts.permissions import ROLES
from shutong.catalog.actions import current_catalog
from shutong.cli.outcome import output, print_json, say
from shutong.spec.problems import meant

_PASSWORD_BYTES = 12


def add(_folder: Path, *, name: str, role: str, department: str, json: bool) -> None:
    """Make an account, or give an existing one another role.

    Raises:
        typer.BadParameter: no such role or department, or a department missing or too much.
    """
    _check_role(role, department)
    if not name.strip():
        raise typer.BadParameter("用户名为空 / the user name is empty", param_hint="NAME")
    password = None
    with transaction.atomic():
        user = User.objects.filter(username=name).first()
        if user is None:
            password = secrets.token_urlsafe(_PASSWORD_BYTES)
            user = create_account(name, password, name=name, acting=SYSTEM)
        give_role(user, role, department, acting=SYSTEM)
    _tell(name, password, json, role=role, department=department)


def reset(_folder: Path, *, name: str, json: bool) -> None:
    """Give an account a new password."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    reset_password(_account(name), password, acting=SYSTEM)
    _tell(name, password, json)


def close(_folder: Path, *, name: str) -> None:
    """End an account."""
    deactivate_account(_account(name), acting=SYSTEM)
    say(f"已停用 / closed: {name}")


def listed(_folder: Path, *, json: bool) -> None:
    """List the accounts, those that are ended too."""
    rows: list[dict[str, Any]] = [
        {
            "name": user.username,
            "active": user.is_active,
            "roles": [
                f"{one.role}:{one.department}" if one.department else one.role
                for one in Membership.objects.filter(user=user).order_by("role", "department")
            ],
        }
        for user in User.objects.order_by("username")
    ]
    if json:
        print_json(rows)
        return
    table = Table("用户名 / user", "角色 / roles", "状态 / state", box=None)
    for row in rows:
        table.add_row(row["name"], ", ".join(row["roles"]), "有效 / active" if row["active"] else "停用 / closed")
    output.print(table)


def roles(_folder: Path) -> None:
    """List the roles that can be given."""
    table = Table("角色 / role", "名称 / title", "部门 / department", "权限 / may", box=None)
    for name, role in ROLES.items():
        if name != "system":
            table.add_row(
                name,
                f"{role.title_zh}\n{role.title_en}",
                "必填 / needed" if role.of_department else "—",
                ", ".join(role.permissions),
            )
    output.print(table)


def _check_role(role: str, department: str) -> None:
    given = {name: one for name, one in ROLES.items() if name != "system"}
    if role not in given:
        raise typer.BadParameter(f"没有这个角色：{role}。{meant(role, given)} / no such role", param_hint="--role")
    if given[role].of_department and not department:
        raise typer.BadParameter(
            f"角色 {role} 必须用 --department 指定部门 / the role {role} needs --department", param_hint="--department"
        )
    known = current_catalog().departments
    if department and department not in known:
        raise typer.BadParameter(
            f"没有这个部门：{department}。{meant(department, known)} / no such department", param_hint="--department"
        )


def _account(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise typer.BadParameter(
            f"没有这个账号：{name}，见 shutong account list / no such account: see shutong account list",
            param_hint="NAME",
        )
    return user


def _tell(name: str, password: str | None, json: bool, **more: str) -> None:
    if json:
        print_json({"name": name, "password": password, **more})
    elif password is None:
        say(f"已授予 / given: {name} {more.get('role', '')} {more.get('department', '')}")
    else:
        say(f"账号 / account {name}，密码只显示这一次 / the password is shown this once: {password}")
