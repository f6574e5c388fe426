"""Who may do what: a closed list of permissions and, per role, those it has. What is not listed is denied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Scope = Literal["any", "own"]
"""``own``: only for things of the actor's department."""

PERMISSIONS: Mapping[str, str] = {
    "accounts.create": "create and change accounts",
    "accounts.grant": "give and take roles, unlock",
    "accounts.password": "change one's own password",
    "audit.read": "read the audit log and the departures",
    "audit.seal": "seal and verify the audit log",
    "catalog.figures": "see the figures of all departments",
    "catalog.install": "install packs and publish declarations",
    "collect.deliver": "deliver batches",
    "collect.read": "see batches, receipts and rejected rows",
    "exchange.ask": "ask other departments for data, dispute a refusal",
    "exchange.answer": "answer requests for the department's data",
    "exchange.control": "suspend, resume and withdraw grants",
    "exchange.decide": "review answers and decide disputes for the data bureau",
    "exchange.read": "see requests, grants and their history",
    "exchange.use": "take the data that a grant gives",
    "jobs.manage": "see and retry background work",
    "keys.rotate": "change the keys of the home",
    "libraries.export": "export public libraries as files",
    "pipeline.run": "run the stages",
    "pipeline.read": "see runs and their reports",
    "procedures.open": "open a case of a procedure",
    "procedures.step": "take a step in a case; the procedure's own roles apply too",
    "quality.answer": "answer, give up and close tickets",
    "quality.open": "open tickets",
    "rules.list": "enter a candidate on a list",
    "rules.release": "release a listing",
    "subjects.review": "decide about merges and links",
    "subjects.read": "see subjects and values that are not public",
    "settings.change": "change settings of the home",
}


@dataclass(frozen=True)
class Role:
    """A role: its titles, whether it belongs to a department, and its permissions with their scope."""

    title_zh: str
    title_en: str
    of_department: bool
    permissions: Mapping[str, Scope]


ROLES: Mapping[str, Role] = {
    "operator": Role(
        "数据局运维员",
        "Data bureau operator",
        False,
        {
            "accounts.password": "any",
            "catalog.figures": "any",
            "catalog.install": "any",
            "collect.deliver": "any",
            "collect.read": "any",
            "jobs.manage": "any",
            "libraries.export": "any",
            "pipeline.run": "any",
            "pipeline.read": "any",
            "procedures.open": "any",
            "procedures.step": "any",
            "quality.open": "any",
            "quality.answer": "any",
            "subjects.review": "any",
            "subjects.read": "any",
        },
    ),
    "steward": Role(
        "部门数据专员",
        "Department data steward",
        True,
        {
            "accounts.password": "any",
            "collect.deliver": "own",
            "collect.read": "own",
            "exchange.ask": "own",
            "exchange.answer": "own",
            "exchange.control": "own",
            "exchange.read": "own",
            "exchange.use": "own",
            "procedures.open": "own",
            "procedures.step": "own",
            "quality.answer": "own",
        },
    ),
    "data-officer": Role(
        "数据局审核员",
        "Data bureau reviewer",
        False,
        {
            "accounts.password": "any",
            "catalog.figures": "any",
            "exchange.control": "any",
            "exchange.decide": "any",
            "exchange.read": "any",
        },
    ),
    "regulator": Role(
        "监管人员",
        "Regulator",
        True,
        {
            "accounts.password": "any",
            "procedures.open": "own",
            "procedures.step": "own",
            "rules.list": "own",
            "rules.release": "own",
            "subjects.read": "any",
        },
    ),
    "auditor": Role(
        "安全审计员",
        "Auditor",
        False,
        {"accounts.password": "any", "audit.read": "any", "audit.seal": "any"},
    ),
    # Three administrators (systems.md X2): who makes accounts gives no roles, who gives roles reads no log.
    "system-admin": Role(
        "系统管理员",
        "System administrator",
        False,
        {"accounts.password": "any", "accounts.create": "any", "settings.change": "any", "jobs.manage": "any"},
    ),
    "security-admin": Role(
        "安全管理员",
        "Security administrator",
        False,
        {"accounts.password": "any", "accounts.grant": "any"},
    ),
    "system": Role(
        "平台",
        "The platform itself",
        False,
        {
            "accounts.create": "any",
            "accounts.grant": "any",
            "audit.seal": "any",
            "catalog.install": "any",
            "collect.deliver": "any",
            "collect.read": "any",
            "jobs.manage": "any",
            "keys.rotate": "any",
            "libraries.export": "any",
            "pipeline.run": "any",
            "pipeline.read": "any",
            "procedures.open": "any",
            "procedures.step": "any",
            "quality.open": "any",
            "quality.answer": "any",
            "rules.list": "any",
            "rules.release": "any",
        },
    ),
}
"""``system`` is the platform acting by itself (scheduler, command line on the machine); no account can have it."""


def scope_of(roles: frozenset[str], permission: str) -> Scope | None:
    """The widest scope in which ``roles`` give ``permission``; None where they do not."""
    scopes = {ROLES[role].permissions.get(permission) for role in roles if role in ROLES}
    if "any" in scopes:
        return "any"
    return "own" if "own" in scopes else None
