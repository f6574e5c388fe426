"""Sign-ins of a demo home: one per role. They are made in a demo home only and sign nobody in anywhere else."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from shutong.accounts.actions import create_account, give_role, reset_password
from shutong.accounts.actors import SYSTEM
from shutong.accounts.models import User
from shutong.accounts.permissions import ROLES
from shutong.engine.home import Home

WORDS = "apple bridge cloud delta eagle forest garden harbor island jasmine lotus maple ocean pearl river silver"


class NotADemoError(RuntimeError):
    """Demo sign-ins were asked for in a home that is no demo."""

    def __init__(self) -> None:
        super().__init__(
            "本系统不是演示环境，不能创建演示账户。/ This home is no demo; demo sign-ins are not made in it. "
            "Make accounts with: shutong init, or let the system administrator make them."
        )


def create_demo_accounts(home: Home, departments: Sequence[str]) -> list[tuple[str, str, str]]:
    """Makes a demo account per role, and a steward per department; called again, it makes new passwords for all.

    Args:
        departments: short names of departments that get a steward; the first also gets the regulator.

    Returns:
        (user name, password, role) in the order to be printed.

    Raises:
        NotADemoError: the home's setting ``demo`` is off.
    """
    if not home.settings.demo:
        raise NotADemoError
    wanted: list[tuple[str, str, str]] = []
    for role, known in ROLES.items():
        if role == "system":
            continue
        if role == "steward":
            wanted += [(f"steward-{department}", role, department) for department in departments]
        elif not known.of_department:
            wanted.append((role, role, ""))
        elif departments:
            wanted.append((role, role, departments[0]))
    return [(name, _account(name, role, department), role) for name, role, department in wanted]


def _account(username: str, role: str, department: str) -> str:
    password = "-".join(secrets.choice(WORDS.split()) for _ in range(4))
    user = User.objects.filter(username=username, demo=True).first()
    if user is None:
        name = ROLES[role].title_zh
        user = create_account(username, password, name=name, demo=True, acting=SYSTEM)
    else:
        reset_password(user, password, acting=SYSTEM)
    give_role(user, role, department, acting=SYSTEM)
    return password
