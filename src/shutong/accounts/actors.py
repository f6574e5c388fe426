"""Who acts: a value taken from a signed-in user, or the platform itself."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied

from shutong.accounts.models import User
from shutong.accounts.permissions import PERMISSIONS, scope_of
from shutong.audit.chain import ActorValues


@dataclass(frozen=True)
class Actor:
    """Somebody who acts. ``department`` is the short name of the department acted for, empty for none."""

    id: str
    name: str
    department: str = ""
    roles: frozenset[str] = frozenset()

    def may(self, permission: str, department: str | None = None) -> bool:
        """Whether the actor has ``permission``, for things of ``department`` where one is named."""
        scope = scope_of(self.roles, permission)
        if scope == "any":
            return True
        return scope == "own" and bool(self.department) and department == self.department

    def values(self) -> ActorValues:
        """The actor as the audit log keeps it: id, department and roles, no name."""
        return ActorValues(id=self.id, department=self.department, roles=tuple(sorted(self.roles)))


SYSTEM = Actor(id="system", name="数通平台", roles=frozenset({"system"}))
"""The platform acting by itself: scheduler, worker, commands on the machine."""

NOBODY = Actor(id="nobody", name="")
"""Somebody who has not signed in; may do nothing that is not public."""


class NotAllowedError(PermissionDenied):
    """The actor has no such permission, or not for that department. Becomes a page 403."""

    def __init__(self, actor: Actor, permission: str, department: str | None) -> None:
        self.actor_id = actor.id
        self.permission = permission
        self.department = department
        where = f"（部门 {department}）" if department else ""
        super().__init__(
            f"您没有权限执行此操作：{permission}{where}。请联系安全管理员授权。/ "
            f"You may not do this: {PERMISSIONS[permission]} ({permission}). "
            "Ask the security administrator for the role."
        )


def actor_of(user: User, department: str | None = None) -> Actor:
    """The actor a user is, in one department. A demo account outside a demo home, or an ended one, may do nothing.

    Args:
        department: which of the user's departments to act for; the first by name where it is None.
    """
    counts = user.is_active and (settings.SHUTONG_DEMO or not user.demo)
    memberships = list(user.memberships.order_by("department", "role")) if counts else []
    departments = [membership.department for membership in memberships if membership.department]
    chosen = department if department in departments else (departments[0] if departments else "")
    roles = frozenset(one.role for one in memberships if one.department in ("", chosen) and one.role != "system")
    return Actor(id=f"u{user.pk}", name=user.get_full_name(), department=chosen, roles=roles)
