"""What is done to accounts; and the wrapper, under the name by which all areas import it.

from shutong.accounts.actions import action, note, send
"""

from __future__ import annotations

from shutong.accounts.actors import Actor
from shutong.accounts.models import Membership, User
from shutong.accounts.permissions import ROLES
from shutong.accounts.wrapper import action, action_info, note, note_read, require, send

__all__ = [
    "AccountError",
    "action",
    "action_info",
    "change_password",
    "create_account",
    "deactivate_account",
    "give_role",
    "note",
    "note_read",
    "require",
    "reset_password",
    "send",
    "take_role",
]


class AccountError(ValueError):
    """An account cannot be made or changed as asked."""


@action(permission="accounts.create", audited=("username",))
def create_account(username: str, password: str | None, *, name: str = "", demo: bool = False, acting: Actor) -> User:
    """Makes an account without any role.

    Args:
        password: None makes an account nobody can sign in as until a password is set.

    Raises:
        AccountError: the user name is taken or empty.
    """
    if not username.strip():
        raise AccountError("用户名不能为空。/ The user name is empty.")
    if User.objects.filter(username=username).exists():
        raise AccountError(f"用户名 {username} 已存在，请换一个。/ The user name {username} is taken; choose another.")
    user = User.objects.create_user(username, password, name=name)
    if demo:
        user.demo = True
        user.save(update_fields=["demo"])
    note(f"u{user.pk}")
    return user


@action(permission="accounts.create", audited=("user.pk",))
def deactivate_account(user: User, *, acting: Actor) -> None:
    """Ends an account: it can no longer sign in and acts as nobody. Its rows stay, the log refers to them."""
    user.is_active = False
    user.save(update_fields=["is_active"])


@action(permission="accounts.grant", audited=("user.pk", "role", "to_department"))
def give_role(user: User, role: str, to_department: str = "", *, acting: Actor) -> Membership:
    """Gives a role, in a department where the role is one of departments.

    Raises:
        AccountError: no such role, the platform's own role, one's own account, or a department missing or too much.
    """
    known = ROLES.get(role)
    if known is None or role == "system":
        names = ", ".join(name for name in ROLES if name != "system")
        raise AccountError(f"没有角色 {role}，可用角色：{names}。/ There is no role {role}; choose one of: {names}.")
    if known.of_department != bool(to_department):
        raise AccountError(
            f"角色 {known.title_zh} {'必须指定部门' if known.of_department else '不属于任何部门'}。/ "
            f"The role {role} {'needs a department' if known.of_department else 'belongs to no department'}."
        )
    _not_oneself(user, acting)
    membership, _ = Membership.objects.get_or_create(user=user, role=role, department=to_department)
    return membership


@action(permission="accounts.grant", audited=("user.pk", "role", "in_department"))
def take_role(user: User, role: str, in_department: str = "", *, acting: Actor) -> None:
    """Takes a role away; one that was not held is no error."""
    _not_oneself(user, acting)
    Membership.objects.filter(user=user, role=role, department=in_department).delete()


@action(permission="accounts.create", audited=("user.pk",))
def reset_password(user: User, password: str, *, acting: Actor) -> None:
    """Sets another person's password, who forgot it; the entry in the log says by whom."""
    user.set_password(password)
    user.save(update_fields=["password"])


@action(permission="accounts.password", audited=("user.pk",))
def change_password(user: User, password: str, *, acting: Actor) -> None:
    """Sets one's own password. The caller has checked its strength (the sign-in forms do).

    Raises:
        AccountError: another person's account.
    """
    if acting.id != f"u{user.pk}":
        raise AccountError("只能修改自己的密码。/ You can only change your own password.")
    user.set_password(password)
    user.save(update_fields=["password"])


def _not_oneself(user: User, acting: Actor) -> None:
    if acting.id == f"u{user.pk}":
        raise AccountError("不能给自己授予或收回角色。/ You cannot give yourself a role or take one away.")
