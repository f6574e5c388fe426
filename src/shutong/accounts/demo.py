"""Sign-ins of a demo home: one per role. They are made in a demo home only and sign nobody in anywhere else."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence

from shutong.accounts.actions import create_account, give_role, reset_password
from shutong.accounts.actors import SYSTEM
from shutong.accounts.models import User
from shutong.accounts.permissions import ROLES
from shutong.engine.home import Home

WORDS = "apple bridge cloud delta eagle forest garden harbor island jasmine lotus maple ocean pearl river silver"


SIGN_INS = "demo-sign-ins.json"


class NotADemoError(RuntimeError):
    """Demo sign-ins were asked for in a home that is no demo."""

    def __init__(self) -> None:
        super().__init__(
            "本系统不是演示环境，不能创建演示账户。/ This home is no demo; demo sign-ins are not made in it. "
            "Make accounts with: shutong init, or let the system administrator make them."
        )


def create_demo_accounts(home: Home, departments: Sequence[str]) -> list[tuple[str, str, str]]:
    """Makes a demo account per role, and a steward per department; called again, it gives the same sign-ins.

    They are kept beside the demo home's keys, since making passwords anew would keep everybody waiting; one that was
    changed meanwhile is made new.

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
    file = home.path / "keys" / SIGN_INS
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    made = {name: _account(name, role, department, kept.get(name)) for name, role, department in wanted}
    if made != {name: kept.get(name) for name in made}:
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({**kept, **made}), encoding="utf-8")
        draft.replace(file)
    return [(name, made[name][0], role) for name, role, _ in wanted]


def _account(username: str, role: str, department: str, kept: list[str] | None) -> list[str]:
    """The password of a demo account, and the fingerprint of what is stored of it, by which a change is seen."""
    user = User.objects.filter(username=username, demo=True).first()
    if user is not None and kept is not None and kept[1] == _fingerprint(user):
        return kept
    password = "-".join(secrets.choice(WORDS.split()) for _ in range(4))
    if user is None:
        name = ROLES[role].title_zh
        user = create_account(username, password, name=name, demo=True, acting=SYSTEM)
    else:
        reset_password(user, password, acting=SYSTEM)
    give_role(user, role, department, acting=SYSTEM)
    return [password, _fingerprint(user)]


def _fingerprint(user: User) -> str:
    return hashlib.sha256(user.password.encode()).hexdigest()
